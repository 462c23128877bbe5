import type { ResourceRef } from '../result.ts';
import { deref, get, textOf, type MapNode, type Node, type ScalarNode } from '../yaml/tree.ts';
import { entriesOf, itemPath, keyPath } from './path.ts';

/** An object of a document. One without `kind` has an empty `ref`: markers and file names may still speak of it. */
export interface Resource {
  /** As written; what is not written is the empty text, a namespace is left out. */
  ref: ResourceRef;
  node: MapNode;
  /** Where it stands in its document: the empty text, or `items[3]` inside a list. */
  path: string;
  /** Those of `metadata.annotations` whose values are scalars, merge keys followed. */
  annotations: ReadonlyMap<string, ScalarNode>;
}

/** kpt wraps a file whose root is a list in a map with this key (reference/krm-function.md A1). */
const WRAPPING_KEY = 'bareSeqNodeWrappingKey';
/** Nobody nests lists so deep; a hostile document ends here. */
const MAX_DEPTH = 32;

/**
 * The objects of a document, in order. Any kind that ends in `List` and has `items` is unwrapped, lists in lists too
 * (reference/flux-v1-mode.md §10.2, §17); so is a list at the root. The list itself is among them only if it has
 * annotations, which mean nothing there and whose author should hear of it. An object that stands twice by an alias is
 * given once.
 */
export function resourcesOf(root: Node | undefined): Resource[] {
  const resources: Resource[] = [];
  gather(root, '', 0, new Set(), resources);
  return resources;
}

function gather(aliased: Node | undefined, path: string, depth: number, seen: Set<Node>, into: Resource[]): void {
  const node = deref(aliased);
  if (!node || node.kind === 'scalar' || depth > MAX_DEPTH || seen.has(node)) return;
  seen.add(node);
  if (node.kind === 'seq') {
    for (let i = 0; i < node.items.length; i++) gather(node.items[i], itemPath(path, i), depth + 1, seen, into);
    return;
  }
  const wrapped = get(node, WRAPPING_KEY);
  if (wrapped?.kind === 'seq') return gather(wrapped, keyPath(path, WRAPPING_KEY), depth + 1, seen, into);
  const kind = textOf(get(node, 'kind')) ?? '';
  const items = kind.endsWith('List') ? get(node, 'items') : undefined;
  const resource = describe(node, kind, path);
  if (items?.kind !== 'seq') {
    into.push(resource);
    return;
  }
  if (resource.annotations.size > 0) into.push(resource);
  gather(items, keyPath(path, 'items'), depth + 1, seen, into);
}

function describe(node: MapNode, kind: string, path: string): Resource {
  const metadata = get(node, 'metadata');
  const namespace = textOf(get(metadata, 'namespace'));
  const ref: ResourceRef = {
    apiVersion: textOf(get(node, 'apiVersion')) ?? '',
    kind,
    name: textOf(get(metadata, 'name')) ?? '',
  };
  if (namespace) ref.namespace = namespace;
  return { ref, node, path, annotations: scalarsOf(get(metadata, 'annotations')) };
}

/** The entries of a map whose values are scalars. */
function scalarsOf(map: Node | undefined): ReadonlyMap<string, ScalarNode> {
  if (map?.kind !== 'map') return NONE;
  const scalars = new Map<string, ScalarNode>();
  for (const [key, value] of entriesOf(map)) if (value.kind === 'scalar') scalars.set(key, value);
  return scalars;
}

const NONE: ReadonlyMap<string, ScalarNode> = new Map();

/** The API group of a resource; the empty text for the core group, and where there is no `apiVersion`. */
export function groupOf({ apiVersion }: ResourceRef): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}
