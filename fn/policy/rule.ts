/**
 * A rule decides which tags of a repository may be chosen and in which order. Both worlds compile to it: Flux-v1 patterns
 * (`pattern.ts`) and ImagePolicy specs (`policy.ts`); `choose.ts` applies it.
 */
import type { TagMetadata } from '../lookup/metadata.ts';
import type { Note } from '../note.ts';

export interface Rule {
  /** Where the rule comes from: the two differ in what they do when the time of the current tag is unknown. */
  kind: 'pattern' | 'policy';
  /** Canonical, for people: `semver:~1.2`, `numerical asc of $ts where regexp:^main-(?P<ts>[0-9]+)$`. */
  text: string;
  /** The text to order the tag by, which is the tag itself unless the rule extracts a part; or why it is turned away. */
  filter(name: string): string | Refusal;
  order: Order<unknown>;
  /** Whether the least comes first: the oldest, the lowest number, the first of the alphabet. */
  descending: boolean;
  /** How old a tag must be, in milliseconds; 0 for no limit. */
  minimumAge: number;
  /** Whether a choice may go below the current tag while the rule accepts that one: `Hold` never, `Follow` always. */
  downgrade: 'Hold' | 'Follow';
  /** What ImagePolicy's `digest` (Flux: `digestReflectionPolicy`) says; choosing does not depend on it. */
  digest: 'Never' | 'IfNotPresent' | 'Always';
  /** What its author should know though it compiles, such as that it can match nothing. */
  warnings: Note[];
}

/** How tags are compared. Keys ascend: the greatest is the best, unless the rule is descending. */
export interface Order<K> {
  by: 'version' | 'number' | 'text' | 'time';
  /** The key of a tag, or why it has none. `value` is what the rule's filter made of the tag's name. */
  read(value: string, tag: TagMetadata): K | Refusal;
  /** Why a key is not wanted though it can be ordered (a version outside of the range); undefined if it is wanted. */
  refuse?(key: K): Refusal | undefined;
  compare(a: K, b: K): number;
  /** A number that never contradicts `compare`: where two ranks differ, the keys differ the same way. */
  rank(key: K): number;
}

/** The one rule that turned a tag away. Stable, for machines. */
export type RefusalRule =
  | 'latest'
  | 'excluded'
  | 'filter'
  | 'not-a-version'
  | 'prerelease'
  | 'range'
  | 'not-a-number'
  | 'no-time'
  | 'too-young'
  | 'age-unknown'
  | 'ambiguous';

/** Data and no class: a rule is made in one bundle and asked in another, which would not know the class. */
export interface Refusal {
  readonly rule: RefusalRule;
  /** The pattern, range, time or other tag that decided, as it stands in the rule or the metadata. */
  readonly detail: string | undefined;
}

export function turnAway(rule: RefusalRule, detail?: string): Refusal {
  return { rule, detail };
}

/** Whether what a filter or an order gave is a refusal: no text and no key has a `rule`. */
export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'rule' in value;
}

/** What compiling gives instead of a rule. Its reason is `filter-malformed` (patterns) or `policy-malformed` (ImagePolicy). */
export interface Malformed {
  error: Note;
}
