import type { ImageMetadata, TagMetadata } from '../lookup/metadata.ts';
import type { Rejection } from './choose.ts';
import { compareNaturally, compareTexts } from './orders.ts';
import { isRefusal, turnAway, type Refusal, type Rule } from './rule.ts';
import { orderByRank } from './sort.ts';
import { isEpochDay, millisecondsBetween, readTime, type Instant } from './time.ts';
import { compareVersions, readVersion, type Version } from './version.ts';

/** A tag that a rule accepts. */
export interface Ranked {
  tag: TagMetadata;
  /** What the rule's filter made of the name. */
  value: string;
  /** Its place in the rule's order. */
  key: unknown;
}

export interface Ranking {
  /** Best first. */
  candidates: TagMetadata[];
  best?: Ranked;
  rejected: Rejection[];
}

/** How tags of one time are told apart: the smallest name first, as Flux v1, or the highest version first. */
export type Ties = 'compat' | 'version';

/** Puts each tag among the candidates, in order, or among the rejected, by the first thing that speaks against it. */
export function rank(rule: Rule, metadata: ImageMetadata, current: string | undefined, ties: Ties): Ranking {
  const now = readTime(metadata.scannedAt);
  // One array a property: an object a tag would cost as much as all the rest.
  const tags: TagMetadata[] = [];
  const values: string[] = [];
  const keys: unknown[] = [];
  const ranks: number[] = [];
  const rejected: Rejection[] = [];
  const { order } = rule;
  const sign = rule.descending ? -1 : 1;

  // A function of its own: V8 compiles what is called often sooner than what loops long.
  function admit(tag: TagMetadata): void {
    const value = rule.filter(tag.name);
    const key = isRefusal(value) ? value : order.read(value, tag);
    const refusal = isRefusal(key) ? key : (order.refuse?.(key) ?? tooYoung(rule, tag, now));
    if (refusal) {
      rejected.push(rejection(tag, refusal));
      return;
    }
    tags.push(tag);
    values.push(value as string);
    keys.push(key);
    ranks.push(sign * order.rank(key));
  }
  // Not `for … of`: the object that it makes a step is a fifth of all that a choice takes.
  metadata.tags.forEach(admit);

  const byName = nameOrder(tags, order.by === 'time' ? ties : undefined, current);
  const twins = new Set<number>();
  function compare(i: number, j: number): number {
    const byKey = sign * order.compare(keys[j], keys[i]);
    if (byKey !== 0) return byKey;
    const byValue = order.by === 'time' ? 0 : compareTexts(values[j] as string, values[i] as string);
    if (byValue !== 0) return byValue;
    if (order.by !== 'time') twins.add(i).add(j);
    return byName(i, j);
  }
  const candidates: TagMetadata[] = [];
  let last: number | undefined;
  let first: number | undefined;
  for (const i of orderByRank(ranks, compare)) {
    // Neighbours in the order have been compared, so that all twins are known.
    if (last !== undefined && twins.has(i) && values[i] === values[last]) {
      rejected.push(rejection(tags[i] as TagMetadata, turnAway('ambiguous', (tags[last] as TagMetadata).name)));
      continue;
    }
    first ??= i;
    last = i;
    candidates.push(tags[i] as TagMetadata);
  }
  if (first === undefined) return { candidates, rejected };
  return {
    candidates,
    rejected,
    best: { tag: tags[first] as TagMetadata, value: values[first] as string, key: keys[first] },
  };
}

const AGE_UNKNOWN = turnAway('age-unknown');

/**
 * A tag's age counts from its push, else from the first scan that saw it or the build of its image, whichever is later. An
 * image that was built long ago can have been pushed a minute ago; one that was built after its tag was seen was pushed again.
 */
function tooYoung({ minimumAge }: Rule, tag: TagMetadata, now: Instant | undefined): Refusal | undefined {
  if (minimumAge === 0) return undefined;
  const times = isTold(tag.pushed) ? [tag.pushed] : [tag.firstSeen, tag.created].filter(isTold);
  if (!now || times.length === 0) return AGE_UNKNOWN;
  const late = times.find((text) => millisecondsBetween(readTime(text) as Instant, now) < minimumAge);
  return late === undefined ? undefined : turnAway('too-young', late);
}

/** Whether a time says anything: it is one, and not the 1970 of reproducible builds. */
function isTold(text: string | undefined): text is string {
  const time = readTime(text);
  return time !== undefined && !isEpochDay(time);
}

/** How tags that are equal in all else are ordered. */
function nameOrder(
  tags: TagMetadata[],
  ties: Ties | undefined,
  current: string | undefined,
): (i: number, j: number) => number {
  const nameOf = (i: number) => (tags[i] as TagMetadata).name;
  if (ties === 'compat') return (i, j) => compareTexts(nameOf(i), nameOf(j));
  if (ties === 'version') return versionThenNatural(nameOf);
  // These extract to one text, so that the rule cannot tell them apart: another tag than the current one is no news.
  return (i, j) => Number(nameOf(j) === current) - Number(nameOf(i) === current) || compareTexts(nameOf(j), nameOf(i));
}

/** Versions above all else, the highest first; then the last in natural order. */
function versionThenNatural(nameOf: (i: number) => string): (i: number, j: number) => number {
  const versions: (Version | null)[] = [];
  const versionOf = (i: number) => (versions[i] ??= readVersion(nameOf(i)) ?? null);
  return (i, j) => {
    const [left, right] = [versionOf(i), versionOf(j)];
    if (left !== null && right !== null) return compareVersions(right, left) || compareNaturally(nameOf(j), nameOf(i));
    if (left === null && right === null) return compareNaturally(nameOf(j), nameOf(i));
    return left === null ? 1 : -1;
  };
}

function rejection(tag: TagMetadata, { rule, detail }: Refusal): Rejection {
  return detail === undefined ? { tag: tag.name, rule } : { tag: tag.name, rule, detail };
}
