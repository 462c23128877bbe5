/**
 * A YAML document as places in a text. Two readers build it (the fast scanner and, where that gives up, the `yaml`
 * package); everything else in `fn/` looks at YAML through it alone.
 *
 * Offsets count UTF-16 units of the text that was read, BOM included. `[start, end)` of a scalar is exactly what an edit
 * replaces: with its quotes, and for a block scalar from the `|` or `>` to the end of its last line.
 */
export type Node = MapNode | SeqNode | ScalarNode | AliasNode;

/** A half-open range of offsets. */
export interface Span {
  start: number;
  end: number;
}

/** `empty` is a missing value, as in `image:`; its span is empty and lies where the value would start. */
export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded' | 'empty';

export interface ScalarNode extends Span {
  kind: 'scalar';
  /** The decoded text, never a number or boolean: `1.10` stays `1.10`. */
  value: string;
  style: ScalarStyle;
  /** From `#` to the end of the line on which the scalar ends (a block scalar: on its header line). */
  comment?: Span;
  /** Comment lines directly above, for an item of a block sequence; from the first `#` to the end of the last line. */
  above?: Span;
  anchor?: string;
  tag?: string;
}

export interface MapNode extends Span {
  kind: 'map';
  flow: boolean;
  /** In order of the text. Entries whose key is not a scalar are left out, and then the map is `partial`. */
  entries: Entry[];
  partial?: true;
  anchor?: string;
  tag?: string;
}

export interface Entry {
  key: ScalarNode;
  value: Node;
}

export interface SeqNode extends Span {
  kind: 'seq';
  flow: boolean;
  items: Node[];
  anchor?: string;
  tag?: string;
}

export interface AliasNode extends Span {
  kind: 'alias';
  name: string;
  /** The node that carried the anchor when the alias was read. */
  target: Node;
  comment?: Span;
  above?: Span;
}

/** What an alias stands for; any other node is itself. */
export function deref(node: Node | undefined): Exclude<Node, AliasNode> | undefined {
  let current = node;
  while (current?.kind === 'alias') current = current.target;
  return current;
}

/**
 * The value of `key` in a map, seen through aliases and merge keys (`<<`, own keys first, then merged maps in order, as
 * the YAML merge type says). Undefined for anything but a map, and for an absent key.
 */
export function get(node: Node | undefined, key: string): Exclude<Node, AliasNode> | undefined {
  return lookup(node, key);
}

/** Merged maps may merge others; a hostile number of them ends here. */
const MAX_MERGES = 1000;

/** Looks into each map of `merging` once: aliases make few maps many, and an alias bomb of any map. */
function lookup(node: Node | undefined, key: string, merging?: Set<MapNode>): Exclude<Node, AliasNode> | undefined {
  const map = deref(node);
  if (map?.kind !== 'map' || merging?.has(map)) return undefined;
  let merges = false;
  for (const entry of map.entries) {
    if (entry.key.value === key) return deref(entry.value);
    if (entry.key.value === '<<') merges = true;
  }
  if (!merges || (merging && merging.size >= MAX_MERGES)) return undefined;
  const seen = merging ?? new Set();
  seen.add(map);
  for (const entry of map.entries) {
    if (entry.key.value !== '<<' || entry.key.style !== 'plain') continue;
    const merged = deref(entry.value);
    for (const source of merged?.kind === 'seq' ? merged.items : [merged]) {
      const found = lookup(source, key, seen);
      if (found) return found;
    }
  }
  return undefined;
}

/** The value at a chain of keys, seen as `get` sees it. */
export function at(node: Node | undefined, ...keys: string[]): Exclude<Node, AliasNode> | undefined {
  let current = deref(node);
  for (const key of keys) {
    current = get(current, key);
    if (!current) return undefined;
  }
  return current;
}

/** The text of a scalar; undefined for anything else and for a missing value or an explicit null. */
export function textOf(node: Node | undefined): string | undefined {
  const scalar = deref(node);
  if (scalar?.kind !== 'scalar' || isNull(scalar)) return undefined;
  return scalar.value;
}

const NULL = /^(?:~|null|Null|NULL)?$/;

/** Whether a scalar is YAML's null: nothing, `~` or `null` without quotes. */
export function isNull(scalar: ScalarNode): boolean {
  return scalar.style === 'empty' || (scalar.style === 'plain' && scalar.value.length <= 4 && NULL.test(scalar.value));
}
