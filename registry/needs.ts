/** What a rule needs to know of tags beside their names, and how it is looked up. */
import type { Note } from '../fn/note.ts';
import { rank } from '../fn/policy/rank.ts';
import { Refusal, type Rule } from '../fn/policy/rule.ts';
import { isEpochDay, millisecondsBetween, readTime, type Instant } from '../fn/policy/time.ts';
import { searchNewest } from './newest.ts';
import { searchRipe, type Ripeness } from './ripe.ts';
import type { Room } from './room.ts';
import type { Need } from './scan.ts';

/** Push times cost a page; for fewer tags than this the tags themselves are asked. */
const FEW_TAGS = 3;
/** So many tags with push times are enough: the newest of them nearly always decides. */
const ENOUGH_PUSHED = 20;

/** For a rule that orders by time: the times of the current tag and of those that could win. */
export async function lookUpTimes(room: Room, { rule, current }: Need): Promise<Note | undefined> {
  const names = acceptable(room, rule);
  if (current !== undefined && isUnknown(room, current)) await room.lookUp([current]);
  const search = searchNewest(
    names,
    {
      created: (name) => room.created(name),
      pushed: (name) => room.pushed(name),
      bound: (name) => room.bound(name),
      firstSeen: (name) => room.firstSeen(name),
      fresh: (name) => room.fresh(name),
      barred: (name) => isYoung(room, rule, room.pushed(name)),
      eligible: (name) => ripeness(room, rule, name) === 'old',
    },
    rule.descending,
  );
  let next = search.next();
  if (next.length > FEW_TAGS || (next.length > 0 && rule.minimumAge > 0)) {
    await room.askPushTimes(names, ENOUGH_PUSHED);
    next = search.next();
  }
  while (next.length > 0 && room.lookups > 0 && room.stopped === undefined) {
    await room.lookUp(next);
    next = search.next();
  }
  const open = search.open().length;
  if (open === 0) return undefined;
  return next.length > 0 ? unread(room, rule, open, names.length) : byOrder(room, rule, open, names.length);
}

/** For a rule with a minimum age that orders by name: the ages of the best tags, down to the first that is old enough. */
export async function lookUpAges(room: Room, { rule, current }: Need): Promise<Note | undefined> {
  if (rule.minimumAge === 0) return undefined;
  const ordered = inOrder(room, rule, current);
  let done = 0;
  const search = () => searchRipe(ordered, (name) => ripeness(room, rule, name), done);
  let next = search();
  if (next.length > 0) {
    await room.askPushTimes(ordered.slice(0, ENOUGH_PUSHED), ENOUGH_PUSHED);
    next = search();
  }
  while (next.length > 0 && room.lookups > 0 && room.stopped === undefined) {
    await room.lookUp(next);
    done += next.length;
    next = search();
  }
  if (next.length === 0) return undefined;
  const open = ordered.filter((name) => ripeness(room, rule, name) === 'unknown').length;
  return unread(room, rule, open, ordered.length);
}

function acceptable(room: Room, rule: Rule): string[] {
  return room.names.filter((name) => !(rule.filter(name) instanceof Refusal));
}

/** The tags that a rule accepts but for their age, best first; of those that it cannot tell apart, all. */
function inOrder(room: Room, rule: Rule, current: string | undefined): string[] {
  const { candidates, rejected } = rank({ ...rule, minimumAge: 0 }, room.metadata(''), current, 'compat');
  const twins = new Map<string, string[]>();
  for (const { tag, rule, detail } of rejected)
    if (rule === 'ambiguous' && detail !== undefined) twins.set(detail, [...(twins.get(detail) ?? []), tag]);
  return candidates.flatMap(({ name }) => [name, ...(twins.get(name) ?? [])]);
}

function isUnknown(room: Room, name: string): boolean {
  return room.isListed(name) && room.created(name) === undefined;
}

/** As `choose` counts ages: from the push, else from the build, else from the first scan that saw the tag. */
function ripeness(room: Room, rule: Rule, name: string): Ripeness {
  if (rule.minimumAge === 0) return 'old';
  const pushed = room.pushed(name);
  if (pushed && !isEpochDay(pushed)) return isYoung(room, rule, pushed) ? 'young' : 'old';
  const created = room.created(name);
  if (created && !isEpochDay(created)) return isYoung(room, rule, created) ? 'young' : 'old';
  // Whatever was seen so long ago was built before that.
  if (!isYoung(room, rule, readTime(room.firstSeen(name)))) return 'old';
  return created === undefined ? 'unknown' : 'young';
}

function isYoung(room: Room, rule: Rule, since: Instant | undefined): boolean {
  const now = readTime(room.now);
  return (
    now !== undefined && since !== undefined && !isEpochDay(since) && millisecondsBetween(since, now) < rule.minimumAge
  );
}

/** The answer rests on what was not looked up: the order of names speaks for it. */
function byOrder(room: Room, rule: Rule, open: number, all: number): Note {
  return {
    reason: 'times-by-order',
    message: `${open} of ${all} tags of ${room.knowledge.image} that ${rule.text} accepts were not looked up: by the order of their names they are ${rule.descending ? 'newer' : 'older'}, as the times of those that were looked up bear out`,
  };
}

/** The answer may be another one when more is known. */
function unread(room: Room, rule: Rule, open: number, all: number): Note {
  const why = room.stopped ?? 'no more tags of a repository are looked up in one run';
  return {
    reason: 'times-not-read',
    message: `${open} of ${all} tags of ${room.knowledge.image} that ${rule.text} accepts were not looked up, and a better one may be among them: ${why}; the next run goes on from here, and a narrower filter needs fewer`,
  };
}
