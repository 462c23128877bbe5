import type { Note } from '../note.ts';
import type { Reference } from '../reference.ts';
import type { ResourceRef } from '../result.ts';
import type { ScalarNode } from '../yaml/tree.ts';
import { referenceOf, type Slots } from './slots.ts';

/** A place of a resource that holds an image. */
export interface ImageField {
  resource: ResourceRef;
  /**
   * By what filters, targets and people call it: the container, the alias or key of Helm values, `name` of a
   * Kustomization's image.
   */
  container: string;
  /** Where the tag stands or would be written, below the resource: `spec.template.spec.containers[0].image`. */
  path: string;
  /** Fields that share an anchor share its scalar here. */
  slots: Slots;
  /** Undefined if the text is no reference; `problem` says why. */
  reference: Reference | undefined;
  problem?: string;
  origin: Origin;
}

/** What found a field; `marker` is a marked scalar that nothing else knows as an image. */
export type Origin = 'pod' | 'helm' | 'kustomization' | 'declared' | 'marker';

/** A field with the reference that its slots make. */
export function imageField(
  resource: ResourceRef,
  container: string,
  path: string,
  slots: Slots,
  origin: Origin,
): ImageField {
  const read = referenceOf(slots);
  if ('problem' in read)
    return { resource, container, path, slots, reference: undefined, problem: read.problem, origin };
  return { resource, container, path, slots, reference: read.reference, origin };
}

/** The scalars that an image is written in. */
export function scalarsOfSlots({ whole, registry, repository, tag, digest }: Slots): ScalarNode[] {
  return [whole, registry, repository, tag, digest].filter((scalar) => scalar !== undefined);
}

/** What a finder gives: fields, and what an author who wants them updated should hear. */
export interface Images {
  fields: ImageField[];
  notes: Note[];
}
