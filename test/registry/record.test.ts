import fc from 'fast-check';
import { load } from 'js-yaml';
import t from 'tap';
import { parse } from 'yaml';
import { Answers } from '../../fn/lookup/answers.ts';
import type { ImageMetadata, TagMetadata } from '../../fn/lookup/metadata.ts';
import { addFile } from '../../fn/lookup/read.ts';
import { choose } from '../../fn/policy/choose.ts';
import { compilePattern } from '../../fn/policy/pattern.ts';
import { compilePolicy } from '../../fn/policy/policy.ts';
import { uniteMetadata, writeMetadata } from '../../registry/record.ts';
import { day } from './fake.ts';

const RUNS = process.env['QUICK'] ? 0.1 : 1;
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const OTHER = `sha256:${'cd'.repeat(32)}`;

async function readBack(text: string, image: string): Promise<ImageMetadata> {
  const answers = new Answers();
  await addFile(answers, text, 'record');
  if (answers.notes.length > 0) throw new Error(JSON.stringify(answers.notes));
  return answers.metadata(image)!;
}

t.test('documents', async (t) => {
  const app: ImageMetadata = {
    image: 'ghcr.io/org/app_x',
    scannedAt: day(9),
    complete: true,
    tags: [
      { name: '1.10', platforms: ['linux/arm64', 'linux/amd64'], firstSeen: day(8), digest: DIGEST, created: day(1) },
      { name: '1.10.0' },
      { name: 'on', pushed: day(2) },
      { name: '1e3' },
      { name: '0x1f' },
      { name: '12_000' },
      { name: '2026-01-01' },
    ],
  };
  const nginx: ImageMetadata = { image: 'nginx', complete: false, tags: [] };
  t.equal(
    writeMetadata([app, nginx]),
    `apiVersion: image-update.dev/v1alpha1
kind: ImageMetadata
metadata: {name: docker.io-library-nginx}
image: nginx
complete: false
tags: []
---
apiVersion: image-update.dev/v1alpha1
kind: ImageMetadata
metadata: {name: ghcr.io-org-app-x}
image: ghcr.io/org/app_x
scannedAt: "2026-01-10T00:00:00Z"
complete: true
tags:
- {name: "0x1f"}
- {name: "1.10", digest: ${DIGEST}, created: "2026-01-02T00:00:00Z", firstSeen: "2026-01-09T00:00:00Z", platforms: [linux/arm64, linux/amd64]}
- {name: 1.10.0}
- {name: "12_000"}
- {name: "1e3"}
- {name: "2026-01-01"}
- {name: "on", pushed: "2026-01-03T00:00:00Z"}
`,
  );
  const json = writeMetadata([app, nginx], 'json');
  t.same(
    (JSON.parse(json) as ImageMetadata[]).map(({ tags }) => tags),
    [[], app.tags.toSorted((a, b) => (a.name < b.name ? -1 : 1))],
  );
  t.equal(json.split('\n').length, 1 + app.tags.length + 1 + 1, 'a tag a line');
  t.equal(writeMetadata([]), '');
  t.equal(writeMetadata([], 'json'), '[]\n');
});

const time = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((n) => day(n / 4)),
  fc.constantFrom('1970-01-01T00:00:00Z', '2026-01-03T00:00:00.123456789Z', '2026-01-04T02:00:00+02:00'),
);
const tagName = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^(?:v?[0-9]\.[0-9]{1,2}(?:\.[0-9])?|b-[0-9]{1,2}|latest)$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z0-9_][\w.-]{0,6}$/) },
  { weight: 1, arbitrary: fc.constantFrom('null', 'true', 'no', '1e3', '0o7', '1_0', '2026-01-01', '.5', '0x1', 'e5') },
);
const tagMetadata = fc.record(
  {
    name: tagName.filter((name) => /^\w/.test(name)),
    digest: fc.constantFrom(DIGEST, OTHER),
    created: time,
    pushed: time,
    firstSeen: time,
    platforms: fc.uniqueArray(fc.constantFrom('linux/amd64', 'linux/arm64', 'linux/arm/v7'), { minLength: 1 }),
  },
  { requiredKeys: ['name'] },
);
const metadatas: fc.Arbitrary<ImageMetadata> = fc.record({
  image: fc.constantFrom('nginx', 'ghcr.io/org/app', 'localhost:5000/a/b_c', '10.0.0.1:5000/x'),
  scannedAt: fc.constantFrom(day(9), day(11)),
  complete: fc.boolean(),
  tags: fc.uniqueArray(tagMetadata as fc.Arbitrary<TagMetadata>, { selector: ({ name }) => name, maxLength: 12 }),
});
const rules = [
  compilePattern('glob:*'),
  compilePattern('semver:*'),
  compilePattern('regexp:^b-'),
  compilePolicy({ policy: { newest: { order: 'desc' } } }),
  compilePolicy({ policy: { semver: { range: '*' } }, minimumAge: '36h' }),
  compilePolicy({ policy: { alphabetical: {} } }),
  compilePolicy({ policy: { numerical: {} }, filter: { regexp: '^b-(.*)$', extract: '$1' } }),
].flatMap((rule) => ('error' in rule ? [] : [rule]));

t.test('a record chooses as what it was made of', async (t) => {
  t.equal(rules.length, 7);
  await fc.assert(
    fc.asyncProperty(
      metadatas,
      fc.option(tagName),
      fc.constantFrom('yaml' as const, 'json' as const),
      async (made, tag, format) => {
        // A scan gives its tags sorted: what was rejected is told in that order.
        const live = { ...made, tags: made.tags.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
        const text = writeMetadata([made], format);
        const back = await readBack(text, live.image);
        t.same(back, live);
        t.equal(writeMetadata([back], format), text);
        const current = tag === null ? undefined : { tag };
        for (const rule of rules) t.same(choose(rule, back, current), choose(rule, live, current), rule.text);
      },
    ),
    { numRuns: 300 * RUNS },
  );
});

t.test('other readers of YAML see the same texts', async (t) => {
  fc.assert(
    fc.property(metadatas, (made) => {
      const text = writeMetadata([made]);
      const tags = made.tags.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      t.match(load(text), { image: made.image, scannedAt: made.scannedAt, tags });
      for (const version of ['1.1', '1.2'] as const) t.match(parse(text, { version }), { tags }, version);
    }),
    { numRuns: 200 * RUNS },
  );
});

t.test('a new scan in an earlier record', async (t) => {
  const tag = { name: 'a', digest: DIGEST, created: day(1), firstSeen: day(2), platforms: ['linux/amd64'] };
  const earlier: ImageMetadata = {
    image: 'nginx',
    scannedAt: day(5),
    complete: true,
    tags: [tag, { name: 'b', firstSeen: day(4) }],
  };
  const scanned = (days: number, tags: TagMetadata[], more: Partial<ImageMetadata> = {}) =>
    uniteMetadata(earlier, { image: 'docker.io/library/nginx', scannedAt: day(days), complete: true, tags, ...more });
  const same = [
    { name: 'b', firstSeen: day(5) },
    { name: 'a', firstSeen: day(5) },
  ];
  t.same(scanned(5.5, same), earlier, 'nothing new: the very record');
  t.same(scanned(6.5, same), { ...earlier, scannedAt: day(6.5) }, 'but a day later it says so');
  t.same(scanned(5.5, [tag]), { ...earlier, scannedAt: day(5.5), tags: [tag] }, 'what is gone is gone');
  t.equal(scanned(5.5, same, { complete: false }).scannedAt, day(5.5));
  t.same(
    scanned(5.5, [{ name: 'a', digest: OTHER, firstSeen: day(5) }]).tags,
    [{ name: 'a', digest: OTHER, firstSeen: day(2) }],
    'another image: nothing known of the old one stays, but that the tag was there',
  );
  t.same(scanned(5.5, [{ name: 'a', created: day(3) }]).tags, [{ name: 'a', created: day(3), firstSeen: day(2) }]);
  t.same(scanned(5.5, [{ name: 'a', created: day(1) }]).tags, [tag]);
  t.equal(
    scanned(5.5, [{ name: 'b', digest: DIGEST, created: day(1) }]).tags[0]?.created,
    day(1),
    'what is newly known is taken',
  );
  fc.assert(
    fc.property(metadatas, metadatas, (a, b) => {
      const united = uniteMetadata(a, b);
      t.same(uniteMetadata(united, b), united, 'once more is no more');
      t.equal(writeMetadata([uniteMetadata(united, united)]), writeMetadata([united]));
    }),
    { numRuns: 300 * RUNS },
  );
});
