import type { ImageMetadata } from '../fn/lookup/metadata.ts';
import type { Note } from '../fn/note.ts';
import type { Rule } from '../fn/policy/rule.ts';

/** What somebody wants to choose in a repository. */
export interface Need {
  rule: Rule;
  /** The tag that stands there now. */
  current?: string;
}

/** What was found out of a repository. */
export interface Scan {
  metadata: ImageMetadata;
  /** What its reader should know: names that were dropped, times that were not looked up, tags that vanished. */
  notes: Note[];
}
