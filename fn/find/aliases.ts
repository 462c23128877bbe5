import type { Note } from '../note.ts';
import { textOf, type MapNode, type Node, type ScalarNode } from '../yaml/tree.ts';
import { besides, imageField, imageFieldIn, type ImageField, type Images, type Origin } from './field.ts';
import { follow, keyPath, parentPath, parsePath } from './path.ts';
import type { Resource } from './resources.ts';
import type { Slots } from './slots.ts';

type Part = 'repository' | 'registry' | 'tag';
const PARTS: readonly Part[] = ['repository', 'registry', 'tag'];
const PREFIX_END = '.fluxcd.io/';

/** A value that is a filter: users mixed up `tag.fluxcd.io/A` and `fluxcd.io/tag.A`. */
const PATTERN = /^(?:glob|semver|regexp?):|\*$/;

/**
 * The images that annotations locate: `repository.fluxcd.io/A`, `registry.fluxcd.io/A` and `tag.fluxcd.io/A` are paths
 * below `root` of the parts of the image called `A` (reference/flux-v1-mode.md §10.4). All paths given must lead to one
 * text each, else the alias is ignored, with a note.
 */
export function aliasImages(resource: Resource, root: Node | undefined, rootPath: string, origin: Origin): Aliased {
  const images: Aliased = { fields: [], notes: [], places: new Set() };
  if (resource.annotations.size === 0) return images;
  for (const [alias, paths] of aliasesOf(resource)) {
    if (!paths.repository) images.notes.push(incomplete(alias, paths));
    else readAlias(resource, root, rootPath, origin, alias, paths, images);
  }
  return images;
}

export interface Aliased extends Images {
  /** Where the parts of the fields stand. */
  places: Set<string>;
}

/** Where the name of a detected image stands, by the key of its tag or digest beside it. */
const NAME_KEYS: Record<string, readonly string[]> = {
  tag: ['image', 'repository'],
  newTag: ['newName', 'name'],
  digest: ['newName', 'name'],
};

/**
 * The detected fields that no alias replaces, by its name or by its place. One that merely shares an anchor with an alias
 * stands at another place, and stays.
 */
export function notAliased(detected: readonly ImageField[], { fields, places }: Aliased): readonly ImageField[] {
  if (fields.length === 0) return detected;
  const names = new Set(fields.map(({ container }) => container));
  return detected.filter(({ container, path }) => {
    const parent = parentPath(path);
    const nameKeys = NAME_KEYS[path.slice(parent.length + 1)] ?? [];
    return !names.has(container) && !places.has(path) && !nameKeys.some((key) => places.has(keyPath(parent, key)));
  });
}

type Paths = Partial<Record<Part, ScalarNode>>;

function aliasesOf({ annotations }: Resource): Map<string, Paths> {
  const aliases = new Map<string, Paths>();
  for (const [key, scalar] of annotations) {
    const end = key.indexOf(PREFIX_END);
    if (end < 0) continue;
    const part = PARTS.find((name) => name === key.slice(0, end));
    const alias = key.slice(end + PREFIX_END.length);
    if (!part || alias === '') continue;
    aliases.set(alias, { ...aliases.get(alias), [part]: scalar });
  }
  return aliases;
}

function readAlias(
  resource: Resource,
  root: Node | undefined,
  rootPath: string,
  origin: Origin,
  alias: string,
  paths: Paths,
  { fields, notes, places }: Aliased,
): void {
  const slots: Slots = {};
  const taken: string[] = [];
  let place = '';
  let map: MapNode | undefined;
  for (const part of PARTS) {
    const annotation = paths[part];
    if (!annotation) continue;
    const text = textOf(annotation) ?? '';
    const steps = parsePath(text);
    const found = root && steps ? follow(root, rootPath, steps) : [];
    const [first] = found;
    if (first?.node.kind !== 'scalar' || found.length > 1) {
      notes.push(missing(alias, part, text, rootPath, annotation));
      return;
    }
    // An empty registry counts as absent, and a tag is never written there.
    if (part !== 'registry' || textOf(first.node)) slots[part] = first.node;
    if (part !== 'registry') [place, map] = [first.path, first.parent];
    taken.push(first.path);
  }
  for (const path of taken) places.add(path);
  const beside = besides(map, slots);
  if (beside.tag) place = keyPath(parentPath(place), 'tag');
  Object.assign(slots, beside);
  const alone = slots.repository && !slots.registry && !slots.tag && !slots.digest;
  const located = alone ? { whole: slots.repository! } : slots;
  const unread = { resource: resource.ref, container: alias, path: place, slots: located, origin };
  fields.push(map ? imageFieldIn(map, ['digest'], unread) : imageField(unread));
}

function missing(alias: string, part: Part, text: string, rootPath: string, { start }: ScalarNode): Note {
  const where = rootPath === '' ? 'of the object' : `below ${rootPath}`;
  const mixedUp = part === 'tag' && PATTERN.test(text);
  const advice = mixedUp
    ? `; which tags are allowed is said by filter.fluxcd.io/${alias}`
    : '; correct the path, in which \\. is a dot in a key and [0] an item of a list';
  return {
    reason: 'alias-path-missing',
    message: `${part}.fluxcd.io/${alias} is ignored: "${text}" is no field ${where} with one text${advice}`,
    offset: start,
    container: alias,
  };
}

function incomplete(alias: string, { registry, tag }: Paths): Note {
  const scalar = (tag ?? registry)!;
  const key = `${tag ? 'tag' : 'registry'}.fluxcd.io/${alias}`;
  const advice = PATTERN.test(scalar.value)
    ? `if it means which tags are allowed, write filter.fluxcd.io/${alias}`
    : `add repository.fluxcd.io/${alias}, the path of the image`;
  return {
    reason: 'alias-incomplete',
    message: `${key} is ignored, as it says only where a part of the image is; ${advice}`,
    offset: scalar.start,
    container: alias,
  };
}
