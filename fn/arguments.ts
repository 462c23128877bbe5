import { Command, CommanderError } from 'commander';
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

/** Reads the arguments. Returns the message for what is wrong with them, with a suggestion for a mistyped option. */
export function parseArguments(argv: string[]): Arguments | string {
  const command = new Command('image-update')
    .argument('[dir...]')
    .option('--input <file>')
    .option('--output <file>')
    .option('--fn-config <file>')
    .option('--metadata <file>', '', (file: string, files: string[]) => [...files, file], [] as string[])
    .option('--results <file>')
    .option('--dry-run', '', false)
    .option('--diff', '', false)
    .option('--strict', '', false)
    .option('-h, --help', '', false)
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return usage(error.message.replace(/^error: /, ''));
    throw error;
  }
  const args = { ...command.opts<Omit<Arguments, 'operands'>>(), operands: command.args };
  if (args.operands.length > 0 && (args.input !== undefined || args.output !== undefined))
    return usage('--input and --output are for a ResourceList; a directory is edited in place');
  return args;
}
