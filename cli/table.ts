import { stripVTControlCharacters } from 'node:util';

/** Columns as wide as their widest cell, two blanks apart, no blanks at the ends of lines. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell + ' '.repeat(widths[i]! - widthOf(cell)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Characters that a terminal shows, colours left out. */
function widthOf(cell: string): number {
  return Array.from(stripVTControlCharacters(cell)).length;
}
