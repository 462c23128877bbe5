import type { Note } from '../note.ts';
import { isDigest, type Reference } from '../reference.ts';
import type { ResourceRef } from '../result.ts';
import { get, textOf, type MapNode, type Node, type ScalarNode } from '../yaml/tree.ts';
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

/**
 * A field whose parts stand in a map, that of `slots` among them. A part that is no text, such as a map under `tag`, makes
 * it unreadable: with the part passed over, it would be written elsewhere a second time.
 */
export function imageFieldIn(
  map: MapNode,
  parts: readonly string[],
  resource: ResourceRef,
  container: string,
  path: string,
  slots: Slots,
  origin: Origin,
): ImageField {
  const field = imageField(resource, container, path, slots, origin);
  for (const key of parts) {
    const part = get(map, key);
    if (!part || part.kind === 'scalar') continue;
    const problem = `its ${key} is a ${part.kind === 'map' ? 'map' : 'list'}, not a text`;
    return { ...field, reference: undefined, problem };
  }
  if (!BARE_SHA.test(textOf(get(map, 'sha')) ?? '')) return field;
  const problem =
    'its sha is a digest without "sha256:", which is not written; empty it, or put the digest behind the tag';
  return { ...field, reference: undefined, problem };
}

/** What the charts of Grafana and Prometheus write `@sha256:` before. */
const BARE_SHA = /^[0-9a-f]{64}$/;

/** The digest beside a tag: it must not be left behind. Some charts call it `sha`; that can also be a commit. */
export function digestIn(map: Node | undefined): ScalarNode | undefined {
  const [digest, sha] = [get(map, 'digest'), get(map, 'sha')];
  if (digest?.kind === 'scalar') return digest;
  return sha?.kind === 'scalar' && isDigest(textOf(sha) ?? '') ? sha : undefined;
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
