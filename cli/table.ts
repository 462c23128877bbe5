import { stripVTControlCharacters } from 'node:util';

/** Columns as wide as their widest cell, two blanks apart, no blanks at the ends of lines. */
export function tableText(rows: readonly (readonly string[])[]): string {
  return [...tableLines(rows)].join('');
}

/** The same, line by line. */
export function* tableLines(rows: readonly (readonly string[])[]): Generator<string> {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell));
  for (const row of rows) {
    const cells = row.map((cell, i) => cell + ' '.repeat(widths[i]! - widthOf(cell)));
    yield `${cells.join('  ').trimEnd()}\n`;
  }
}

/** Most cells: what a terminal shows is what they are. */
const PLAIN = /^[ -~]*$/;

/** Characters that a terminal shows, colours left out. */
function widthOf(cell: string): number {
  return PLAIN.test(cell) ? cell.length : Array.from(stripVTControlCharacters(cell)).length;
}
