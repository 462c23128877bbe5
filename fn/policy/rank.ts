import type { ImageMetadata, TagMetadata } from '../lookup/metadata.ts';
import type { Rejection } from './choose.ts';
import { compareNaturally, compareTexts } from './orders.ts';
import { Refusal, type Rule } from './rule.ts';
import { sortByRank } from './sort.ts';
import { isEpochDay, millisecondsBetween, readTime, type Instant } from './time.ts';
import { compareVersions, readVersion, type Version } from './version.ts';

/** A tag that a rule accepts, with its place in the rule's order. */
export interface Ranked {
  tag: TagMetadata;
  /** What the rule's filter made of the name. */
  value: string;
  key: unknown;
  /** The name as a version, once a tie has asked for it; null if it is none. */
  version?: Version | null;
}

export interface Ranking {
  /** Best first. */
  accepted: Ranked[];
  rejected: Rejection[];
}

/** Puts each tag among the accepted, in order, or among the rejected, by the first thing that speaks against it. */
export function rank(
  rule: Rule,
  metadata: ImageMetadata,
  current: string | undefined,
  ties: 'compat' | 'version',
): Ranking {
  const now = readTime(metadata.scannedAt);
  const accepted: Ranked[] = [];
  const rejected: Rejection[] = [];
  for (const tag of metadata.tags) {
    const entry = admit(rule, tag, now);
    if (entry instanceof Refusal) rejected.push(rejection(tag, entry));
    else accepted.push(entry);
  }
  const { order } = rule;
  const sign = rule.descending ? -1 : 1;
  const tie =
    order.by !== 'time' ? byName(current) : rule.kind === 'pattern' && ties === 'compat' ? smallestName : byVersion;
  const sorted = sortByRank(
    accepted,
    ({ key }) => sign * order.rank(key),
    (a, b) => sign * order.compare(b.key, a.key) || tie(a, b),
  );
  return order.by === 'time' ? { accepted: sorted, rejected } : dropAmbiguous(sorted, rejected);
}

function admit(rule: Rule, tag: TagMetadata, now: Instant | undefined): Ranked | Refusal {
  const value = rule.filter(tag.name);
  if (value instanceof Refusal) return value;
  const key = rule.order.read(value, tag);
  if (key instanceof Refusal) return key;
  return rule.order.refuse?.(key) ?? tooYoung(rule, tag, now) ?? { tag, value, key };
}

const AGE_UNKNOWN = new Refusal('age-unknown');

/** A tag's age counts from its push, else from the build of its image, else from the first scan that saw it. */
function tooYoung({ minimumAge }: Rule, tag: TagMetadata, now: Instant | undefined): Refusal | undefined {
  if (minimumAge === 0) return undefined;
  for (const text of [tag.pushed, tag.created, tag.firstSeen]) {
    const since = readTime(text);
    if (!now || !since || isEpochDay(since)) continue;
    return millisecondsBetween(since, now) < minimumAge ? new Refusal('too-young', text) : undefined;
  }
  return AGE_UNKNOWN;
}

/** The last name first; but among tags that are the same to the rule, the current one: it is no news. */
function byName(current: string | undefined): (a: Ranked, b: Ranked) => number {
  return (a, b) =>
    compareTexts(b.value, a.value) ||
    Number(b.tag.name === current) - Number(a.tag.name === current) ||
    compareTexts(b.tag.name, a.tag.name);
}

/** As Flux v1 (reference/flux-v1-mode.md §4.3). */
function smallestName(a: Ranked, b: Ranked): number {
  return compareTexts(a.tag.name, b.tag.name);
}

/** Versions above all else, the highest first; then the last in natural order. */
function byVersion(a: Ranked, b: Ranked): number {
  const [left, right] = [versionOf(a), versionOf(b)];
  if (left && right) return compareVersions(right, left) || compareNaturally(b.tag.name, a.tag.name);
  if (left || right) return left ? -1 : 1;
  return compareNaturally(b.tag.name, a.tag.name);
}

function versionOf(entry: Ranked): Version | null {
  if (entry.version === undefined) entry.version = readVersion(entry.tag.name) ?? null;
  return entry.version;
}

/** Of tags that extract to the same text, which are neighbours in any order but that by time, the first alone stays. */
function dropAmbiguous(sorted: Ranked[], rejected: Rejection[]): Ranking {
  let kept: Ranked | undefined;
  const accepted = sorted.filter((entry) => {
    if (kept?.value !== entry.value) {
      kept = entry;
      return true;
    }
    rejected.push(rejection(entry.tag, new Refusal('ambiguous', kept.tag.name)));
    return false;
  });
  return { accepted, rejected };
}

function rejection(tag: TagMetadata, { rule, detail }: Refusal): Rejection {
  return detail === undefined ? { tag: tag.name, rule } : { tag: tag.name, rule, detail };
}
