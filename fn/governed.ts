import type { ExplicitUpdate, Spec } from './config/image-update.ts';
import type { Governor } from './decide.ts';
import { readAutomation, type Automation } from './find/annotations.ts';
import { findImages as findFields, type ImageField, type Images } from './find/find.ts';
import { findMarkers, type Marker } from './find/markers.ts';
import { resourcesOf, type Resource } from './find/resources.ts';
import { itemOf } from './lookup/read.ts';
import type { Note } from './note.ts';
import { parseReference, type Reference } from './reference.ts';
import { itemPlace } from './resourcelist.ts';
import type { ResourceRef } from './result.ts';
import type { Slice, Source } from './source.ts';
import { concerns } from './targets.ts';
import { readDocument } from './yaml/read.ts';
import type { ScalarNode } from './yaml/tree.ts';
import { asksForUpdate } from './words.ts';

/** An image field that something governs. */
export interface GovernedField {
  field: ImageField;
  reference: Reference;
  governor: Governor;
  automation: Automation | undefined;
}

/** What a document holds. */
export interface Found {
  file?: string;
  index?: number;
  governed: GovernedField[];
  /** All fields, governed or not: they may share a scalar by an anchor. */
  fields: ImageField[];
  notes: { note: Note; resource?: ResourceRef }[];
}

/** Reads a document and finds its image fields, what governs each, and what is wrong with what its author wrote. */
export async function findImages(source: Source, slice: Slice, spec: Spec, asWritten: boolean): Promise<Found> {
  const { text } = source;
  const read = await readDocument(text, slice.start, slice.end);
  const found: Found = { governed: [], fields: [], notes: [] };
  name(found, source.path, slice.index);
  if ('problem' in read) {
    if (asksForUpdate(text.slice(slice.start, slice.end), spec)) found.notes.push({ note: refusal(read.problem) });
    return found;
  }
  const root = slice.item ? itemOf(read.root) : read.root;
  const place = slice.item ? itemPlace(root) : slice;
  if (slice.item) name(found, place.path, place.index);

  const marks = spec.markers ? findMarkers(text, root, slice.start, slice.end) : { markers: [], notes: [] };
  found.notes.push(...marks.notes.map((note) => ({ note })));
  const unclaimed = new Set(marks.markers);
  const resources = resourcesOf(root);
  // All of them or none: resources of one document may share an anchor.
  const concerned = spec.updates.length > 0 || unclaimed.size > 0 || resources.some(hasPolicies);
  const automations = new Map<Resource, Automation>();
  for (const resource of resources) {
    const { fields, notes } = concerned ? fieldsOf(resource, spec, place.path) : { fields: [], notes: [] };
    const automation = spec.annotations ? readAutomation(resource, namesOf(fields)) : undefined;
    if (automation) automations.set(resource, automation);
    addNotes(found, resource, automation?.notes ?? []);
    // An image that cannot be seen is missed only by who wants it updated.
    if (automation?.automated) addNotes(found, resource, notes);
    found.fields.push(...fields);
    for (const field of fields) {
      const update = spec.updates.find((candidate) => concerns(candidate, field, place.path, asWritten));
      const governor = governorOf(update, claim(field, unclaimed), automation);
      if (governor && field.reference) found.governed.push({ field, reference: field.reference, governor, automation });
      else if (governor) addNotes(found, resource, [unreadable(field)]);
    }
  }
  for (const marker of unclaimed) {
    const owner = ownerOf(marker, resources);
    found.governed.push(lone(marker, owner, owner && automations.get(owner)));
  }
  return found;
}

/** Whether the annotations of a resource could say anything about its images. */
function hasPolicies({ annotations }: Resource): boolean {
  for (const key of annotations.keys()) if (key.includes('flux')) return true;
  return false;
}

function addNotes(found: Found, { ref }: Resource, notes: readonly Note[]): void {
  for (const note of notes) found.notes.push({ note, resource: ref });
}

/** The image fields of a resource, whatever governs them. */
export function fieldsOf(resource: Resource, spec: Spec, path: string | undefined): Images {
  return findFields(resource, {
    fields: spec.fields,
    deepHelm: spec.deepHelmValues,
    ...(path !== undefined && { path }),
  });
}

function namesOf(fields: readonly ImageField[]): string[] {
  return fields.map(({ container }) => container);
}

/** Explicit updates win over markers, markers over annotations. */
function governorOf(
  update: ExplicitUpdate | undefined,
  markers: Marker[],
  automation: Automation | undefined,
): Governor | undefined {
  if (update) return { by: 'update', update };
  if (markers.length > 0) return { by: 'marker', markers };
  return automation?.automated ? { by: 'annotation', automation } : undefined;
}

/** The markers on the scalars of a field, taken from those that no field has claimed yet. */
function claim(field: ImageField, unclaimed: Set<Marker>): Marker[] {
  const claimed: Marker[] = [];
  for (const marker of unclaimed) if (fits(field, marker)) claimed.push(marker);
  for (const marker of claimed) unclaimed.delete(marker);
  return claimed;
}

function fits({ slots }: ImageField, { scalar, part }: Marker): boolean {
  switch (part) {
    case 'whole':
      return scalar === slots.whole || (scalar === slots.repository && !slots.tag && !slots.registry);
    case 'tag':
      return scalar === slots.tag;
    case 'name':
      return scalar === slots.repository && !slots.registry;
    case 'digest':
      return scalar === slots.digest;
  }
}

/** The resource that a marked scalar stands in: the one with the longest path that leads to it. */
function ownerOf({ path }: Marker, resources: readonly Resource[]): Resource | undefined {
  const around = resources.filter((resource) => resource.path === '' || path.startsWith(`${resource.path}.`));
  return around.toSorted((a, b) => b.path.length - a.path.length)[0];
}

/** A marked scalar that is no part of a known image field: a field of its own. */
function lone(marker: Marker, owner: Resource | undefined, automation: Automation | undefined): GovernedField {
  const { scalar, part, path } = marker;
  const [slot, reference] = loneParts(scalar, part);
  const field: ImageField = {
    resource: owner?.ref ?? { apiVersion: '', kind: '', name: '' },
    container: '',
    path,
    slots: { [slot]: scalar },
    reference,
    origin: 'marker',
  };
  return { field, reference, governor: { by: 'marker', markers: [marker] }, automation };
}

function loneParts(
  { value }: ScalarNode,
  part: Marker['part'],
): ['whole' | 'tag' | 'repository' | 'digest', Reference] {
  switch (part) {
    case 'whole':
      return ['whole', parseReference(value) ?? { name: value }];
    case 'tag':
      return ['tag', { name: '', tag: value }];
    case 'name':
      return ['repository', { name: value }];
    case 'digest':
      return ['digest', { name: '', digest: value }];
  }
}

function refusal(problem: Note): Note {
  return { ...problem, message: `this document asks for updates and is not edited: ${problem.message}` };
}

function unreadable(field: ImageField): Note {
  return {
    reason: 'reference-malformed',
    message: `it is not updated: ${field.problem ?? 'it holds no image reference'}`,
    path: field.path,
    container: field.container,
    ...(offsetOf(field) !== undefined && { offset: offsetOf(field)! }),
  };
}

/** Where a field stands in the text. */
export function offsetOf({ slots }: ImageField): number | undefined {
  return (slots.tag ?? slots.whole ?? slots.repository ?? slots.digest)?.start;
}

function name(found: Found, file: string | undefined, index: number | undefined): void {
  if (file !== undefined) found.file = file;
  if (index !== undefined) found.index = index;
}
