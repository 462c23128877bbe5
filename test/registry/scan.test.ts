import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pLimit from 'p-limit';
import t from 'tap';
import type { ImageMetadata } from '../../fn/lookup/metadata.ts';
import { choose, type Choice } from '../../fn/policy/choose.ts';
import { compareNaturally } from '../../fn/policy/orders.ts';
import { compilePattern } from '../../fn/policy/pattern.ts';
import { compilePolicy } from '../../fn/policy/policy.ts';
import { Refusal, type Rule } from '../../fn/policy/rule.ts';
import { diskCache } from '../../registry/cache.ts';
import { createRegistry } from '../../registry/client.ts';
import type { CredentialSource } from '../../registry/credentials.ts';
import { RegistryError } from '../../registry/error.ts';
import { createHttp } from '../../registry/network.ts';
import { uniteMetadata, writeMetadata } from '../../registry/record.ts';
import { createScanner, repositoryOf, type Need, type Scan, type ScannerOptions } from '../../registry/scan.ts';
import { pushTimeReaders } from '../../registry/times/readers.ts';
import { commit, counted, scans, type ScanCase } from '../fixtures/registry/scan.ts';
import { clockAt, day, FakeRegistry } from './fake.ts';
import { makeImage, makeIndex, push } from './images.ts';
import { cannotStart, startRegistry } from './servers.ts';

const IMAGE = 'ghcr.io/org/app';
const directory = mkdtempSync(join(tmpdir(), 'image-update-scan-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
let caches = 0;

function compiled(rule: ScanCase['rule']): Rule {
  const made = typeof rule === 'string' ? compilePattern(rule) : compilePolicy(rule);
  if ('error' in made) throw new Error(made.error.message);
  return made;
}

function needOf(rule: ScanCase['rule'], current?: string): Need {
  return { rule: compiled(rule), ...(current !== undefined && { current }) };
}

/** Runs one after another over one cache, each at its day; a run asks what it is given. */
function runs(registry: FakeRegistry, options: Partial<ScannerOptions> = {}) {
  const cacheDirectory = join(directory, String(caches++));
  return async (days: number, ...needs: Need[]): Promise<Scan & { requests: number; reasons: string[] }> => {
    const clock = clockAt(days);
    const before = registry.requests;
    const scanner = createScanner({ registry, cache: diskCache(cacheDirectory, clock), clock, ...options });
    const scan = await scanner.scan(IMAGE, needs);
    return { ...scan, requests: registry.requests - before, reasons: scan.notes.map(({ reason }) => reason) };
  };
}

/** What the rule would choose if all were known. */
function fullKnowledge({ tagsByName }: FakeRegistry, now: number): ImageMetadata {
  const tags = Object.entries(tagsByName).map(([name, given]) => {
    const built = typeof given === 'number' ? given : given.built;
    if (built === null) return { name };
    return { name, created: built === 'epoch' ? '1970-01-01T00:00:00Z' : day(built) };
  });
  return { image: IMAGE, scannedAt: day(now), complete: true, tags };
}

for (const each of scans)
  t.test(each.about, async (t) => {
    const registry = new FakeRegistry(each.tags);
    const run = runs(registry);
    const need = needOf(each.rule, each.current);
    const current = each.current === undefined ? undefined : { tag: each.current };
    const cold = await run(300, need);
    const chosen = choose(need.rule, cold.metadata, current).chosen?.name ?? null;
    if (each.chosen !== null) {
      t.equal(chosen, each.chosen, 'the choice');
      t.equal(
        chosen,
        choose(need.rule, fullKnowledge(registry, 300), current).chosen?.name ?? null,
        'of full knowledge',
      );
    }
    if (typeof each.requests === 'number') t.equal(cold.requests, each.requests, 'cold requests');
    else t.ok(cold.requests <= each.requests.most, `${cold.requests} cold requests, at most ${each.requests.most}`);
    t.same(cold.reasons, each.notes ?? []);
    t.same(
      cold.metadata.tags.map(({ name }) => name),
      Object.keys(each.tags).toSorted(),
      'every tag, sorted',
    );
    if (each.notes?.includes('times-not-read')) return;

    const warm = await run(300.05, need);
    t.equal(warm.requests, 1, 'warm requests');
    t.equal(choose(need.rule, warm.metadata, current).chosen?.name ?? null, chosen, 'the warm choice');
    t.same(
      warm.metadata.tags.map(({ digest, created, firstSeen }) => ({ digest, created, firstSeen })),
      cold.metadata.tags.map(({ digest, created, firstSeen }) => ({ digest, created, firstSeen })),
      'the same facts',
    );
  });

t.test('runs over a repository that grows', async (t) => {
  const registry = new FakeRegistry(counted(1000, (i) => `b-${i}`));
  const run = runs(registry);
  const need = needOf('glob:b-*', 'b-990');
  await run(101, need);
  registry.tagsByName['b-1000'] = 101.5;
  const grown = await run(101.9, need);
  t.equal(choose(need.rule, grown.metadata).chosen?.name, 'b-1000');
  t.equal(grown.requests, 3, 'a new tag costs its manifest and config');
  t.equal(grown.metadata.tags.find(({ name }) => name === 'b-1000')?.firstSeen, day(101.9));
  t.equal(grown.metadata.tags.find(({ name }) => name === 'b-1')?.firstSeen, day(101));

  // A fix of an old line does not look new by name, but it is new to us.
  registry.tagsByName['b-7.1'] = 101.95;
  const fixed = await run(101.96, need);
  t.equal(choose(need.rule, fixed.metadata).chosen?.name, 'b-7.1');

  const { blob } = registry.calls;
  const day2 = await run(103, need);
  t.ok(day2.requests > 1 && day2.requests < 20, `a day later tags are asked for their digests: ${day2.requests}`);
  t.equal(registry.calls.blob, blob, 'and nothing is read again');
});

t.test('a tag that moves is found a day later, at once by its digest', async (t) => {
  const registry = new FakeRegistry({ main: 1, edge: 2 });
  const run = runs(registry);
  const need = needOf('glob:*', 'edge');
  await run(10, need);
  const old = registry.digestOf('main');
  registry.tagsByName['main'] = 11;
  const same = await run(10.5, need);
  t.equal(choose(need.rule, same.metadata).chosen?.name, 'edge');
  const scanner = createScanner({ registry, clock: clockAt(10.6) });
  t.not(await scanner.digest(IMAGE, 'main'), old);
  await scanner.digest(IMAGE, 'main');
  t.equal(registry.calls.digest, 1, 'asked once a run');
  const later = await run(11.1, need);
  t.equal(choose(need.rule, later.metadata).chosen?.name, 'main');
});

t.test('commits: new ones come first, old ones a few each run, and none twice', async (t) => {
  const registry = new FakeRegistry(counted(250, commit, (i) => ((i * 7) % 250) / 10));
  const run = runs(registry);
  const need = needOf({ policy: { newest: {} } });
  const first = await run(30, need);
  t.equal(first.requests, 201);
  t.same(first.reasons, ['times-not-read']);
  registry.tagsByName[commit(1000)] = 30.5;
  const second = await run(31, need);
  t.equal(choose(need.rule, second.metadata).chosen?.name, commit(1000));
  t.equal(second.requests, 3, 'what was seen before the new one was built cannot be newer');
  t.same(second.reasons, []);
  t.equal((await run(90, need)).requests, 1, 'a commit is believed for good');
});

t.test('needs of one repository share what is asked', async (t) => {
  const registry = new FakeRegistry({ 'a-1': 1, 'a-2': 2, 'b-1': 3, 'b-2': { built: 2, image: 'a-2' } });
  const scanner = createScanner({ registry, clock: clockAt(9) });
  const [a, b] = await Promise.all([
    scanner.scan(IMAGE, [needOf('glob:a-*')]),
    scanner.scan('ghcr.io/org/app', [needOf('glob:b-*'), needOf('semver:*')]),
  ]);
  t.equal(registry.calls.tags, 1);
  t.equal(registry.calls.manifest, 4);
  t.equal(registry.calls.blob, 3);
  t.equal(a.metadata.tags.filter(({ created }) => created).length, 2);
  t.equal(b.metadata.tags.filter(({ created }) => created).length, 4);
});

t.test('first-seen times are an age where images have none', async (t) => {
  const registry = new FakeRegistry({ '1.0.0': { built: 'epoch' }, '1.1.0': { built: null } });
  const run = runs(registry);
  const need = needOf({ policy: { semver: { range: '*' } }, minimumAge: '48h' });
  const first = await run(10, need);
  t.equal(choose(need.rule, first.metadata).reason, 'too-young');
  const later = await run(12.5, need);
  t.equal(choose(need.rule, later.metadata).chosen?.name, '1.1.0');
  t.equal(later.requests, 1, 'what was seen so long ago is old enough, whatever else is known');
});

t.test('a listing that lost what matters', async (t) => {
  const tags = counted(10, (i) => `1.${i}.0`);
  const lost = async (names: string[], need: Need) => {
    const registry = new FakeRegistry({ ...tags });
    const run = runs(registry);
    await run(20, need);
    for (const name of names) delete registry.tagsByName[name];
    return { registry, run, second: await run(20.5, need) };
  };
  const current = needOf('semver:*', '1.9.0');

  const one = await lost(['1.3.0'], current);
  t.same([one.second.metadata.complete, one.second.reasons, one.second.requests], [true, [], 1], 'an old tag may go');

  const newest = await lost(['1.9.0', '1.8.0'], current);
  t.same(
    [newest.second.metadata.complete, newest.second.reasons, newest.second.requests],
    [false, ['tags-vanished'], 2],
  );
  t.match(newest.second.notes[0]?.message, /the current tag 1\.9\.0 is gone/);
  t.equal(choose(current.rule, newest.second.metadata, { tag: '1.9.0' }).reason, 'incomplete-listing');
  const soon = await newest.run(20.51, current);
  t.same([soon.metadata.complete, soon.requests], [false, 2], 'not a quarter of an hour later');
  const believed = await newest.run(20.6, current);
  t.same([believed.metadata.complete, believed.reasons, believed.requests], [true, [], 1], 'but two hours later');

  const best = await lost(['1.9.0'], needOf('semver:*', '1.2.0'));
  t.match(best.second.notes[0]?.message, /1\.9\.0, the best for semver:\*, is gone/);

  const half = await lost(['1.0.0', '1.1.0', '1.2.0', '1.3.0', '1.4.0', '1.5.0'], needOf('semver:*'));
  t.match(half.second.notes[0]?.message, /6 of 10 tags are gone/);

  const built = await lost(['1.9.0'], needOf('glob:1.*', '1.2.0'));
  t.match(built.second.notes[0]?.message, /1\.9\.0, the best for glob:1\.\*, is gone/, 'by the times of the cache');

  const back = await lost(['1.9.0'], current);
  back.registry.tagsByName['1.9.0'] = 0.9;
  const again = await back.run(20.52, current);
  t.same([again.metadata.complete, again.requests], [true, 1]);
  t.equal(again.metadata.tags.find(({ name }) => name === '1.9.0')?.firstSeen, day(20), 'it is not new');
});

t.test('a second listing that is whole is taken', async (t) => {
  const registry = new FakeRegistry(counted(10, (i) => `1.${i}.0`));
  const run = runs(registry);
  const need = needOf('semver:*', '1.9.0');
  await run(20, need);
  registry.lists = [{ tags: ['1.0.0'] }, {}];
  const scan = await run(20.5, need);
  t.same([scan.metadata.complete, scan.metadata.tags.length, scan.requests, scan.reasons], [true, 10, 2, []]);
});

t.test('a current tag that is gone is known from the cache', async (t) => {
  const registry = new FakeRegistry(
    counted(
      10,
      (i) => `b-${i}`,
      (i) => i,
    ),
  );
  const run = runs(registry);
  const need = needOf('glob:b-*', 'b-9');
  await run(20, need);
  delete registry.tagsByName['b-9'];
  const scan = await run(20.5, need);
  const [vanished] = scan.vanished;
  t.match(vanished, { name: 'b-9', created: day(9) });
  const choice = choose(need.rule, scan.metadata, { tag: 'b-9', created: vanished!.created! });
  t.equal(choice.reason, 'incomplete-listing');
});

t.test('listings cut short, names dropped', async (t) => {
  const registry = new FakeRegistry({ '1.0.0': 1, '2.0.0': 2 });
  const run = runs(registry);
  await run(5, needOf('semver:*', '2.0.0'));
  registry.lists = [{ tags: ['1.0.0'], complete: false, problem: 'page 2 answered 500', dropped: 3 }];
  const scan = await run(5.1, needOf('semver:*', '2.0.0'));
  t.same([scan.metadata.complete, scan.reasons, scan.requests], [false, ['tags-dropped', 'listing-incomplete'], 1]);
  t.match(scan.notes[1]?.message, /page 2 answered 500/);
  registry.lists = [{}];
  t.same((await run(5.2, needOf('semver:*', '2.0.0'))).reasons, [], 'what was not listed then is not gone');
});

t.test('look-ups that fail', async (t) => {
  const registry = new FakeRegistry(
    counted(
      40,
      (i) => `b-${i}`,
      (i) => i,
    ),
  );
  const need = needOf('glob:b-*', 'b-1');
  registry.failures['b-39'] = new RegistryError('malformed', 'b-39 is not JSON');
  const one = await runs(registry)(50, need);
  t.equal(choose(need.rule, one.metadata).chosen?.name, 'b-38');
  t.same(one.reasons, ['tags-unreadable', 'times-by-order']);
  t.match(one.notes[0]?.message, /b-39 is not JSON/);

  registry.failures = { '*': new RegistryError('rate-limited', 'ghcr.io says 429') };
  const all = await runs(registry)(50, need);
  t.same([all.reasons, all.requests], [['times-not-read'], 2], 'one refusal ends the asking');
  t.match(all.notes[0]?.message, /40 of 40 tags .* ghcr\.io says 429/);
  t.equal(choose(need.rule, all.metadata, { tag: 'b-1' }).reason, 'no-times', 'nothing moves');
  await t.rejects(createScanner({ registry }).digest(IMAGE, 'b-1'), { message: 'ghcr.io says 429' });
});

t.test('what the listing itself tells', async (t) => {
  const registry = new FakeRegistry({ a: 1, b: 2, c: { built: 3, index: ['linux/amd64'] } });
  const facts = new Map(
    ['a', 'b', 'c'].map((name, i) => [
      name,
      {
        digest: registry.digestOf(name),
        pushed: day(10 + i),
        created: name === 'c' ? '1970-01-01T00:00:00Z' : day(i + 1),
      },
    ]),
  );
  registry.lists = [{ facts }];
  const run = runs(registry);
  const need = needOf({ policy: { newest: {} } });
  const scan = await run(20, need);
  t.equal(choose(need.rule, scan.metadata).chosen?.name, 'c');
  t.equal(scan.requests, 4, 'only the index is looked up');
  t.match(scan.metadata.tags[0], { name: 'a', created: day(1), pushed: day(10) });
  registry.tagsByName['d'] = 30;
  t.equal((await run(20.1, needOf({ policy: { semver: { range: '*' } }, minimumAge: '24h' }))).requests, 1);
});

t.test('names', async (t) => {
  t.same(repositoryOf('nginx'), { host: 'docker.io', path: 'library/nginx' });
  t.same(repositoryOf('index.docker.io/org/app'), { host: 'docker.io', path: 'org/app' });
  t.same(repositoryOf('localhost:5000/a/b'), { host: 'localhost:5000', path: 'a/b' });
});

const built = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 1190 }).map((n) => n / 4) },
  { weight: 1, arbitrary: fc.constantFrom(null, 'epoch' as const) },
);
const name = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 12 })).map(([a, b]) => `${a}.${b}.0`),
  fc.integer({ min: 0, max: 60 }).map((n) => `b-${n}`),
  fc.integer({ min: 0, max: 60 }).map((n) => `main-${commit(n)}-${n}`),
  fc.constantFrom('main', 'edge', 'latest', 'sha-0abc123'),
);
const repository = fc
  .array(fc.tuple(name, built), { minLength: 1, maxLength: 60, size: 'max' })
  .map((entries) => Object.fromEntries(entries.map(([name, built]) => [name, { built }])));
const rule = fc.constantFrom<ScanCase['rule']>(
  'glob:*',
  'regexp:^[0-9]',
  { policy: { newest: { order: 'desc' } } },
  { policy: { newest: {} }, minimumAge: '480h' },
  { policy: { semver: { range: '*' } }, minimumAge: '480h' },
  { policy: { alphabetical: { order: 'desc' } }, minimumAge: '2000h' },
);

t.test('without a note the choice is that of full knowledge; with one it never goes back', async (t) => {
  let noted = 0;
  await fc.assert(
    fc.asyncProperty(repository, rule, fc.boolean(), async (tags, rule, inOrder) => {
      if (inOrder) {
        // Times along the order of the names, as builds have them.
        const days = Object.values(tags)
          .flatMap(({ built }) => (typeof built === 'number' ? built : []))
          .toSorted((a, b) => a - b);
        for (const name of Object.keys(tags).toSorted(compareNaturally))
          if (typeof tags[name]!.built === 'number') tags[name]!.built = days.shift()!;
      }
      const registry = new FakeRegistry(tags);
      const [current = ''] = Object.keys(tags);
      const need = needOf(rule, current);
      const scan = await createScanner({ registry, clock: clockAt(300) }).scan(IMAGE, [need]);
      const known = { ...fullKnowledge(registry, 300) };
      // What is not told of an image has the age of the scan that first saw it.
      known.tags = known.tags.map((tag) => ({ ...tag, firstSeen: day(300) }));
      const [found, best] = [scan.metadata, known].map((each) => choose(need.rule, each, { tag: current }));
      const key = (choice: Choice | undefined) => choice?.chosen?.created;
      if (scan.notes.length > 0) {
        noted++;
        const before = known.tags.find((tag) => tag.name === current)?.created;
        if (
          found?.outcome === 'move' &&
          need.rule.order.by === 'time' &&
          before &&
          !before.startsWith('1970') &&
          !need.rule.descending &&
          !(need.rule.filter(current) instanceof Refusal)
        )
          t.ok(key(found)! >= before, `${key(found)} is not before ${before}`);
      } else t.same([found?.chosen?.name, found?.outcome], [best?.chosen?.name, best?.outcome], JSON.stringify(tags));
    }),
    { numRuns: process.env['QUICK'] ? 100 : 1_000 },
  );
  t.comment(`${noted} with a note`);
});

t.test('a real registry', { skip: cannotStart() }, async (t) => {
  const server = await startRegistry();
  t.teardown(() => server.stop());
  const image = `${server.host}/team/app`;
  const target = { origin: server.origin, path: 'team/app' };
  const limit = pLimit(8);
  const numbers = Array.from({ length: 60 }, (_, i) => i);
  await Promise.all(
    numbers.map((i) => limit(() => push(target, makeImage({ created: day(i), content: String(i) }), `build-${i}`))),
  );
  const amd64 = makeImage({ kind: 'docker', created: day(200), content: 'amd64' });
  const arm64 = makeImage({ kind: 'docker', platform: 'linux/arm64', created: day(210), content: 'arm64' });
  await push(target, makeIndex([arm64, amd64], { kind: 'docker' }), 'multi');
  const labels = { 'org.opencontainers.image.created': day(250) };
  await push(target, makeImage({ created: day(205), labels, content: 'labelled' }), 'labelled');
  await push(target, makeImage({ content: 'timeless' }), 'timeless');
  await push(target, makeImage({ created: '1970-01-01T00:00:00Z', content: 'epoch' }), 'epoch');

  const cache = join(directory, 'real');
  const run = async (days: number, need: Need, options: Partial<ScannerOptions> = {}) => {
    const http = createHttp({ insecure: [server.host], limit: { concurrency: 8, perSecond: 1_000 } });
    const credentials: CredentialSource = { name: 'none', find: async () => undefined };
    const registry = createRegistry({ http, credentials, insecure: [server.host] });
    const scanner = createScanner({
      registry,
      pushTimes: pushTimeReaders({ http, origin: () => server.origin }),
      cache: diskCache(cache, clockAt(days)),
      clock: clockAt(days),
      ...options,
    });
    const scan = await scanner.scan(image, [need]);
    http.close();
    return { ...scan, requests: http.requests, chosen: choose(need.rule, scan.metadata).chosen };
  };
  const builds = needOf('glob:build-*', 'build-3');
  const cold = await run(300, builds);
  t.equal(cold.chosen?.name, 'build-59');
  t.ok(cold.requests <= 30, `${cold.requests} requests on a cold cache`);
  t.same([cold.metadata.complete, cold.metadata.tags.length], [true, 64]);
  t.match(cold.chosen, { created: day(59), platforms: ['linux/amd64'], digest: /^sha256:/, firstSeen: day(300) });
  const warm = await run(300.5, builds);
  t.equal(warm.requests, 1, 'on a warm one the listing alone');
  t.same(warm.metadata.tags, cold.metadata.tags);
  const record = writeMetadata([cold.metadata]);
  t.equal(writeMetadata([uniteMetadata(cold.metadata, warm.metadata)]), record, 'and the record is the same');

  const rest = needOf({ policy: { newest: {} }, filter: { regexp: '^[^b]' } });
  const others = await run(300.6, rest);
  t.equal(others.chosen?.name, 'labelled');
  t.match(
    others.metadata.tags.find(({ name }) => name === 'multi'),
    { created: day(200), platforms: ['linux/amd64', 'linux/arm64'] },
  );
  t.equal(others.metadata.tags.find(({ name }) => name === 'epoch')?.created, '1970-01-01T00:00:00Z');
  const arm = await run(300.7, rest, { platform: 'linux/arm64', cache: diskCache(join(directory, 'arm')) });
  t.equal(arm.chosen?.name, 'multi');
  const labelled = await run(300.8, rest, { labels: ['127.0.0.1:*/team/*'] });
  t.equal(labelled.chosen?.created, day(250), 'labels where they are asked for, whatever the cache has of the config');
});
