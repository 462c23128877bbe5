// The `tk-image` executable. Loads a command when it is asked for: start-up is a feature.
import { OutputError, processIo as io, type Io } from '../fn/io.ts';
import { DONE, FAILED, MISUSED } from '../fn/status.ts';
import { keepCompiled } from './compiled.ts';
import { programName } from './name.ts';

/** A command: what stands behind its name, and the process's ends. Returns the exit status. */
type Run = (argv: string[], io: Io) => Promise<number>;

/** By the words of its name. */
const commands: Record<string, (argv: string[]) => Promise<Run>> = {
  automate: async () => (await import('./annotate.ts')).automate,
  choose: async () => (await import('./choose.ts')).choose,
  completion: async () => (await import('./completion.ts')).completion,
  'create automation': async () => (await import('./create.ts')).creating('create automation'),
  'create cluster-automation': async () => (await import('./create.ts')).creating('create cluster-automation'),
  'create policy': async () => (await import('./create.ts')).creating('create policy'),
  'create repository': async () => (await import('./create.ts')).creating('create repository'),
  'create updatejob': async () => (await import('./create.ts')).creating('create updatejob'),
  deautomate: async () => (await import('./annotate.ts')).deautomate,
  explain: async () => (await import('./explain.ts')).explain,
  list: async () => (await import('./list.ts')).list,
  lock: async () => (await import('./annotate.ts')).lock,
  migrate: async () => (await import('./migrate.ts')).migrate,
  policy: async () => (await import('./annotate.ts')).policy,
  async run(argv) {
    // It is run again and again, and has a cache in any case.
    keepCompiled(argv, io.environment);
    return (await import('./run.ts')).run;
  },
  scan: async () => (await import('./scan.ts')).scan,
  unlock: async () => (await import('./annotate.ts')).unlock,
  update: async () => (await import('./update.ts')).update,
};

async function main(argv: string[]): Promise<number> {
  const end = argv.indexOf('--');
  const asks = argv.slice(0, end < 0 ? undefined : end).some((word) => word === '--help' || word === '-h');
  if (asks || argv[0] === 'help') return help(argv[0] === 'help' ? argv.slice(1) : argv);
  const [one = '', two = ''] = argv;
  const name = [`${one} ${two}`, one].find((name) => Object.hasOwn(commands, name));
  if (name === undefined) return misused(argv);
  const rest = argv.slice(name.split(' ').length);
  return (await commands[name]!(rest))(rest, io);
}

/** The help of the command that the words begin with; of the program where they name none. */
async function help(words: readonly string[]): Promise<number> {
  const { commandHelp, programHelp } = await import('./help.ts');
  const program = programName(process.argv[1]);
  const [one, two] = words.filter((word) => !word.startsWith('-'));
  if (one === undefined) io.output(programHelp(program));
  else {
    const text = commandHelp(`${one} ${two}`, program) ?? commandHelp(one, program);
    if (text === undefined) return misused(words);
    io.output(text);
  }
  return DONE;
}

async function misused(words: readonly string[]): Promise<number> {
  const [{ unknownCommand }, { usage }] = await Promise.all([import('./help.ts'), import('../fn/usage.ts')]);
  io.error(usage(unknownCommand(words), programName(process.argv[1])));
  return MISUSED;
}

main(process.argv.slice(2)).then(
  (status) => (process.exitCode = status),
  (error: unknown) => {
    process.exitCode = FAILED;
    if (error instanceof OutputError) {
      io.error(`tk-image: ${error.message}`);
      return;
    }
    io.error(`tk-image: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    io.error('tk-image: this is a bug; please report it with what you typed.');
  },
);
