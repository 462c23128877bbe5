import type { Note } from '../note.ts';
import { at, get, isNull, textOf, type MapNode, type Node, type ScalarNode } from '../yaml/tree.ts';
import { aliasImages, notAliased, type Aliased } from './aliases.ts';
import { digestIn, imageFieldIn, scalarsOfSlots, type ImageField, type Images } from './field.ts';
import { entriesOf, itemPath, keyPath } from './path.ts';
import type { Resource } from './resources.ts';
import type { Slots } from './slots.ts';

const KINDS = new Set(['HelmRelease', 'FluxHelmRelease']);

/** Whether a resource is a release of a chart, of Flux v1 or v2; by kind alone (reference/flux-v1-mode.md §10.1). */
export function isHelmRelease({ ref }: Resource): boolean {
  return KINDS.has(ref.kind);
}

const VALUES = 'spec.values';
/** The name of an image that stands in the values themselves. */
const ROOT_NAME = 'chart-image';

/**
 * The images in `spec.values`: those of the values and of each first-level map, in the eight shapes of
 * reference/flux-v1-mode.md §10.3 with §17's choices (an empty part is absent, a number is the tag that it is written
 * as), and those that annotations locate (§10.4), which replace a detected one of the same name or place. `deep` also looks at
 * all maps below, which get dotted names; without it an author should hear of images there, but for those `marked`.
 */
export function helmImages(resource: Resource, deep: boolean, marked: ReadonlySet<ScalarNode> = NONE): Images {
  const values = at(resource.node, 'spec', 'values');
  const aliased = aliasImages(resource, values, VALUES, 'helm');
  const detected: Images = { fields: [], notes: [] };
  if (values?.kind === 'map')
    walk(values, deep ? MAX_DEPTH : 1, (map, path, name) => examine(resource, map, path, name, detected));

  const fields = [...aliased.fields, ...notAliased(detected.fields, aliased)];
  const notes = [...aliased.notes, ...uncovered(detected.notes, aliased.fields)];
  if (!deep && values?.kind === 'map') notes.push(...deeper(resource, values, aliased, fields, marked));
  return { fields: fields.toSorted(byName), notes };
}

const NONE: ReadonlySet<ScalarNode> = new Set();

function byName({ container: a }: ImageField, { container: b }: ImageField): number {
  if (a === b) return 0;
  if (a === ROOT_NAME || b === ROOT_NAME) return a === ROOT_NAME ? -1 : 1;
  return a < b ? -1 : 1;
}

/** Values deeper than this are no images; aliased ones that multiply end here, too. */
const MAX_DEPTH = 32;
const MAX_VALUES = 100_000;

/** Visits the values and the maps below them, `depth` levels down; through lists, too, if that is more than one. */
function walk(values: MapNode, depth: number, visit: (map: MapNode, path: string, name: string) => void): void {
  let count = 0;
  function enter(node: Node, path: string, name: string, left: number): void {
    if (++count > MAX_VALUES) return;
    if (node.kind === 'map') {
      visit(node, path, name || ROOT_NAME);
      if (left === 0) return;
      for (const [key, value] of entriesOf(node))
        enter(value, keyPath(path, key), name ? `${name}.${key}` : key, left - 1);
    } else if (node.kind === 'seq' && depth > 1 && left > 0) {
      for (const [i, item] of node.items.entries()) {
        const value = item.kind === 'alias' ? item.target : item;
        enter(value, itemPath(path, i), `${name}.${i}`, left - 1);
      }
    }
  }
  enter(values, VALUES, '', depth);
}

function examine(resource: Resource, map: MapNode, path: string, name: string, { fields, notes }: Images): void {
  const image = get(map, 'image');
  if (image?.kind === 'scalar') {
    if (!isText(image) || LINK.test(image.value)) return;
    const field = fieldIn(resource, map, path, name, image, 'image');
    const elsewhere = field.reference?.tag === undefined ? get(map, 'imageTag') : undefined;
    if (elsewhere?.kind === 'scalar')
      notes.push(hidden(path, name, image, 'its tag stands in imageTag', ['image', 'imageTag']));
    else fields.push(field);
  } else if (image?.kind === 'map') {
    const repository = get(image, 'repository');
    if (repository?.kind === 'scalar' && isText(repository))
      fields.push(fieldIn(resource, image, keyPath(path, 'image'), name, repository, 'repository'));
    else {
      const note = unlikely(path, name, image);
      if (note) notes.push(note);
    }
  }
}

/** Keys beside the name of an image. */
const PARTS = ['registry', 'tag', 'digest'];

/** A link to a picture is no image of this kind. */
const LINK = /^(?:https?|data):/;

/** The image that a repository under `key` makes with the parts beside it. */
function fieldIn(
  resource: Resource,
  map: MapNode,
  path: string,
  container: string,
  repository: ScalarNode,
  key: string,
): ImageField {
  const slots = slotsIn(map, repository);
  const place = keyPath(path, slots.tag ? 'tag' : key);
  return imageFieldIn(map, PARTS, { resource: resource.ref, container, path: place, slots, origin: 'helm' });
}

/** A repository and the parts that stand beside it. */
function slotsIn(map: MapNode, repository: ScalarNode): Slots {
  const slots: Slots = {};
  const registry = get(map, 'registry');
  if (registry?.kind === 'scalar' && isText(registry) && registry.value !== '') slots.registry = registry;
  const tag = get(map, 'tag');
  if (tag?.kind === 'scalar') slots.tag = tag;
  const digest = digestIn(map);
  if (digest) slots.digest = digest;
  return slots.registry || slots.tag || slots.digest ? { ...slots, repository } : { whole: repository };
}

const NUMBER = /^[-+]?(?:0x[\da-fA-F]+|0o[0-7]+|(?:\d[\d_]*)?\.?\d+(?:[eE][-+]?\d+)?|\.inf|\.nan)$/i;
/** Longer texts are not tried. */
const MAX_NUMBER = 64;
const BOOLEAN = /^(?:true|false|yes|no|on|off)$/i;

/** Whether YAML reads a scalar as text, which it must be to name a repository: `image: true` is a switch. */
function isText(scalar: ScalarNode): boolean {
  if (scalar.style !== 'plain' || scalar.tag?.endsWith('str')) return scalar.style !== 'empty';
  if (isNull(scalar) || BOOLEAN.test(scalar.value)) return false;
  return scalar.value.length > MAX_NUMBER || !NUMBER.test(scalar.value);
}

/** Other names for a repository that charts use, which Flux v1 did not see. */
const OTHER_NAMES = ['name', 'repo', 'image'];

/**
 * A map under `image` that speaks of an image in a shape that is not read; undefined if it only has, say, a pull
 * policy.
 */
function unlikely(path: string, name: string, parts: MapNode): Note | undefined {
  const tag = ['tag', 'version', 'imageTag'].find((key) => get(parts, key)?.kind === 'scalar');
  const repository = OTHER_NAMES.find((key) => textOf(get(parts, key)));
  const scalar = get(parts, repository ?? tag ?? '');
  if (scalar?.kind !== 'scalar') return undefined;
  const keys = [repository, tag].filter((key) => key !== undefined);
  if (repository)
    return hidden(
      path,
      name,
      scalar,
      'it has no repository',
      keys.map((key) => `image.${key}`),
    );
  return {
    reason: 'image-hidden',
    message: `image ${name} is not updated: it has a ${tag} and no repository, which is in the chart; add image.repository`,
    offset: scalar.start,
    path: keyPath(path, 'image'),
    container: name,
  };
}

/** A note on an image that only annotations can locate, with those annotations. */
function hidden(path: string, name: string, scalar: ScalarNode, why: string, [repository, tag]: string[]): Note {
  const base = path === VALUES ? '' : `${name}.`;
  const annotations = [`repository.fluxcd.io/${name}: ${base}${repository}`];
  if (tag !== undefined) annotations.push(`tag.fluxcd.io/${name}: ${base}${tag}`);
  return {
    reason: 'image-hidden',
    message: `image ${name} is not updated: ${why}; say where it is by the annotations "${annotations.join('" and "')}"`,
    offset: scalar.start,
    path: keyPath(path, 'image'),
    container: name,
  };
}

/** Notes on hidden images that no alias locates. */
function uncovered(notes: Note[], aliased: ImageField[]): Note[] {
  if (notes.length === 0 || aliased.length === 0) return notes;
  const places = new Set(aliased.flatMap(({ slots }) => scalarsOfSlots(slots)).map(({ start }) => start));
  return notes.filter(({ offset }) => !places.has(offset!));
}

/** A note on the first of the images that stand too deep, that nobody located, and that no marker is about. */
function deeper(
  resource: Resource,
  values: MapNode,
  aliased: Aliased,
  known: readonly ImageField[],
  marked: ReadonlySet<ScalarNode>,
): Note[] {
  const found: Images = { fields: [], notes: [] };
  walk(values, MAX_DEPTH, (map, path, name) => examine(resource, map, path, name, found));
  const places = new Set(known.map(({ path }) => path));
  // An image that is all anchors of known ones moves with them.
  const moving = new Set(known.flatMap(({ slots }) => scalarsOfSlots(slots)));
  const hidden = notAliased(found.fields, aliased).filter(({ path, slots }) => {
    const scalars = scalarsOfSlots(slots);
    return (
      !places.has(path) &&
      !scalars.every((scalar) => moving.has(scalar)) &&
      !scalars.some((scalar) => marked.has(scalar))
    );
  });
  const [first] = hidden;
  if (!first) return [];
  const { container, path, slots } = first;
  const offset = scalarsOfSlots(slots)[0]!.start;
  const more = hidden.length > 1 ? ` and ${hidden.length - 1} more` : '';
  return [
    {
      reason: 'image-hidden',
      message: `the image at ${path}${more} is not looked at, as it stands below the first level of the values; set deepHelmValues, or annotate repository.fluxcd.io/NAME with its path below ${VALUES}`,
      offset,
      path,
      container,
    },
  ];
}
