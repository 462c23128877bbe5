export type { Need } from '../fn/lookup/lookup.ts';
import type { ImageMetadata } from '../fn/lookup/metadata.ts';
import type { Note } from '../fn/note.ts';

/** What was found out of a repository. */
export interface Scan {
  metadata: ImageMetadata;
  /** What its reader should know: names that were dropped, times that were not looked up, tags that vanished. */
  notes: Note[];
}
