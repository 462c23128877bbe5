// The `image-update` executable. Loads little until it knows what is asked: start-up is a feature.
import type { GivenOptions } from '../registry/options.ts';
import type { Arguments } from './arguments.ts';
import { OutputError, processIo as io } from './io.ts';
import { DONE, FAILED, MISUSED } from './status.ts';

async function main(argv: string[]): Promise<number> {
  const args = argv.length === 0 ? none : await parse(argv);
  if (!args) return MISUSED;
  if (args.help) {
    const { helpText } = await import('./help.ts');
    io.output(helpText('function.md'));
    return DONE;
  }
  const connect = async () => (await import('../registry/connect.ts')).connect(args, io);
  if (args.operands.length > 0) {
    const { runDirectory } = await import('./run-directory.ts');
    return runDirectory(args, io, connect);
  }
  const { runList } = await import('./run-list.ts');
  return runList(args, io, connect);
}

/** The function's own arguments, and what `declareRegistryOptions` adds to them. */
type AllArguments = Arguments & GivenOptions;

const none: AllArguments = { operands: [], metadata: [], dryRun: false, diff: false, strict: false, help: false };

async function parse(argv: string[]): Promise<AllArguments | undefined> {
  const { parseArguments } = await import('./arguments.ts');
  const { declareRegistryOptions } = await import('../registry/options.ts');
  const args = parseArguments(argv, declareRegistryOptions);
  if (typeof args !== 'string') return args;
  io.error(args);
  return undefined;
}

main(process.argv.slice(2)).then(
  (status) => (process.exitCode = status),
  (error: unknown) => {
    process.exitCode = FAILED;
    if (error instanceof OutputError) {
      io.error(`image-update: ${error.message}`);
      return;
    }
    io.error(`image-update: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    io.error('image-update: this is a bug; nothing was written. Please report it with the input that caused it.');
  },
);
