import { lineStart, nextLine } from '../lines.ts';
import type { Replacement } from '../replace.ts';
import { eolAt, indentAt, isFirstOnLine, restOfLine } from './layout.ts';
import type { Pairs } from './entries.ts';
import type { Entry, MapNode } from './tree.ts';
import type { Writing } from './writing.ts';

/** Entries of maps in braces. */

/** Where the lines of a map that has a line an entry begin; undefined where entries share lines. */
export interface Lines {
  indent: string;
  step: string;
  eol: string;
}

/** The lines on which an entry of a map stands by itself. */
export function linesOf(text: string, map: MapNode, { key }: Entry): Lines | undefined {
  if (!isFirstOnLine(text, key.start)) return undefined;
  const indent = indentAt(text, key.start);
  // The line with the brace that ends the map tells how far entries are moved in, and by what.
  const brace = map.end - 1;
  const outer = isFirstOnLine(text, brace) ? indentAt(text, brace) : indent;
  const step = indent.startsWith(outer) ? indent.slice(outer.length) : '';
  return { indent, step: step || DEFAULT_STEP, eol: eolAt(text, key.start) };
}

const DEFAULT_STEP = '  ';

/** A map of pairs in braces: on one line, or on lines of their own below one that is moved in like the others. */
export function bracedMap(pairs: Pairs, writing: Writing, lines: Lines | undefined): string {
  const written = bracedPairs(pairs, writing);
  if (!lines) return `{${written.join(writing.comma)}}`;
  const { indent, step, eol } = lines;
  return `{${written.map((pair) => `${eol}${indent}${step}${pair}`).join(',')}${eol}${indent}}`;
}

/** Pairs as they stand in braces. */
export function bracedPairs(pairs: Pairs, { key, value, colon }: Writing): string[] {
  return [...pairs].map(([name, text]) => key(name) + colon + value(text));
}

/** Puts entries behind one of a map in braces. */
export function insertInBraces(
  text: string,
  map: MapNode,
  { key, value }: Entry,
  written: readonly string[],
  comma: string,
): Replacement[] {
  const { end } = value;
  const rest = ENTRY_END.exec(restOfLine(text, end));
  if (!isFirstOnLine(text, key.start) && !rest?.[0].includes('#'))
    return [{ start: end, end, text: written.map((entry) => comma + entry).join('') }];
  const indent = indentAt(text, key.start);
  const eol = eolAt(text, key.start);
  if (!rest || end + rest[0].length >= map.end)
    return [{ start: end, end, text: written.map((entry) => `,${eol}${indent}${entry}`).join('') }];
  const offset = end + rest[0].trimEnd().length;
  const ended = rest[1] === ',';
  const added = written.map((entry) => eol + indent + entry).join(',');
  if (offset === end) return [{ start: end, end, text: `,${added}` }];
  return ended
    ? [{ start: offset, end: offset, text: `${added},` }]
    : [
        { start: end, end, text: ',' },
        { start: offset, end: offset, text: added },
      ];
}

/** What may follow an entry that has its last line to itself. */
const ENTRY_END = /^[ \t]*(,?)(?:[ \t]*|[ \t]+#.*)$/;

/** Takes an entry out of a map in braces, with the comment behind it if it has its line to itself. */
export function removeFromBraces(text: string, { entries, end }: MapNode, entry: Entry): Replacement[] {
  const { key, value } = entry;
  const at = entries.indexOf(entry);
  const [before, next] = [entries[at - 1], entries[at + 1]];
  const rest = ENTRY_END.exec(restOfLine(text, value.end));
  if (isFirstOnLine(text, key.start) && rest && value.end + rest[0].length < end) {
    const lines = { start: lineStart(text, key.start), end: nextLine(text, value.end), text: '' };
    return before && !next && rest[1] === '' ? [...commaAfter(text, before), lines] : [lines];
  }
  if (next) {
    const gap = text.slice(value.end, next.key.start);
    const stop = gap.includes('#') ? value.end + gap.indexOf(',') + 1 : next.key.start;
    return [{ start: key.start, end: stop, text: '' }];
  }
  if (!before) return [{ start: key.start, end: commaAfter(text, entry)[0]?.end ?? value.end, text: '' }];
  if (!text.slice(before.value.end, key.start).includes('#'))
    return [{ start: before.value.end, end: value.end, text: '' }];
  return [...commaAfter(text, before), { start: key.start, end: value.end, text: '' }];
}

/** The comma that follows an entry, to be taken away. */
function commaAfter(text: string, { value }: Entry): Replacement[] {
  const gap = /(?:\s|#.*)*/y;
  gap.lastIndex = value.end;
  gap.test(text);
  const comma = gap.lastIndex;
  return text[comma] === ',' ? [{ start: comma, end: comma + 1, text: '' }] : [];
}
