import type { Note } from '../note.ts';
import type { Rule } from '../policy/rule.ts';
import type { ImageMetadata } from './metadata.ts';

/** What somebody wants to choose in a repository. */
export interface Need {
  rule: Rule;
  /** The tag that stands there now. */
  current?: string;
}

/**
 * Asks where nothing was given: the live scan, which the engine takes as an argument, as `fn/` has no network. What cannot
 * be answered is a note that says who must act; nothing is thrown for it.
 */
export interface Lookup {
  /**
   * What a registry tells of a repository, enough of it for each rule to choose: times are looked up only for rules that
   * ask for them, only of tags that pass the rule's filter. Without needs the tags alone.
   */
  metadata(image: string, needs: readonly Need[]): Promise<ImageMetadata | Note>;
  /** The digest of what a tag names now. */
  digest(image: string, tag: string): Promise<string | Note>;
  /** What else the reader of the answers should know: names that were dropped, times that were not looked up. */
  readonly notes: readonly Note[];
}
