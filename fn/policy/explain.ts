/** What people read about a choice. */
import type { ImageMetadata, TagMetadata } from '../lookup/metadata.ts';
import type { Note } from '../note.ts';
import type { Current, Reason, Verdict } from './choose.ts';
import type { Ranked, Ranking, Ties } from './rank.ts';
import type { RefusalRule, Rule } from './rule.ts';
import { readVersion } from './version.ts';
import { plural } from '../plural.ts';

/** A choice as far as it is made. */
export interface Chosen extends Verdict, Omit<Ranking, 'best'> {
  rule: Rule;
  metadata: ImageMetadata;
  current: Current | undefined;
  ties: Ties;
  best: Ranked | undefined;
}

/** One sentence: what was chosen, or what stands in the way and what helps. */
export function chooseMessage(chosen: Chosen): string {
  const { rule, metadata, current, reason } = chosen;
  const { image } = metadata;
  const best = chosen.best?.tag.name;
  const now = current?.tag ?? 'the current tag';
  switch (reason) {
    case 'up-to-date':
      return `${best} is current and ${standing(chosen)}${waiting(chosen)}`;
    case 'would-go-back':
      return `${now} stays: the best that ${rule.text} finds in ${image} now is ${best}, which is below it${waiting(chosen)}; ${helpGoBack(rule)}`;
    case 'incomplete-listing':
      return `${now} stays: the listing of ${image} was cut short, and what it has, ${best}, may be below; scan it again`;
    case 'current-without-time':
      return `${now} stays: it has no creation time in ${image}, so ${best} may be older${helpTimes(chosen.candidates)}`;
    case 'current-unknown':
      return `${now} stays: ${image} does not list it, so ${best} may be older; set ${rule.kind === 'pattern' ? '"unknownCurrent: move"' : '"downgrade: Follow"'} to move all the same`;
    case 'too-young':
      return `every tag of ${image} that ${rule.text} accepts is younger than the minimum age, or of unknown age (${counts(chosen)})`;
    case 'age-unknown':
      return `the age of ${counted(chosen, 'age-unknown')} of ${image} is not known, and ${rule.text} has a minimum age; ${helpAge(metadata)}`;
    case 'no-tags':
      return `${image} has no tags${metadata.complete ? '' : ' in a listing that was cut short'}`;
    case 'no-times':
      return `no tag of ${image} that ${rule.text} accepts has a creation time (${counts(chosen)})${helpTimes(timeless(chosen))}`;
    case 'no-match':
      return `${rule.text} accepts none of ${plural(metadata.tags.length, 'tag')} of ${image} (${counts(chosen)})`;
    case 'highest-version':
    case 'greatest-number':
    case 'least-number':
    case 'last-in-alphabet':
    case 'first-in-alphabet':
    case 'newest':
    case 'oldest':
      return `${best} is ${standing(chosen)}${waiting(chosen)}${unlisted(chosen)}`;
  }
}

/** What the user should know of the metadata, and of a winner that may surprise. */
export function chooseWarnings(chosen: Chosen): Note[] {
  const { rule } = chosen;
  const notes: Note[] = [];
  if (rule.order.by === 'time') notes.push(...timeWarnings(chosen));
  if (rule.order.by === 'version' && rule.kind === 'pattern') notes.push(...bareNumberWarnings(chosen));
  if (rule.minimumAge > 0 && chosen.best && count(chosen, 'age-unknown') > 0)
    notes.push({
      reason: 'age-unknown',
      message: `${counted(chosen, 'age-unknown')} cannot be chosen, as their age is not known; ${helpAge(chosen.metadata)}`,
    });
  return [...notes, ...ambiguityWarnings(chosen)];
}

function timeWarnings(chosen: Chosen): Note[] {
  const { rule, candidates, best } = chosen;
  const notes: Note[] = [];
  const without = withoutTime(chosen);
  if (best && without.length > 0)
    notes.push({
      reason: 'tags-without-time',
      message: `${named(without)} cannot be chosen, as ${rule.text} orders by creation time and they have none`,
    });
  if (candidates.length > 1 && sharesTime(chosen, candidates.at(-1)))
    notes.push({
      reason: 'times-no-order',
      message: `times carry no order: all of ${plural(candidates.length, 'tag')} that ${rule.text} accepts have one creation time, ${best?.tag.created}${helpTimes(candidates)}`,
    });
  return notes;
}

const BARE_NUMBER = /^v?[0-9]{7,}$/;

function bareNumberWarnings({ rule, candidates, best }: Chosen): Note[] {
  if (!best || !BARE_NUMBER.test(best.tag.name) || candidates.every(({ name }) => BARE_NUMBER.test(name))) return [];
  const strict = rule.text.replace(/^semver:/, 'strict-semver:');
  return [
    {
      reason: 'bare-number-version',
      message: `${best.tag.name} is taken for the version ${best.tag.name}.0.0, though it may be a date or a commit; write "${strict}" to take full versions only`,
    },
  ];
}

function ambiguityWarnings({ best, rejected }: Chosen): Note[] {
  if (!best || best.value === best.tag.name) return [];
  const other = rejected.find(({ rule, detail }) => rule === 'ambiguous' && detail === best?.tag.name);
  if (!other) return [];
  return [
    {
      reason: 'extract-ambiguous',
      message: `${best.tag.name} and ${other.tag} both extract to "${best.value}"; ${best.tag.name} is taken, being the current tag or else the last by name; narrow the filter`,
    },
  ];
}

const SUPERLATIVES: Partial<Record<Reason, string>> = {
  'highest-version': 'the highest version',
  'greatest-number': 'the greatest number',
  'least-number': 'the least number',
  'last-in-alphabet': 'the last in the alphabet',
  'first-in-alphabet': 'the first in the alphabet',
  newest: 'the newest',
  oldest: 'the oldest',
};

function standing(chosen: Chosen): string {
  const { rule, candidates, reason } = chosen;
  if (candidates.length === 1) return `the only tag that ${rule.text} accepts`;
  const superlative = SUPERLATIVES[reason] ?? 'the best';
  return `${superlative} of ${plural(candidates.length, 'tag')} that ${rule.text} accepts${tied(chosen)}`;
}

/** Which tag shares the winner's time, as there people look in vain for a reason. */
function tied(chosen: Chosen): string {
  const second = chosen.candidates[1];
  if (!sharesTime(chosen, second)) return '';
  const winner =
    chosen.ties === 'compat' ? 'the smallest name' : 'the highest version, then the last in natural order,';
  return `; ${second?.name} has the same time, and ${winner} wins`;
}

function sharesTime({ rule: { order }, best }: Chosen, tag: TagMetadata | undefined): boolean {
  if (order.by !== 'time' || !best || !tag) return false;
  return order.compare(best.key, order.read(tag.name, tag)) === 0;
}

function waiting(chosen: Chosen): string {
  return chosen.rule.minimumAge === 0 || count(chosen, 'too-young') === 0
    ? ''
    : ` (${counted(chosen, 'too-young')} younger than the minimum age)`;
}

function unlisted({ metadata, current }: Chosen): string {
  if (current?.tag === undefined || metadata.tags.some(({ name }) => name === current.tag)) return '';
  return `; ${metadata.image} does not list the current ${current.tag}`;
}

function timeless({ rejected }: Chosen): { name: string }[] {
  return rejected.filter(({ rule }) => rule === 'no-time').map(({ tag }) => ({ name: tag }));
}

/** Tags that have no time. Where times were looked up of some tags only, those are the ones whose platforms are known. */
function withoutTime({ metadata, rejected }: Chosen): string[] {
  const tags = rejected.filter(({ rule }) => rule === 'no-time').map(({ tag }) => tag);
  if (metadata.times !== 'partial') return tags;
  const read = new Set(metadata.tags.filter(({ platforms }) => platforms).map(({ name }) => name));
  return tags.filter((tag) => read.has(tag));
}

function helpTimes(tags: { name: string }[]): string {
  if (!tags.every(({ name }) => readVersion(name) !== undefined)) return '; order by a part of the tag instead';
  return '; as all of them are versions, order them by version (semver)';
}

function helpAge(metadata: ImageMetadata): string {
  if (metadata.scannedAt === undefined) return 'the metadata has no scannedAt to count from';
  return 'they have neither pushed, firstSeen nor created';
}

function helpGoBack(rule: Rule): string {
  if (rule.kind === 'pattern') return 'to go back, write a filter that does not accept it, or set the tag by hand';
  return 'to go back, exclude it or set "downgrade: Follow"';
}

/** How many tags each rule turned away: `filter 12, latest 1`. */
function counts({ rejected }: Chosen): string {
  const sums = new Map<RefusalRule, number>();
  for (const { rule } of rejected) sums.set(rule, (sums.get(rule) ?? 0) + 1);
  // By name: the order of a listing means nothing, and results are compared as text.
  return [...sums]
    .map(([rule, sum]) => `${rule} ${sum}`)
    .toSorted()
    .join(', ');
}

function count({ rejected }: Chosen, rule: RefusalRule): number {
  let sum = 0;
  for (const rejection of rejected) if (rejection.rule === rule) sum++;
  return sum;
}

const SHOWN = 3;

/** `4 tags (a, b, c, …)` of those that a rule turned away. */
function counted({ rejected }: Chosen, rule: RefusalRule): string {
  return named(rejected.filter((rejection) => rejection.rule === rule).map(({ tag }) => tag));
}

function named(tags: string[]): string {
  const shown = tags.toSorted().slice(0, SHOWN);
  return `${plural(tags.length, 'tag')} (${shown.join(', ')}${tags.length > SHOWN ? ', …' : ''})`;
}
