import type { Command } from 'commander';
import { collect, newCommand, parseInto } from './command.ts';
import { usage } from './usage.ts';

/** The command line of `image-update`. */
export interface Arguments {
  operands: string[];
  input?: string;
  output?: string;
  fnConfig?: string;
  metadata: string[];
  results?: string;
  dryRun: boolean;
  diff: boolean;
  strict: boolean;
  help: boolean;
}

/**
 * Reads the arguments, and those that `declare` adds. Returns the message for what is wrong with them, with a suggestion for
 * a mistyped option.
 */
export function parseArguments(argv: string[], declare: (command: Command) => void): Arguments | string {
  const command = newCommand('image-update')
    .argument('[dir...]')
    .option('--input <file>')
    .option('--output <file>')
    .option('--fn-config <file>')
    .option('--metadata <file>', '', collect, [])
    .option('--results <file>')
    .option('--dry-run', '', false)
    .option('--diff', '', false)
    .option('--strict', '', false)
    .option('-h, --help', '', false);
  declare(command);
  const problem = parseInto(command, argv);
  if (problem !== undefined) return usage(problem);
  const args = { ...command.opts<Omit<Arguments, 'operands'>>(), operands: command.args };
  if (args.operands.length > 0 && (args.input !== undefined || args.output !== undefined))
    return usage('--input and --output are for a ResourceList; a directory is edited in place');
  return args;
}
