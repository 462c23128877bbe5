import { RE2JS, RE2JSException } from 're2js';
import { nativeRegExp } from './native.ts';
import type { Groups } from './template.ts';

/**
 * A regular expression of a user, in RE2's dialect and in linear time, unanchored as in Flux
 * (reference/flux-v1-mode.md §8). Both `(?P<name>x)` and `(?<name>x)` are named groups.
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
  let re2: RE2JS;
  try {
    re2 = RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSException) return explain(error.message);
    throw error;
  }
  if (re2.programSize() > MAX_SIZE)
    return `the pattern repeats too much: it takes ${re2.programSize()} steps, more than ${MAX_SIZE}`;
  const groups = { groupCount: re2.groupCount(), groupNames: re2.namedGroups() };
  const native = nativeRegExp(pattern);
  if (!native)
    return { ...groups, test: (text: string) => re2.test(text), match: (text: string) => matchRe2(re2, text) };
  return {
    ...groups,
    test: (text: string) => (isPlain(text) ? native.test(text) : re2.test(text)),
    match: (text: string) => (isPlain(text) ? native.exec(text) : matchRe2(re2, text)),
  };
}

function matchRe2(re2: RE2JS, text: string): Groups | null {
  const matcher = re2.matcher(text);
  if (!matcher.find()) return null;
  return Array.from({ length: re2.groupCount() + 1 }, (_, group) => matcher.group(group) ?? undefined);
}

/** What a tag can be, and what `nativeRegExp` was proved for. */
function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

const PLAIN = /^[\w.-]{0,128}$/;

function explain(message: string): string {
  return message.replace(/^error parsing regexp: /, '') + ' (the syntax is RE2: no look-around, no back-references)';
}
