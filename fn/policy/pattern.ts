/** Filters of Flux v1, as annotations hold them (reference/flux-v1-mode.md §4). */
import { glob } from './glob.ts';
import { timeOrder, versionOrder } from './orders.ts';
import { readRange } from './range.ts';
import { compileRegexp } from './regexp.ts';
import { turnAway, type Malformed, type Rule } from './rule.ts';
import { readStrictVersion, readVersion } from './version.ts';
import type { Note } from '../note.ts';

type PatternType = 'glob' | 'semver' | 'strict-semver' | 'regexp';

/** Case-sensitive, at the very start, nothing trimmed. */
const PREFIX = /^(glob|semver|strict-semver|regexp|regex):/;
const NEAR_PREFIX = /^\s*(glob|semver|strict-semver|regexp|regex)\s*:/i;

/**
 * Compiles a filter: `glob:` (or no prefix), `semver:`, `regexp:` or `regex:`, and ours, `strict-semver:`, which takes
 * only what the SemVer specification calls a version, with or without a `v`. A body that does not compile is an error; Flux let every tag through.
 */
export function compilePattern(text: string): Rule | Malformed {
  const [prefix, found] = PREFIX.exec(text) ?? ['', 'glob'];
  const type = (found === 'regex' ? 'regexp' : found) as PatternType;
  const body = text.slice(prefix.length);
  const compiled = compilers[type](body);
  if (typeof compiled === 'string') return malformed(text, compiled);
  return {
    kind: 'pattern',
    text: `${type}:${body}`,
    descending: false,
    minimumAge: 0,
    downgrade: 'Hold',
    digest: 'Never',
    ...compiled,
  };
}

type Compiled = Pick<Rule, 'filter' | 'order' | 'warnings'>;

const compilers: Record<PatternType, (body: string) => Compiled | string> = {
  glob: compileGlob,
  regexp: compileRegexpBody,
  semver: (body) => compileSemver('semver', body),
  'strict-semver': (body) => compileSemver('strict-semver', body),
};

const LATEST = turnAway('latest');

function compileGlob(body: string): Compiled {
  const matches = glob(body);
  const refusal = turnAway('filter', `glob:${body}`);
  const filter = (name: string) => (matches(name) ? name : refusal);
  return { filter: body === 'latest' ? filter : unlessLatest(filter), order: timeOrder, warnings: globWarnings(body) };
}

function compileRegexpBody(body: string): Compiled | string {
  const regexp = compileRegexp(body);
  if (typeof regexp === 'string') return regexp;
  const refusal = turnAway('filter', `regexp:${body}`);
  const filter = unlessLatest((name) => (regexp.test(name) ? name : refusal));
  const warnings = /^\s|\s$/.test(body)
    ? [matchesNothing(`regexp:${body}`, 'a space at its end is part of the pattern, and tags have none')]
    : [];
  return { filter, order: timeOrder, warnings };
}

function compileSemver(type: 'semver' | 'strict-semver', body: string): Compiled | string {
  const range = readRange(body, 'comparator');
  if (typeof range === 'string') return range;
  const text = `${type}:${body}`;
  return {
    filter: unlessLatest((name) => name),
    order: versionOrder(text, range, type === 'semver' ? readVersion : readStrictVersion),
    warnings:
      range.hint === undefined
        ? []
        : [{ reason: 'filter-no-prereleases', message: `the filter "${text}": ${range.hint}` }],
  };
}

/** Turns `latest` away, in any case: only `glob:latest` selects it (§4.2). */
export function unlessLatest(filter: Rule['filter']): Rule['filter'] {
  return (name) => (name.length === 6 && name.toLowerCase() === 'latest' ? LATEST : filter(name));
}

/** What is wrong with a glob that cannot match any tag. Flux v1 keeps silent about all of these. */
export function globWarnings(body: string): Note[] {
  const text = `glob:${body}`;
  if (body === '') return [matchesNothing(text, 'it is empty; for any tag write "*"')];
  const [, near] = NEAR_PREFIX.exec(body) ?? [];
  if (near !== undefined)
    return [
      matchesNothing(text, `it is read as a glob; write "${near.toLowerCase()}:" at the very start, in lower case`),
    ];
  const foreign = /[^\w.*-]/.exec(body);
  if (foreign)
    return [
      matchesNothing(
        text,
        `it has "${foreign[0]}", which no tag has${/[?[\]{}^$+|\\]/.test(foreign[0]) ? '; only "*" is special in a glob, for more write "regexp:"' : ''}`,
      ),
    ];
  return [];
}

function matchesNothing(text: string, why: string): Note {
  return { reason: 'filter-matches-nothing', message: `the filter "${text}" matches no tag: ${why}` };
}

function malformed(text: string, why: string): Malformed {
  return {
    error: {
      reason: 'filter-malformed',
      message: `the filter "${text}" cannot be read: ${why}; nothing is changed until it is corrected`,
    },
  };
}
