import type { Note } from '../note.ts';
import { deref, type MapNode, type Node, type ScalarNode, type Span } from '../yaml/tree.ts';
import { itemPath, keyPath } from './path.ts';

export type MarkerPart = 'whole' | 'tag' | 'name' | 'digest';

/** A comment that gives a scalar to an ImagePolicy: `# {"$imagepolicy": "ns:name[:tag|:name|:digest]"}`. */
export interface Marker {
  /** What is marked; of an alias the scalar with the anchor. */
  scalar: ScalarNode;
  /** Where it is in the document, lists included: `items[0].spec.image`. */
  path: string;
  /** The map that it is a value of; markers of one policy in one map are about one image. */
  parent?: MapNode;
  namespace: string;
  policy: string;
  part: MarkerPart;
  /** Of the comment. */
  offset: number;
}

export interface Markers {
  /** In order of the text. */
  markers: Marker[];
  notes: Note[];
}

/** More notes on one document help nobody. */
const MAX_NOTES = 100;

/**
 * The markers of the document in `[start, end)` of `text`, whose tree is `root`, and a note on each comment that looks
 * like one and is not, or marks nothing (reference/flux-v2.md A4, "Markers"). Text of block scalars is no comment, and
 * commented-out YAML stays out.
 */
export function findMarkers(text: string, root: Node | undefined, start: number, end: number): Markers {
  const hits = hitsOf(text, start, end);
  if (hits.offsets.length === 0) return { markers: [], notes: [] };
  const found: Markers = { markers: [], notes: [] };
  const see: See = (node, keys, parent) => readNode(text, node, keys, parent, hits, found);
  if (root) visit(root, start, end, [], undefined, hits, see);
  for (const [i, offset] of hits.offsets.entries()) if (!hits.seen[i]) readStray(text, offset, start, hits, found);
  found.markers.sort((a, b) => a.offset - b.offset);
  found.notes.sort((a, b) => a.offset! - b.offset!);
  if (found.notes.length > MAX_NOTES) {
    const more = found.notes.length - MAX_NOTES;
    found.notes.length = MAX_NOTES;
    found.notes.push({
      reason: 'marker-malformed',
      message: `${more} more comments that are no markers`,
      offset: start,
    });
  }
  return found;
}

/** Where the word occurs, in any case, and whether it was accounted for. */
interface Hits {
  offsets: number[];
  seen: boolean[];
}

/** Spellings of the end of the word, which are found faster than a pattern is. */
const WORD_ENDS = ['olicy', 'OLICY'];
const WORD_START = 'imagep';

function hitsOf(text: string, start: number, end: number): Hits {
  const offsets: number[] = [];
  const slice = text.slice(start, end);
  for (const wordEnd of WORD_ENDS)
    for (let i = slice.indexOf(wordEnd); i >= 0; i = slice.indexOf(wordEnd, i + 1)) {
      const from = i - WORD_START.length;
      if (from >= 0 && slice.slice(from, i).toLowerCase() === WORD_START) offsets.push(start + from);
    }
  offsets.sort((a, b) => a - b);
  return { offsets, seen: offsets.map(() => false) };
}

/** The first hit at or after an offset, by its place among the hits. */
function indexFrom({ offsets }: Hits, start: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsets[middle]! < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Accounts for the hits in a range, and gives the first. */
function take(hits: Hits, { start, end }: Span): number | undefined {
  const { offsets, seen } = hits;
  const index = indexFrom(hits, start);
  for (let i = index; i < offsets.length && offsets[i]! < end; i++) seen[i] = true;
  const first = offsets[index];
  return first !== undefined && first < end ? first : undefined;
}

/** Whether a hit lies in a range. */
function has(hits: Hits, start: number, end: number): boolean {
  const first = hits.offsets[indexFrom(hits, start)];
  return first !== undefined && first < end;
}

/** No reader gives a deeper tree. */
const MAX_DEPTH = 1000;

/** Of a key `keys` is undefined; `parent` is the map that the node is a value of. */
type See = (node: Node, keys: readonly (string | number)[] | undefined, parent: MapNode | undefined) => void;

/**
 * Visits the scalars and aliases near which a hit lies, keys too; what an alias stands for is visited at its anchor.
 * Comments around a node lie between its neighbours, whose gap is `[start, end)`.
 */
function visit(
  node: Node,
  start: number,
  end: number,
  keys: (string | number)[],
  parent: MapNode | undefined,
  hits: Hits,
  see: See,
): void {
  if (keys.length > MAX_DEPTH) return;
  if (node.kind === 'map') {
    let from = start;
    for (let i = 0; i < node.entries.length; i++) {
      const { key, value } = node.entries[i]!;
      const to = node.entries[i + 1]?.key.start ?? end;
      if (has(hits, from, to)) {
        see(key, undefined, undefined);
        keys.push(key.value);
        visit(value, from, to, keys, node, hits, see);
        keys.pop();
      }
      from = value.end;
    }
  } else if (node.kind === 'seq') {
    let from = start;
    for (let i = 0; i < node.items.length; i++) {
      const item = node.items[i]!;
      const to = node.items[i + 1]?.start ?? end;
      if (has(hits, from, to)) {
        keys.push(i);
        visit(item, from, to, keys, undefined, hits, see);
        keys.pop();
      }
      from = item.end;
    }
  } else see(node, keys, parent);
}

function pathOf(keys: readonly (string | number)[]): string {
  let path = '';
  for (const key of keys) path = typeof key === 'number' ? itemPath(path, key) : keyPath(path, key);
  return path;
}

/** A key has no `keys`, and its comments are those of its value. */
function readNode(
  text: string,
  node: Node,
  keys: readonly (string | number)[] | undefined,
  parent: MapNode | undefined,
  hits: Hits,
  found: Markers,
): void {
  if (node.kind !== 'scalar' && node.kind !== 'alias') return;
  if (keys) {
    const { comment, above } = node;
    if (comment) readComment(text, node, comment, keys, parent, hits, found);
    if (above) readComment(text, comment ? undefined : node, above, keys, parent, hits, found);
  }
  take(hits, node);
}

/** Reads the comment of a node; of none if the one at the end of the line takes the place of this, above. */
function readComment(
  text: string,
  node: Node | undefined,
  comment: Span,
  keys: readonly (string | number)[],
  parent: MapNode | undefined,
  hits: Hits,
  { markers, notes }: Markers,
): void {
  const hit = take(hits, comment);
  if (hit === undefined) return;
  const offset = comment.start;
  const marker = parseMarker(text.slice(offset, comment.end), hit - offset, startsLine(text, offset));
  if (!marker) return;
  const scalar = deref(node);
  if ('problem' in marker)
    notes.push({ reason: 'marker-malformed', message: marker.problem, offset: hit, path: pathOf(keys) });
  else if (!node) notes.push(misplaced('the comment at the end of the line below takes its place', hit));
  else if (scalar?.kind !== 'scalar') notes.push(misplaced('what it stands behind is no text', hit));
  else if (scalar.style === 'literal' || scalar.style === 'folded')
    notes.push(misplaced('a block of text cannot be marked; write the value behind its key', hit));
  else markers.push({ scalar, path: pathOf(keys), ...(parent && { parent }), ...marker, offset });
}

function startsLine(text: string, offset: number): boolean {
  return text.slice(text.lastIndexOf('\n', offset) + 1, offset).trim() === '';
}

function misplaced(why: string, offset: number): Note {
  return { reason: 'marker-misplaced', message: `this $imagepolicy marker marks nothing: ${why}`, offset };
}

/** A hit outside of all values and their comments: in a comment that belongs to none, or in an anchor or tag. */
function readStray(text: string, hit: number, start: number, hits: Hits, { notes }: Markers): void {
  const line = Math.max(start, text.lastIndexOf('\n', hit) + 1);
  let hash = text.indexOf('#', line);
  while (hash > line && hash < hit && !isBlank(text[hash - 1]!)) hash = text.indexOf('#', hash + 1);
  if (hash < 0 || hash > hit) return;
  const newline = text.indexOf('\n', hit);
  const end = newline < 0 ? text.length : newline;
  take(hits, { start: hash, end });
  const ownLine = startsLine(text, hash);
  const marker = parseMarker(text.slice(hash, end), hit - hash, ownLine);
  if (!marker) return;
  if ('problem' in marker) notes.push({ reason: 'marker-malformed', message: marker.problem, offset: hit });
  else
    notes.push(
      misplaced(
        ownLine
          ? 'it stands on a line of its own; move it to the end of the line that holds the image'
          : 'it does not stand behind a text; move it to the end of the line that holds the image',
        hit,
      ),
    );
}

function isBlank(char: string): boolean {
  return char === ' ' || char === '\t';
}

type Meaning = Pick<Marker, 'namespace' | 'policy' | 'part'>;

const KEY = '$imagepolicy';
const EXAMPLE = `{"${KEY}": "NAMESPACE:POLICY"}`;
/** A marker is a line at most; longer comments are not parsed. */
const MAX_COMMENT = 2048;

/**
 * What a comment that contains the word means. Undefined for prose and for commented-out YAML, where the marker comes
 * after another `#` that stands for itself.
 */
function parseMarker(comment: string, hit: number, ownLine: boolean): Meaning | { problem: string } | undefined {
  const body = comment.slice(1).trim();
  const json = body.startsWith('{') && comment.length <= MAX_COMMENT ? parseStrings(body) : undefined;
  if (json && Object.hasOwn(json, KEY)) return parseValue(json[KEY]!);
  if (!looksMeant(comment, hit) || (ownLine && isCommentedOut(comment, hit))) return undefined;
  const other = json && Object.keys(json).find((key) => /imagepolicy/i.test(key));
  if (other !== undefined) return { problem: `the key ${JSON.stringify(other)} of this comment must be "${KEY}"` };
  const open = comment.indexOf('{');
  const close = comment.lastIndexOf('}');
  const inner =
    open >= 0 && close > open && comment.length <= MAX_COMMENT
      ? parseStrings(comment.slice(open, close + 1))
      : undefined;
  if (inner)
    return {
      problem: `this $imagepolicy marker is not read: nothing else may stand in its comment; write # ${EXAMPLE}`,
    };
  return { problem: `this comment is no $imagepolicy marker: it must be JSON; write # ${EXAMPLE}` };
}

/** A JSON object whose values are all texts. */
function parseStrings(text: string): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isStrings(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isStrings(value: unknown): value is Record<string, string> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
  return Object.values(value).every((item) => typeof item === 'string');
}

/**
 * The word as a key, `$imagepolicy` or `"imagepolicy"` or `{imagepolicy`, or with a value like a policy's; not as
 * prose.
 */
function looksMeant(comment: string, hit: number): boolean {
  const before = comment
    .slice(Math.max(0, hit - 3), hit)
    .trimEnd()
    .at(-1);
  if (before !== undefined && '$"\'{'.includes(before)) return true;
  return /^imagepolicy["']?\s*[:=]\s*["']?[\w.-]+:[\w.-]/i.test(comment.slice(hit, hit + 600));
}

/** `# image: app:1 # {"$imagepolicy": …}`: the line is out of use, and its marker with it. */
function isCommentedOut(comment: string, hit: number): boolean {
  const line = comment.slice(comment.lastIndexOf('\n', hit) + 1, hit);
  return line.length <= MAX_COMMENT && /^\s*#.*[:-]\s.*\s#/.test(line);
}

const PARTS: readonly MarkerPart[] = ['tag', 'name', 'digest'];

function parseValue(value: string): Meaning | { problem: string } {
  const [namespace, policy, suffix, ...rest] = value.split(':');
  const shown = `the $imagepolicy marker "${value}"`;
  if (policy === undefined) return { problem: `${shown} has no namespace; write "NAMESPACE:${value || 'POLICY'}"` };
  if (!namespace || !policy || rest.length > 0 || /\s/.test(value))
    return { problem: `${shown} is not "NAMESPACE:POLICY" with :tag, :name, :digest or nothing behind it` };
  if (suffix === undefined) return { namespace, policy, part: 'whole' };
  const part = PARTS.find((known) => known === suffix);
  if (!part) return { problem: `${shown} has the unknown part "${suffix}"; known are tag, name and digest` };
  return { namespace, policy, part };
}
