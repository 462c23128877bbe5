import t, { type Test } from 'tap';
import { compareDecimals, rankDecimal, readDecimal } from '../../../fn/policy/decimal.ts';
import { glob } from '../../../fn/policy/glob.ts';
import { compareNaturally } from '../../../fn/policy/orders.ts';
import { checkRange, readRange } from '../../../fn/policy/range.ts';
import { compileRegexp } from '../../../fn/policy/regexp.ts';
import { readTemplate } from '../../../fn/policy/template.ts';
import { compareTimes, readDuration, readTime } from '../../../fn/policy/time.ts';
import {
  compareVersions,
  partsOf,
  rankVersion,
  readFullVersion,
  readStrictVersion,
  readVersion,
} from '../../../fn/policy/version.ts';
import { closedRanges, noRanges, rangesV1, rangesV2 } from '../../fixtures/policy/ranges.ts';
import * as texts from '../../fixtures/policy/texts.ts';
import { ascending, readings, versions } from '../../fixtures/policy/versions.ts';

t.test('versions', async (t) => {
  for (const [section, text, expected] of versions) {
    const read = readVersion(text);
    const version = read === undefined ? undefined : partsOf(read);
    const printed =
      version &&
      `${version.major}.${version.minor}.${version.patch}${version.prerelease.length > 0 ? `-${version.prerelease.join('.')}` : ''}`;
    t.equal(printed ?? null, expected, `${section}: "${text}"`);
  }
  for (const [text, full, strict] of readings) {
    t.equal(readFullVersion(text) !== undefined, full, `${text} in full`);
    t.equal(readStrictVersion(text) !== undefined, strict, `${text} strictly`);
  }
});

t.test('orders', async (t) => {
  for (const list of ascending) checkAscending(t, list, (text) => readVersion(text)!, compareVersions, rankVersion);
  for (const list of texts.ascendingNumbers)
    checkAscending(t, list, (text) => readDecimal(text)!, compareDecimals, rankDecimal);
  checkAscending(
    t,
    texts.instants.map(([first]) => first!),
    (text) => readTime(text)!,
    compareTimes,
    ({ seconds }) => seconds,
  );
  checkAscending(t, texts.naturally, (text) => text, compareNaturally);
  for (const [first, ...others] of texts.equalNumbers)
    for (const other of others)
      t.equal(compareDecimals(readDecimal(first!)!, readDecimal(other)!), 0, `${first} = ${other}`);
  for (const [first, ...others] of texts.instants)
    for (const other of others) t.equal(compareTimes(readTime(first)!, readTime(other)!), 0, `${first} = ${other}`);
  t.equal(compareVersions(readVersion('1.10')!, readVersion('v1.10.0+x')!), 0, '§4.3: equal precedence');
});

function checkAscending<T>(
  t: Test,
  list: string[],
  read: (text: string) => T,
  compare: (a: T, b: T) => number,
  rank: (a: T) => number = () => 0,
): void {
  for (const [i, low] of list.entries())
    for (const high of list.slice(i + 1)) {
      const [a, b] = [read(low), read(high)];
      t.ok(compare(a, b) < 0 && compare(b, a) > 0 && compare(a, a) === 0, `${low} < ${high}`);
      t.ok(rank(a) <= rank(b), `the rank of ${low} is not above that of ${high}`);
    }
}

t.test('what is no number, time or duration', async (t) => {
  for (const text of texts.noNumbers) t.equal(readDecimal(text), undefined, `number "${text}"`);
  for (const text of texts.noInstants) t.equal(readTime(text), undefined, `time "${text}"`);
  t.equal(readTime(undefined), undefined);
  for (const [text, expected] of texts.durations) t.equal(readDuration(text), expected, `duration "${text}"`);
});

for (const [cases, gate, read] of [
  [rangesV1, 'comparator', readVersion],
  [rangesV2, 'group', readFullVersion],
] as const)
  t.test(`ranges, gate by ${gate}`, async (t) => {
    for (const { section, range: text, inside = [], outside = [], barred = [] } of cases) {
      const range = readRange(text, gate);
      if (typeof range === 'string') throw new Error(`${section}: ${range}`);
      const check = (tag: string) => checkRange(range, read(tag)!);
      for (const tag of inside) t.equal(check(tag), 'inside', `${section}: ${tag} in "${text}"`);
      for (const tag of barred) t.equal(check(tag), 'prerelease', `${section}: ${tag} barred from "${text}"`);
      for (const tag of outside) t.not(check(tag), 'inside', `${section}: ${tag} not in "${text}"`);
    }
  });

t.test('what is no range, and ranges that shut prereleases out', async (t) => {
  for (const [section, text, why] of noRanges)
    t.match(readRange(text, 'comparator'), why, `${section}: "${text.trim()}"`);
  for (const [text, expected] of closedRanges) {
    const range = readRange(text, 'comparator');
    if (typeof range === 'string') throw new Error(range);
    if (expected) t.match(range.hint, expected, text);
    else t.equal(range.hint, undefined, text);
  }
});

t.test('globs', async (t) => {
  for (const [pattern, matches, others] of texts.globs) {
    for (const text of matches) t.ok(glob(pattern)(text), `§7: "${pattern}" matches "${text}"`);
    for (const text of others) t.notOk(glob(pattern)(text), `§7: "${pattern}" does not match "${text}"`);
  }
});

t.test('regular expressions', async (t) => {
  for (const [section, pattern, tag, found] of texts.patterns) {
    const regexp = compileRegexp(pattern);
    const outcome = typeof regexp === 'string' ? null : regexp.test(tag);
    t.equal(outcome, found, `${section}: /${pattern.slice(0, 40)}/ on ${tag}`);
    if (typeof regexp !== 'string') t.equal(regexp.match(tag) !== null, found);
  }
});

t.test('templates', async (t) => {
  for (const pattern of ['^(?P<ts>[0-9]+)-(?<ts2>[a-z]+)(-x)?$', '^(?P<ts>[0-9]+)-(?<ts2>[[:alpha:]]+)(-x)?$']) {
    const regexp = compileRegexp(pattern);
    if (typeof regexp === 'string') throw new Error(regexp);
    for (const [text, expanded, unknown] of texts.templates) {
      const template = readTemplate(text, regexp.groupCount, regexp.groupNames);
      t.equal(template.expand(regexp.match('42-ab')!), expanded, text);
      t.equal(template.unknown.length, unknown, `${text}: references to no group`);
    }
  }
});
