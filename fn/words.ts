import type { Spec } from './config/image-update.ts';
import { canonicalName } from './reference.ts';
import type { Words } from './source.ts';

/** Kinds of objects that answers are taken from. */
export const ANSWER_WORDS: Words = { keys: [], anywhere: ['ImagePolicy', 'ImageRepository', 'ImageMetadata'] };

/**
 * Words of annotations: `automated` even where it is mistyped behind its first letter, with capitals too, filters, the old prefix, and the
 * commonest mistyped one (fluxcd/flux#2706). Not `fluxcd.io/` alone: every object of Flux v2 has that in its apiVersion.
 */
const ANNOTATION_WORDS = ['luxcd.io/a', 'luxcd.io/A', 'filter.fluxcd.io/', 'flux.weave.works/', 'fluxd.io/'];
/** The common part of what people write for `$imagepolicy`, capitals that are wrong among it. */
const MARKER_WORDS = ['magepolicy', 'magePolicy', 'MAGEPOLICY'];

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
    spec.updates.some(({ image }) => isSpelt(text, image))
  );
}

/** Characters of the name of an image. */
const NAME = /[\w./:-]/;
/** What follows the last part of a path: a tag or a digest, or the end of the text that holds it. */
const BEHIND = /^(?:[:@]|[^\w./-]|$)/;
/** A repository name and a registry with its port. */
const MAX_BEFORE = 512;
/** More occurrences than this are not looked at: the image is asked for, as far as anybody can tell. */
const MAX_OCCURRENCES = 1000;

/** Whether an image stands in a text in any spelling: of the Docker Hub, or with its registry in a field of its own. */
function isSpelt(text: string, image: string): boolean {
  const last = image.slice(image.lastIndexOf('/') + 1);
  const canonical = canonicalName(image);
  let count = 0;
  for (let at = text.indexOf(last); at >= 0; at = text.indexOf(last, at + last.length)) {
    if (++count > MAX_OCCURRENCES) return true;
    const end = at + last.length;
    if (!BEHIND.test(text.slice(end, end + 1))) continue;
    let start = at;
    while (start > 0 && at - start < MAX_BEFORE && NAME.test(text[start - 1]!)) start--;
    const name = text.slice(start, end);
    if (canonicalName(name) === canonical || (name.includes('/') && canonical.endsWith(`/${name}`))) return true;
  }
  return false;
}
