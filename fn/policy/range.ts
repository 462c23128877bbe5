/**
 * Version ranges as Masterminds/semver reads them, the grammar of Flux v1 and v2 (reference/flux-v1-mode.md §6.2, §6.3,
 * reference/flux-v2.md A3). Known differences from 3.1.1, all of them its faults: `^0.0.z`, `~0.0.0`, `^*` and `<=*` have
 * their documented meaning (§17).
 */
import {
  comparePrereleases,
  compareVersions,
  partsOf,
  rankVersion,
  readVersion,
  type LongVersion,
  type Segment,
  type Version,
} from './version.ts';

export interface Range {
  /** Any group may match. */
  groups: Group[];
  /** Why no prerelease can pass though the range names one, and what to write instead. */
  hint?: string;
}

/**
 * What lets a prerelease in: every comparator must name one (3.1.1, Flux v1), or any comparator of its group does (3.4 and
 * later, Flux v2). Then prereleases of any version pass, not only of the one that is named.
 */
export type PrereleaseGate = 'comparator' | 'group';

interface Group {
  /** All must be satisfied. */
  comparators: Comparator[];
  /** Whether prereleases may pass. */
  open: boolean;
}

interface Comparator {
  text: string;
  operator: Operator;
  /** The last segment that was written: `x`, `1`, `1.2` or `1.2.3`. */
  precision: Precision;
  namesPrerelease: boolean;
  satisfiedBy: (version: Version) => boolean;
}

type Precision = 'any' | 'major' | 'minor' | 'full';

type Operator = '=' | '!=' | '>' | '>=' | '<' | '<=' | '~' | '^';

const MAX_LENGTH = 512;
const MAX_GROUPS = 32;

const SPELLINGS: Record<string, Operator> = { '': '=', '=>': '>=', '=<': '<=', '~>': '~' };

const WS = '[\\t\\n\\f\\r ]';
const SEGMENT = '[0-9xX*]+';
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const PARTIAL = `v?(${SEGMENT})(?:\\.(${SEGMENT}))?(?:\\.(${SEGMENT}))?(?:-(${IDENTIFIERS}))?(?:\\+${IDENTIFIERS})?`;
const HYPHEN = new RegExp(`${WS}*(${PARTIAL})${WS}+-${WS}+(${PARTIAL})${WS}*`, 'g');
const COMPARATOR = new RegExp(`${WS}*((=>|=<|>=|<=|!=|~>|[=<>~^]|)${WS}*${PARTIAL})${WS}*,?`, 'y');
const WILDCARD = /^[xX*]$/;
const DIGITS = /^[0-9]+$/;

/** Reads a range; a text says why it is none. At most 512 characters and 32 groups. */
export function readRange(text: string, prereleases: PrereleaseGate): Range | string {
  if (text.length > MAX_LENGTH) return `the range has ${text.length} characters, more than ${MAX_LENGTH}`;
  if (text.trim() === '') return 'the range is empty';
  // As Masterminds does, in the text: what follows a hyphen range needs an operator or a comma before it.
  const parts = text.replace(HYPHEN, hyphenAsBounds).split('||');
  if (parts.length > MAX_GROUPS) return `the range has ${parts.length} alternatives, more than ${MAX_GROUPS}`;
  const groups: Group[] = [];
  for (const part of parts) {
    const comparators = readGroup(part, prereleases);
    if (typeof comparators === 'string') return comparators;
    groups.push({ comparators, open: letsPrereleasesIn(comparators, prereleases) });
  }
  const hint = prereleases === 'comparator' ? closedGate(groups) : undefined;
  return { groups, ...(hint !== undefined && { hint }) };
}

/** Whether a version is in a range; `prerelease` if all that speaks against it is that it is a prerelease. */
export function checkRange({ groups }: Range, version: Version): 'inside' | 'outside' | 'prerelease' {
  let barred = false;
  for (const group of groups) {
    if (!satisfiesAll(version, group.comparators)) continue;
    if (group.open || isRelease(version)) return 'inside';
    barred = true;
  }
  return barred ? 'prerelease' : 'outside';
}

function isRelease(version: Version): boolean {
  return typeof version === 'number' || version.prerelease.length === 0;
}

function satisfiesAll(version: Version, comparators: Comparator[]): boolean {
  for (const comparator of comparators) if (!comparator.satisfiedBy(version)) return false;
  return true;
}

function hyphenAsBounds(...[, low, , , , , high]: string[]): string {
  return `>=${low}, <=${high}`;
}

function readGroup(text: string, prereleases: PrereleaseGate): Comparator[] | string {
  if (text.trim() === '') return 'the range has nothing on one side of "||"';
  const group: Comparator[] = [];
  COMPARATOR.lastIndex = 0;
  for (let end = 0; end < text.length; end = COMPARATOR.lastIndex) {
    const match = COMPARATOR.exec(text);
    if (!match) return `"${text.slice(end).trim() || text.trim()}" is not a version comparison such as >=1.2 or ~1.2.3`;
    const comparator = readComparator(match, prereleases);
    if (typeof comparator === 'string') return comparator;
    group.push(comparator);
  }
  return group;
}

function readComparator(match: RegExpExecArray, prereleases: PrereleaseGate): Comparator | string {
  const [, text = '', spelling = '', major = '', minor = '*', patch = '*', prerelease] = match;
  const operator = SPELLINGS[spelling] ?? (spelling as Operator);
  for (const segment of [major, minor, patch])
    if (!WILDCARD.test(segment) && !DIGITS.test(segment))
      return `"${segment}" in "${text}" is neither a number nor a wildcard`;
  const precision = WILDCARD.test(major)
    ? 'any'
    : WILDCARD.test(minor)
      ? 'major'
      : WILDCARD.test(patch)
        ? 'minor'
        : 'full';
  // 3.1.1 drops a prerelease after a wildcard; later versions do not.
  const kept = prerelease !== undefined && !(precision === 'any' && prereleases === 'comparator');
  const version = readVersion(completed[precision](major, minor, patch) + (kept ? `-${prerelease}` : ''));
  if (version === undefined)
    return `"${text}" does not name a version: a segment is above 2^64-1, or a prerelease number starts with 0`;
  const satisfiedBy = satisfaction(operator, precision, partsOf(version));
  return { text, operator, precision, namesPrerelease: kept, satisfiedBy };
}

const completed: Record<Precision, (major: string, minor: string, patch: string) => string> = {
  any: () => '0.0.0',
  major: (major) => `${major}.0.0`,
  minor: (major, minor) => `${major}.${minor}.0`,
  full: (major, minor, patch) => `${major}.${minor}.${patch}`,
};

/** What satisfies a comparator of version `c`, whether prereleases are welcome or not: an interval, or all outside of it. */
function satisfaction(operator: Operator, precision: Precision, c: LongVersion): (version: Version) => boolean {
  if (operator !== '!=') return within(...INTERVALS[operator](c, precision));
  if (precision === 'minor') return otherThanMinor(c);
  // `!=*` is about 0.0.0 alone.
  const inside = within(...INTERVALS['='](c, precision === 'any' ? 'full' : precision));
  return (version) => !inside(version);
}

/** From the first version, up to the second but without it; without a second there is no end. */
type Interval = [from: LongVersion, to?: LongVersion];

const INTERVALS: Record<Exclude<Operator, '!='>, (c: LongVersion, precision: Precision) => Interval> = {
  '>=': (c, precision) => (precision === 'any' ? [LOWEST] : [c]),
  '>': (c, precision) => [precision === 'any' ? after(c) : afterAll(c, precision)],
  '<': (c) => [LOWEST, c],
  '<=': (c, precision) => (precision === 'any' ? [LOWEST] : [LOWEST, afterAll(c, precision)]),
  '=': (c, precision) => (precision === 'full' ? [c, after(c)] : INTERVALS['~'](c, precision)),
  '~': (c, precision) => {
    if (precision === 'any') return [LOWEST];
    return [c, precision === 'major' ? nextMajor(c) : nextMinor(c)];
  },
  '^': (c, precision) => {
    if (precision === 'any') return [LOWEST];
    if (c.major > 0 || precision === 'major') return [c, nextMajor(c)];
    return [c, c.minor > 0 || precision === 'minor' ? nextMinor(c) : nextPatch(c)];
  },
};

function within(from: LongVersion, to?: LongVersion): (version: Version) => boolean {
  const [first, end] = [rankVersion(from), to ? rankVersion(to) : Infinity];
  return (version) => {
    if (typeof version === 'number') return version >= first && version < end;
    return compareVersions(version, from) >= 0 && (to === undefined || compareVersions(version, to) < 0);
  };
}

/** `!=1.2` turns away the releases of 1.2, `!=1.2-rc` the prereleases `rc` of any 1.2.z; nothing else. */
function otherThanMinor(c: LongVersion): (version: Version) => boolean {
  return (version) => {
    const v = partsOf(version);
    return v.major !== c.major || v.minor !== c.minor || comparePrereleases(v.prerelease, c.prerelease) !== 0;
  };
}

/** Below any identifier that can be written: `1.3.0` with it is where the prereleases of 1.3.0 begin. */
const BOTTOM = -1;

const LOWEST: LongVersion = { major: 0, minor: 0, patch: 0, prerelease: [BOTTOM] };

/** Where the versions begin that are above all that a comparator's version stands for, such as any 1.2. */
function afterAll(c: LongVersion, precision: Precision): LongVersion {
  if (precision === 'major') return nextMajor(c);
  return precision === 'minor' ? nextMinor(c) : after(c);
}

function after(c: LongVersion): LongVersion {
  return c.prerelease.length > 0 ? { ...c, prerelease: [...c.prerelease, BOTTOM] } : nextPatch(c);
}

function nextPatch({ major, minor, patch }: LongVersion): LongVersion {
  return { major, minor, patch: next(patch), prerelease: [BOTTOM] };
}

function nextMinor({ major, minor }: LongVersion): LongVersion {
  return { major, minor: next(minor), patch: 0, prerelease: [BOTTOM] };
}

function nextMajor({ major }: LongVersion): LongVersion {
  return { major: next(major), minor: 0, patch: 0, prerelease: [BOTTOM] };
}

function next(segment: Segment): Segment {
  return segment < Number.MAX_SAFE_INTEGER ? Number(segment) + 1 : BigInt(segment) + 1n;
}

function letsPrereleasesIn(group: Comparator[], gate: PrereleaseGate): boolean {
  if (gate === 'group') return group.some(({ namesPrerelease }) => namesPrerelease);
  return group.every((comparator) => comparator.namesPrerelease || isExactExclusion(comparator));
}

/** `!=1.2.3` alone lets prereleases through unasked. */
function isExactExclusion({ operator, precision }: Comparator): boolean {
  return operator === '!=' && precision === 'full';
}

function closedGate(groups: Group[]): string | undefined {
  for (const { comparators } of groups) {
    const naming = comparators.find(({ namesPrerelease }) => namesPrerelease);
    const closing = comparators.find((comparator) => !comparator.namesPrerelease && !isExactExclusion(comparator));
    if (naming && closing)
      return `no prerelease passes: "${naming.text}" names one, but "${closing.text}" does not, and each must; write "${closing.text}-0"`;
    const dropped = comparators.find(({ text, precision }) => precision === 'any' && text.includes('-'));
    if (dropped) return `no prerelease passes: "${dropped.text}" means any release; write ">=0-0" for prereleases too`;
  }
  return undefined;
}
