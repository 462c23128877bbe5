import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import npmCompare from 'semver/functions/compare.js';
import npmSatisfies from 'semver/functions/satisfies.js';
import t from 'tap';
import type { TagMetadata } from '../../../fn/lookup/metadata.ts';
import { choose, type Choice } from '../../../fn/policy/choose.ts';
import { compareDecimals, rankDecimal, readDecimal } from '../../../fn/policy/decimal.ts';
import { nativeRegexp } from '../../../fn/policy/native.ts';
import { compilePattern } from '../../../fn/policy/pattern.ts';
import { compilePolicy } from '../../../fn/policy/policy.ts';
import { checkRange, readRange } from '../../../fn/policy/range.ts';
import { compileRe2, compileRegexp } from '../../../fn/policy/regexp.ts';
import { orderByRank } from '../../../fn/policy/sort.ts';
import { compareVersions, partsOf, rankVersion, readStrictVersion, readVersion } from '../../../fn/policy/version.ts';
import { hostileFilters, hostilePolicies } from '../../fixtures/policy/hostile.ts';

const RUNS = process.env['QUICK'] ? 0.1 : 1;

function holds<T extends unknown[]>(runs: number, property: fc.IPropertyWithHooks<T>): void {
  fc.assert(property, { numRuns: Math.ceil(runs * RUNS) });
}

const small = fc.integer({ min: 0, max: 4 });
const release = fc.tuple(small, small, small).map((segments) => segments.join('.'));
const prerelease = fc.array(fc.constantFrom('0', '1', '9', '10', 'a', 'B', 'rc', 'rc9', 'rc10', '-'), {
  minLength: 1,
  maxLength: 3,
});
const version = fc.tuple(release, fc.option(prerelease)).map(([v, pre]) => (pre ? `${v}-${pre.join('.')}` : v));

t.test('versions are ordered as npm orders them', async (t) => {
  holds(
    3000,
    fc.property(version, version, (a, b) => {
      const [left, right] = [readVersion(a)!, readVersion(b)!];
      const order = compareVersions(left, right);
      t.equal(Math.sign(order), npmCompare(a, b), `${a}, ${b}`);
      t.ok(Math.sign(rankVersion(left) - rankVersion(right)) * Math.sign(order) >= 0, 'ranks do not contradict');
      t.same(readStrictVersion(`v${a}`), left);
    }),
  );
});

t.test('ranges are npm’s where the two dialects agree, on releases (§6.4)', async (t) => {
  const partial = fc.oneof(
    release,
    fc.tuple(small, small).map(([major, minor]) => `${major}.${minor}`),
    fc.tuple(small, small).map(([major, minor]) => `v${major}.${minor}.x`),
    small.map(String),
    small.map((major) => `${major}.X`),
  );
  const operator = fc.constantFrom('', '=', '>', '>=', '<', '<=', '~', '~>', '^');
  const comparator = fc.oneof(
    { weight: 9, arbitrary: fc.tuple(operator, partial).map(([op, version]) => op + version) },
    { weight: 1, arbitrary: fc.constantFrom('*', 'x', '^*', '~*', '>=*', '<=*') },
  );
  const group = fc.oneof(
    fc.array(comparator, { minLength: 1, maxLength: 3 }).map((all) => all.join(' ')),
    fc.tuple(partial, partial).map(([low, high]) => `${low} - ${high}`),
  );
  const ranges = fc.array(group, { minLength: 1, maxLength: 3 }).map((all) => all.join(' || '));
  holds(
    3000,
    fc.property(ranges, release, (text, version) => {
      for (const gate of ['comparator', 'group'] as const) {
        const range = readRange(text, gate);
        if (typeof range === 'string') throw new Error(range);
        const inside = checkRange(range, readVersion(version)!) === 'inside';
        t.equal(inside, npmSatisfies(version, text), `${version} in ${text}`);
      }
    }),
  );
});

t.test('a version is in a range however it is kept', async (t) => {
  const segment = fc.constantFrom(
    '0',
    '1',
    '2',
    '8191',
    '8192',
    '1048575',
    '1048576',
    '9007199254740991',
    '9007199254740992',
    '18446744073709551615',
  );
  const versions = fc.tuple(segment, segment, segment).map((segments) => segments.join('.'));
  const operators = fc.constantFrom('', '!=', '>', '>=', '<', '<=', '~', '^');
  const partials = fc
    .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '-0', '-rc.1'))
    .map(([segments, pre]) => segments.join('.') + pre);
  holds(
    3000,
    fc.property(operators, partials, versions, (operator, partial, text) => {
      const range = readRange(operator + partial, 'group');
      if (typeof range === 'string') throw new Error(range);
      const version = readVersion(text)!;
      t.equal(checkRange(range, version), checkRange(range, partsOf(version)), `${text} in ${operator}${partial}`);
      const bound = readVersion(partial)!;
      const order = compareVersions(version, bound);
      if (operator === '>=') t.equal(checkRange(range, version) === 'inside', order >= 0);
      if (operator === '<') t.equal(checkRange(range, version) === 'inside', order < 0);
      t.equal(compareVersions(partsOf(version), partsOf(bound)) < 0, order < 0);
      t.ok(Math.sign(order) * (rankVersion(version) < rankVersion(bound) ? 1 : 0) <= 0, 'ranks do not contradict');
    }),
  );
});

t.test('decimal numbers are exact', async (t) => {
  const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));
  const near = fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.integer({ min: -2, max: 2 }))
    .map(([n, d]) => String(n + BigInt(d)).replace('-', ''));
  const number = fc.tuple(
    fc.constantFrom('', '-'),
    fc.oneof(digits(3), digits(20), near),
    fc.option(digits(3)),
    fc.integer({ min: -4, max: 4 }),
  );
  const scaled = ([sign, whole, fraction, exponent]: [string, string, string | null, number]) => {
    const padded = whole + (fraction ?? '').padEnd(3, '0') + '0'.repeat(exponent + 4);
    return BigInt(padded) * (sign === '-' ? -1n : 1n);
  };
  const print = ([sign, whole, fraction, exponent]: [string, string, string | null, number]) =>
    `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === 0 ? '' : `e${exponent}`}`;
  holds(
    3000,
    fc.property(number, number, (a, b) => {
      const [left, right] = [readDecimal(print(a))!, readDecimal(print(b))!];
      const [x, y] = [scaled(a), scaled(b)];
      t.equal(Math.sign(compareDecimals(left, right)), x === y ? 0 : x < y ? -1 : 1, `${print(a)}, ${print(b)}`);
      t.ok(Math.sign(rankDecimal(left) - rankDecimal(right)) * (x < y ? -1 : 1) >= 0, 'ranks do not contradict');
    }),
  );
});

t.test('sorting by rank is sorting', async (t) => {
  const items = fc.array(
    fc.record({ rank: fc.oneof(small, fc.double({ noNaN: true }), fc.constant(-0)), tie: fc.nat() }),
    { maxLength: 60 },
  );
  holds(
    300,
    fc.property(items, (items) => {
      const order = orderByRank(
        items.map(({ rank }) => rank),
        (i, j) => items[i]!.tie - items[j]!.tie,
      );
      const sorted = items
        .map((_, i) => i)
        .sort((i, j) => compareNumbers(items[j]!.rank, items[i]!.rank) || items[i]!.tie - items[j]!.tie);
      t.same(
        Array.from(order, (i) => items[i]),
        sorted.map((i) => items[i]),
      );
    }),
  );
});

function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

const tagChars = fc.constantFrom(...'aab01.-_A'.split(''));
const shortTag = fc.array(tagChars, { minLength: 1, maxLength: 12 }).map((chars) => chars.join(''));

t.test('patterns that run natively are RE2’s, and find what RE2 finds', async (t) => {
  const atom = fc.constantFrom(
    'a',
    'b',
    '0',
    '-',
    '\\.',
    '\\d',
    '\\w',
    '\\W',
    '.',
    '[ab]',
    '[^a]',
    '[a-z0-9-]',
    '[\\w.]',
    '[0-9.]',
    '_',
  );
  const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{1,}', '{0,3}?');
  const { pattern } = fc.letrec<{ pattern: string; sequence: string; item: string; group: string }>((tie) => ({
    pattern: fc
      .tuple(fc.constantFrom('', '^', '^', '.*'), tie('sequence'), fc.constantFrom('', '$'))
      .map(([start, body, end]) => start + body + end),
    sequence: fc.array(tie('item'), { maxLength: 4 }).map((items) => items.join('')),
    item: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'group' },
      fc.tuple(atom, quantifier).map(([chars, count]) => chars + count),
      tie('group'),
    ),
    group: fc
      .tuple(
        fc.constantFrom('(', '(?:', '(?P<n>', '(?<m>'),
        fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }),
        fc.constantFrom('', '?', '??'),
      )
      .map(([open, ways, count]) => `${open}${ways.join('|')})${count}`),
  }));
  const junk = fc.array(fc.constantFrom(...'ab0.-^$*+?()[]{}|\\d,<>:P=!'.split(''), '(?P<a>', '{1,2}', '[a-b]'), {
    maxLength: 12,
  });
  let native = 0;
  holds(
    20_000,
    fc.property(
      fc.oneof(
        pattern,
        junk.map((parts) => parts.join('')),
      ),
      fc.array(shortTag, { maxLength: 5 }),
      (pattern, tags) => {
        const fast = nativeRegexp(pattern);
        if (!fast) return;
        native++;
        const re2 = compileRe2(pattern);
        if (typeof re2 === 'string') throw new Error(`/${pattern}/ is not RE2: ${re2}`);
        if (fast.groupCount !== re2.groupCount) throw new Error(`/${pattern}/ has ${re2.groupCount} groups`);
        const [names, expected] = [fast.groupNames, re2.groupNames].map((names) =>
          JSON.stringify(Object.entries(names).sort(([, i], [, j]) => i - j)),
        );
        if (names !== expected) throw new Error(`/${pattern}/ names ${expected}, not ${names}`);
        for (const tag of tags) {
          const [found, wanted] = [fast.regexp.exec(tag), re2.match(tag)].map(
            (match) => match && [...match].map((group) => group ?? null),
          );
          if (JSON.stringify(found) !== JSON.stringify(wanted))
            throw new Error(`/${pattern}/ finds ${JSON.stringify(found)} in ${tag}, not ${JSON.stringify(wanted)}`);
        }
      },
    ),
  );
  t.ok(native > 3000 * RUNS, `${native} patterns ran natively`);
});

const times = fc.constantFrom(
  undefined,
  '0001-01-01T00:00:00Z',
  '1970-01-01T00:00:00Z',
  '2026-01-01T00:00:00Z',
  '2026-01-02T00:00:00.5Z',
  '2026-01-02T02:00:00.5+02:00',
  'never',
);
const tagName = fc.oneof(
  version,
  release.map((v) => `v${v}`),
  shortTag.filter((tag) => /^\w/.test(tag)),
  fc.constantFrom('latest', 'LATEST', '20260101', '1', '01', '1.0'),
);
const tag = fc
  .record({ name: tagName, created: times, pushed: times, firstSeen: times })
  .map(
    (fields) =>
      Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as unknown as TagMetadata,
  );
const orders = fc.constantFrom(
  { numerical: {} },
  { alphabetical: { order: 'desc' } },
  { newest: {} },
  { newest: { order: 'desc' } },
  { semver: { range: '*-0' } },
  { semver: { range: '>=1 <4' } },
);
const filters = fc.constantFrom(
  undefined,
  { regexp: '^v?([0-9.]+)', extract: '$1' },
  { regexp: '^(.)', extract: '${1}' },
  { glob: '*a*' },
);
const rules = fc.oneof(
  fc
    .constantFrom(
      'glob:*',
      '*a*',
      'latest',
      'semver:*',
      'semver:>=1-0',
      'regexp:[0-9]$',
      'strict-semver:~1',
      'semver:1 - 2',
    )
    .map(compilePattern),
  fc
    .record({
      policy: orders,
      filter: filters,
      exclude: fc.constantFrom(undefined, ['b$']),
      minimumAge: fc.constantFrom(undefined, '1h', '30d'),
      downgrade: fc.constantFrom('Hold', 'Follow'),
    })
    .map(compilePolicy),
);

t.test('choices', async (t) => {
  const metadata = fc.record({
    image: fc.constant('app'),
    scannedAt: fc.constant('2026-01-03T00:00:00Z'),
    complete: fc.boolean(),
    tags: fc.uniqueArray(tag, { maxLength: 25, selector: ({ name }) => name }),
  });
  const current = fc.option(fc.record({ tag: tagName }), { nil: undefined });
  const options = fc.record({
    ties: fc.constantFrom('compat', 'version'),
    unknownCurrent: fc.constantFrom('move', 'hold'),
  });
  holds(
    5000,
    fc.property(
      rules,
      metadata,
      current,
      options,
      fc.infiniteStream(fc.nat()),
      (rule, metadata, current, options, numbers) => {
        if ('error' in rule) throw new Error(rule.error.message);
        const choice = choose(rule, metadata, current, options);
        const [first] = choice.candidates;
        const known = new Map(metadata.tags.map((tag) => [tag.name, tag]));
        const names = [...choice.candidates.map(({ name }) => name), ...choice.rejected.map(({ tag }) => tag)];
        if (names.length !== known.size || names.some((name) => !known.has(name)))
          throw new Error('not a partition of the tags');
        if (new Set(names).size !== names.length) throw new Error('a tag has two places');
        if (choice.chosen && choice.chosen !== first) throw new Error('chosen is not the first candidate');
        if ((choice.chosen !== null) !== (choice.outcome === 'move' || choice.outcome === 'current'))
          throw new Error('outcome');
        if ((choice.outcome === 'current') !== (first !== undefined && first.name === current?.tag))
          throw new Error('current');
        if (/undefined|null|NaN/.test(choice.message)) throw new Error(choice.message);

        const shuffled = metadata.tags.map((tag) => ({ tag, at: numbers.next().value })).sort((a, b) => a.at - b.at);
        const again = choose(rule, { ...metadata, tags: shuffled.map(({ tag }) => tag) }, current, options);
        if (JSON.stringify(sorted(again)) !== JSON.stringify(sorted(choice)))
          throw new Error('it depends on the order of the tags');
        if (choice.outcome === 'move' && first) {
          const next = choose(rule, metadata, { tag: first.name }, options);
          if (next.outcome !== 'current')
            throw new Error(`a second run would change ${first.name} again: ${next.message}`);
        }
      },
    ),
  );
  t.pass('hold for any rule');
});

function sorted({ rejected, message, ...rest }: Choice): unknown {
  return {
    ...rest,
    rejected: rejected.map((rejection) => JSON.stringify(rejection)).sort(),
    message: message.replace(/\(.*?\)/g, ''),
  };
}

t.test('hostile rules are refused or end soon', async (t) => {
  const tags = ['a', '1', '-', 'ab', '1.', '1-'].map((unit, i) => ({
    name: unit.repeat(128).slice(0, 127) + 'xyz!_0'[i],
  }));
  tags.push(
    { name: `1.0.0-${'1.'.repeat(60)}1` },
    { name: '9'.repeat(20_000) },
    { name: `1.0.0-${'0'.repeat(20_000)}1` },
  );
  const metadata = { image: 'app', complete: true, tags };
  for (const filter of hostileFilters) {
    const start = performance.now();
    const rule = compilePattern(filter);
    if (!('error' in rule)) choose(rule, metadata);
    t.ok(performance.now() - start < 2000, `${filter.slice(0, 50)} takes ${Math.round(performance.now() - start)} ms`);
  }
  for (const policy of hostilePolicies) {
    const start = performance.now();
    const rule = compilePolicy(policy);
    if (!('error' in rule)) choose(rule, metadata);
    t.ok(
      performance.now() - start < 2000,
      `${JSON.stringify(policy).slice(0, 50)} takes ${Math.round(performance.now() - start)} ms`,
    );
  }
  for (const text of ['a'.repeat(128), '9'.repeat(128)])
    t.type(compileRegexp(text), 'object', 'a long pattern is none of them');
});
