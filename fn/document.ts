import { resourcesOf, type Resource } from './find/resources.ts';
import { itemOf } from './lookup/read.ts';
import { itemPlace } from './resourcelist.ts';
import type { ResourceRef } from './result.ts';
import type { Slice, Source } from './source.ts';
import type { Refusal } from './yaml/compose.ts';
import { readDocument } from './yaml/read.ts';
import type { Node } from './yaml/tree.ts';

/** Where a document is from, as results name it. */
export interface FilePlace {
  file?: string;
  index?: number;
}

/** Where each resource is from, of items that are read as one document. */
export type Places = ReadonlyMap<ResourceRef, FilePlace>;

/** A document that was read. */
export interface Document {
  place: FilePlace;
  /** The path below the root, for targets. */
  path?: string;
  root: Node | undefined;
  resources: Resource[];
  places?: Places;
}

/** Reads a document of a file, an item of a ResourceList, or the items that are read as one. */
export async function readSlice(source: Source, slice: Slice): Promise<Document | Refusal> {
  const read = await readDocument(source.text, slice.start, slice.end);
  if ('problem' in read) return read;
  const root = slice.item ? itemOf(read.root) : read.root;
  const resources = resourcesOf(root);
  const { path, index } = slice.item ? itemPlace(root) : slice;
  return {
    place: placeAt(slice.item ? path : source.path, index),
    ...(path !== undefined && { path }),
    root,
    resources,
    ...(slice.joined && { places: placesOf(resources, root) }),
  };
}

/** The place of a path and an index, as far as they are known. */
export function placeAt(file: string | undefined, index: number | undefined): FilePlace {
  return { ...(file !== undefined && { file }), ...(index !== undefined && { index }) };
}

/** The path of the file that a resource is from, for targets. */
export function pathOf({ path, places }: Document, { ref }: Resource): string | undefined {
  return places ? places.get(ref)?.file : path;
}

/** Of items that are read as one, the resource that an offset lies in; else the document is place enough. */
export function resourceAt({ resources, places }: Document, offset: number): ResourceRef | undefined {
  return places && resources.findLast(({ node }) => node.start <= offset)?.ref;
}

/** The files of resources that stand in a list of items, by the annotations of their items. */
function placesOf(resources: readonly Resource[], root: Node | undefined): Places {
  const items = root?.kind === 'seq' ? root.items : [];
  return new Map(
    resources.map(({ ref, path }) => {
      const { path: file, index } = itemPlace(items[Number(/^\[(\d+)\]/.exec(path)?.[1])]);
      return [ref, placeAt(file, index)];
    }),
  );
}
