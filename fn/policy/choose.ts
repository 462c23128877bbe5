import type { ImageMetadata, TagMetadata } from '../lookup/metadata.ts';
import type { Note } from '../note.ts';
import { chooseMessage, chooseWarnings } from './explain.ts';
import { rank, type Ranked, type Ties } from './rank.ts';
import { isRefusal, turnAway, type RefusalRule, type Rule } from './rule.ts';

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
  ties?: Ties;
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
  /** Every other tag, with the one rule that turned it away: in the order of the listing, the ambiguous ones last. */
  rejected: Rejection[];
  /** What the rule's author should know of this choice; `rule.warnings` are not repeated. */
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

/**
 * Chooses a tag (reference/flux-v1-mode.md §5.1 with §17's choices, reference/controllers.md A4). Pure: the only "now" is
 * `metadata.scannedAt`, and the order of `metadata.tags` does not matter. Names in `metadata.tags` are taken to be unique.
 *
 * Equals are told apart by a stated rule: equal versions, numbers and texts by the last name, byte by byte, but of tags
 * that extract to the same text the current one stays; equal times as `options.ties` says, and for ImagePolicy by version,
 * then in natural order, the last first.
 */
export function choose(rule: Rule, metadata: ImageMetadata, current?: Current, options: ChooseOptions = {}): Choice {
  const ties = rule.kind === 'policy' ? 'version' : (options.ties ?? 'compat');
  const { candidates, best, rejected } = rank(rule, metadata, current?.tag, ties);
  const verdict = best ? judge(rule, metadata, best, current, options) : judgeNothing(rule, metadata, rejected);
  const chosen = { ...verdict, rule, metadata, current, ties, candidates, best, rejected };
  return {
    chosen: verdict.outcome === 'move' || verdict.outcome === 'current' ? (candidates[0] ?? null) : null,
    ...verdict,
    message: chooseMessage(chosen),
    candidates,
    rejected,
    warnings: chooseWarnings(chosen),
  };
}

export interface Verdict {
  outcome: Outcome;
  reason: Reason;
}

const SUPERLATIVES: Record<Rule['order']['by'], [best: Reason, descending: Reason]> = {
  version: ['highest-version', 'highest-version'],
  number: ['greatest-number', 'least-number'],
  text: ['last-in-alphabet', 'first-in-alphabet'],
  time: ['newest', 'oldest'],
};

function judge(
  rule: Rule,
  metadata: ImageMetadata,
  best: Ranked,
  current: Current | undefined,
  options: ChooseOptions,
): Verdict {
  if (best.tag.name === current?.tag) return { outcome: 'current', reason: 'up-to-date' };
  const why = current && whyHold(rule, metadata, best, current, options);
  if (why) return { outcome: 'held', reason: why };
  return { outcome: 'move', reason: SUPERLATIVES[rule.order.by][rule.descending ? 1 : 0] };
}

/** Why the current tag stays though there is a best; undefined to let go of it. */
function whyHold(
  rule: Rule,
  metadata: ImageMetadata,
  best: Ranked,
  current: Current,
  options: ChooseOptions,
): Reason | undefined {
  const { order } = rule;
  const unknownHolds = rule.kind === 'pattern' && options.unknownCurrent === 'hold' && order.by === 'time';
  if (current.tag === undefined) return unknownHolds ? 'current-unknown' : undefined;

  const isCurrent = ({ name }: TagMetadata) => name === current.tag;
  const listed = metadata.tags.find(isCurrent);
  const tag = listed ??
    metadata.gone?.find(isCurrent) ?? {
      name: current.tag,
      ...(current.created !== undefined && { created: current.created }),
    };
  const value = rule.filter(tag.name);
  const passes = !isRefusal(value);
  const key = readCurrent(rule, passes ? value : undefined, tag);
  const holds = rule.downgrade === 'Hold' && passes;

  if (isRefusal(key)) {
    // Without a key nothing tells which way a move goes. Orders of names then let it go: the current name means nothing to them.
    if (order.by !== 'time') return undefined;
    const pattern = rule.kind === 'pattern';
    if (listed && (pattern || holds)) return 'current-without-time';
    if (!metadata.complete) return 'incomplete-listing';
    return unknownHolds || (!pattern && holds) ? 'current-unknown' : undefined;
  }
  const back = order.compare(best.key, key);
  if (rule.descending ? back <= 0 : back >= 0) return undefined;
  if (!metadata.complete) return 'incomplete-listing';
  return holds && !order.refuse?.(key) ? 'would-go-back' : undefined;
}

/** Where a tag stands in a rule's order. One that the filter turns away can still be a version or have a time. */
export function standingOf(rule: Rule, tag: TagMetadata): unknown {
  const value = rule.filter(tag.name);
  return readCurrent(rule, isRefusal(value) ? undefined : value, tag);
}

function readCurrent({ order }: Rule, value: string | undefined, tag: TagMetadata): unknown {
  if (value !== undefined) return order.read(value, tag);
  if (order.by === 'time' || order.by === 'version') return order.read(tag.name, tag);
  return turnAway('filter');
}

function judgeNothing(rule: Rule, metadata: ImageMetadata, rejected: Rejection[]): Verdict {
  const rules = new Set(rejected.map((rejection) => rejection.rule));
  if (metadata.tags.length === 0) return { outcome: 'none', reason: 'no-tags' };
  if (rules.has('too-young')) return { outcome: 'held', reason: 'too-young' };
  if (rules.has('age-unknown')) return { outcome: 'held', reason: 'age-unknown' };
  return { outcome: 'none', reason: rules.has('no-time') && rule.order.by === 'time' ? 'no-times' : 'no-match' };
}
