import { lineStart, nextLine } from '../lines.ts';
import { replaceAll, type Replacement } from '../replace.ts';
import { bracedMap, bracedPairs, insertInBraces, linesOf, removeFromBraces } from './flow.ts';
import { columnOf, eolAt, isFirstOnLine, restOfLine, skipComments } from './layout.ts';
import type { Entry, MapNode, Node, ScalarNode, Span } from './tree.ts';
import { writingOf, type Writing } from './writing.ts';

/**
 * Adds entries to maps and takes them away, written as what is around them is. Every other character stays: also comments on
 * lines of their own; the one behind an entry goes with it. What comes out must be read again and compared, as there is more
 * to YAML than is known here.
 */

/** Keys and texts, in the order in which they are to be written. */
export type Pairs = ReadonlyMap<string, string>;

/** A place is written in a way that is not edited. The message says which, of "it". */
export class Unusual extends Error {
  override name = 'Unusual';
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Adds pairs at the end of a map that is not empty. */
export function addPairs(text: string, { end }: Span, map: MapNode, pairs: Pairs): Replacement[] {
  const last = map.entries.at(-1)!;
  const writing = writingOf(text, map.entries, map);
  if (map.flow) return insertInBraces(text, map, last, bracedPairs(pairs, writing), writing.comma);
  const column = columnOfMap(text, map);
  return [insertLines(text, behind(text, last, column, end), pairLines(pairs, writing, column))];
}

/** Adds a key to a map that is not empty, with a map of pairs as its value: behind the entry of another key, or at the end. */
export function addMap(
  text: string,
  { end }: Span,
  map: MapNode,
  { key, after, pairs, step }: { key: string; after: string; pairs: Pairs; step: number },
): Replacement[] {
  const last = map.entries.at(-1)!;
  const entry = map.entries.find((entry) => entry.key.value === after) ?? last;
  const writing = writingOf(text, entriesAround(map), map);
  if (map.flow) {
    const written = writing.key(key) + writing.colon + bracedMap(pairs, writing, linesOf(text, map, entry));
    return insertInBraces(text, map, entry, [written], writing.comma);
  }
  const column = columnOfMap(text, map);
  // A comment at the column of the keys is about the next of them, if there is one.
  const offset = behind(text, entry, entry === last ? column : column + 1, end);
  const line = `${' '.repeat(column)}${writing.key(key)}:`;
  return [insertLines(text, offset, [line, ...pairLines(pairs, writing, column + step)])];
}

/** Puts pairs where an entry has nothing: no value, a null, or `{}`. */
export function fillEntry(
  text: string,
  { end }: Span,
  map: MapNode,
  { key, value }: Entry,
  { pairs, step }: { pairs: Pairs; step: number },
): Replacement[] {
  const writing = writingOf(text, entriesAround(map), map);
  const colon = behindColon(text, key);
  const named = hasName(value);
  const isEmpty = value.kind === 'scalar' && value.style === 'empty';
  // The place of what is not there may be behind comments.
  const stop = isEmpty ? colon : value.end;
  if (!map.flow && !named && !text.slice(colon, stop).includes('#')) {
    const column = columnOfMap(text, map);
    const offset = skipComments(text, nextLine(text, stop, end), column + 1, end);
    return [
      ...(stop > colon ? [{ start: colon, end: stop, text: '' }] : []),
      insertLines(text, offset, pairLines(pairs, writing, column + step)),
    ];
  }
  if (value.kind !== 'map') {
    if (named || !map.flow) throw new Unusual('it is a null with a name, a tag or a comment', value.start);
    return [{ start: colon, end: stop, text: ` ${bracedMap(pairs, writing, undefined)}` }];
  }
  const inside = text.slice(value.start + 1, value.end - 1);
  if (inside.includes('#'))
    return [{ start: value.start + 1, end: value.start + 1, text: bracedPairs(pairs, writing).join(writing.comma) }];
  const lines = map.flow ? linesOf(text, map, { key, value }) : undefined;
  const padding = inside === '' ? '' : ' ';
  const written = lines
    ? bracedMap(pairs, writing, lines)
    : `{${padding}${bracedPairs(pairs, writing).join(writing.comma)}${padding}}`;
  return [{ start: value.start, end: value.end, text: written }];
}

/** Takes away an entry of a map that has others. */
export function removeEntry(text: string, { end }: Span, map: MapNode, entry: Entry): Replacement[] {
  if (map.flow) return removeFromBraces(text, map, entry);
  const lines = wholeLines(text, entry, end);
  const before = map.entries[map.entries.indexOf(entry) - 1];
  // Blank lines that follow would become part of such a block.
  if (before && endsWithKept(text, before.value))
    while (BLANK.test(restOfLine(text, lines.end)) && lines.end < end) lines.end = nextLine(text, lines.end, end);
  return [lines];
}

const BLANK = /^[ \t]*$/;

/** Whether a node ends with a block scalar to which all blank lines behind it belong. */
function endsWithKept(text: string, node: Node): boolean {
  let last: Node | undefined = node;
  while (last && last.kind !== 'scalar' && last.kind !== 'alias')
    last = last.flow ? undefined : last.kind === 'map' ? last.entries.at(-1)?.value : last.items.at(-1);
  if (last?.kind !== 'scalar' || (last.style !== 'literal' && last.style !== 'folded')) return false;
  return /^[|>]\d?\+/.test(text.slice(last.start, last.start + 3));
}

/**
 * Takes away the only entry of a map, and with the map the entry of `parent` that it is the value of. Only where a comment
 * would be left behind, an empty map stays with it.
 */
export function removeLast(text: string, span: Span, parent: MapNode, owner: Entry, map: MapNode): Replacement[] {
  const [only] = map.entries as [Entry];
  const colon = behindColon(text, owner.key);
  if (map.flow) {
    const removed = removeFromBraces(text, map, only);
    const left = replaceAll(text, removed, map.start, map.end).includes('#');
    const behind = !parent.flow && restOfLine(text, map.end).trim() !== '';
    if (!left && !behind && parent.entries.length > 1) return removeEntry(text, span, parent, owner);
    return left ? removed : [{ start: map.start, end: map.end, text: '{}' }];
  }
  const lines = wholeLines(text, only, span.end);
  const above = text.slice(colon, lines.start).trim() !== '';
  const below = skipComments(text, lines.end, columnOfMap(text, map), span.end) > lines.end;
  if (!above && !below && parent.entries.length > 1) return removeEntry(text, span, parent, owner);
  if (hasName(map)) throw new Unusual('it has a name or a tag, and nothing would be left of it', map.start);
  return [{ start: colon, end: colon, text: ' {}' }, lines];
}

/** The entries that show how those of a map in this map would be written. */
function entriesAround({ entries }: MapNode): Entry[] {
  return entries.flatMap((entry) => [...(entry.value.kind === 'map' ? entry.value.entries : []), entry]);
}

function hasName(node: Node): boolean {
  return node.kind !== 'alias' && (node.anchor !== undefined || node.tag !== undefined);
}

/** The columns that the keys of a block map are moved in. */
export function columnOfMap(text: string, { start, entries }: MapNode): number {
  const entry = entries.find(({ key }) => isFirstOnLine(text, key.start));
  if (!entry) throw new Unusual('none of its keys begins a line', start);
  return columnOf(text, entry.key.start);
}

function pairLines(pairs: Pairs, writing: Writing, column: number): string[] {
  return bracedPairs(pairs, writing).map((pair) => ' '.repeat(column) + pair);
}

/** Puts lines before the line that starts here, or behind the last one that has no end. */
function insertLines(text: string, offset: number, lines: readonly string[]): Replacement {
  const eol = eolAt(text, offset);
  const ended = text[offset - 1] === '\n';
  return { start: offset, end: offset, text: lines.map((line) => (ended ? line + eol : eol + line)).join('') };
}

/** The line behind an entry of a block map, and behind the comments that belong to it, which are those from a column on. */
function behind(text: string, entry: Entry, column: number, end: number): number {
  return skipComments(text, endOfLines(text, entry, end), column, end);
}

/** Where the line behind an entry starts. A block scalar ends there by itself. */
function endOfLines(text: string, { key, value }: Entry, end: number): number {
  const last = Math.max(key.end, value.end);
  return text[last - 1] === '\n' ? last : nextLine(text, last, end);
}

/** The lines of an entry of a block map, to be taken away; of the last of a file that has no end, the line break before. */
function wholeLines(text: string, entry: Entry, end: number): Replacement {
  const { start } = entry.key;
  if (!isFirstOnLine(text, start)) throw new Unusual('its key does not begin a line', start);
  const [first, last] = [lineStart(text, start), endOfLines(text, entry, end)];
  if (last < text.length || text[last - 1] === '\n') return { start: first, end: last, text: '' };
  return { start: first - eolAt(text, first).length, end: last, text: '' };
}

/** Where the colon of a key ends. */
function behindColon(text: string, { end }: ScalarNode): number {
  const colon = /^\s*:/.exec(text.slice(end, end + MAX_GAP));
  if (!colon) throw new Unusual('no colon follows its key', end);
  return end + colon[0].length;
}

/** Nobody puts a colon farther away. */
const MAX_GAP = 100;
