/**
 * Versions as Masterminds/semver 3.1.1 reads and orders them (reference/flux-v1-mode.md §6.1), which is what Flux v1 ran;
 * npm's `semver` agrees only on full versions without leading zeros.
 */
import parseStrict from 'semver/functions/parse.js';
import { digitsEnd, MAX_EXACT_DIGITS, readDigits } from './digits.ts';

/**
 * A release with no more than 13, 20 and 20 bits in its segments, which nearly all are, is the one number of those bits:
 * quick to make, to compare and to sort.
 */
export type Version = number | LongVersion;

/** A version in its parts. */
export interface LongVersion {
  major: Segment;
  minor: Segment;
  patch: Segment;
  /** Empty for a release. */
  prerelease: readonly Identifier[];
}

/** At most 2^64-1. A bigint only where a number is not exact, so that equal segments are `===`. */
export type Segment = number | bigint;

/** A number if all digits and at most 2^64-1, else text. */
export type Identifier = number | bigint | string;

const MAX_UINT64 = 2n ** 64n - 1n;
const MAX_UINT64_DIGITS = 20;
const RELEASE: readonly Identifier[] = [];

const IDENTIFIERS = /^[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*$/;

/** Reads a version of one to three segments, missing ones zero, with an optional `v`. Undefined if it is none. */
export function readVersion(text: string): Version | undefined {
  return read(text, 1);
}

/** Reads a version that has all three segments, as Flux v2 does for ImagePolicy (reference/flux-v2.md A3). */
export function readFullVersion(text: string): Version | undefined {
  return read(text, 3);
}

const LOOKS_FULL = /^v?[0-9]+\.[0-9]+\.[0-9]+/;

/**
 * Reads a version that the SemVer specification allows: no segment missing, no leading zeros (reference/flux-v1-mode.md §17).
 * Many tags have a `v` before it, which SemVer has not; no date or commit gets in by one.
 */
export function readStrictVersion(text: string): Version | undefined {
  // The package's reader throws and catches for every text that is no version, which costs 20 times the test.
  return LOOKS_FULL.test(text) && parseStrict(text) !== null ? read(text, 3) : undefined;
}

/** SemVer precedence: negative if `a` is lower, zero if equal, positive if higher. Build metadata plays no part. */
export function compareVersions(a: Version, b: Version): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : compareParts(partsOf(a), partsOf(b));
}

/** The parts of a version, however it is kept. */
export function partsOf(version: Version): LongVersion {
  if (typeof version !== 'number') return version;
  const patch = version % PATCHES;
  const minor = ((version - patch) / PATCHES) % MINORS;
  return { major: Math.floor(version / (MINORS * PATCHES)), minor, patch, prerelease: RELEASE };
}

/**
 * The first release kept as a number that is not below a version; infinity if there is none. As a rank it never
 * contradicts `compareVersions`: where two ranks differ, the versions differ the same way.
 */
export function rankVersion(version: Version): number {
  if (typeof version === 'number') return version;
  const { major, minor, patch } = version;
  if (minor >= MINORS) return firstOf(BigInt(major) + 1n, 0n);
  return patch >= PATCHES ? firstOf(BigInt(major), BigInt(minor) + 1n) : firstOf(major, minor) + Number(patch);
}

/** The number of `major.minor.0`; one minor too many is the next major. */
function firstOf(major: Segment, minor: Segment): number {
  const number = (Number(major) * MINORS + Number(minor)) * PATCHES;
  return number < MAJORS * MINORS * PATCHES ? number : Infinity;
}

const MAJORS = 2 ** 13;
const MINORS = 2 ** 20;
const PATCHES = 2 ** 20;

function compareParts(a: LongVersion, b: LongVersion): number {
  return (
    compareScalars(a.major, b.major) ||
    compareScalars(a.minor, b.minor) ||
    compareScalars(a.patch, b.patch) ||
    comparePrereleases(a.prerelease, b.prerelease)
  );
}

/** The part of `compareVersions` that is about prereleases; a release is above its prereleases. */
export function comparePrereleases(a: readonly Identifier[], b: readonly Identifier[]): number {
  if (a.length === 0 || b.length === 0) return (a.length === 0 ? 1 : 0) - (b.length === 0 ? 1 : 0);
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const order = compareIdentifiers(a[i] as Identifier, b[i] as Identifier);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: Identifier, b: Identifier): number {
  const textual = typeof a === 'string';
  if (textual !== (typeof b === 'string')) return textual ? 1 : -1;
  return compareScalars(a, b);
}

function compareScalars(a: Identifier, b: Identifier): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

const DOT = 46;
const DASH = 45;
const PLUS = 43;
const LOWER_V = 118;

function read(text: string, least: 1 | 3): Version | undefined {
  let start = text.charCodeAt(0) === LOWER_V ? 1 : 0;
  let end = digitsEnd(text, start);
  const major = segment(text, start, end);
  let minor: Segment | undefined = 0;
  let patch: Segment | undefined = 0;
  let segments = 1;
  if (end < text.length && text.charCodeAt(end) === DOT) {
    start = end + 1;
    end = digitsEnd(text, start);
    minor = segment(text, start, end);
    segments = 2;
    if (end < text.length && text.charCodeAt(end) === DOT) {
      start = end + 1;
      end = digitsEnd(text, start);
      patch = segment(text, start, end);
      segments = 3;
    }
  }
  if (major === undefined || minor === undefined || patch === undefined || segments < least) return undefined;
  if (end === text.length) {
    const short = major < MAJORS && minor < MINORS && patch < PATCHES;
    return short ? firstOf(major, minor) + Number(patch) : { major, minor, patch, prerelease: RELEASE };
  }
  const prerelease = readPrerelease(text, end);
  return prerelease && { major, minor, patch, prerelease };
}

function segment(text: string, start: number, end: number): Segment | undefined {
  if (start === end) return undefined;
  return end - start > MAX_EXACT_DIGITS ? uint64(text.slice(start, end)) : readDigits(text, start, end);
}

/** Reads `-prerelease` and `+build` up to the end of the text. */
function readPrerelease(text: string, start: number): Identifier[] | undefined {
  const plus = text.indexOf('+', start);
  if (plus >= 0 && !IDENTIFIERS.test(text.slice(plus + 1))) return undefined;
  const code = text.charCodeAt(start);
  if (code === PLUS) return [];
  const prerelease = text.slice(start + 1, plus < 0 ? text.length : plus);
  if (code !== DASH || !IDENTIFIERS.test(prerelease)) return undefined;
  const parts: Identifier[] = [];
  for (const part of prerelease.split('.')) {
    const numeric = digitsEnd(part, 0) === part.length;
    if (numeric && part.length > 1 && part.startsWith('0')) return undefined;
    parts.push(numeric ? (uint64(part) ?? part) : part);
  }
  return parts;
}

/** A text of digits as an exact number; undefined above 2^64-1. */
function uint64(digits: string): Segment | undefined {
  if (digits.length <= MAX_EXACT_DIGITS) return readDigits(digits, 0, digits.length);
  const short = digits.replace(/^0+(?=.)/, '');
  if (short.length > MAX_UINT64_DIGITS) return undefined;
  const value = BigInt(short);
  if (value > MAX_UINT64) return undefined;
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}
