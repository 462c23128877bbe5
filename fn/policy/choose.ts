import type { ImageMetadata, TagMetadata } from '../lookup/metadata.ts';
import type { Note } from '../note.ts';
import type { RefusalRule, Rule } from './rule.ts';

/** What is there now. Without a `tag` the reference has none (`image: app`, `app@sha256:…`). */
export interface Current {
  tag?: string;
  digest?: string;
  /** RFC 3339, if it is known from elsewhere (a policy's status): used when the tag is gone from the listing. */
  created?: string;
}

export interface ChooseOptions {
  /**
   * Which of several tags with one time wins, for Flux-v1 patterns: the smallest name as in Flux (`compat`, default), or
   * the highest version, then the last in natural order.
   */
  ties?: 'compat' | 'version';
  /** What a Flux-v1 pattern that orders by time does when the registry does not know the current tag; default `move`. */
  unknownCurrent?: 'move' | 'hold';
}

/**
 * `move`: to `chosen`. `current`: `chosen` is the current tag, whatever its digest. `held`: there is something, but the
 * current tag stays. `none`: nothing to choose from.
 */
export type Outcome = 'move' | 'current' | 'held' | 'none';

export interface Choice {
  /** The first candidate if the outcome is `move` or `current`, else null. */
  chosen: TagMetadata | null;
  outcome: Outcome;
  /** Stable, kebab-case. */
  reason: Reason;
  /** A sentence for people. */
  message: string;
  /** Best first. */
  candidates: TagMetadata[];
  /** Every other tag, in the order of the listing, with the one rule that turned it away. */
  rejected: Rejection[];
  warnings: Note[];
}

export type Reason =
  | 'newest'
  | 'oldest'
  | 'highest-version'
  | 'greatest-number'
  | 'least-number'
  | 'last-in-alphabet'
  | 'first-in-alphabet'
  | 'up-to-date'
  | 'would-go-back'
  | 'incomplete-listing'
  | 'current-without-time'
  | 'current-unknown'
  | 'too-young'
  | 'age-unknown'
  | 'no-tags'
  | 'no-match'
  | 'no-times';

export interface Rejection {
  tag: string;
  rule: RefusalRule;
  detail?: string;
}

/** Chooses a tag. Pure: the only "now" is `metadata.scannedAt`, and the order of `metadata.tags` does not matter. */
export function choose(rule: Rule, metadata: ImageMetadata, current?: Current, options: ChooseOptions = {}): Choice {
  const message = `not built yet: ${rule.text}, ${metadata.image}, ${current?.tag}, ${options.ties}`;
  return { chosen: null, outcome: 'none', reason: 'no-match', message, candidates: [], rejected: [], warnings: [] };
}
