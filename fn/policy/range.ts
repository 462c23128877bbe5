/**
 * Version ranges as Masterminds/semver reads them, the grammar of Flux v1 and v2 (reference/flux-v1-mode.md §6.2, §6.3,
 * reference/flux-v2.md A3). Known differences from 3.1.1, all of them its faults: `^0.0.z`, `~0.0.0`, `^*` and `<=*` have
 * their documented meaning (§17).
 */
import { comparePrereleases, compareVersions, readVersion, type Version } from './version.ts';

export interface Range {
  /** Any group may match. */
  groups: Comparator[][];
  prereleases: PrereleaseGate;
  /** Why no prerelease can pass though the range names one, and what to write instead. */
  hint?: string;
}

/**
 * What lets a prerelease in: every comparator must name one (3.1.1, Flux v1), or any comparator of its group does (3.4 and
 * later, Flux v2). Then prereleases of any version pass, not only of the one that is named.
 */
export type PrereleaseGate = 'comparator' | 'group';

interface Comparator {
  text: string;
  operator: Operator;
  /** Completed with zeros. */
  version: Version;
  /** The last segment that was written: `x`, `1`, `1.2` or `1.2.3`. */
  precision: 'any' | 'major' | 'minor' | 'full';
}

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
  const groups: Comparator[][] = [];
  for (const part of parts) {
    const group = readGroup(part, prereleases);
    if (typeof group === 'string') return group;
    groups.push(group);
  }
  const hint = prereleases === 'comparator' ? closedGate(groups) : undefined;
  return { groups, prereleases, ...(hint !== undefined && { hint }) };
}

/** Whether a version is in a range; `prerelease` if all that speaks against it is that it is a prerelease. */
export function checkRange({ groups, prereleases }: Range, version: Version): 'inside' | 'outside' | 'prerelease' {
  let barred = false;
  for (const group of groups) {
    if (!group.every((comparator) => matches(comparator, version))) continue;
    if (version.prerelease.length === 0 || letsPrereleasesIn(group, prereleases)) return 'inside';
    barred = true;
  }
  return barred ? 'prerelease' : 'outside';
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
  if (!version)
    return `"${text}" does not name a version: a segment is above 2^64-1, or a prerelease number starts with 0`;
  return { text, operator, version, precision };
}

const completed: Record<Comparator['precision'], (major: string, minor: string, patch: string) => string> = {
  any: () => '0.0.0',
  major: (major) => `${major}.0.0`,
  minor: (major, minor) => `${major}.${minor}.0`,
  full: (major, minor, patch) => `${major}.${minor}.${patch}`,
};

/** Whether a version satisfies a comparator; whether prereleases are welcome is another question. */
function matches(comparator: Comparator, v: Version): boolean {
  const { operator, version: c, precision } = comparator;
  const order = compareVersions(v, c);
  const sameMajor = v.major === c.major;
  const sameMinor = sameMajor && v.minor === c.minor;
  switch (operator) {
    case '>=':
      return order >= 0 || precision === 'any';
    case '<':
      return order < 0;
    case '>':
      if (precision === 'major') return v.major > c.major;
      if (precision === 'minor') return v.major > c.major || (sameMajor && v.minor > c.minor);
      return order > 0;
    case '<=':
      if (precision === 'any') return true;
      if (precision === 'major') return v.major <= c.major;
      if (precision === 'minor') return v.major < c.major || (sameMajor && v.minor <= c.minor);
      return order <= 0;
    case '!=':
      if (precision === 'major') return !sameMajor;
      if (precision === 'minor') return !sameMinor || comparePrereleases(v.prerelease, c.prerelease) !== 0;
      return order !== 0;
    case '=':
      if (precision === 'full') return order === 0;
      return isAbout(comparator, order, sameMajor, sameMinor);
    case '~':
      return isAbout(comparator, order, sameMajor, sameMinor);
    case '^':
      if (precision === 'any') return true;
      if (order < 0 || !sameMajor) return false;
      if (c.major > 0 || precision === 'major') return true;
      return sameMinor && (c.minor > 0 || precision === 'minor' || v.patch === c.patch);
  }
}

function isAbout({ precision }: Comparator, order: number, sameMajor: boolean, sameMinor: boolean): boolean {
  if (precision === 'any') return true;
  return order >= 0 && (precision === 'major' ? sameMajor : sameMinor);
}

function letsPrereleasesIn(group: Comparator[], gate: PrereleaseGate): boolean {
  if (gate === 'group') return group.some(namesPrerelease);
  return group.every((comparator) => namesPrerelease(comparator) || isExactExclusion(comparator));
}

function namesPrerelease({ version }: Comparator): boolean {
  return version.prerelease.length > 0;
}

/** `!=1.2.3` alone lets prereleases through unasked. */
function isExactExclusion({ operator, precision }: Comparator): boolean {
  return operator === '!=' && precision === 'full';
}

function closedGate(groups: Comparator[][]): string | undefined {
  for (const group of groups) {
    const naming = group.find(namesPrerelease);
    const closing = group.find((comparator) => !namesPrerelease(comparator) && !isExactExclusion(comparator));
    if (naming && closing)
      return `no prerelease passes: "${naming.text}" names one, but "${closing.text}" does not, and each must; write "${closing.text}-0"`;
    const dropped = group.find(({ text, precision }) => precision === 'any' && text.includes('-'));
    if (dropped) return `no prerelease passes: "${dropped.text}" means any release; write ">=0-0" for prereleases too`;
  }
  return undefined;
}
