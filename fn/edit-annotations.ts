import { resourcesOf, type Resource } from './find/resources.ts';
import { chainReplacements, replaceAll, type Replacement } from './replace.ts';
import { differ } from './yaml/check.ts';
import {
  addMap,
  addPairs,
  columnOfMap,
  fillEntry,
  removeEntry,
  removeLast,
  Unusual,
  type Pairs,
} from './yaml/entries.ts';
import { columnOf, isFirstOnLine } from './yaml/layout.ts';
import { readDocument } from './yaml/read.ts';
import { encodeScalar, encodeText, isText, quoteAround } from './yaml/scalar.ts';
import {
  get,
  isNull,
  type AliasNode,
  type Entry,
  type MapNode,
  type Node,
  type ScalarNode,
  type Span,
} from './yaml/tree.ts';

/** What annotations of one resource shall be: keys with their texts, and keys that shall not be there. */
export interface AnnotationEdit {
  set: Pairs;
  remove: ReadonlySet<string>;
}

/** Edits of the resources of one document, by their paths. */
export type Edits = ReadonlyMap<string, AnnotationEdit>;

/** Why annotations are left as they are, and where that is seen. */
export interface Problem {
  message: string;
  offset: number;
}

const ANNOTATIONS = 'annotations';
/** Annotations that are added come behind these. */
const LABELS = 'labels';

/**
 * The replacements that edit annotations of resources of the one document in a span, none if all is as wanted; or, by path,
 * what is in the way. A value is written in the place and the quotes of the one before; a new key comes last, a map for it
 * behind the labels; both are written as what is around them is. A key that is removed takes its lines and the comment behind
 * it along, and, as the last one, its map; comments on lines of their own stay, and so does an empty map where they stand in it.
 *
 * The edited document is read again by another reader and must be equal node by node, but for what was wanted.
 */
export async function editAnnotations(
  text: string,
  span: Span,
  edits: Edits,
): Promise<{ replacements: Replacement[] } | { problems: Map<string, Problem> }> {
  const problems = new Map<string, Problem>();
  const replacements = await editAll(text, span, edits, problems);
  return problems.size > 0 ? { problems } : { replacements };
}

/** Ends an edit; never leaves this file. */
class Refused extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

function refuse(message: string, offset: number): never {
  throw new Refused(message, offset);
}

/** Does what may be refused for each resource, and notes why it was. */
function attempt<T>(paths: Iterable<string>, problems: Map<string, Problem>, action: (path: string) => T): T[] {
  const done: T[] = [];
  for (const path of paths)
    try {
      done.push(action(path));
    } catch (error) {
      if (error instanceof Refused) problems.set(path, { message: error.message, offset: error.offset });
      else if (error instanceof Unusual)
        problems.set(path, {
          message: `its metadata is written in a way that is not edited: ${error.message}`,
          offset: error.offset,
        });
      else throw error;
    }
  return done;
}

/** The whole document is read once for what is written, once for every further key that is removed, and once as the proof. */
async function editAll(text: string, span: Span, edits: Edits, problems: Map<string, Problem>): Promise<Replacement[]> {
  const root = await read(text, span, edits, problems);
  if (problems.size > 0) return [];
  const resources = resourcesAt(root, edits);
  const wanted = new Map([...edits].filter(([path, edit]) => !isDone(resources.get(path)!, edit)));
  const aliases = aliasesIn(root);
  const written = attempt(wanted.keys(), problems, (path) => {
    const [resource, edit] = [resources.get(path)!, wanted.get(path)!];
    const place = placeIn(resource);
    refuseShared(aliases, place, edit);
    refuseMerged(place, resource, edit);
    return write(text, span, resource, place, edit.set);
  });

  // A map that would be empty between the two is never taken away.
  let replacements = inOrder(written);
  let edited = replaceAll(text, replacements);
  const rounds = Math.max(0, ...[...wanted.values()].map(({ remove }) => remove.size));
  for (let i = 0; i < rounds && problems.size === 0; i++) {
    const now = { start: span.start, end: span.end + edited.length - text.length };
    const left = resourcesAt(await read(edited, now, edits, problems), wanted);
    const removed = attempt(wanted.keys(), problems, (path) => {
      const key = [...wanted.get(path)!.remove][i];
      return key === undefined ? [] : remove(edited, now, placeIn(left.get(path)!), key);
    });
    replacements = chainReplacements(replacements, inOrder(removed));
    edited = replaceAll(text, replacements);
  }
  if (wanted.size > 0 && problems.size === 0) await prove(text, edited, span, wanted, problems);
  return replacements;
}

function inOrder(replacements: readonly Replacement[][]): Replacement[] {
  return replacements.flat().toSorted((a, b) => a.start - b.start);
}

/** Reads a document; of one that cannot be read no resource is edited. */
async function read(
  text: string,
  { start, end }: Span,
  edits: Edits,
  problems: Map<string, Problem>,
): Promise<Node | undefined> {
  const document = await readDocument(text, start, end);
  if (!('problem' in document)) return document.root;
  for (const path of edits.keys()) problems.set(path, document.problem);
  return undefined;
}

function resourcesAt(root: Node | undefined, edits: Edits): Map<string, Resource> {
  const resources = new Map(resourcesOf(root).map((resource) => [resource.path, resource]));
  for (const path of edits.keys())
    if (!resources.has(path)) throw new RangeError(`there is no resource at ${JSON.stringify(path)}`);
  return resources;
}

function isDone({ annotations }: Resource, { set, remove }: AnnotationEdit): boolean {
  return (
    [...set].every(([key, value]) => says(annotations.get(key), value)) &&
    ![...remove].some((key) => annotations.has(key))
  );
}

/** Whether a scalar is a text, and that one, to whoever reads it. */
function says(scalar: ScalarNode | undefined, value: string): boolean {
  return scalar?.value === value && isText(scalar);
}

/** Where the annotations of a resource stand, or would. */
interface Place {
  metadata: MapNode;
  /** What stands under `annotations`, if the key is there. */
  entry: Entry | undefined;
  /** The annotations; undefined where there are none. */
  map: MapNode | undefined;
}

function placeIn({ node }: Resource): Place {
  const metadata = ownEntry(node, 'metadata');
  if (!metadata) refuse('it has no metadata of its own; write it, with its name', node.start);
  if (metadata.value.kind !== 'map') return refuseAlias(metadata, 'its metadata');
  refusePartial(metadata.value, 'its metadata');
  if (metadata.value.entries.length === 0) refuse('its metadata is empty; write its name', metadata.value.start);
  const entry = ownEntry(metadata.value, ANNOTATIONS);
  const value = entry?.value;
  if (value?.kind === 'map') refusePartial(value, 'its metadata.annotations');
  if (value?.kind === 'map' && value.entries.length > 0) return { metadata: metadata.value, entry, map: value };
  if (!value || value.kind === 'map' || (value.kind === 'scalar' && isNull(value)))
    return { metadata: metadata.value, entry, map: undefined };
  return refuseAlias(entry, 'its metadata.annotations');
}

function refuseAlias({ value }: Entry, what: string): never {
  if (value.kind === 'alias')
    refuse(
      `${what} is the alias *${value.name}, so an edit would change all that it stands for; write it out`,
      value.start,
    );
  refuse(`${what} is a ${value.kind === 'seq' ? 'list' : value.kind}, not a map; correct it`, value.start);
}

/** Where a key ends that is a map, a list or an alias, the tree does not tell; and Kubernetes has no such keys. */
function refusePartial({ partial, start }: MapNode, what: string): void {
  if (partial) refuse(`${what} has a key that is a map, a list or an alias; write a text in its place`, start);
}

function ownEntry({ entries }: MapNode, key: string): Entry | undefined {
  return entries.find((entry) => entry.key.value === key);
}

/** Refuses what an alias repeats elsewhere. */
function refuseShared(aliases: readonly AliasNode[], { metadata, map }: Place, { set, remove }: AnnotationEdit): void {
  const edited = map ?? metadata;
  const values = (map?.entries ?? []).filter(({ key }) => set.has(key.value) || remove.has(key.value));
  for (const { name, target, start } of aliases) {
    if (target.kind !== 'scalar' && target.start <= edited.start && target.end >= edited.end)
      refuse(
        `the alias *${name} repeats its annotations, so an edit would change more than these; write them out there`,
        start,
      );
    const shared = values.find(({ key, value }) => key === target || value === target);
    if (shared)
      refuse(
        `the alias *${name} repeats what ${shared.key.value} says, so an edit would change more than that; write it out there`,
        start,
      );
  }
}

function aliasesIn(root: Node | undefined): AliasNode[] {
  const aliases: AliasNode[] = [];
  const stack = root ? [root] : [];
  for (let node = stack.pop(); node; node = stack.pop())
    if (node.kind === 'alias') aliases.push(node);
    else if (node.kind === 'seq') stack.push(...node.items);
    else if (node.kind === 'map') for (const { key, value } of node.entries) stack.push(key, value);
  return aliases;
}

/** Refuses what comes by a merge key: it cannot be taken away here, and what is written here would hide all of it. */
function refuseMerged({ metadata, entry, map }: Place, { annotations }: Resource, { remove }: AnnotationEdit): void {
  if (!entry && annotations.size > 0)
    refuse(
      'its annotations come by a merge key (<<), and those written here would hide them; write them out',
      metadata.start,
    );
  // Also behind one of its own there may be another.
  const left = map && { ...map, entries: map.entries.filter(({ key }) => !remove.has(key.value)) };
  const merged = [...remove].find((key) => annotations.has(key) && get(left, key));
  if (merged !== undefined)
    refuse(
      `${merged} comes by a merge key (<<), so it cannot be taken away here; take it out of what is merged`,
      (map ?? metadata).start,
    );
}

/** Changes the values of keys that are there, and adds those that are not. */
function write(
  text: string,
  span: Span,
  { node }: Resource,
  { metadata, entry, map }: Place,
  set: Pairs,
): Replacement[] {
  const own = new Map(map?.entries.map(({ key, value }) => [key.value, value]));
  const changed = [...set].flatMap(([key, value]) => changeValue(text, key, own.get(key), value));
  const pairs = new Map([...set].filter(([key]) => !own.has(key)));
  if (pairs.size === 0) return changed.toSorted((a, b) => a.start - b.start);
  if (map) return [...changed.toSorted((a, b) => a.start - b.start), ...addPairs(text, span, map, pairs)];
  const step = stepOf(text, node, metadata);
  if (entry) return fillEntry(text, span, metadata, entry, { pairs, step });
  return addMap(text, span, metadata, { key: ANNOTATIONS, after: LABELS, pairs, step });
}

function changeValue(text: string, key: string, node: Node | undefined, value: string): Replacement[] {
  if (!node) return [];
  if (node.kind === 'map' || node.kind === 'seq') return refuseNoText(key, node);
  const { start, end } = node;
  if (node.kind === 'alias') return [{ start, end, text: encodeText(value, quoteAround(text, start), true) }];
  if (says(node, value)) return [];
  if (node.tag !== undefined && !isText(node))
    refuse(`${key} has the tag ${node.tag}, and annotations are texts; take the tag out`, start);
  if (node.style !== 'literal' && node.style !== 'folded')
    return [{ start, end, text: encodeScalar(node, value, text) }];
  // A block may not be able to say this without a line break behind it.
  const [, comment, tail] = /^[^\r\n#]*?([ \t]+#[^\r\n]*)?(?:[\r\n][^]*\S)?(\s*)$/.exec(text.slice(start, end))!;
  return [{ start, end, text: encodeText(value, quoteAround(text, start), true) + (comment ?? '') + tail }];
}

function refuseNoText(key: string, { kind, start }: Node): never {
  refuse(`${key} is a ${kind === 'seq' ? 'list' : kind}, and annotations are texts; correct it`, start);
}

/** How far the entries of a map in the metadata are moved in: as those of other maps there, else as the metadata itself. */
function stepOf(text: string, resource: MapNode, metadata: MapNode): number {
  if (metadata.flow) return DEFAULT_STEP;
  const column = columnOfMap(text, metadata);
  for (const { value } of metadata.entries)
    if (value.kind === 'map' && !value.flow && value.entries.some(({ key }) => isFirstOnLine(text, key.start)))
      return columnOfMap(text, value) - column;
  const step = column - columnOf(text, ownEntry(resource, 'metadata')!.key.start);
  return step > 0 ? step : DEFAULT_STEP;
}

const DEFAULT_STEP = 2;

function remove(text: string, span: Span, { metadata, entry, map }: Place, name: string): Replacement[] {
  const found = map && ownEntry(map, name);
  if (!map || !entry || !found) return [];
  if (found.value.kind === 'map' || found.value.kind === 'seq') return refuseNoText(name, found.value);
  return map.entries.length > 1 ? removeEntry(text, span, map, found) : removeLast(text, span, metadata, entry, map);
}

/** Proves that the edited document is the one before, with the annotations as wanted. */
async function prove(
  text: string,
  edited: string,
  span: Span,
  edits: Edits,
  problems: Map<string, Problem>,
): Promise<void> {
  const { compose } = await import('./yaml/compose.ts');
  const before = compose(text, span.start, span.end);
  const after = compose(edited, span.start, span.end + edited.length - text.length);
  attempt(edits.keys(), problems, () => {
    if (before && 'problem' in before) refuse(before.problem.message, before.problem.offset);
    if (after && 'problem' in after) unsafe(`the edited text is not readable: ${after.problem.message}`, span);
  });
  if (problems.size > 0) return;
  const [root, found] = [before as Node | undefined, after as Node | undefined];
  const [expected, resources] = [
    resourcesAt(root, edits),
    new Map(resourcesOf(found).map((each) => [each.path, each])),
  ];
  attempt(edits.keys(), problems, (path) => {
    const [resource, edit] = [resources.get(path), edits.get(path)!];
    if (!resource || !isDone(resource, edit)) return unsafe('the annotations would not be those wanted', span);
    expect(expected.get(path)!, placeIn(resource), edit);
  });
  const difference = problems.size > 0 ? undefined : differ({ text, root }, { text: edited, root: found });
  if (difference !== undefined) attempt(edits.keys(), problems, () => unsafe(difference, span));
}

function unsafe(why: string, { start }: Span): never {
  refuse(
    `the edit was not made, as more than the annotations would have changed (${why}); this is a bug of image-update, please report it with this document`,
    start,
  );
}

/** Changes the tree of the document before to the one that is wanted. What is empty may be left or taken away. */
function expect(resource: Resource, after: Place, { set, remove }: AnnotationEdit): void {
  const { metadata, entry, map } = placeIn(resource);
  const entries = (map?.entries ?? []).filter(({ key }) => !remove.has(key.value));
  const known = new Set(entries.map(({ key }) => key.value));
  const wanted = entries.map(({ key, value }) => {
    const text = set.get(key.value);
    return text === undefined || value.kind === 'map' || value.kind === 'seq'
      ? { key, value }
      : { key, value: saying(value, text) };
  });
  for (const [key, text] of set) if (!known.has(key)) wanted.push({ key: scalar(key), value: scalar(text) });
  const properties = entry?.value.kind === 'map' ? entry.value : {};
  const value: MapNode = { ...NOTHING, ...properties, kind: 'map', flow: false, entries: wanted };
  const rest = metadata.entries.filter((candidate) => candidate !== entry);
  const at = entry
    ? metadata.entries.indexOf(entry)
    : rest.findIndex(({ key }) => key.value === LABELS) + 1 || rest.length;
  if (wanted.length > 0 || after.entry) rest.splice(at, 0, { key: entry?.key ?? scalar(ANNOTATIONS), value });
  metadata.entries = rest;
}

const NOTHING = { start: 0, end: 0 } satisfies Span;

function scalar(value: string): ScalarNode {
  return { ...NOTHING, kind: 'scalar', style: 'double', value };
}

function saying(node: ScalarNode | AliasNode, value: string): ScalarNode {
  if (node.kind === 'scalar') return { ...node, style: 'double', value };
  return { ...scalar(value), ...(node.comment && { comment: node.comment }) };
}
