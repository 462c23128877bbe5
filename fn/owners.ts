import type { ImageField } from './find/field.ts';
import type { Marker } from './find/markers.ts';
import type { Resource } from './find/resources.ts';
import { loneImages, type LoneImage } from './lone.ts';
import type { Note } from './note.ts';

/** What a marker stands in. */
interface Owner {
  resource: Resource;
}

/** The images of lone markers as fields, and what is wrong with some markers, each with what it stands in. */
export interface Owned<T extends Owner> {
  images: { field: ImageField; image: LoneImage; owner: T | undefined }[];
  wrong: { note: Note; owner: T | undefined }[];
}

/** Marked scalars that are no part of a known image field are fields of their own, of the resource that they stand in. */
export function loneFields<T extends Owner>(markers: readonly Marker[], owners: readonly T[]): Owned<T> {
  if (markers.length === 0) return { images: [], wrong: [] };
  const { images, wrong } = loneImages(markers);
  const ownerOf = ownersOf(owners);
  return {
    images: images.map((image) => {
      const owner = ownerOf(image.markers[0]);
      return { field: fieldOf(image, owner), image, owner };
    }),
    wrong: wrong.map(({ marker, note }) => ({ note: { path: marker.path, ...note }, owner: ownerOf(marker) })),
  };
}

function fieldOf({ markers, slots, reference }: LoneImage, owner: Owner | undefined): ImageField {
  const resource = owner?.resource.ref ?? { apiVersion: '', kind: '', name: '' };
  return { resource, container: '', path: pathOf(markers, slots), slots, reference, origin: 'marker' };
}

/** The path of the scalar that an image is known by. */
function pathOf(markers: LoneImage['markers'], { tag, repository }: LoneImage['slots']): string {
  const known = tag ?? repository;
  return (markers.find(({ scalar }) => scalar === known) ?? markers[0]).path;
}

/** Finds what a marked scalar stands in: the resource with the longest path that leads to it. */
function ownersOf<T extends Owner>(owners: readonly T[]): (marker: Marker) => T | undefined {
  const byPath = new Map(owners.map((owner) => [owner.resource.path, owner]));
  return ({ path }) => {
    let around = path;
    while (around !== '' && !byPath.has(around))
      around = around.slice(0, Math.max(0, around.lastIndexOf('.'), around.lastIndexOf('[')));
    return byPath.get(around);
  };
}
