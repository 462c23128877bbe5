import { RE2JS, RE2JSException } from 're2js';
import { MAX_TEXT, nativeRegexp } from './native.ts';
import type { Groups } from './template.ts';

/**
 * A regular expression of a user, in RE2's dialect and in linear time, unanchored as in Flux
 * (reference/flux-v1-mode.md §8). Both `(?P<name>x)` and `(?<name>x)` are named groups. Made for tags: what it says of
 * texts that have other characters than tags may differ from RE2.
 */
export interface Regexp {
  test: (text: string) => boolean;
  /** The leftmost match, or null. */
  match: (text: string) => Groups | null;
  groupCount: number;
  /** Numbers of the named groups. */
  groupNames: Readonly<Record<string, number>>;
}

const MAX_LENGTH = 1024;
/** RE2's measure of what a pattern costs for each character of text; `[a-z]{1000}` costs 1000. */
const MAX_SIZE = 4000;

/** Compiles a pattern; a text says why it is none. At most 1024 characters, and no more than 4000 instructions. */
export function compileRegexp(pattern: string): Regexp | string {
  if (pattern.length > MAX_LENGTH) return `the pattern has ${pattern.length} characters, more than ${MAX_LENGTH}`;
  const native = nativeRegexp(pattern);
  if (!native) return compileRe2(pattern);
  const { regexp, groupCount, groupNames } = native;
  return {
    test: (text: string) => text.length <= MAX_TEXT && regexp.test(text),
    match: (text: string) => (text.length <= MAX_TEXT ? regexp.exec(text) : null),
    groupCount,
    groupNames,
  };
}

/** Compiles a pattern for the RE2 port, whatever it is. */
export function compileRe2(pattern: string): Regexp | string {
  let re2: RE2JS;
  try {
    re2 = RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSException) return explain(error.message);
    throw error;
  }
  const size = re2.programSize();
  if (size > MAX_SIZE) return `the pattern repeats too much: it takes ${size} steps, more than ${MAX_SIZE}`;
  return {
    test: (text: string) => re2.test(text),
    match: (text: string) => {
      const matcher = re2.matcher(text);
      if (!matcher.find()) return null;
      return Array.from({ length: re2.groupCount() + 1 }, (_, group) => matcher.group(group) ?? undefined);
    },
    groupCount: re2.groupCount(),
    groupNames: re2.namedGroups(),
  };
}

function explain(message: string): string {
  return `${message.replace(/^error parsing regexp: /, '')} (the syntax is RE2: no look-around, no back-references)`;
}
