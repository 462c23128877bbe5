import { Command, CommanderError } from 'commander';

/** A command line to be declared. It neither prints nor exits, and its help is a page of its own. */
export function newCommand(name: string): Command {
  return new Command(name)
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
}

/** Takes the arguments in. Returns what is wrong with them, with a suggestion for a mistyped option; undefined if nothing is. */
export function parseInto(command: Command, argv: readonly string[]): string | undefined {
  try {
    command.parse(argv, { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError)
      return error.message.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\?\)$/s, '; did you mean $1?');
    throw error;
  }
}

/** For an option that may be given several times. */
export function collect(value: string, values: string[]): string[] {
  return [...values, value];
}

/** `--output -` is stdout, as `--input -` is stdin: the same as no file. */
export function toStdout<T extends { output?: string }>(options: T): T {
  if (options.output === '-') delete options.output;
  return options;
}
