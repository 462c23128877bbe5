/** A choice with every tag accounted for: as data for machines, and in lines for people. */
import type { ImageMetadata } from '../lookup/metadata.ts';
import type { Note } from '../note.ts';
import type { Choice, Reason, Rejection } from './choose.ts';
import type { RefusalRule, Rule } from './rule.ts';

export interface Account {
  /** The repository, or where the list of tags came from. */
  image: string;
  /** The rule in its canonical spelling. */
  policy: string;
  chosen: string | null;
  reason: Reason;
  message: string;
  /** Best first. */
  candidates: string[];
  rejected: Rejection[];
  /** How many tags each rule turned away, the commonest first. */
  counts: Partial<Record<RefusalRule, number>>;
  warnings: { reason: string; message: string }[];
}

/** Says of every tag what became of it. `rejected` is by rule, then by name: the order of a listing means nothing. */
export function accountFor({ image }: ImageMetadata, rule: Rule, choice: Choice, notes: readonly Note[] = []): Account {
  const byRule = Map.groupBy(choice.rejected, (rejection) => rejection.rule);
  const groups = [...byRule].toSorted(([a, of], [b, or]) => or.length - of.length || (a < b ? -1 : 1));
  return {
    image,
    policy: rule.text,
    chosen: choice.chosen?.name ?? null,
    reason: choice.reason,
    message: choice.message,
    candidates: choice.candidates.map(({ name }) => name),
    rejected: groups.flatMap(([, rejections]) => rejections.toSorted((a, b) => (a.tag < b.tag ? -1 : 1))),
    counts: Object.fromEntries(groups.map(([rule, { length }]) => [rule, length])),
    warnings: [...notes, ...rule.warnings, ...choice.warnings].map(({ reason, message }) => ({ reason, message })),
  };
}

/** What a rule has against a tag. */
const WHY: Record<RefusalRule, string> = {
  latest: 'must be asked for by name',
  excluded: 'is excluded',
  filter: 'does not match the filter',
  'not-a-version': 'is no version',
  prerelease: 'is a prerelease, which the range does not ask for',
  range: 'is outside of the range',
  'not-a-number': 'is no number',
  'no-time': 'has no creation time',
  'too-young': 'is younger than the minimum age',
  'age-unknown': 'has no known age',
  ambiguous: 'extracts to the same text as a tag before it',
};

/** Runner-ups, and tags of one rule, that a person is shown; machines get all. */
const SHOWN = 5;

/** What a person reads below the winner. */
export function accountLines(account: Account): string[] {
  const { message, chosen, candidates, rejected, warnings } = account;
  const next = chosen === null ? candidates : candidates.slice(1);
  const lines = [message];
  if (next.length > 0) lines.push(`${chosen === null ? 'candidates' : 'next'}: ${someTags(next)}`);
  if (rejected.length > 0) lines.push(`turned away: ${rejected.length}`);
  lines.push(...turnedAwayLines(turnedAway(account)).map((line) => `  ${line}`));
  for (const { message } of warnings) lines.push(`warning: ${message}`);
  return lines;
}

/** The tags that a rule turned away, in short. */
export interface TurnedAway {
  rule: RefusalRule;
  count: number;
  examples: string[];
}

/** What each rule turned away, the commonest rule first. */
export function turnedAway({ rejected, counts }: Account): TurnedAway[] {
  const byRule = Map.groupBy(rejected, ({ rule }) => rule);
  return (Object.keys(counts) as RefusalRule[]).map((rule) => {
    const examples = (byRule.get(rule) ?? []).slice(0, SHOWN).map(({ tag }) => tag);
    return { rule, count: counts[rule] ?? 0, examples };
  });
}

/** A line a rule: how many tags, why, and some of them. */
export function turnedAwayLines(groups: readonly TurnedAway[]): string[] {
  const width = Math.max(...groups.map(({ rule }) => rule.length));
  return groups.map(
    ({ rule, count, examples }) =>
      `${String(count).padStart(6)}  ${rule.padEnd(width)}  ${WHY[rule]}: ${someTags(examples, count)}`,
  );
}

/** The first few of some tags, and how many more there are. */
export function someTags(tags: readonly string[], count = tags.length): string {
  return `${tags.slice(0, SHOWN).join(', ')}${count > SHOWN ? `, … (${count - SHOWN} more)` : ''}`;
}
