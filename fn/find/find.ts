import type { DeclaredField } from '../config/image-update.ts';
import type { Note } from '../note.ts';
import { aliasImages, notAliased } from './aliases.ts';
import { declaredImages } from './declared.ts';
import { scalarsOfSlots, type ImageField, type Images } from './field.ts';
import { helmImages, isHelmRelease } from './helm.ts';
import { kustomizationImages, kustomizationImagesAt } from './kustomization.ts';
import { podImages } from './pods.ts';
import { parentPath } from './path.ts';
import type { ScalarNode } from '../yaml/tree.ts';
import type { Resource } from './resources.ts';

export type { ImageField, Images } from './field.ts';

export interface FindOptions {
  /** Where kinds that are not built in keep images. */
  fields?: readonly DeclaredField[];
  /** Look for images at any depth of Helm values. */
  deepHelm?: boolean;
  /** Of the file that holds the resource: a Kustomization may be known by its name alone. */
  path?: string;
  /** Scalars that markers are about: an image of them is not missed. */
  marked?: ReadonlySet<ScalarNode>;
}

/**
 * The image fields of a resource, in a stated order, and notes for an author who wants them updated: images that are
 * written in a way that is not read, aliases that lead nowhere, or that there is no image at all.
 */
export function findImages(
  resource: Resource,
  { fields: declared = [], deepHelm = false, path, marked }: FindOptions = {},
): Images {
  const images = isHelmRelease(resource) ? helmImages(resource, deepHelm, marked) : plainImages(resource, path);
  if (declared.length > 0) add(images, declaredImages(resource, declared));
  if (images.fields.length === 0 && images.notes.length === 0) images.notes.push(imageless(resource));
  return images;
}

function plainImages(resource: Resource, path: string | undefined): Images {
  const keys = kustomizationImagesAt(resource, path);
  const fields = keys ? kustomizationImages(resource, keys) : podImages(resource);
  const aliased = aliasImages(resource, resource.node, '', 'declared');
  return { fields: [...notAliased(fields, aliased), ...aliased.fields], notes: aliased.notes };
}

/**
 * Adds fields that are not among those found already. One that merely shares an anchor with another stands at a place of its
 * own: it is another image, which must agree with the first.
 */
function add({ fields }: Images, more: ImageField[]): void {
  const found = Map.groupBy(fields, ({ path }) => parentPath(path));
  for (const field of more)
    if (!found.get(parentPath(field.path))?.some((other) => isSameImage(other, field))) fields.push(field);
}

/** Of two fields in one map. Parts of an image may be known by either's path; a text by itself is known by its own. */
function isSameImage(a: ImageField, b: ImageField): boolean {
  const apart = a.slots.whole && b.slots.whole && a.path !== b.path;
  const scalars = scalarsOfSlots(b.slots);
  return !apart && scalarsOfSlots(a.slots).some((scalar) => scalars.includes(scalar));
}

function imageless({ ref }: Resource): Note {
  const { kind } = ref;
  return {
    reason: 'no-images',
    message: kind.endsWith('List')
      ? `annotations of a ${kind} mean nothing; put them on its items`
      : `no image was found in this ${kind || 'document'}; annotate the object whose manifest holds the image, or name the place by an annotation repository.fluxcd.io/NAME or under "fields" of the configuration`,
  };
}
