import type { Io } from '../fn/io.ts';
import type { DocumentFormat } from './formats.ts';

/** Documents as JSON: one as itself, any other number as an array; or as YAML. */
export async function print(format: DocumentFormat, value: unknown): Promise<string> {
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  const { printYaml } = await import('../fn/yaml/print.ts');
  return printYaml(value);
}

/** A list as `print` has it, item by item: of a long one the whole text would take much memory. */
export async function* printItems(format: DocumentFormat, values: Iterable<unknown>): AsyncGenerator<string> {
  let count = 0;
  for (const value of values) {
    const text = await print(format, [value]);
    // Of `[⏎ITEM⏎]⏎`, `⏎ITEM`.
    yield format === 'json' ? `${count === 0 ? '[' : ','}${text.slice(1, -'\n]\n'.length)}` : text;
    count++;
  }
  if (count === 0) yield '[]\n';
  else if (format === 'json') yield '\n]\n';
}

/** As much is written at a time as makes writing cheap, in UTF-16 units. */
const PIECE = 1 << 18;

/** Writes texts to stdout, some at a time. */
export async function outputAll(io: Io, texts: Iterable<string> | AsyncIterable<string>): Promise<void> {
  let piece = '';
  for await (const text of texts) {
    piece += text;
    if (piece.length < PIECE) continue;
    io.output(piece);
    piece = '';
  }
  io.output(piece);
}
