import { bareSha, digestIn } from './find/field.ts';
import type { Marker, MarkerPart } from './find/markers.ts';
import { applied, type Change, type Slots } from './find/slots.ts';
import { labelOf, misplacedPart, wholeAdvice } from './marked.ts';
import type { Note } from './note.ts';
import { formatReference, isDigest, isTag, parseReference, type Reference } from './reference.ts';
import type { Write } from './yaml/check.ts';
import { get, textOf, type MapNode, type ScalarNode } from './yaml/tree.ts';

/** Marked scalars that are no part of a known image field: an image of their own. */
export interface LoneImage {
  /** In order of the text; more than one of a part if several say the same. */
  markers: [Marker, ...Marker[]];
  slots: Slots;
  /** As far as it is written; a name that is not is the empty text. */
  reference: Reference;
}

/** The images that lone markers make, and what is wrong with some markers. */
export function loneImages(markers: readonly Marker[]): {
  images: LoneImage[];
  wrong: { marker: Marker; note: Note }[];
} {
  const images: LoneImage[] = [];
  const wrong: { marker: Marker; note: Note }[] = [];
  const fitting: Marker[] = [];
  for (const marker of markers) {
    const note = misfit(marker);
    if (note) wrong.push({ marker, note });
    else fitting.push(marker);
  }
  const besides = new Map<MapNode, Beside>();
  for (const group of grouped(fitting)) {
    const parts = unwritable(group) ?? divide(group) ?? ambiguous(group);
    if ('reason' in parts) wrong.push({ marker: group[0], note: parts });
    else for (const part of parts) images.push(lone(part, besides));
  }
  return { images, wrong };
}

type Group = [Marker, ...Marker[]];

/** Parts that one policy has in one map; a whole reference is an image by itself. */
function grouped(markers: readonly Marker[]): Group[] {
  const groups: Group[] = [];
  const byMap = new Map<MapNode, Map<string, Group>>();
  for (const marker of markers) {
    const { parent, part } = marker;
    const beside = parent && part !== 'whole' ? (byMap.get(parent) ?? new Map<string, Group>()) : undefined;
    const group = beside?.get(labelOf(marker));
    if (group) {
      group.push(marker);
      continue;
    }
    const started: Group = [marker];
    groups.push(started);
    if (parent && beside) byMap.set(parent, beside.set(labelOf(marker), started));
  }
  return groups;
}

/**
 * One image a group, or several that have the same parts, one behind the other. Else it is told which part belongs to
 * which only if it does not matter: all of a part say the same.
 */
function divide(group: Group): Group[] | undefined {
  const runs: Group[] = [];
  for (const marker of group) {
    const run = runs.at(-1);
    if (!run || run.some(({ part }) => part === marker.part)) runs.push([marker]);
    else run.push(marker);
  }
  if (new Set(runs.map(partsOf)).size === 1) return runs;
  const values = new Map(group.map(({ part, scalar }) => [part, scalar.value]));
  const alike = group.every(({ part, scalar }) => scalar.value === values.get(part));
  return alike ? [group] : undefined;
}

function partsOf(run: Group): string {
  return run
    .map(({ part }) => part)
    .toSorted()
    .join();
}

function scalarOf(group: Group, wanted: MarkerPart): ScalarNode | undefined {
  return group.find(({ part }) => part === wanted)?.scalar;
}

/** A tag or digest beside a marked part, under its usual key, belongs to the same image: it must not be left behind. */
function lone(markers: Group, besides: Map<MapNode, Beside>): LoneImage {
  const [{ parent, scalar, part }] = markers;
  if (part === 'whole')
    return { markers, slots: { whole: scalar }, reference: parseReference(scalar.value) ?? { name: scalar.value } };
  const repository = scalarOf(markers, 'name');
  const beside = parent && (besides.get(parent) ?? partsIn(parent));
  if (parent && beside) besides.set(parent, beside);
  const tag = scalarOf(markers, 'tag') ?? beside?.tag;
  const digest = scalarOf(markers, 'digest') ?? beside?.digest;
  const slots: Slots = { ...(repository && { repository }), ...(tag && { tag }), ...(digest && { digest }) };
  return { markers, slots, reference: referenceOf(slots) };
}

/** What stands in a map under the usual keys. */
type Beside = Pick<Slots, 'tag' | 'digest'>;

function partsIn(map: MapNode): Beside {
  const [tag, digest] = [get(map, 'tag'), digestIn(map)];
  return {
    ...(tag?.kind === 'scalar' && isTag(textOf(tag) ?? '') && { tag }),
    ...(digest && isDigest(textOf(digest) ?? '') && { digest }),
  };
}

function referenceOf({ repository, tag, digest }: Slots): Reference {
  const reference: Reference = { name: textOf(repository) ?? '' };
  // A tag may have its digest behind it.
  const [tagText = '', inTag] = (textOf(tag) ?? '').split('@');
  const digestText = inTag ?? textOf(digest) ?? '';
  if (tagText !== '') reference.tag = tagText;
  if (digestText !== '') reference.digest = digestText;
  return reference;
}

/** The writes of a change: each scalar takes its part of the result as it is. The first stands at the field's path. */
export function loneWrites(slots: Slots, markers: readonly Marker[], from: Reference, change: Change): Write[] {
  const to = applied(from, change);
  if (slots.whole) return [{ scalar: slots.whole, value: formatReference(to) }];
  const inTag = textOf(slots.tag)?.includes('@') ?? false;
  const texts = {
    tag: (to.tag ?? '') + (inTag && to.digest !== undefined ? `@${to.digest}` : ''),
    name: to.name,
    digest: inTag ? (textOf(slots.digest) ?? '') : (to.digest ?? ''),
  };
  const writes = new Map<number, Write>();
  function add(scalar: ScalarNode | undefined, value: string): void {
    if (scalar && (textOf(scalar) ?? '') !== value) writes.set(scalar.start, { scalar, value });
  }
  add(slots.tag, texts.tag);
  add(slots.repository, texts.name);
  add(slots.digest, texts.digest);
  for (const { scalar, part } of markers) if (part !== 'whole') add(scalar, texts[part]);
  return [...writes.values()];
}

/** A part that is marked on what cannot be one: writing it there would lose the rest of the image. */
function misfit(marker: Marker): Note | undefined {
  const { scalar, part, namespace, policy } = marker;
  const text = textOf(scalar) ?? '';
  const reference = parseReference(text);
  const parted = reference !== undefined && (reference.tag !== undefined || reference.digest !== undefined);
  switch (part) {
    case 'whole':
      return isDigest(text)
        ? misplacedPart(marker, `this is the digest alone; mark it "${namespace}:${policy}:digest"`)
        : undefined;
    case 'tag':
      return isTagged(text) || !(parted || text.includes('/')) ? undefined : misplacedPart(marker, wholeAdvice(marker));
    case 'name':
      return parted ? misplacedPart(marker, wholeAdvice(marker)) : undefined;
    case 'digest':
      return isDigest(text) || !(text.includes('/') || text.includes('@'))
        ? undefined
        : misplacedPart(marker, wholeAdvice(marker));
  }
}

/** A tag, or one with its digest behind it. */
function isTagged(text: string): boolean {
  const at = text.indexOf('@');
  return at < 0 ? isTag(text) : isTag(text.slice(0, at)) && isDigest(text.slice(at + 1));
}

/** A digest beside marked parts that cannot move with them. */
function unwritable([{ parent, part, offset }]: Group): Note | undefined {
  const problem = parent && part !== 'whole' ? bareSha(parent) : undefined;
  return problem === undefined
    ? undefined
    : { reason: 'reference-malformed', message: `it is not updated: ${problem}`, offset };
}

function ambiguous([{ namespace, policy, offset }]: Group): Note {
  return {
    reason: 'markers-ambiguous',
    message: `several images of this map are marked for ImagePolicy ${namespace}/${policy}, and it is not clear which tag, name and digest belong together; give each image a map of its own`,
    offset,
  };
}
