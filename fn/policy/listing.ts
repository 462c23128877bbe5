import type { ImageMetadata, TagMetadata } from '../lookup/metadata.ts';
import type { Choice, Rejection } from './choose.ts';
import { standingOf } from './choose.ts';
import { compareTexts } from './orders.ts';
import { compilePattern } from './pattern.ts';
import { isRefusal, type Rule } from './rule.ts';

/** A tag with its place in a rule's order. */
export interface Listed {
  tag: TagMetadata;
  /** What the rule has against it. */
  rejection?: Rejection;
}

/**
 * All tags in a rule's order, whether it accepts them or not: candidates as the choice has them, the others where they stand
 * among those. Tags that have no place in the order come last, by name (reference/flux-v1-mode.md §4.3, §15.1). `unlisted` is a tag
 * that the repository does not list, and that is shown all the same.
 */
export function listTags(
  rule: Rule,
  { tags }: ImageMetadata,
  { candidates, rejected }: Pick<Choice, 'candidates' | 'rejected'>,
  unlisted?: TagMetadata,
): Listed[] {
  const ranks = new Map(candidates.map((tag, i) => [tag, i]));
  const rejections = new Map(rejected.map((rejection) => [rejection.tag, rejection]));
  const all = unlisted ? [...tags, unlisted] : tags;
  const placed = all.map((tag) => ({ tag, key: standingOf(rule, tag), rank: ranks.get(tag) ?? Infinity }));
  const sign = rule.descending ? -1 : 1;
  placed.sort((a, b) => {
    const [homeless, other] = [isRefusal(a.key), isRefusal(b.key)];
    if (homeless || other) return Number(homeless) - Number(other) || compareTexts(a.tag.name, b.tag.name);
    const byKey = sign * rule.order.compare(b.key, a.key);
    if (byKey !== 0) return byKey;
    return a.rank === b.rank ? compareTexts(a.tag.name, b.tag.name) : a.rank - b.rank;
  });
  return placed.map(({ tag }) => {
    const rejection = rejections.get(tag.name);
    return { tag, ...(rejection && { rejection }) };
  });
}

/** What puts tags in order where no policy does: creation time as Flux v1, newest first; version, where no tag has a time. */
export function orderFor({ tags }: ImageMetadata): Rule {
  const rule = compilePattern(tags.some(({ created }) => created !== undefined) ? 'glob:*' : 'semver:*');
  if ('error' in rule) throw new Error(rule.error.message);
  return rule;
}
