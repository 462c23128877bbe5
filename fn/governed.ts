import type { Config } from './config/config.ts';
import type { ExplicitUpdate, Spec } from './config/image-update.ts';
import type { Governor } from './decide.ts';
import { readAutomation, readLocks, type Automation } from './find/annotations.ts';
import { offsetOf } from './find/field.ts';
import { findImages as findFields, type ImageField, type Images } from './find/find.ts';
import { findMarkers, type Marker } from './find/markers.ts';
import { parentPath, pathBelow } from './find/path.ts';
import { resourcesOf, type Resource } from './find/resources.ts';
import { itemOf } from './lookup/read.ts';
import { loneImages } from './lone.ts';
import { assignMarkers, withMarkedParts } from './marked.ts';
import type { Note } from './note.ts';
import type { Reference } from './reference.ts';
import { itemPlace } from './resourcelist.ts';
import type { ResourceRef } from './result.ts';
import type { Slice, Source } from './source.ts';
import { concerns } from './targets.ts';
import { readDocument } from './yaml/read.ts';
import { asksForUpdate } from './words.ts';
import type { Node, ScalarNode } from './yaml/tree.ts';

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
  /** The explicit updates that are about a field, be it one that cannot be read. */
  updates: Set<ExplicitUpdate>;
  notes: { note: Note; resource?: ResourceRef }[];
  /** Of items that are read as one document, where each resource is from. */
  places?: ReadonlyMap<ResourceRef, FilePlace>;
}

/** Where a document is from. */
export interface FilePlace {
  file?: string;
  index?: number;
}

/** Reads a document and finds its image fields, what governs each, and what is wrong with what its author wrote. */
export async function findImages(source: Source, slice: Slice, { spec, setImage }: Config): Promise<Found> {
  const { text } = source;
  const read = await readDocument(text, slice.start, slice.end);
  const found: Found = { governed: [], fields: [], updates: new Set(), notes: [] };
  name(found, source.path, slice.index);
  if ('problem' in read) {
    if (asksForUpdate(text.slice(slice.start, slice.end), spec)) found.notes.push({ note: refusal(read.problem) });
    return found;
  }
  const root = slice.item ? itemOf(read.root) : read.root;
  const place = slice.item ? itemPlace(root) : slice;
  if (slice.item) name(found, place.path, place.index);
  const resources = resourcesOf(root);
  const places = slice.joined ? placesOf(resources, root) : undefined;
  if (places) found.places = places;

  const marks = spec.markers ? findMarkers(text, root, slice.start, slice.end) : { markers: [], notes: [] };
  for (const note of marks.notes) {
    const resource = places && resources.findLast(({ node }) => node.start <= note.offset!)?.ref;
    found.notes.push({ note, ...(resource && { resource }) });
  }
  // All of them or none: resources of one document may share an anchor.
  const concerned = spec.updates.length > 0 || marks.markers.length > 0 || resources.some(hasPolicies);
  const targets = new Set(marks.markers.map(({ scalar }) => scalar));
  const workloads = resources.map((resource) => {
    const path = places ? places.get(resource.ref)?.file : place.path;
    const images = concerned ? fieldsOf(resource, spec, path, targets) : { fields: [], notes: [] };
    return { ...images, resource, path, automation: automationOf(resource, images.fields, { spec, setImage }) };
  });
  if (targets.size > 0) extend(workloads, marks.markers);
  for (const { fields } of workloads) for (const field of fields) found.fields.push(field);
  const marked = assignMarkers(marks.markers, found.fields);
  for (const { field, note } of marked.misplaced) found.notes.push({ note, resource: field.resource });
  for (const { resource, fields, notes, automation, path } of workloads) {
    const before = found.governed.length;
    // An image that cannot be seen is missed only by who wants it updated.
    if (automation?.automated) addNotes(found, resource, notes);
    for (const field of fields) {
      const update = spec.updates.find((candidate) => concerns(candidate, field, path, setImage));
      const governor = governorOf(update, marked.byField.get(field), automation);
      if (update) found.updates.add(update);
      if (governor && field.reference) found.governed.push({ field, reference: field.reference, governor, automation });
      else if (governor) addNotes(found, resource, [unreadable(field)]);
    }
    // Where annotations are switched off, a lock is of interest to who would change something.
    if (spec.annotations || found.governed.length > before) addNotes(found, resource, automation?.notes ?? []);
  }
  addLone(found, marked.lone, workloads);
  return found;
}

/** A resource with its images and what its annotations say. */
interface Workload extends Images {
  resource: Resource;
  automation: Automation | undefined;
  /** Of its file. */
  path: string | undefined;
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

/**
 * Locks hold where annotations are switched off, too: that switches off automation. Only as set-image, which knows nothing
 * of annotations and sets what its caller says, is there no lock, unless annotations are asked for.
 */
function automationOf(
  resource: Resource,
  fields: readonly ImageField[],
  { spec, setImage }: Config,
): Automation | undefined {
  if (spec.annotations) return readAutomation(resource, namesOf(fields));
  return setImage ? undefined : readLocks(resource);
}

/** The files of resources that stand in a list of items, by the annotations of their items. */
function placesOf(resources: readonly Resource[], root: Node | undefined): Map<ResourceRef, FilePlace> {
  const items = root?.kind === 'seq' ? root.items : [];
  return new Map(
    resources.map(({ ref, path }) => {
      const { path: file, index } = itemPlace(items[Number(/^\[(\d+)\]/.exec(path)?.[1])]);
      return [ref, { ...(file !== undefined && { file }), ...(index !== undefined && { index }) }];
    }),
  );
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

function namesOf(fields: readonly ImageField[]): string[] {
  return fields.map(({ container }) => container);
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

/** Marked scalars that are no part of a known image field are fields of their own. */
function addLone(found: Found, markers: readonly Marker[], workloads: readonly Workload[]): void {
  if (markers.length === 0) return;
  const { images, wrong } = loneImages(markers);
  const ownerOf = ownersOf(workloads);
  for (const { markers, slots, reference } of images) {
    const owner = ownerOf(markers[0]);
    const field: ImageField = {
      resource: owner?.resource.ref ?? { apiVersion: '', kind: '', name: '' },
      container: '',
      path: placeOf(markers, slots),
      slots,
      reference,
      origin: 'marker',
    };
    found.fields.push(field);
    found.governed.push({ field, reference, governor: { by: 'marker', markers }, automation: owner?.automation });
  }
  for (const { marker, note } of wrong) {
    const owner = ownerOf(marker);
    found.notes.push({ note: { path: marker.path, ...note }, ...(owner && { resource: owner.resource.ref }) });
  }
}

/** The path of the scalar that an image is known by. */
function placeOf(markers: readonly [Marker, ...Marker[]], { tag, repository }: ImageField['slots']): string {
  const known = tag ?? repository;
  return (markers.find(({ scalar }) => scalar === known) ?? markers[0]).path;
}

/** Finds what a marked scalar stands in: the resource with the longest path that leads to it. */
function ownersOf(workloads: readonly Workload[]): (marker: Marker) => Workload | undefined {
  const byPath = new Map(workloads.map((workload) => [workload.resource.path, workload]));
  return ({ path }) => {
    let around = path;
    while (around !== '' && !byPath.has(around))
      around = around.slice(0, Math.max(0, around.lastIndexOf('.'), around.lastIndexOf('[')));
    return byPath.get(around);
  };
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

function name(found: Found, file: string | undefined, index: number | undefined): void {
  if (file !== undefined) found.file = file;
  if (index !== undefined) found.index = index;
}
