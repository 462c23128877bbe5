import { deref, get, type MapNode, type Node, type ScalarNode } from '../yaml/tree.ts';

/**
 * Field paths, written as `spec.template.spec.containers[0].image`. A key of other characters than letters, digits, `_`
 * and `-`, or of digits alone, stands in brackets and JSON quotes: `metadata.annotations["fluxcd.io/automated"]`.
 */
export function keyPath(path: string, key: string): string {
  if (!isPlainKey(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** The path of an item of the sequence at `path`. */
export function itemPath(path: string, index: number): string {
  return `${path}[${index}]`;
}

/** The path of a chain of plain keys below `path`. */
export function keysPath(path: string, keys: readonly string[]): string {
  return path === '' ? keys.join('.') : `${path}.${keys.join('.')}`;
}

/** The path at `below` of what stands at `path`. */
export function pathBelow(path: string, below: string): string {
  return path === '' || below.startsWith('[') ? path + below : `${path}.${below}`;
}

/** The path of what holds the value at a path that `keyPath` made. */
export function parentPath(path: string): string {
  const bracket = /\["(?:[^"\\]|\\.)*"\]$/.exec(path);
  return path.slice(0, bracket ? bracket.index : Math.max(0, path.lastIndexOf('.')));
}

function isPlainKey(key: string): boolean {
  let letters = false;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    const digit = code >= 0x30 && code <= 0x39;
    if (!digit && !isLetter(code) && code !== 0x5f && code !== 0x2d) return false;
    if (!digit) letters = true;
  }
  return letters;
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
}

/** One step of a path that a user wrote: a key, an index, or every item of a sequence. */
export type Step = { key: string } | { index: number } | { every: true };

/** No manifest is as deep. */
const MAX_STEPS = 64;

/**
 * Reads a path that a user wrote: keys with dots between; `\.` is a dot in a key, and `["…"]` a key in JSON quotes;
 * `[0]` or a key of digits is an index; `[]` and `[*]` are every item. Undefined for anything else.
 */
export function parsePath(text: string): Step[] | undefined {
  const steps: Step[] = [];
  let key = '';
  let inKey = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '.') {
      // A dot ends a key, or parts a bracket from the key after it.
      if (inKey) steps.push({ key });
      else if (text[i - 1] !== ']') return undefined;
      [key, inKey] = ['', false];
      if (i + 1 === text.length) return undefined;
    } else if (char === '[') {
      if (inKey) steps.push({ key });
      [key, inKey] = ['', false];
      const bracket = parseBracket(text, i);
      if (!bracket) return undefined;
      steps.push(bracket.step);
      i = bracket.end - 1;
      if (bracket.end < text.length && text[bracket.end] !== '.' && text[bracket.end] !== '[') return undefined;
    } else {
      if (char === '\\' && i + 1 < text.length) i++;
      key += text[i];
      inKey = true;
    }
    if (steps.length > MAX_STEPS) return undefined;
  }
  if (inKey) steps.push({ key });
  return steps.length > 0 ? steps : undefined;
}

const BRACKET = /\[(?:(\*?)|(\d{1,9})|("(?:[^"\\]|\\.)*"))\]/y;

function parseBracket(text: string, start: number): { step: Step; end: number } | undefined {
  BRACKET.lastIndex = start;
  const match = BRACKET.exec(text);
  if (!match) return undefined;
  const [all, , index, quoted] = match;
  const end = start + all.length;
  if (index !== undefined) return { step: { index: Number(index) }, end };
  if (quoted === undefined) return { step: { every: true }, end };
  try {
    const key: unknown = JSON.parse(quoted);
    return typeof key === 'string' ? { step: { key }, end } : undefined;
  } catch {
    return undefined;
  }
}

/** A node, the path by which it was reached, and the map that it is a value of. */
export interface Found {
  node: Exclude<Node, { kind: 'alias' }>;
  path: string;
  parent?: MapNode;
}

/** A hostile path over aliased lists multiplies; more places than this are not looked at. */
const MAX_FOUND = 10_000;

/** The nodes at a path below `root`, seen through aliases and merge keys; none where a step is missing. */
export function follow(root: Node, path: string, steps: readonly Step[]): Found[] {
  const start = deref(root);
  let current: Found[] = start ? [{ node: start, path }] : [];
  for (const step of steps) {
    if (current.length === 0) return current;
    const next: Found[] = [];
    for (const found of current) take(found, step, next);
    current = next;
  }
  return current;
}

function take({ node, path }: Found, step: Step, into: Found[]): void {
  if (node.kind === 'map') {
    const value = 'key' in step ? get(node, step.key) : undefined;
    if (value && 'key' in step) add(value, keyPath(path, step.key), into, node);
  } else if (node.kind === 'seq') {
    if ('every' in step) for (let i = 0; i < node.items.length; i++) add(node.items[i], itemPath(path, i), into);
    else if ('index' in step) add(node.items[step.index], itemPath(path, step.index), into);
    else if (isDigits(step.key)) add(node.items[Number(step.key)], itemPath(path, Number(step.key)), into);
  }
}

function add(aliased: Node | undefined, path: string, into: Found[], parent?: MapNode): void {
  const node = deref(aliased);
  if (node && into.length < MAX_FOUND) into.push({ node, path, ...(parent && { parent }) });
}

function isDigits(text: string): boolean {
  return /^\d{1,9}$/.test(text);
}

/** Merge keys may nest; a hostile chain of them ends here. */
const MAX_MERGE_DEPTH = 32;

/** The keys of a map and their values as `get` sees them: merged maps fill in what the map itself does not say. */
export function entriesOf(map: MapNode): Map<string, Found['node']> {
  const entries = new Map<string, Found['node']>();
  collect(map, entries, new Set(), 0);
  return entries;
}

function collect(map: MapNode, into: Map<string, Found['node']>, seen: Set<MapNode>, depth: number): void {
  let merges = false;
  for (const { key, value } of map.entries) {
    if (isMerge(key)) {
      merges = true;
      continue;
    }
    const node = deref(value);
    if (node && !into.has(key.value)) into.set(key.value, node);
  }
  if (!merges || depth > MAX_MERGE_DEPTH || seen.has(map)) return;
  seen.add(map);
  for (const { key, value } of map.entries) {
    if (!isMerge(key)) continue;
    const merged = deref(value);
    for (const source of merged?.kind === 'seq' ? merged.items : [merged]) {
      const node = deref(source);
      if (node?.kind === 'map') collect(node, into, seen, depth + 1);
    }
  }
}

function isMerge(key: ScalarNode): boolean {
  return key.value === '<<' && key.style === 'plain';
}
