import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import { diskCache } from '../../registry/cache.ts';
import { cacheDirectory } from '../../registry/place.ts';
import {
  emptyKnowledge,
  parseKnowledge,
  printKnowledge,
  pruneKnowledge,
  uniteKnowledge,
  type Knowledge,
} from '../../registry/knowledge.ts';
import { clockAt, day } from './fake.ts';

const IMAGE = 'ghcr.io/org/app';
const scratch = mkdtempSync(join(tmpdir(), 'image-update-cache-'));
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
let directories = 0;
const fresh = () => join(scratch, String(directories++));
const now = clockAt(100);

const time = fc.integer({ min: 0, max: 99 }).map(day);
const tag = fc.constantFrom('a', 'b', '1.10', '__proto__', 'constructor');
const digest = fc.constantFrom('a', 'b', 'c').map((letter) => `sha256:${letter.repeat(64)}`);
const knowledges: fc.Arbitrary<Knowledge> = fc
  .record({
    listedAt: fc.option(time, { nil: undefined }),
    seen: fc.array(fc.tuple(tag, time)).map((entries) => new Map(entries)),
    gone: fc.array(fc.tuple(tag, time)),
    tags: fc.array(
      fc.tuple(tag, fc.record({ digest, checkedAt: time, pushed: time }, { requiredKeys: ['checkedAt'] })),
    ),
    digests: fc.array(
      fc.tuple(
        digest,
        fc.record(
          { by: fc.constant('linux/amd64'), created: time, platforms: fc.constant(['linux/amd64'] as string[]) },
          { requiredKeys: ['by'] },
        ),
      ),
    ),
  })
  .map(({ listedAt, seen, gone, tags, digests }) => ({
    image: IMAGE,
    ...(listedAt !== undefined && { listedAt }),
    seen,
    gone: new Map(gone.filter(([name]) => seen.has(name))),
    tags: new Map(tags) as Knowledge['tags'],
    digests: new Map(digests) as Knowledge['digests'],
  }));

t.test('knowledge', async (t) => {
  fc.assert(
    fc.property(knowledges, knowledges, (a, b) => {
      t.same(parseKnowledge(printKnowledge(a), IMAGE), a, 'reads as it was');
      const united = uniteKnowledge(a, b);
      t.same(uniteKnowledge(united, b).seen, united.seen);
      for (const name of new Set([...a.seen.keys(), ...b.seen.keys()])) {
        const earliest = [a.seen.get(name), b.seen.get(name)].filter((since) => since !== undefined).toSorted()[0];
        t.equal(united.seen.get(name), earliest, 'the earliest first-seen time wins');
      }
      for (const name of united.gone.keys()) t.ok(a.gone.has(name) || b.gone.has(name));
    }),
    { numRuns: process.env['QUICK'] ? 30 : 300 },
  );
  for (const [text, why] of [
    ['', /not JSON/],
    ['{"format":1', /not JSON/],
    ['[]', /not a JSON object/],
    ['{"format":2}', /format is 2/],
    ['{"format":1,"image":"other"}', /another repository/],
  ] as const)
    t.match(parseKnowledge(text, IMAGE), why);
  const odd = parseKnowledge(
    `{"format":1,"image":"${IMAGE}","listedAt":5,"seen":{"never":["a"],"${day(1)}":["ok",7,"-bad"]},"gone":{"ok":"x","other":"${day(1)}"},"tags":{"ok":{"digest":"no","checkedAt":"${day(1)}"},"b":7},"digests":{"x":{"by":"y"}}}`,
    IMAGE,
  );
  t.same(odd, { ...emptyKnowledge(IMAGE), seen: new Map([['ok', day(1)]]) }, 'facts that are malformed are left out');
});

t.test('what is forgotten', async (t) => {
  const knowledge = emptyKnowledge(IMAGE);
  for (const [name, since] of [
    ['old', 60],
    ['young', 80],
    ['here', null],
  ] as const) {
    knowledge.seen.set(name, day(1));
    knowledge.tags.set(name, { checkedAt: day(1), digest: `sha256:${'e'.repeat(64)}` });
    if (since !== null) knowledge.gone.set(name, day(since));
  }
  for (let i = 0; i < 1_500; i++) knowledge.digests.set(`sha256:${String(i).padStart(64, '0')}`, { by: 'x' });
  knowledge.digests.set(`sha256:${'e'.repeat(64)}`, { by: 'x' });
  for (let i = 0; i < 10_500; i++) {
    knowledge.seen.set(`t${i}`, day(1));
    knowledge.gone.set(`t${i}`, day(99 + i / 100_000));
  }
  pruneKnowledge(knowledge, Date.parse(day(100)));
  t.notOk(knowledge.seen.has('old') || knowledge.tags.has('old'), 'gone for 30 days');
  t.notOk(knowledge.seen.has('young'), 'gone longest of too many');
  t.ok(knowledge.seen.has('here') && knowledge.seen.has('t10499') && !knowledge.seen.has('t499'));
  t.equal(knowledge.digests.size, 1_001);
  t.ok(knowledge.digests.has(`sha256:${'e'.repeat(64)}`) && !knowledge.digests.has(`sha256:${'0'.repeat(64)}`));
});

t.test('on disk', async (t) => {
  const directory = fresh();
  const cache = diskCache(directory, now);
  t.same(await cache.load(IMAGE), emptyKnowledge(IMAGE));
  const knowledge = { ...emptyKnowledge(IMAGE), seen: new Map([['a', day(5)]]) };
  await cache.save(knowledge);
  t.same(await diskCache(directory, now).load(IMAGE), knowledge);
  const [file = '', ...others] = readdirSync(directory);
  t.same(others, [], 'one file, no remains');
  t.match(file, /^ghcr\.io_org_app-[0-9a-f]{16}\.json$/);
  t.equal(statSync(join(directory, file)).mode & 0o777, 0o600);
  t.same(cache.notes(), []);

  writeFileSync(join(directory, file), '{"format":1,"ima');
  t.same(await cache.load(IMAGE), emptyKnowledge(IMAGE), 'a damaged file is as if absent');
  await cache.load(IMAGE);
  const notes = cache.notes();
  t.same(
    notes.map(({ reason }) => reason),
    ['cache-damaged'],
    'told once',
  );
  t.match(notes[0]?.message, file);
  await cache.save(knowledge);
  t.same(await cache.load(IMAGE), knowledge, 'and written anew');

  await cache.save({ ...emptyKnowledge('localhost:5000/a/../b'), seen: new Map() });
  t.ok(
    readdirSync(directory).every((name) => name.endsWith('.json')),
    'names stay in the directory',
  );
});

t.test('a directory that cannot be written', async (t) => {
  const file = fresh();
  writeFileSync(file, 'not a directory');
  const cache = diskCache(join(file, 'below'), now);
  t.same(await cache.load(IMAGE), emptyKnowledge(IMAGE));
  await cache.save(emptyKnowledge(IMAGE));
  await cache.save(emptyKnowledge('b.example/x'));
  const notes = cache.notes();
  t.same(
    notes.map(({ reason }) => reason),
    ['cache-unwritable'],
  );
  t.match(notes[0]?.message, /ENOTDIR.*IMAGE_UPDATE_CACHE/);
});

t.test('a lock of a process that is gone is broken', async (t) => {
  const directory = fresh();
  const cache = diskCache(directory, now);
  await cache.save(emptyKnowledge(IMAGE));
  const [file = ''] = readdirSync(directory);
  const lock = join(directory, `${file}.lock`);
  writeFileSync(lock, '');
  utimesSync(lock, 1, 1);
  await cache.save({ ...emptyKnowledge(IMAGE), seen: new Map([['a', day(5)]]) });
  t.same(readdirSync(directory), [file]);
  t.match(readFileSync(join(directory, file), 'utf8'), '"a"');

  mkdirSync(lock);
  utimesSync(lock, 1, 1);
  await cache.save({ ...emptyKnowledge(IMAGE), seen: new Map([['b', day(5)]]) });
  t.match(readFileSync(join(directory, file), 'utf8'), '"b"', 'one that cannot be removed is not waited for for ever');
});

t.test('processes share a file and lose nothing', async (t) => {
  const directory = fresh();
  const modules = ['cache', 'knowledge'].map(
    (name) => pathToFileURL(join(import.meta.dirname, `../../registry/${name}.ts`)).href,
  );
  const script = `
    const [{ diskCache }, { emptyKnowledge }] = await Promise.all(${JSON.stringify(modules)}.map((each) => import(each)));
    const cache = diskCache(${JSON.stringify(directory)}, { now: () => ${now.now()} });
    for (let i = 0; i < 25; i++) {
      const seen = new Map([['shared', process.argv[1] === '1' && i === 12 ? '${day(1)}' : '${day(50)}'], [\`p\${process.argv[1]}-\${i}\`, '${day(50)}']]);
      await cache.save({ ...emptyKnowledge('${IMAGE}'), seen });
    }
    if (cache.notes().length > 0) process.exit(3);
  `;
  const ends = await Promise.all(
    ['0', '1', '2'].map(async (number) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, number], {
        stdio: 'inherit',
        timeout: 60_000,
      });
      const [code] = (await once(child, 'close')) as [number | null];
      return code;
    }),
  );
  t.same(ends, [0, 0, 0]);
  const { seen } = await diskCache(directory, now).load(IMAGE);
  t.equal(seen.size, 76);
  t.equal(seen.get('shared'), day(1));
});

t.test('where it is', async (t) => {
  t.equal(cacheDirectory({ IMAGE_UPDATE_CACHE: '/c', XDG_CACHE_HOME: '/x' }), '/c');
  t.equal(cacheDirectory({ XDG_CACHE_HOME: '/x' }), '/x/image-update');
  t.match(cacheDirectory({ XDG_CACHE_HOME: 'relative' }), /\/\.cache\/image-update$/);
});
