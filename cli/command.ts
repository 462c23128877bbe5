import { InvalidArgumentError, Option } from 'commander';
import { newCommand, parseInto } from '../fn/command.ts';
import type { Io } from '../fn/io.ts';
import { guarded } from '../fn/run.ts';
import { UsageError } from '../fn/usage.ts';
import { PROGRAM, programName } from './name.ts';
import { optionsOf, type CommandSpec, type OptionSpec } from './spec.ts';

/** A command line that was taken in. */
export interface Parsed<T> {
  options: T;
  operands: string[];
}

/** Carries a command out, and turns what the user must act on into a message and an exit status. */
export async function carryOut<T>(
  spec: CommandSpec,
  argv: readonly string[],
  io: Io,
  work: (parsed: Parsed<T>) => Promise<number>,
): Promise<number> {
  const command = `${programName(process.argv[1])} ${spec.name}`;
  return guarded(io, async () => work(parse<T>(spec, argv)), PROGRAM, command);
}

/**
 * Takes a command line in. Options that may be repeated are lists; empty if not given, save those that a
 * variable may give.
 * @throws UsageError with a suggestion for a mistyped option.
 */
export function parse<T>(spec: CommandSpec, argv: readonly string[]): Parsed<T> {
  const command = newCommand(spec.name).argument('[operand...]');
  for (const option of optionsOf(spec)) command.addOption(declared(option));
  const problem = parseInto(command, argv);
  if (problem !== undefined) throw new UsageError(problem);
  // Last: a mistyped option may be the one that is missing.
  for (const { flags, required, meaning } of optionsOf(spec))
    if (required && command.getOptionValue(new Option(flags).attributeName()) === undefined)
      throw new UsageError(`${flags} is required: ${meaning}`);
  return { options: command.opts() as T, operands: command.args };
}

function declared({ flags, choices, several, variable }: OptionSpec): Option {
  const option = new Option(flags);
  if (choices) option.choices(choices);
  if (!several) return option;
  // Where a variable may say it as well, it is known whether the command line did.
  if (variable === undefined) option.default([]);
  return option.argParser((value: string, values: string[] | undefined) => {
    if (choices && !choices.includes(value))
      throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
    return [...(values ?? []), value];
  });
}
