/** The four orders that tags may be chosen by. */
import { compareDecimals, rankDecimal, readDecimal, type Decimal } from './decimal.ts';
import { checkRange, type Range } from './range.ts';
import { turnAway, type Order } from './rule.ts';
import { compareTimes, readTime, type Instant } from './time.ts';
import { compareVersions, rankVersion, type Version } from './version.ts';

const NOT_A_VERSION = turnAway('not-a-version');
const NOT_A_NUMBER = turnAway('not-a-number');
const NO_TIME = turnAway('no-time');

/** By version, within a range; `text` is how the rule's author wrote the range. */
export function versionOrder(text: string, range: Range, read: (value: string) => Version | undefined): Order<Version> {
  const outside = turnAway('range', text);
  const prerelease = turnAway('prerelease', text);
  return {
    by: 'version',
    read: (value) => read(value) ?? NOT_A_VERSION,
    refuse: (version) => {
      const place = checkRange(range, version);
      if (place === 'inside') return undefined;
      return place === 'outside' ? outside : prerelease;
    },
    rank: rankVersion,
    compare: compareVersions,
  };
}

/** By exact decimal value. */
export const numberOrder: Order<Decimal> = {
  by: 'number',
  read: (value) => readDecimal(value) ?? NOT_A_NUMBER,
  rank: rankDecimal,
  compare: compareDecimals,
};

/** Byte by byte. */
export const textOrder: Order<string> = {
  by: 'text',
  read: (value) => value,
  rank: () => 0,
  compare: compareTexts,
};

/** By the time the image was built. */
export const timeOrder: Order<Instant> = {
  by: 'time',
  read: (_, tag) => readTime(tag.created) ?? NO_TIME,
  rank: ({ seconds }) => seconds,
  compare: compareTimes,
};

/** Bytewise, as Go compares; tags are ASCII. */
export function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** As people count: runs of digits by their number (`b9` before `b10`), all else bytewise. */
export function compareNaturally(a: string, b: string): number {
  const [left, right] = [a.match(RUNS) ?? [], b.match(RUNS) ?? []];
  for (const [i, x] of left.entries()) {
    const y = right[i];
    if (y === undefined) return 1;
    const order = compareRuns(x, y);
    if (order !== 0) return order;
  }
  return left.length - right.length || compareTexts(a, b);
}

const RUNS = /[0-9]+|[^0-9]+/g;

function compareRuns(a: string, b: string): number {
  if (!/^[0-9]/.test(a) || !/^[0-9]/.test(b)) return compareTexts(a, b);
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return x.length - y.length || compareTexts(x, y);
}
