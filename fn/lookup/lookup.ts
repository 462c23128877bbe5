import type { Note } from '../note.ts';
import type { Rule } from '../policy/rule.ts';
import type { ImageMetadata } from './metadata.ts';

/**
 * Asks where nothing was given: the live scan, which the engine takes as an argument, as `fn/` has no network. What cannot
 * be answered is a note that says who must act.
 */
export interface Lookup {
  /**
   * What a registry tells of a repository, enough of it for the rule to choose: times are looked up only for rules that
   * ask for them, only of tags that pass the rule's filter. Without a rule the tags alone. `current` is the tag that stands there.
   */
  metadata(image: string, rule?: Rule, current?: string): Promise<ImageMetadata | Note>;
  /** The digest of what a tag names now. */
  digest(image: string, tag: string): Promise<string | Note>;
}
