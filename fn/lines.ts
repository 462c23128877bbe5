/** Where lines of a text start and end, as offsets. */

/** Where the line of an offset starts, behind a BOM. */
export function lineStart(text: string, offset: number): number {
  if (offset === 0) return 0;
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return start === 0 && text[0] === '\uFEFF' ? 1 : start;
}

/** Where the line of an offset ends, without its line break, `end` at most. */
export function lineEnd(text: string, offset: number, end: number): number {
  let i = text.indexOf('\n', offset);
  if (i < 0 || i > end) i = end;
  return i > offset && text[i - 1] === '\r' ? i - 1 : i;
}

/** Where the line after that of an offset starts, `end` at most. */
export function nextLine(text: string, offset: number, end = text.length): number {
  const newline = text.indexOf('\n', offset);
  return newline < 0 || newline >= end ? end : newline + 1;
}

/** Where each line starts. A text that ends with a line break has an empty line behind it. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
  return starts;
}

/** The line of an offset, from 0, by the starts of all lines. */
export function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The line of an offset, from 1. Where many are asked for, `lineStarts` once and `lineOf` each cost less. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) line++;
  return line;
}
