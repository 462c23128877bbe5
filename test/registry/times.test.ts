import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import t from 'tap';
import type { CredentialSource } from '../../registry/credentials.ts';
import type { Http } from '../../registry/http.ts';
import { createScanner } from '../../registry/scan.ts';
import { compilePolicy } from '../../fn/policy/policy.ts';
import { choose } from '../../fn/policy/choose.ts';
import { ecrTimes } from '../../registry/times/ecr.ts';
import { pushTimeReaders } from '../../registry/times/readers.ts';
import { A, B, vendors, type Answers } from '../fixtures/registry/times.ts';
import { counted } from '../fixtures/registry/scan.ts';
import { clockAt, day, FakeRegistry } from './fake.ts';

/** Plain requests to loopback, which is all that is wanted of the network here. */
const http: Http = {
  async send({ method, url, headers = {}, body }) {
    const sent = request(url, { method, headers: { ...headers } });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, headers: {}, body: await buffer(answer), url };
  },
};

let answers: Answers = {};
let asked: { line: string; authorization: string | undefined; target: string | undefined }[] = [];
const server = createServer(
  (incoming, outgoing) => void answer(incoming).then(([status, body]) => outgoing.writeHead(status).end(body)),
);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
t.teardown(() => server.close());

async function answer(incoming: IncomingMessage): Promise<[number, string]> {
  const sent = await text(incoming);
  const target = incoming.headers['x-amz-target'] as string | undefined;
  const line =
    incoming.method === 'GET'
      ? (incoming.url ?? '')
      : `${incoming.method} ${incoming.url} ${target === undefined ? sent : sorted(sent)}`;
  asked.push({ line, authorization: incoming.headers.authorization, target });
  const said = answers[line];
  if (said === undefined) return [404, '{}'];
  return [200, typeof said === 'string' ? said : JSON.stringify(said)];
}

t.test('vendors', async (t) => {
  for (const each of vendors(origin)) {
    answers = each.answers;
    asked = [];
    const source: CredentialSource = {
      name: 'test',
      find: async (host, path) => (host === each.host && path === each.path ? each.credentials : undefined),
    };
    const readers = pushTimeReaders({ http, credentials: source, origin: () => origin });
    const [reader, ...others] = readers.filter((reader) => reader.serves(each.host, each.challenge));
    t.same(others, [], `${each.about}: one reader`);
    const pushes = await reader!.read(each, { tags: new Set(each.wanted), enough: each.enough }, each.challenge);
    const read =
      pushes &&
      Object.fromEntries(
        [...pushes.tags].map(([tag, { pushed, digest }]) => [tag, digest === undefined ? [pushed] : [pushed, digest]]),
      );
    t.same(read, each.tags, each.about);
    t.equal(pushes?.othersBefore, each.othersBefore, `${each.about}: the others`);
    t.equal(asked.length, each.requests, `${each.about}: requests`);
    t.equal(asked.at(-1)?.authorization, each.authorization, `${each.about}: login`);
  }
  const readers = pushTimeReaders({ http });
  for (const host of [
    'ghcr.io',
    'registry.example',
    'localhost:5000',
    'azurecr.io.example',
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
  ])
    t.notOk(
      readers.some((reader) => reader.serves(host, { realm: 'https://x.example/token', service: host })),
      host,
    );
});

t.test('pages are bounded, and an API that never ends is left', async (t) => {
  const [hub] = pushTimeReaders({ http, origin: () => origin });
  asked = [];
  answers = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [
      `/v2/repositories/org/app/tags?page_size=100&page=${i + 1}&ordering=last_updated`,
      { next: 'more', results: [{ name: `t${i}`, tag_last_pushed: day(100 - i), digest: A }] },
    ]),
  );
  const pushes = await hub!.read(
    { host: 'docker.io', path: 'org/app' },
    { tags: new Set(['z']), enough: 1 },
    undefined,
  );
  t.equal(asked.length, 10);
  t.equal(pushes?.othersBefore, day(91));
});

t.test('ECR, by its SDK', async (t) => {
  const repository = { host: '123456789012.dkr.ecr.eu-west-1.amazonaws.com', path: 'team/app' };
  const reader = ecrTimes({ endpoint: origin, credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'canary' } });
  t.ok(reader.serves(repository.host, undefined));
  t.ok(reader.serves('123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', undefined));
  t.ok(reader.serves('123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', undefined));
  t.notOk(reader.serves('123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example', undefined));
  const ask = (more: object) =>
    `POST / ${sorted(JSON.stringify({ filter: { tagStatus: 'TAGGED' }, maxResults: 1000, ...more, registryId: '123456789012', repositoryName: 'team/app' }))}`;
  asked = [];
  const pages = [
    { imageDetails: [{ imageTags: ['v2', 'latest'], imageDigest: A, imagePushedAt: 1767312000 }], nextToken: 'next' },
    { imageDetails: [{ imageTags: ['v1'], imageDigest: B, imagePushedAt: 1767225600.5 }, { imageTags: ['odd'] }] },
  ];
  answers = { [ask({})]: pages[0], [ask({ nextToken: 'next' })]: pages[1] };
  const pushes = await reader.read(repository, { tags: new Set(), enough: 1 }, undefined);
  t.same(
    asked.map(({ target }) => target),
    Array(2).fill('AmazonEC2ContainerRegistry_V20150921.DescribeImages'),
  );
  t.same(
    [...(pushes?.tags ?? [])],
    [
      ['v2', { pushed: '2026-01-02T00:00:00Z', digest: A }],
      ['latest', { pushed: '2026-01-02T00:00:00Z', digest: A }],
      ['v1', { pushed: '2026-01-01T00:00:00.500Z', digest: B }],
    ],
  );
  answers = {};
  t.equal(await reader.read(repository, { tags: new Set(), enough: 1 }, undefined), undefined, 'a failure is no error');
});

/** JSON with its keys in order: the SDK's own order is nobody's promise. */
function sorted(json: string): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(JSON.parse(json) as object).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
}

t.test('with push times a search ends where the rest was pushed before the best was built', async (t) => {
  const tags = counted(
    300,
    (i) => `branch-${String.fromCharCode(97 + (i % 26))}${'xyz'[i % 3]}${i}q`,
    (i) => i / 10,
  );
  const registry = new FakeRegistry(tags);
  const byAge = Object.keys(tags).toReversed();
  const page = (number: number) => ({
    next: 'more',
    results: byAge.slice((number - 1) * 100, number * 100).map((name) => ({
      name,
      tag_last_pushed: day((tags[name] as number) + 0.05),
      digest: registry.digestOf(name),
    })),
  });
  answers = Object.fromEntries(
    [1, 2, 3].map((number) => [
      `/v2/repositories/org/app/tags?page_size=100&page=${number}&ordering=last_updated`,
      page(number),
    ]),
  );
  asked = [];
  const rule = compilePolicy({ policy: { newest: {} } });
  if ('error' in rule) throw new Error(rule.error.message);
  const scanner = createScanner({
    registry,
    pushTimes: pushTimeReaders({ http, origin: () => origin }),
    clock: clockAt(40),
  });
  const { metadata, notes } = await scanner.scan('org/app', [{ rule }]);
  t.equal(choose(rule, metadata).chosen?.name, byAge[0]);
  t.equal(asked.length, 1, 'one page');
  t.equal(registry.requests, 5, 'the listing, and two tags');
  t.same(notes, []);
  t.equal(metadata.tags.filter(({ pushed }) => pushed).length, 100);
});
