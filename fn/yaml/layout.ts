import { lineEnd, lineStart, nextLine } from '../lines.ts';

/** Where things stand on lines, as far as that can be told without reading YAML. */

/** Whether nothing but blanks stands before an offset on its line. */
export function isFirstOnLine(text: string, offset: number): boolean {
  return text.slice(lineStart(text, offset), offset).trim() === '';
}

/** How far an offset is from the start of its line. */
export function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

/** The blanks that move a line in to an offset on it; spaces in place of what else is there. */
export function indentAt(text: string, offset: number): string {
  return text.slice(lineStart(text, offset), offset).replaceAll(/\S/g, ' ');
}

/** What follows an offset on its line, without the line break. */
export function restOfLine(text: string, offset: number): string {
  return text.slice(offset, lineEnd(text, offset, text.length));
}

/** How lines around an offset end. */
export function eolAt(text: string, offset: number): string {
  const before = text.lastIndexOf('\n', offset - 1);
  const newline = before >= 0 && offset > 0 ? before : text.indexOf('\n', offset);
  return newline > 0 && text[newline - 1] === '\r' ? '\r\n' : '\n';
}

/** Behind the comment lines that follow at once, from the start of a line, at a column or deeper. */
export function skipComments(text: string, offset: number, column: number, end: number): number {
  let i = offset;
  while (i < end) {
    let hash = i;
    while (text[hash] === ' ') hash++;
    if (text[hash] !== '#' || hash - i < column) break;
    i = nextLine(text, hash, end);
  }
  return i;
}
