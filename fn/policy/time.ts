/** A point in time, with its fractional digits, up to 18, so that instants compare exactly in whatever offset they are written. */
export interface Instant {
  /** Whole seconds since 1970-01-01T00:00:00Z, rounded down. */
  seconds: number;
  /** The digits after the decimal point, without trailing zeros. */
  fraction: string;
}

const RFC3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,18}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$/;
const DAY = 86_400;

/** Go's zero time, 0001-01-01T00:00:00Z, which Go programs write where they know none. */
const ZERO_TIME = -62_135_596_800;

/** Reads an RFC 3339 time. Undefined if it is none, or no date of the calendar, or Go's zero time. */
export function readTime(text: string | undefined): Instant | undefined {
  const plain = text === undefined ? Number.NaN : plainSeconds(text);
  if (!Number.isNaN(plain)) return plain === ZERO_TIME ? undefined : { seconds: plain, fraction: '' };
  const match = text === undefined ? null : RFC3339.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as Six;
  const [offsetHour, offsetMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const offset = (offsetHour * 60 + offsetMinute) * (match[8] === '-' ? -60 : 60);
  const seconds = daysSinceEpoch(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
  const fraction = (match[7] ?? '').replace(/0+$/, '');
  return seconds === ZERO_TIME && fraction === '' ? undefined : { seconds, fraction };
}

/** Seconds of the usual form, `2026-01-31T23:59:59Z`, without the cost of a regular expression; NaN for any other. */
function plainSeconds(text: string): number {
  if (text.length !== 20 || text[19] !== 'Z' || text[10] !== 'T' || text[4] !== '-' || text[7] !== '-')
    return Number.NaN;
  if (text[13] !== ':' || text[16] !== ':') return Number.NaN;
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 2);
  const day = digitsAt(text, 8, 2);
  const [hour, minute, second] = [digitsAt(text, 11, 2), digitsAt(text, 14, 2), digitsAt(text, 17, 2)];
  // Comparisons with NaN are false, so that anything but digits fails here.
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return Number.NaN;
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return Number.NaN;
  return daysSinceEpoch(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
}

function digitsAt(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

type Six = [number, number, number, number, number, number];

/** Negative if `a` is earlier, zero if both are the same instant, positive if later. */
export function compareTimes(a: Instant, b: Instant): number {
  if (a.seconds !== b.seconds) return a.seconds - b.seconds;
  return a.fraction === b.fraction ? 0 : a.fraction < b.fraction ? -1 : 1;
}

/** Whether a time lies on 1970-01-01 (UTC), which reproducible builds write for "no time". */
export function isEpochDay({ seconds }: Instant): boolean {
  return seconds >= 0 && seconds < DAY;
}

/** Milliseconds from one instant to another. */
export function millisecondsBetween(from: Instant, to: Instant): number {
  return (to.seconds - from.seconds + Number(`0.${to.fraction || 0}`) - Number(`0.${from.fraction || 0}`)) * 1000;
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+$/;
const MAX_DURATION_LENGTH = 64;

/** Reads a duration as Go writes it, such as `72h` or `1h30m`; days (`3d`) too. In milliseconds; undefined if it is none. */
export function readDuration(text: string): number | undefined {
  if (text.length > MAX_DURATION_LENGTH || !DURATION.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/([0-9.]+)(ms|s|m|h|d)/g))
    sum += Number(number) * (UNITS[unit ?? ''] ?? 0);
  return sum;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** `Date.UTC` takes the years 0 to 99 for 1900 to 1999. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  return Date.UTC(year + 400, month - 1, day) / (DAY * 1000) - DAYS_IN_400_YEARS;
}

const DAYS_IN_400_YEARS = 146_097;
