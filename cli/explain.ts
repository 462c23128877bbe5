import { existsSync } from 'node:fs';
import type { Io } from '../fn/io.ts';
import { DONE, FAILED } from '../fn/status.ts';
import { UsageError } from '../fn/usage.ts';
import { paintFor } from './colour.ts';
import { carryOut, type Parsed } from './command.ts';
import { explanationText } from './explain-text.ts';
import { explanationOf } from './explanation.ts';
import { documentFormat, type Format } from './formats.ts';
import { print } from './output.ts';
import { explain as spec } from './specs/explain.ts';
import { nothingIn, surveyDirectory, type AnswerOptions } from './surveyed.ts';

interface Options extends AnswerOptions {
  namespace?: string;
  all?: boolean;
  format?: Format;
}

/** `tk-image explain`: field by field what an update would do, why, and what to do about what can't move. */
export async function explain(argv: string[], io: Io): Promise<number> {
  return carryOut(spec, argv, io, async (parsed: Parsed<Options>) => explainAll(parsed, io));
}

async function explainAll({ options, operands }: Parsed<Options>, io: Io): Promise<number> {
  const { directory, words } = operandsOf(operands);
  const { namespace } = options;
  const selection = { words, ...(namespace !== undefined && { namespace }) };
  const surveyed = await surveyDirectory(directory, selection, options, io);
  const explanation = explanationOf(surveyed);
  const format = documentFormat(options.format);
  if (format) io.output(await print(format, explanation));
  else if (surveyed.fields.length > 0 || surveyed.others.length > 0)
    io.output(explanationText(explanation, options.all ?? false, paintFor(1, io.environment)));
  else io.error(`tk-image: ${nothingIn(surveyed.files, directory)}`);
  return surveyed.failed() ? FAILED : DONE;
}

/** A word that names nothing in the file system is a workload of the directory where one is. */
function operandsOf([first, second, ...rest]: string[]): { directory: string; words: string[] } {
  if (rest.length > 0) throw new UsageError(`one directory and one workload are enough; what is "${rest[0]}"?`);
  if (first === undefined) return { directory: '.', words: [] };
  if (second !== undefined) return { directory: first, words: [second] };
  return existsSync(first) ? { directory: first, words: [] } : { directory: '.', words: [first] };
}
