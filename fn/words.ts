import type { Spec } from './config/image-update.ts';
import type { Words } from './source.ts';

/** Kinds of objects that answers are taken from. */
export const ANSWER_WORDS: Words = { keys: [], anywhere: ['ImagePolicy', 'ImageRepository', 'ImageMetadata'] };

/**
 * Words of annotations: `automated` even where it is mistyped behind its first letter, filters, the old prefix, and the
 * commonest mistyped one (fluxcd/flux#2706). Not `fluxcd.io/` alone: every object of Flux v2 has that in its apiVersion.
 */
const ANNOTATION_WORDS = ['fluxcd.io/a', 'filter.fluxcd.io/', 'flux.weave.works/', 'fluxd.io/'];
const MARKER_WORDS = ['imagepolicy', 'imagePolicy'];

/**
 * What a document must contain to be worth reading: a byte search costs next to nothing, reading YAML does
 * (reference/krm-function.md D4.1). An image in any spelling contains the last part of its path. A key written with
 * escapes (`"fluxcd\u002eio/automated"`) is not found; nobody writes that.
 */
export function wordsOf(spec: Spec): Words {
  const images = spec.updates.map(({ image }) => image.slice(image.lastIndexOf('/') + 1));
  return {
    keys: spec.annotations ? ANNOTATION_WORDS : [],
    anywhere: [...(spec.markers ? MARKER_WORDS : []), ...new Set(images)],
  };
}

/** Whether a text asks for an update in so many words: then that it could not be read is told, else it is passed over. */
export function asksForUpdate(text: string, spec: Spec): boolean {
  return (
    (spec.annotations && /(?:fluxcd\.io|flux\.weave\.works)\/automated/.test(text)) ||
    (spec.markers && /\$imagepolicy/i.test(text)) ||
    spec.updates.some(({ image }) => text.includes(image))
  );
}
