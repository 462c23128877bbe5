import { lineEnd, lineStart } from '../lines.ts';
import type { Span } from './tree.ts';

/**
 * The comment that follows `offset` on its line, if only blanks stand between. With `comma` (inside a flow collection)
 * the comma that ends the item may stand between, too.
 */
export function commentAfter(text: string, offset: number, end: number, comma: boolean): Span | undefined {
  let i = skipBlanks(text, offset, end);
  if (comma && text[i] === ',') i = skipBlanks(text, i + 1, end);
  if (i >= end || text[i] !== '#' || !isBlank(text.charCodeAt(i - 1))) return undefined;
  return { start: i, end: lineEnd(text, i, end) };
}

/**
 * The comment lines directly above the line of `dash`, the indicator of a sequence item. Lines that start before `from`,
 * where the token before the item ends, belong to that token. Undefined where the dash is not first on its line.
 */
export function commentAbove(text: string, dash: number, from: number): Span | undefined {
  let line = lineStart(text, dash);
  if (line === from && line === dash) return undefined;
  for (let i = line; i < dash; i++) if (text[i] !== ' ') return undefined;
  let first = -1;
  const last = line;
  while (line > from) {
    const above = lineStart(text, line - 1);
    const hash = skipBlanks(text, above, line);
    if (above < from || text[hash] !== '#') break;
    first = hash;
    line = above;
  }
  return first < 0 ? undefined : { start: first, end: lineEnd(text, lineStart(text, last - 1), last) };
}

/** Where a document that starts at `start` has its column 0: before the blanks on its line, if nothing else is there. */
export function documentStart(text: string, start: number): number {
  const line = lineStart(text, start);
  for (let i = line; i < start; i++) if (text[i] !== ' ') return start;
  return line;
}

function skipBlanks(text: string, from: number, end: number): number {
  let i = from;
  while (i < end && isBlank(text.charCodeAt(i))) i++;
  return i;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
