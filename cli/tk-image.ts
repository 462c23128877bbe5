// The `tk-image` executable. Loads a command when it is asked for: start-up is a feature.
import { OutputError, processIo as io, type Io } from '../fn/io.ts';
import { DONE, FAILED, MISUSED } from '../fn/status.ts';
import { keepCompiled } from './compiled.ts';

/** A command: what stands behind its name, and the process's ends. Returns the exit status. */
type Run = (argv: string[], io: Io) => Promise<number>;

const commands: Record<string, (argv: string[]) => Promise<Run>> = {
  choose: async () => (await import('./choose.ts')).choose,
  async run(argv) {
    // It is run again and again, and has a cache in any case.
    keepCompiled(argv, io.environment);
    return (await import('./run.ts')).run;
  },
  scan: async () => (await import('./scan.ts')).scan,
};

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (argv.some((word) => word === '--help' || word === '-h') || name === 'help') {
    const { help } = await import('./help.ts');
    io.output(help(name === 'help' ? rest[0] : name));
    return DONE;
  }
  const load = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load) return (await load(rest))(rest, io);
  const { unknownCommand } = await import('./help.ts');
  io.error(unknownCommand(name, Object.keys(commands)));
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
