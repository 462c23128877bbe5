import type { Config } from './config/config.ts';
import type { ExplicitUpdate, Spec } from './config/image-update.ts';
import type { Governor } from './decide.ts';
import { pathOf, placeAt, readSlice, resourceAt, type Document, type FilePlace, type Places } from './document.ts';
import { readAutomation, readLocks, type Automation } from './find/annotations.ts';
import { offsetOf } from './find/field.ts';
import { findImages as findFields, type ImageField, type Images } from './find/find.ts';
import { findMarkers, type Marker } from './find/markers.ts';
import { parentPath, pathBelow } from './find/path.ts';
import type { Resource } from './find/resources.ts';
import { assignMarkers, withMarkedParts, type Marked } from './marked.ts';
import type { Note } from './note.ts';
import { loneFields } from './owners.ts';
import type { Reference } from './reference.ts';
import type { ResourceRef } from './result.ts';
import type { Slice, Source } from './source.ts';
import { concerns } from './targets.ts';
import { asksForUpdate } from './words.ts';
import type { ScalarNode } from './yaml/tree.ts';

/** An image field that something governs. */
export interface GovernedField {
  field: ImageField;
  reference: Reference;
  governor: Governor;
  automation: Automation | undefined;
}

/** A note and what it is about. */
export interface Finding {
  note: Note;
  resource?: ResourceRef | undefined;
  field?: ImageField;
  /** It is why the field stays as it is, though something governs it. */
  holds?: boolean;
}

/** What a document holds. */
export interface Found {
  place: FilePlace;
  places?: Places;
  workloads: Workload[];
  governed: GovernedField[];
  /** Fields that something governs and that hold no reference. */
  unreadable: Pick<GovernedField, 'field' | 'governor'>[];
  /** All fields, governed or not: they may share a scalar by an anchor. */
  fields: ImageField[];
  /** The explicit updates that are about a field, be it one that cannot be read. */
  updates: Set<ExplicitUpdate>;
  notes: Finding[];
  /** Why the document cannot be read. */
  problem?: Note;
}

/** Reads a document and finds its image fields, what governs each, and what is wrong with what its author wrote. */
export async function findImages(source: Source, slice: Slice, config: Config): Promise<Found> {
  const { spec } = config;
  const document = await readSlice(source, slice);
  if ('problem' in document) return unread(source, slice, spec, document.problem);
  const { place, places, root } = document;
  const { markers, notes } = spec.markers ? findMarkers(source.text, root, slice.start, slice.end) : NO_MARKERS;
  const workloads = workloadsOf(document, markers, config);
  const fields = workloads.flatMap((workload) => workload.fields);
  const marked = assignMarkers(markers, fields);
  const found: Found = {
    place,
    ...(places && { places }),
    workloads,
    governed: [],
    unreadable: [],
    fields,
    updates: new Set(),
    notes: [],
  };
  for (const note of notes) found.notes.push({ note, resource: resourceAt(document, note.offset!) });
  for (const { field, note } of marked.misplaced) found.notes.push({ note, resource: field.resource, field });
  for (const workload of workloads) govern(workload, marked.byField, config, found);
  governLone(marked.lone, workloads, found);
  return found;
}

const NO_MARKERS = { markers: [], notes: [] };

/** A document that cannot be read: it is told if it asks for updates. */
function unread({ path, text }: Source, { start, end, index }: Slice, spec: Spec, problem: Note): Found {
  const refusal = { ...problem, message: `this document asks for updates and is not edited: ${problem.message}` };
  return {
    place: placeAt(path, index),
    workloads: [],
    governed: [],
    unreadable: [],
    fields: [],
    updates: new Set(),
    notes: asksForUpdate(text.slice(start, end), spec) ? [{ note: refusal }] : [],
    problem,
  };
}

/** A resource with its images, if anything could govern them, and what its annotations say. */
export interface Workload extends Images {
  resource: Resource;
  automation: Automation | undefined;
  /** Of its file. */
  path: string | undefined;
}

function workloadsOf(document: Document, markers: readonly Marker[], config: Config): Workload[] {
  const { spec } = config;
  const { resources } = document;
  // All of them or none: resources of one document may share an anchor.
  const concerned = spec.updates.length > 0 || markers.length > 0 || resources.some(hasPolicies);
  const targets = new Set(markers.map(({ scalar }) => scalar));
  const workloads = resources.map((resource) => {
    const path = pathOf(document, resource);
    const images = concerned ? fieldsOf(resource, spec, path, targets) : { fields: [], notes: [] };
    return { ...images, resource, path, automation: automationOf(resource, images.fields, config) };
  });
  if (markers.length > 0) extend(workloads, markers);
  return workloads;
}

/** Whether the annotations of a resource could say anything about its images. */
function hasPolicies({ annotations }: Resource): boolean {
  for (const key of annotations.keys()) if (key.includes('flux')) return true;
  return false;
}

/** The image fields of a resource, whatever governs them. */
export function fieldsOf(
  resource: Resource,
  spec: Spec,
  path: string | undefined,
  marked?: ReadonlySet<ScalarNode>,
): Images {
  return findFields(resource, {
    ...(marked && { marked }),
    fields: spec.fields,
    deepHelm: spec.deepHelmValues,
    ...(path !== undefined && { path }),
  });
}

/**
 * Locks hold where annotations are switched off, too: that switches off automation. Only as set-image, which knows nothing
 * of annotations and sets what its caller says, is there no lock, unless annotations are asked for.
 */
function automationOf(
  resource: Resource,
  fields: readonly ImageField[],
  { spec, setImage }: Config,
): Automation | undefined {
  if (spec.annotations)
    return readAutomation(
      resource,
      fields.map(({ container }) => container),
    );
  return setImage ? undefined : readLocks(resource);
}

/** Gives fields what is marked beside them. */
function extend(workloads: readonly Workload[], markers: readonly Marker[]): void {
  const placed = workloads.flatMap(({ resource, fields }) =>
    fields.map((field) => ({ field, parent: parentPath(pathBelow(resource.path, field.path)) })),
  );
  const extended = withMarkedParts(markers, placed);
  if (extended.size === 0) return;
  for (const workload of workloads) workload.fields = workload.fields.map((field) => extended.get(field) ?? field);
}

/** Adds what governs each field of a workload, and what an author who wants it updated should hear. */
function govern(workload: Workload, marked: Marked['byField'], { spec, setImage }: Config, found: Found): void {
  const { resource, fields, automation, path } = workload;
  const before = found.governed.length;
  // An image that cannot be seen is missed only by who wants it updated.
  if (automation?.automated) addNotes(found, resource, workload.notes);
  for (const field of fields) {
    const update = spec.updates.find((candidate) => concerns(candidate, field, path, setImage));
    const governor = governorOf(update, marked.get(field), automation);
    if (update) found.updates.add(update);
    if (governor && field.reference) found.governed.push({ field, reference: field.reference, governor, automation });
    else if (governor) {
      found.unreadable.push({ field, governor });
      found.notes.push({ note: unreadable(field), resource: resource.ref, field, holds: true });
    }
  }
  // Where annotations are switched off, a lock is of interest to who would change something.
  if (spec.annotations || found.governed.length > before) addNotes(found, resource, automation?.notes ?? []);
}

/** Explicit updates win over markers, markers over annotations. */
function governorOf(
  update: ExplicitUpdate | undefined,
  markers: Marker[] | undefined,
  automation: Automation | undefined,
): Governor | undefined {
  if (update) return { by: 'update', update };
  if (markers) return { by: 'marker', markers };
  return automation?.automated ? { by: 'annotation', automation } : undefined;
}

function governLone(markers: readonly Marker[], workloads: readonly Workload[], found: Found): void {
  const { images, wrong } = loneFields(markers, workloads);
  for (const { field, image, owner } of images) {
    const { reference, markers } = image;
    found.fields.push(field);
    found.governed.push({ field, reference, governor: { by: 'marker', markers }, automation: owner?.automation });
  }
  for (const { note, owner } of wrong) found.notes.push({ note, resource: owner?.resource.ref });
}

function addNotes(found: Found, { ref }: Resource, notes: readonly Note[]): void {
  for (const note of notes) found.notes.push({ note, resource: ref });
}

function unreadable(field: ImageField): Note {
  const offset = offsetOf(field);
  return {
    reason: 'reference-malformed',
    message: `it is not updated: ${field.problem ?? 'it holds no image reference'}`,
    path: field.path,
    container: field.container,
    ...(offset !== undefined && { offset }),
  };
}
