import { canonicalName } from '../reference.ts';
import { remember } from '../remember.ts';
import type { Lookup } from './lookup.ts';

/** A look-up that is asked for everything once, however often the engine runs. The needs that come first count. */
export function remembering(lookup: Lookup): Lookup {
  const metadata = new Map<string, ReturnType<Lookup['metadata']>>();
  const digests = new Map<string, ReturnType<Lookup['digest']>>();
  return {
    notes: lookup.notes,
    metadata: (image, needs) => remember(metadata, canonicalName(image), () => lookup.metadata(image, needs)),
    digest: (image, tag) => remember(digests, `${canonicalName(image)}:${tag}`, () => lookup.digest(image, tag)),
  };
}
