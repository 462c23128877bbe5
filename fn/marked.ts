import type { ImageField } from './find/find.ts';
import { imageField, scalarsOfSlots } from './find/field.ts';
import type { Marker } from './find/markers.ts';
import { parentPath } from './find/path.ts';
import type { Slots } from './find/slots.ts';
import type { Note } from './note.ts';
import type { ScalarNode } from './yaml/tree.ts';

/** Which markers of a document are about which of its image fields. */
export interface Marked {
  byField: Map<ImageField, Marker[]>;
  /** On scalars that are no part of a known field. */
  lone: Marker[];
  /** Markers of a part that is not what they stand behind. */
  misplaced: { field: ImageField; note: Note }[];
}

/** Two policies in each of four parts: whatever else is marked on one text, its markers disagree. */
const MAX_DIFFERENT = 8;

/**
 * A marker on a scalar that several fields share, by an anchor, is about all of them; the same marker at another use of the
 * anchor says nothing new.
 */
export function assignMarkers(markers: readonly Marker[], fields: readonly ImageField[]): Marked {
  const users = usersOf(fields);
  const seen = new Map<ScalarNode, Set<string>>();
  const marked: Marked = { byField: new Map(), lone: [], misplaced: [] };
  for (const marker of markers) {
    const using = users.get(marker.scalar);
    if (!using) {
      marked.lone.push(marker);
      continue;
    }
    const meanings = seen.get(marker.scalar) ?? new Set();
    const meaning = `${labelOf(marker)}:${marker.part}`;
    if (meanings.has(meaning) || meanings.size >= MAX_DIFFERENT) continue;
    seen.set(marker.scalar, meanings.add(meaning));
    const fitting = using.filter((field) => fits(field, marker));
    for (const field of fitting) marked.byField.set(field, [...(marked.byField.get(field) ?? []), marker]);
    if (fitting.length === 0) marked.misplaced.push({ field: using[0]!, note: misfit(using[0]!, marker) });
  }
  return marked;
}

/** The policy that a marker names. */
export function labelOf({ namespace, policy }: Marker): string {
  return `${namespace}:${policy}`;
}

/** The fields that a scalar is part of. */
function usersOf(fields: readonly ImageField[]): Map<ScalarNode, ImageField[]> {
  const users = new Map<ScalarNode, ImageField[]>();
  for (const field of fields)
    for (const scalar of scalarsOfSlots(field.slots)) {
      const others = users.get(scalar);
      if (others) others.push(field);
      else users.set(scalar, [field]);
    }
  return users;
}

/** A field, and the path of the map that its tag stands in, below the document. */
interface Placed {
  field: ImageField;
  parent: string;
}

/**
 * The fields, with what stands marked beside them under a key that is not known: a digest under `sha` belongs to the
 * image whose tag the same policy marks in the same map, and moves with it or keeps it.
 */
export function withMarkedParts(markers: readonly Marker[], placed: readonly Placed[]): Map<ImageField, ImageField> {
  const fields = placed.map(({ field }) => field);
  const { byField, lone } = assignMarkers(markers, fields);
  const extended = new Map<ImageField, ImageField>();
  if (lone.length === 0 || byField.size === 0) return extended;
  const byParent = new Map<string, Marker[]>();
  for (const marker of lone) {
    const parent = parentPath(marker.path);
    const others = byParent.get(parent);
    if (others) others.push(marker);
    else byParent.set(parent, [marker]);
  }
  for (const { field, parent } of placed) {
    const own = byField.get(field);
    const beside = own && byParent.get(parent)?.filter((marker) => own.some((it) => labelOf(it) === labelOf(marker)));
    if (beside) extended.set(field, beside.reduce(adopt, field));
  }
  return extended;
}

function adopt(field: ImageField, { scalar, part }: Marker): ImageField {
  const { resource, container, path, slots, reference, origin } = field;
  if (!reference || (part !== 'tag' && part !== 'digest') || slots[part]) return field;
  const nameAlone = reference.tag === undefined && reference.digest === undefined;
  if (slots.whole && !nameAlone) return field;
  const { whole, ...others } = slots;
  const extended: Slots = { ...others, ...(whole && { repository: whole }), [part]: scalar };
  return imageField({ resource, container, path, slots: extended, origin });
}

function fits({ slots, reference }: ImageField, { scalar, part }: Marker): boolean {
  switch (part) {
    case 'whole':
      return scalar === slots.whole || (scalar === slots.repository && !slots.tag && !slots.registry);
    case 'tag':
      return scalar === slots.tag;
    case 'name': {
      const nameAlone = reference?.tag === undefined && reference?.digest === undefined;
      return (scalar === slots.repository && !slots.registry) || (scalar === slots.whole && nameAlone);
    }
    case 'digest':
      return scalar === slots.digest;
  }
}

function misfit({ slots, path, container }: ImageField, marker: Marker): Note {
  return { ...misplacedPart(marker, advice(slots, marker)), path, ...(container !== '' && { container }) };
}

/** A marker of a part that cannot stand where it does. */
export function misplacedPart({ namespace, policy, part, offset }: Marker, why: string): Note {
  const suffix = part === 'whole' ? '' : `:${part}`;
  return {
    reason: 'marker-misplaced',
    message: `the $imagepolicy marker "${namespace}:${policy}${suffix}" is not followed: ${why}`,
    offset,
  };
}

function advice({ whole, registry, tag, digest }: Slots, marker: Marker): string {
  const { scalar, part, namespace, policy } = marker;
  const base = `${namespace}:${policy}`;
  if (scalar === whole) return wholeAdvice(marker);
  if (scalar === tag) return `this is the tag alone; mark it "${base}:tag"`;
  if (scalar === digest) return `this is the digest alone; mark it "${base}:digest"`;
  if (scalar === registry) return `this is the registry alone, which no policy chooses; mark the tag "${base}:tag"`;
  if (registry) return `the registry stands apart, so that no name fits here; mark the tag alone "${base}:tag"`;
  const name = `mark the name "${base}:name" and the tag "${base}:tag"`;
  return part === 'whole' ? `the tag stands apart; ${name}` : `this is the name of the image; ${name}`;
}

/** What to do about a part that is marked on a whole reference. */
export function wholeAdvice({ scalar, part, namespace, policy }: Marker): string {
  const text = scalar.value.length > MAX_SHOWN ? `${scalar.value.slice(0, MAX_SHOWN)}…` : scalar.value;
  return `"${text}" is the whole image; mark it "${namespace}:${policy}", without the part, or write the ${part} in a field of its own`;
}

const MAX_SHOWN = 200;
