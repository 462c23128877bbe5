/** Which tags to look up in order to know the newest (or oldest) image, with as few look-ups as is sound. Pure. */
import { compareTimes, isEpochDay, type Instant } from '../fn/policy/time.ts';
import { compareLooks, lookOf, type Look } from './looks.ts';

/** What is known so far of the tags that may be chosen. */
export interface Known {
  /** When its image was built; null if it was looked up and has no time, undefined if it was not looked up. */
  created(name: string): Instant | null | undefined;
  /** When the registry got it, where it says so. */
  pushed(name: string): Instant | undefined;
  /** No image behind the tag was built after this. */
  bound(name: string): Instant | undefined;
  /** The first scan that saw it, RFC 3339. */
  firstSeen(name: string): string;
  /** Whether it came since an earlier listing. */
  fresh(name: string): boolean;
  /** Whether it may not be chosen now, whenever it was built (too young by its push time). */
  barred(name: string): boolean;
  /** Whether a tag whose time is known may be chosen (old enough). */
  eligible(name: string): boolean;
}

export interface Search {
  /** What to look up next; none when the rest can't win, as far as can be known. Ask again when these are known. */
  next(): string[];
  /** Tags whose times are not known and which nothing but the order of names speaks against. */
  open(): string[];
}

/** So many tags in a row, none built after the one before it, show that the times fall along the order of the names. */
const WINDOW = 5;
/** How many tags are looked up at once. */
const BATCH = 8;
/** By push time the first or second nearly always decides. */
const PUSHED_BATCH = 2;
/** So many new tags are looked up one and all; of more, the newest-looking ones. */
const MAX_FRESH = 20;

/**
 * Searches for the newest of `names`, or with `descending` the oldest. The rule for stopping, from sound to likely:
 *
 * 1. An image is not built after it was pushed. A tag whose bound lies before the best time found can't win. With push
 *    times the tags are looked up in their order until that holds for the rest.
 * 2. Tags that came since the last listing are looked up, whatever their names are.
 * 3. Tags whose names differ in numbers and commits alone are a family, ordered by those numbers, from left to right.
 *    From its greatest on tags are looked up until `WINDOW` in a row fall along the order and end below the best time
 *    found; then probes in the rest: the first of the next lines (1.x below 2.0), the middle, the last. If no time known
 *    of the rest is later than the end of the window, the rest is taken to be older. Else each line becomes a family of
 *    its own, down to single tags, all of which are looked up.
 * 4. A family without numbers (branches, commits) has no order: each of its tags is looked up, the last seen first.
 */
export function searchNewest(names: readonly string[], known: Known, descending: boolean): Search {
  const families = familiesOf(names, descending);
  const better = (a: Instant, b: Instant) => (descending ? compareTimes(a, b) < 0 : compareTimes(a, b) > 0);

  function bestTime(): Instant | undefined {
    let best: Instant | undefined;
    for (const name of names) {
      const time = known.created(name);
      if (time && known.eligible(name) && (!best || better(time, best))) best = time;
    }
    return best;
  }

  function isOpen(name: string, best: Instant | undefined): boolean {
    if (known.created(name) !== undefined || known.barred(name)) return false;
    if (!best || descending) return true;
    const bound = known.bound(name);
    return !bound || compareTimes(bound, best) >= 0;
  }

  /** What to look up in a line, the best-looking tag first. */
  function missing(line: readonly Look[], best: Instant | undefined): string[] {
    const open = (looks: readonly Look[]) => looks.flatMap(({ name }) => (isOpen(name, best) ? name : []));
    if (line[0]?.numbers.length === 0) return open(line.toSorted(byFirstSeen));
    let chain = 0;
    let last: Instant | undefined;
    for (const [i, { name }] of line.entries()) {
      const time = known.created(name);
      if (time === undefined && isOpen(name, best)) return open(line.slice(i)).slice(0, WINDOW - chain);
      if (!time) continue;
      if (last && better(time, last)) chain = 0;
      last = time;
      if (known.eligible(name)) chain++;
      if (chain < WINDOW) continue;
      // Of one time for all the rest may have it too, and a tie is broken by name. But 1970 says nothing, however often.
      const below = best !== undefined && better(best, time);
      if (below || isEpochDay(time)) return missingInRest(line, i + 1, time, best);
    }
    return [];
  }

  function missingInRest(line: readonly Look[], from: number, end: Instant, best: Instant | undefined): string[] {
    const rest = line.slice(from);
    const agrees = rest.every(({ name }) => {
      const time = known.created(name);
      return !time || !better(time, end);
    });
    if (agrees) return probes(line, from).flatMap(({ name }) => (isOpen(name, best) ? name : []));
    const lines = split(line);
    if (!lines) return rest.flatMap(({ name }) => (isOpen(name, best) ? name : []));
    return lines.flatMap((each) => missing(each, best));
  }

  function byFirstSeen(a: Look, b: Look): number {
    const [x, y] = [known.firstSeen(a.name), known.firstSeen(b.name)];
    return x === y ? (a.name < b.name ? -1 : 1) : x > y ? -1 : 1;
  }

  return {
    next() {
      const best = bestTime();
      const open = names.filter((name) => isOpen(name, best));
      const fresh = descending ? [] : open.filter((name) => known.fresh(name));
      if (fresh.length > 0 && fresh.length <= MAX_FRESH) return fresh.slice(0, BATCH);
      if (!descending) {
        const pushed = open.flatMap((name) => ({ name, time: known.pushed(name) })).filter(hasTime);
        if (pushed.length > 0)
          return pushed
            .toSorted((a, b) => compareTimes(b.time, a.time))
            .slice(0, PUSHED_BATCH)
            .map(({ name }) => name);
      }
      for (const family of families) {
        const wanted = missing(family, best);
        if (wanted.length > 0) return wanted.slice(0, BATCH);
      }
      return [];
    },
    open() {
      const best = bestTime();
      return names.filter((name) => isOpen(name, best));
    },
  };
}

function hasTime(entry: { name: string; time: Instant | undefined }): entry is { name: string; time: Instant } {
  return entry.time !== undefined;
}

/** Families with numbers first, the largest first; each with its best-looking tag first. */
function familiesOf(names: readonly string[], descending: boolean): Look[][] {
  const families = new Map<string, Look[]>();
  for (const name of names) {
    const look = lookOf(name);
    const family = families.get(look.family);
    if (family) family.push(look);
    else families.set(look.family, [look]);
  }
  const order = (a: Look, b: Look) =>
    (descending ? compareLooks(a, b) : compareLooks(b, a)) || (a.name < b.name ? -1 : 1);
  const hasNumbers = (family: Look[]) => (family[0]!.numbers.length > 0 ? 1 : 0);
  return [...families.values()]
    .map((family) => family.sort(order))
    .sort((a, b) => hasNumbers(b) - hasNumbers(a) || b.length - a.length || (a[0]!.name < b[0]!.name ? -1 : 1));
}

/**
 * The tags of the rest that would be new if the order did not hold: a fix for an old line is the first of that line, so
 * the heads of the next two lines of the first number and of the next of the second; and the middle and the last.
 */
function probes(line: readonly Look[], from: number): Look[] {
  const heads: Look[][] = [[], []];
  for (let i = from; i < line.length; i++) {
    const [above, look] = [line[i - 1]!, line[i]!];
    const place = look.numbers.findIndex((number, j) => number !== above.numbers[j]);
    if (place === 0 || place === 1) heads[place]!.push(look);
    if (heads[0]!.length >= 2) break;
  }
  const chosen = [
    ...heads[0]!.slice(0, 2),
    ...heads[1]!.slice(0, 1),
    line[Math.floor((from + line.length) / 2)],
    line[line.length - 1],
  ];
  return [...new Set(chosen.slice(0))].filter((look) => look !== undefined && line.indexOf(look) >= from) as Look[];
}

/** A line by the first of its numbers that differs; undefined where that would leave single tags only. */
function split(line: readonly Look[]): Look[][] | undefined {
  const count = line[0]?.numbers.length ?? 0;
  for (let place = 0; place < count; place++) {
    const parts = new Map<string, Look[]>();
    for (const look of line) {
      const part = parts.get(look.numbers[place]!);
      if (part) part.push(look);
      else parts.set(look.numbers[place]!, [look]);
    }
    if (parts.size === line.length) return undefined;
    if (parts.size > 1) return [...parts.values()];
  }
  return undefined;
}
