// What pull requests say: title, body, mark, links; and that nobody but us says anything by them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import markdownIt from 'markdown-it';
import t from 'tap';
import { forgeOf } from '../../cli/pull-request.ts';
import { pullRequestGroup } from '../../cli/spec.ts';
import { GivenAnswers } from '../../job/answers.ts';
import type { Change } from '../../job/change.ts';
import { explain } from '../../job/pull-request/explain.ts';
import { bodyOf, titleOf, type BodyData, type Facts } from '../../job/pull-request/body.ts';
import { compareLink } from '../../job/pull-request/compare.ts';
import { changesMark, markText, readMark, withoutChanges } from '../../job/pull-request/mark.ts';
import { code, plain } from '../../job/pull-request/markdown.ts';
import { readWishes } from '../../job/pull-request/options.ts';
import { proposalsOf } from '../../job/pull-request/proposal.ts';
import { gatherFacts, textOf } from '../../job/pull-request/text.ts';
import { checkJob } from '../../job/read.ts';
import { root } from '../../scripts/build.ts';
import { change, two } from '../fixtures/job/changes.ts';
import { compareCases, facts, hostile, labels, titles, told, wholeBody } from '../fixtures/job/pull-requests.ts';
import { minimal } from '../fixtures/job/specs.ts';

const runs = process.env['QUICK'] ? 100 : 1000;

function data(changes: readonly Change[], known: [Change, Facts][] = [], more: Partial<BodyData> = {}): BodyData {
  return { changes, files: ['x.yaml'], facts: new Map(known), warnings: [], ...more };
}

const ROOM = 65_536;

t.test('titles and bodies', async (t) => {
  for (const [changes, group, wanted] of titles) t.equal(titleOf({ changes, files: ['x.yaml'] }, group), wanted);
  const long = change(`ghcr.io/${'a'.repeat(250)}`, '1');
  t.ok(titleOf({ changes: [long], files: [] }).length <= 201, 'a title has a bound');
  const warnings = ['apps/old.yaml:3: warning: Deployment shop/old app: it is locked'];
  t.equal(bodyOf(data([told.web, told.pinned], [[told.web, facts]], { warnings }), ROOM), wholeBody);
  t.match(bodyOf(data([]), ROOM), /^Updates 1 file\.\n\n- `x\.yaml`\n\n---/, 'what is about no image');
  t.match(
    bodyOf(data([told.lone, told.moved]), ROOM),
    /`1\.0\.0` \| `1\.1\.0` \| `ImagePolicy flux\/lone` \| `apps\/lone\.yaml` `app` `tag` \|\n\| `nginx` \| `1\.0` \| `docker\.io\/library\/nginx:1\.1`/,
  );
  const foreign = { commit: 'a'.repeat(40), author: 'Ann <b>' };
  t.match(bodyOf(data(two, [], { foreign }), ROOM), /Commit `aaaaaaaaaaaa` of `Ann <b>` stands on this branch/);
});

t.test('a body has a bound, and is cut at a row', async (t) => {
  const many = Array.from({ length: 2000 }, (_, i) => change(`ghcr.io/acme/app-${i}`, '1.2.0'));
  const known = many.map((one): [Change, Facts] => [one, facts]);
  const warnings = Array.from({ length: 1000 }, (_, i) => `warning ${i}`);
  for (const room of [ROOM, 5000, 1000, 400]) {
    const body = bodyOf(data(many, known, { warnings }), room);
    t.ok(body.length <= room, `${body.length} of ${room}`);
    const rows = body.match(/^\| `.*\|$/gm)?.length ?? 0;
    if (room > 400)
      t.match(
        body,
        new RegExp(`\\n\\n${2000 - rows} more changes in the diff\\.\\n`),
        `${rows} rows, and how many more there are`,
      );
    t.match(body, /not proposed again\.$/);
  }
  t.match(bodyOf(data(two, [], { warnings }), ROOM), /- `warning 19`\n- and 980 more\n\n<\/details>/);
});

t.test('templates', async (t) => {
  const job = checkJob(minimal, 'job');
  const of = (title: string, body: string, room = ROOM) => {
    const options = readWishes({ title, body }, job.spec);
    const [proposal] = proposalsOf(
      { parts: [{ changes: two, files: [{ path: 'a.yaml', content: Buffer.from('x') }] }], edits: [], results: [] },
      job,
      options,
    );
    return textOf(job, options, proposal!, { facts: new Map(), warnings: [] }, room);
  };
  const { title, body } = of(
    '{{imageCount}} of {{branch}}\nmore',
    'See {{#workloads}}{{.}} {{/workloads}}\n\n{{report}}',
  );
  t.equal(title, '2 of image-update/all', 'a title is one line');
  t.match(body, /^See `shop:deployment\/api` `shop:deployment\/web`\n\nUpdates 2 images/);
  t.match(
    of('x', '{{#changes}}{{file}}\n{{/changes}}{{report}}', 60).body,
    /^`apps\/web\.yaml`\n`apps\/api\.yaml`\n…$/,
  );
  t.equal(of('{{#changes}}{{{container}}}{{/changes}}', 'x').title, 'appapp');
});

t.test('the page that compares two sources', async (t) => {
  for (const [from, to, wanted] of compareCases)
    t.equal(compareLink(labels(from), labels(to)), wanted, JSON.stringify([from, to]));
  const asked: string[] = [];
  const found = await gatherFacts([told.web, { ...told.web }, told.pinned], {
    async labelsOf(image, reference) {
      asked.push(`${image} ${reference.slice(0, 12)}`);
      if (image.endsWith('api')) throw new Error('the registry is away');
      return labels(['https://github.com/acme/web', reference]);
    },
    facts: async (one) =>
      one === told.pinned ? Promise.reject(new Error('no')) : { ...(facts.since && { since: facts.since }) },
  });
  t.equal(found.get(told.web)?.compare, 'https://github.com/acme/web/compare/1.3.9...1.4.10');
  t.strictSame(found.get(told.pinned), {}, 'what cannot be found out is left out');
  t.same(
    asked.toSorted(),
    [
      'ghcr.io/acme/api sha256:11111',
      'ghcr.io/acme/api sha256:22222',
      'ghcr.io/acme/web 1.3.9',
      'ghcr.io/acme/web 1.4.10',
    ],
    'each is asked for once',
  );
});

/** What is recorded of the tag 1.2.0 by a scan of noon, and since when a body says that it is there. */
const TIMES: [tag: string, since: unknown][] = [
  ['', undefined],
  [
    'pushed: "2026-11-01T10:00:00Z", created: "2026-10-01T10:00:00Z"',
    { time: '2026-11-01T10:00:00Z', clock: 'pushed' },
  ],
  ['created: "2026-10-01T10:00:00Z"', { time: '2026-10-01T10:00:00Z', clock: 'created' }],
  ['firstSeen: "2026-11-02T12:00:00Z"', { time: '2026-11-02T12:00:00Z', clock: 'firstSeen' }],
  ['firstSeen: "2026-11-03T12:00:00Z"', undefined],
  ['firstSeen: "2026-11-03T12:00:00Z", created: "1970-01-01T00:00:00Z"', undefined],
  [
    'firstSeen: "2026-11-02T12:00:00Z", created: "2026-11-02T10:00:00Z"',
    { time: '2026-11-02T12:00:00Z', clock: 'firstSeen' },
  ],
];

t.test('since when a tag is there', async (t) => {
  for (const [tag, since] of TIMES) {
    const text = `apiVersion: image-update.dev/v1alpha1
kind: ImageMetadata
metadata: {name: web}
image: ghcr.io/acme/web
complete: true
scannedAt: "2026-11-03T12:00:00Z"
tags: [{name: 1.2.0, ${tag}}]
`;
    const given = new GivenAnswers([{ name: 'm.yaml', text, hash: text }]);
    const change = { file: 'a', object: 'b', field: 'c', image: 'ghcr.io/acme/web', policy: 'semver:*' };
    const moved = { ...change, from: 'ghcr.io/acme/web:1.0.0', to: 'ghcr.io/acme/web:1.2.0' };
    const facts = await explain(moved, { answers: await given.take(), lookup: undefined });
    t.match(facts, { account: { chosen: '1.2.0' } }, tag);
    t.strictSame(facts.since, since, tag);
  }
});

t.test('marks', async (t) => {
  const mark = { job: '0123456789abcdef', changes: 'fedcba9876543210', draft: true };
  t.strictSame(readMark(`text\n\n${markText(mark)}\n`), mark);
  t.strictSame(readMark(withoutChanges(`text ${markText(mark)}`)), { job: mark.job, draft: true });
  t.equal(readMark('<!-- image-update: job=1 -->'), undefined);
  t.equal(withoutChanges('of a person'), 'of a person');
  const [web, api] = two as [Change, Change];
  t.equal(changesMark([web, api], []), changesMark([api, web], []), 'in any order');
  t.equal(changesMark([{ ...web, from: 'other' }], []), changesMark([web], []), 'what stood there does not count');
  t.not(changesMark([{ ...web, to: 'ghcr.io/acme/web:2' }], []), changesMark([web], []));
  const file = (text: string) => [
    { path: 'a', content: Buffer.from(text) },
    { path: 'b', content: null },
  ];
  t.not(changesMark([], file('x')), changesMark([], file('y')), 'of whole files their content counts');
});

/** Any UTF-16 units: fast-check's own take seconds to be made ready. */
const odd = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 4 })
  .map((units) => String.fromCharCode(...units));
const stranger = fc
  .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ maxLength: 8 }), odd), { maxLength: 6 })
  .map((parts) => parts.join(''));
const strange = fc
  .record({
    file: stranger,
    object: stranger,
    field: stranger,
    container: stranger,
    image: stranger,
    from: stranger,
    to: stranger,
    policy: stranger,
  })
  .map((texts): Change => texts);

/** All that a body says in its own words. */
const OURS =
  /Commits of others on this branch are kept\. Turned down without a merge, the same changes are not proposed again\.|stands on this branch, so it is added to and not made anew\.|Not updated, and what else to know|Other candidates|turned away|Updates|images?|places?|files?|Image|From|Policy|Where|Digests|Commit|next|in|of|by|To/g;
const TAGS = new Set([
  'p',
  'table',
  'thead',
  'tbody',
  'tr',
  'th',
  'td',
  'details',
  'summary',
  'ul',
  'li',
  'hr',
  'code',
]);
/** What GitLab, which looks into code too, takes for an order. */
const CLOSES = /\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?):?\s+\S/i;

t.test('whatever strangers write, a body has its structure and its own words alone', async () => {
  const markdown = markdownIt({ html: true, linkify: true });
  const changes = fc.array(strange, { minLength: 1, maxLength: 4 });
  const holds = (changes: Change[], warnings: string[], author: string) => {
    const accounts = changes.map((one): [Change, Facts] => [
      one,
      {
        account: {
          chosen: null,
          candidates: [one.to, one.from],
          rejected: [{ tag: one.to, rule: 'filter' }],
          counts: { filter: 1 },
        },
      },
    ]);
    const body = bodyOf(data(changes, accounts, { warnings, foreign: { commit: 'abc', author } }), ROOM);
    const html = markdown.render(body);
    const tags = [...html.matchAll(/<(\/?)([a-z0-9]+)([^>]*)>/gi)];
    for (const [tag, , name = '', attributes] of tags)
      if (!TAGS.has(name) || attributes) throw new Error(`a tag: ${tag}`);
    const count = (name: string) => tags.filter(([, end, tag]) => end === '' && tag === name).length;
    if (count('table') !== 1 || count('tr') !== changes.length + 1 || count('td') !== changes.length * 5)
      throw new Error(`another table: ${html}`);
    const said = html
      .replaceAll(/<code>[^<]*<\/code>/g, '')
      .replaceAll(/<[^>]*>/g, '\n')
      .replaceAll(OURS, '');
    if (/[^\s\d,;():.—]/.test(said)) throw new Error(`said outside of code: ${JSON.stringify(said)}`);
    if (CLOSES.test(body)) throw new Error(`an order: ${CLOSES.exec(body)?.[0]}`);
    return !/[#!]\w|<!--|:\/\//.test(body);
  };
  fc.assert(fc.property(changes, fc.array(stranger, { maxLength: 3 }), stranger, holds), { numRuns: runs });
  const isTame = (text: string) => {
    const title = plain(text);
    return (
      !/[\p{Cc}\u2028\u2029]/u.test(title) && !/[@#!]\w/.test(title) && !CLOSES.test(title) && code(text).length <= 500
    );
  };
  fc.assert(fc.property(stranger, isTame), { numRuns: runs });
});

t.test('options', async (t) => {
  const page = readFileSync(join(root, 'docs/pull-requests.md'), 'utf8');
  for (const { flags } of pullRequestGroup.options) {
    const [long = ''] = flags.split(' ');
    t.match(page, new RegExp(`^\\| .*\`${long}\\b`, 'm'), `${long} is documented`);
  }

  const url = 'https://git.example.com/acme/config';
  await t.rejects(forgeOf(url, {}, {}), { name: 'GitError', message: /--forge github/ });
  await t.rejects(forgeOf(url, { forge: 'gitea' }, { GIT_CA_FILE: '/nowhere' }), {
    name: 'InputError',
    message: /GIT_CA_FILE/,
  });
  t.equal(
    (await forgeOf(url, { forge: 'gitea', forgeUrl: 'https://git.example.com' }, { FORGE_TOKEN: 'x' })).type,
    'gitea',
  );
});
