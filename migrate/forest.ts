import type { Spec } from '../fn/config/image-update.ts';
import { pathOf, readSlice, type Document } from '../fn/document.ts';
import { imageField, scalarsOfSlots, type ImageField } from '../fn/find/field.ts';
import { itemPath, keyPath } from '../fn/find/path.ts';
import type { Slots } from '../fn/find/slots.ts';
import { fieldsOf } from '../fn/governed.ts';
import { documentsWith, type Slice, type Source } from '../fn/source.ts';
import { asMap, type Values } from '../fn/lookup/values.ts';
import { at, deref, get, type MapNode, type Node, type ScalarNode } from '../fn/yaml/tree.ts';
import { toValue } from '../fn/yaml/value.ts';
import type { Site } from './intent.ts';

/** A document of a file that was read. */
export interface Leaf {
  source: Source;
  slice: Slice;
  document: Document;
}

/** The documents of files, each read when it is first asked for. */
export class Forest {
  readonly sources: readonly Source[];
  readonly #spec: Spec;
  #leaves = new Map<Slice, Leaf | undefined>();
  #sites = new Map<Leaf, Site[]>();

  constructor(sources: readonly Source[], spec: Spec) {
    this.sources = sources;
    this.#spec = spec;
  }

  /** The documents that hold any of the words. One that cannot be read has nothing that could be migrated. */
  async leavesWith(words: readonly string[]): Promise<Leaf[]> {
    return this.#readAll(this.sources, words);
  }

  /** The documents of the files below a directory of the repository, or of one file. */
  async leavesBelow(path: string): Promise<Leaf[]> {
    return this.#readAll(
      this.sources.filter((source) => isBelow(source, path)),
      [''],
    );
  }

  async #readAll(sources: readonly Source[], words: readonly string[]): Promise<Leaf[]> {
    const leaves: Leaf[] = [];
    for (const source of sources)
      for (const slice of documentsWith(source.text, source.documents, { keys: [], anywhere: words })) {
        if (slice.index === undefined) continue;
        const leaf = this.#leaves.has(slice) ? this.#leaves.get(slice) : await this.#read(source, slice);
        if (leaf) leaves.push(leaf);
      }
    return leaves;
  }

  async #read(source: Source, slice: Slice): Promise<Leaf | undefined> {
    const document = await readSlice(source, slice);
    const leaf = 'problem' in document ? undefined : { source, slice, document };
    this.#leaves.set(slice, leaf);
    return leaf;
  }

  /** The image fields of a document that the engine finds by itself. */
  sites(leaf: Leaf): Site[] {
    const known = this.#sites.get(leaf);
    if (known) return known;
    const { document } = leaf;
    const sites = document.resources.flatMap((resource) =>
      fieldsOf(resource, this.#spec, pathOf(document, resource)).fields.map((field) => ({ leaf, resource, field })),
    );
    this.#sites.set(leaf, sites);
    return sites;
  }

  /** The image field that a scalar is part of; one made for it where the engine knows none. */
  siteOf(leaf: Leaf, { scalar, parent, path }: Placed): Site {
    const known = this.sites(leaf).find(({ field }) => scalarsOfSlots(field.slots).includes(scalar));
    return known ?? { leaf, resource: undefined, field: lone(path, slotsAround(parent, scalar)) };
  }
}

/** Whether a file lies below a path of its repository, whose root may be the directory that was given, or the present one. */
function isBelow({ path = '', documents }: Source, below: string): boolean {
  const wanted = below.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
  if (wanted === '' || wanted === '.') return true;
  return [path.replace(/^\.\//, ''), documents[0]?.path ?? ''].some(
    (name) => name === wanted || name.startsWith(`${wanted}/`),
  );
}

/** Keys that hold the name of an image beside its tag, in the values of charts. */
const NAMES = ['repository', 'name', 'image'];

/** The parts of an image that a scalar belongs to: itself, and what stands beside it. */
function slotsAround(parent: MapNode | undefined, scalar: ScalarNode): Slots {
  if (scalar.value.includes('/') || /:./.test(scalar.value)) return { whole: scalar };
  const repository = NAMES.map((key) => get(parent, key)).find((node) => node?.kind === 'scalar' && node !== scalar);
  return { tag: scalar, ...(repository?.kind === 'scalar' && { repository }) };
}

/** A field that nothing but a marker can make the engine know. */
function lone(path: string, slots: Slots): ImageField {
  return imageField({ resource: { apiVersion: '', kind: '', name: '' }, container: '', path, slots, origin: 'marker' });
}

/** The site of the values at dotted keys below a node: a whole reference, or a tag with the name that belongs to it. */
export function siteAt(forest: Forest, leaf: Leaf, root: Node | undefined, key: string): Site | undefined {
  const keys = key.split('.');
  const parent = deref(keys.length > 1 ? at(root, ...keys.slice(0, -1)) : root);
  const scalar = get(parent, keys.at(-1)!);
  if (parent?.kind !== 'map' || scalar?.kind !== 'scalar') return undefined;
  return forest.siteOf(leaf, { scalar, parent, path: keys.reduce((path, each) => keyPath(path, each), '') });
}

/** A scalar, the map that it is a value of, and its path in the document. */
export interface Placed {
  scalar: ScalarNode;
  parent?: MapNode;
  path: string;
}

/** The scalars of a document that are values or items, in order of the text; what an alias repeats is not among them. */
export function scalarsIn(root: Node | undefined): Placed[] {
  const placed: Placed[] = [];
  const stack: { node: Node; parent?: MapNode; path: string }[] = root ? [{ node: root, path: '' }] : [];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { node, parent, path } = next;
    if (node.kind === 'scalar') placed.push({ scalar: node, path, ...(parent && { parent }) });
    else if (node.kind === 'map')
      for (const { key, value } of node.entries.toReversed())
        stack.push({ node: value, parent: node, path: keyPath(path, key.value) });
    else if (node.kind === 'seq')
      for (const [i, item] of [...node.items.entries()].toReversed())
        stack.push({ node: item, path: itemPath(path, i) });
  }
  return placed;
}

/** The plain values of a map; none of what is larger than any object. */
export function plainValues(node: Node): Values {
  try {
    return asMap(toValue(node)) ?? {};
  } catch (error) {
    if (error instanceof RangeError) return {};
    throw error;
  }
}
