import type { Note } from '../note.ts';
import { isDigest, isName, isTag, type Reference } from '../reference.ts';
import type { ResourceRef } from '../result.ts';
import { get, textOf, type MapNode, type Node, type ScalarNode, type SeqNode } from '../yaml/tree.ts';
import { nameIn, referenceOf, type Slots } from './slots.ts';

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
  /** Where it stands in the text, if it is no text that could be a slot. */
  offset?: number;
  /** Undefined if the text is no reference; `problem` says why. */
  reference: Reference | undefined;
  problem?: string;
  origin: Origin;
}

/** What found a field; `marker` is a marked scalar that nothing else knows as an image. */
export type Origin = 'pod' | 'helm' | 'kustomization' | 'declared' | 'marker';

/** A field before its slots are read. */
export type Unread = Omit<ImageField, 'reference' | 'problem'>;

/** A field with the reference that its slots make. */
export function imageField(unread: Unread): ImageField {
  const read = referenceOf(unread.slots);
  if ('problem' in read) return unreadable(unread, read.problem);
  return { ...unread, reference: read.reference };
}

function unreadable(unread: Unread, problem: string): ImageField {
  return { ...unread, reference: undefined, problem };
}

/**
 * A field whose parts stand in a map, that of `slots` among them. A part that is no text, such as a map under `tag`, makes
 * it unreadable: with the part passed over, it would be written elsewhere a second time.
 */
export function imageFieldIn(map: MapNode, parts: readonly string[], unread: Unread): ImageField {
  for (const key of parts) {
    const part = get(map, key);
    if (part && part.kind !== 'scalar') return noText(unread, key, part);
  }
  const problem = bareSha(map);
  return problem === undefined ? imageField(unread) : unreadable(unread, problem);
}

/** A field that cannot be read, as what stands under `key` is no text. */
export function noText(unread: Unread, key: string, { kind }: MapNode | SeqNode): ImageField {
  return unreadable(unread, `its ${key} is a ${kind === 'map' ? 'map' : 'list'}, not a text`);
}

/** Why nothing is written beside a digest without its algorithm; undefined if there is none. */
export function bareSha(map: MapNode): string | undefined {
  if (!BARE_SHA.test(textOf(get(map, 'sha')) ?? '')) return undefined;
  return 'its sha is a digest without "sha256:", which is not written; empty it, or put the digest behind the tag';
}

/** What the charts of Grafana and Prometheus write `@sha256:` before. */
const BARE_SHA = /^[0-9a-f]{64}$/;

/**
 * What stands in the same map as a located name or tag, under the usual keys, is the image's, though nothing says so: a digest,
 * and the tag of a name without one. Left behind, they would contradict what is written.
 */
export function besides(map: Node | undefined, { repository, tag }: Slots): Pick<Slots, 'tag' | 'digest'> {
  const digest = digestIn(map);
  const other = tag ? undefined : get(map, 'tag');
  const name = textOf(repository) ?? '';
  return {
    ...(digest && { digest }),
    ...(other?.kind === 'scalar' && isTag(textOf(other) ?? '') && isName(name) && { tag: other }),
  };
}

/** The digest beside a tag: it must not be left behind. Some charts call it `sha`; that can also be a commit. */
export function digestIn(map: Node | undefined): ScalarNode | undefined {
  const [digest, sha] = [get(map, 'digest'), get(map, 'sha')];
  if (digest?.kind === 'scalar') return digest;
  return sha?.kind === 'scalar' && isDigest(textOf(sha) ?? '') ? sha : undefined;
}

/** The repository of a field, as far as it can be told of one that is no reference; the empty text if it cannot. */
export function nameOf({ slots, reference }: ImageField): string {
  return reference?.name ?? nameIn(slots);
}

/** Where a field stands in the text. */
export function offsetOf({ slots, offset }: ImageField): number | undefined {
  return (slots.tag ?? slots.whole ?? slots.repository ?? slots.digest)?.start ?? offset;
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
