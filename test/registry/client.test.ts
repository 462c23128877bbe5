// The protocol: listings in all dialects, manifests, logins. Canaries: no credential may come where it does not belong.
import t from 'tap';
import { readChallenges } from '../../registry/challenge.ts';
import { createRegistry } from '../../registry/client.ts';
import type { Credentials, CredentialSource } from '../../registry/credentials.ts';
import { nextLink, resolveNext } from '../../registry/link.ts';
import { createHttp, type HttpOptions, type Network } from '../../registry/network.ts';
import type { Registry, Repository } from '../../registry/registry.ts';
import { listTags } from '../../registry/tags.ts';
import { challenges } from '../fixtures/registry/challenges.ts';
import { links, nextPages, PAGE } from '../fixtures/registry/links.ts';
import { googleFacts, googleList, listings } from '../fixtures/registry/listings.ts';
import { fakeClock, type FakeClock } from './clock.ts';
import { digestOf, makeImage, makeIndex } from './images.ts';
import { answer, fault, shelves, startScripted, type Script, type Scripted } from './scripted.ts';
import { certificates, cannotStart } from './servers.ts';

type Test = Pick<typeof t, 'teardown'>;

async function scripted(t: Test, script: Script, options?: Parameters<typeof startScripted>[1]): Promise<Scripted> {
  const server = await startScripted(script, options);
  t.teardown(() => server.stop());
  return server;
}

interface Setup {
  registry: Registry;
  http: Network;
  clock: FakeClock;
}

/** A registry room that knows these servers, and the credentials of each host; without a rate. */
function setUp(
  t: Test,
  servers: readonly Scripted[],
  credentials: Record<string, Credentials> = {},
  options: HttpOptions = {},
): Setup {
  const insecure = servers.filter(({ origin }) => origin.startsWith('http:')).map(({ host }) => host);
  const clock = fakeClock();
  const http = createHttp({ insecure, clock, environment: {}, ...options });
  t.teardown(() => http.close());
  const source: CredentialSource = { name: 'the test', find: async (host) => credentials[host] };
  return { registry: createRegistry({ http, credentials: source, insecure, clock }), http, clock };
}

function repo({ host }: Scripted, path = 'team/app'): Repository {
  return { host, path };
}

const BASIC: Credentials = { kind: 'basic', username: 'user', password: 'canary-password' };
const HEADER = `Basic ${Buffer.from('user:canary-password').toString('base64')}`;

t.test('challenges', async (t) => {
  for (const [headers, expected] of challenges) t.same(readChallenges(headers), expected, JSON.stringify(headers));
});

t.test('links', async (t) => {
  for (const [headers, target] of links) t.equal(nextLink(headers), target, JSON.stringify(headers));
  for (const [link, expected, from = PAGE] of nextPages) {
    const next = resolveNext(link, new URL(from), new URL(from));
    if (typeof expected === 'string') t.equal('href' in next && next.href, expected, link);
    else t.match('problem' in next && next.problem, expected, link);
    if ('problem' in next) t.notMatch(next.problem, 'hunter22');
  }
});

t.test('listings, right and wrong', async (t) => {
  for (const { name, page, tags, dropped = 0, problem, error, requests } of listings) {
    let turn = 0;
    const server = await scripted(t, (request, response) => page(request, response, turn++));
    const { registry } = setUp(t, [server]);
    const list = await registry.tags(repo(server)).catch((error: unknown) => error);
    if (error) t.match(list, { name: 'RegistryError', ...error }, name);
    else t.match(list, { tags: { length: tags?.length }, dropped, complete: problem === undefined }, name);
    if (tags) t.same((list as { tags: unknown }).tags, tags, name);
    if (problem) t.match(list, { problem }, name);
    if (requests !== undefined) t.equal(server.seen.length, requests, `${name}: requests`);
    t.same(server.authorizations, [], name);
  }
});

t.test('what Google tells beside the names', async (t) => {
  const server = await scripted(t, (_, response) => answer(response, 200, googleList));
  const { facts, ...list } = await setUp(t, [server]).registry.tags(repo(server));
  t.same(Object.fromEntries(facts ?? []), googleFacts);
  t.same(list, { tags: googleList.tags, dropped: 0, complete: true });
});

t.test('bounds of a listing', async (t) => {
  const url = new URL('https://r.test/v2/a/tags/list');
  const pages = async (page: URL, maxBytes: number) => {
    const last = Number(page.searchParams.get('last') ?? 0);
    const body = Buffer.from(JSON.stringify({ tags: [`${last + 1}`, `${last + 2}`] }));
    t.ok(maxBytes > 0);
    return { status: 200, headers: { link: [`<?last=${last + 2}>; rel="next"`] }, body, url: page };
  };
  const bounds = { pages: 10, tags: 100, bytes: 10_000 };
  t.match(await listTags(url, pages, bounds), {
    complete: false,
    problem: 'it has more than 10 pages',
    tags: { length: 20 },
  });
  t.match(await listTags(url, pages, { ...bounds, tags: 7 }), {
    complete: false,
    problem: 'it has more than 7 tags',
    tags: { length: 7 },
  });
  t.match(await listTags(url, pages, { ...bounds, bytes: 100 }), {
    complete: false,
    problem: 'its pages have more than 100 bytes',
  });
});

t.test('100,000 tags in little memory, in one page or a hundred', async (t) => {
  const tags = Array.from({ length: 100_000 }, (_, index) => `v1.${index}.0-build.${index * 7}`);
  const server = await scripted(t, shelves({ one: { tags } }));
  const paged = await scripted(t, shelves({ one: { tags } }, 1000));
  // This server takes no size of a page, as docker-registry does.
  const whole = Buffer.from(JSON.stringify({ name: 'one', tags }));
  server.script = (_, response) => answer(response, 200, whole);
  for (const [one, requests] of [
    [server, 1],
    [paged, 100],
  ] as const) {
    const { registry } = setUp(t, [one]);
    const list = await registry.tags(repo(one, 'one'));
    t.equal(list.complete, true);
    t.equal(list.tags.length, tags.length);
    t.equal(list.tags.join(), tags.join());
    t.equal(one.seen.length, requests);
  }
});

const amd = makeImage({ created: '2026-01-01T00:00:00Z', labels: { a: 'b' } });
const arm = makeImage({ platform: 'linux/arm64/v8' });
const images = {
  index: makeIndex([amd, arm], { annotations: { x: 'y' } }),
  list: makeIndex([amd], { kind: 'docker' }),
  oci: amd,
  docker: makeImage({ kind: 'docker', content: 'docker' }),
};
const shelf = { 'team/app': { tags: Object.keys(images), images } };

t.test('manifests, digests and blobs', async (t) => {
  const server = await scripted(t, shelves(shelf));
  const { registry } = setUp(t, [server]);
  for (const [tag, image] of Object.entries(images)) {
    t.equal(await registry.digest(repo(server), tag), image.digest, tag);
    const expected = { digest: image.digest, mediaType: image.mediaType, body: JSON.parse(image.bytes.toString()) };
    t.same(await registry.manifest(repo(server), tag), expected, tag);
    t.same(await registry.manifest(repo(server), image.digest), expected, `${tag} by digest`);
  }
  t.match(server.seen[0], {
    method: 'HEAD',
    headers: { accept: /oci\.image\.index.*manifest\.list.*oci\.image\.manifest.*manifest\.v2/ },
  });
  const [config = '', layer = ''] = amd.blobs.keys();
  t.match(await registry.blob(repo(server), config), {
    created: '2026-01-01T00:00:00Z',
    config: { Labels: { a: 'b' } },
  });
  await t.rejects(registry.blob(repo(server), layer), { message: /is not JSON/ });
  await t.rejects(registry.blob(repo(server), `sha256:${'0'.repeat(64)}`), { message: /BLOB_UNKNOWN/ });
  await t.rejects(registry.digest(repo(server), 'nope'), { message: /MANIFEST_UNKNOWN|not there/ });
  await t.rejects(registry.manifest(repo(server), 'nope'), { message: /MANIFEST_UNKNOWN/ });
});

t.test('what is not what it says', async (t) => {
  const good = amd.digest;
  const bad = `sha256:${'0'.repeat(64)}`;
  const type = { 'content-type': amd.mediaType };
  const serve = (status: number, body: Buffer | string, headers: Record<string, string>): Script => {
    return ({ method }, response) => answer(response, status, method === 'HEAD' ? undefined : body, headers);
  };
  const server = await scripted(t, () => undefined);
  const { registry } = setUp(t, [server]);
  const [config = ''] = amd.blobs.keys();

  server.script = serve(200, amd.bytes, type);
  t.equal(await registry.digest(repo(server), '1'), good, 'no header: the content is hashed');
  t.same(
    server.seen.map(({ method }) => method),
    ['HEAD', 'GET'],
  );
  t.equal((await registry.manifest(repo(server), '1')).digest, good);
  await t.rejects(registry.manifest(repo(server), bad), { message: /has the digest sha256:.*not used/ });
  await t.rejects(registry.blob(repo(server), config), { message: /has the digest/ });
  await t.rejects(registry.blob(repo(server), `md5:${'0'.repeat(32)}`), { message: /cannot be checked/ });

  server.script = serve(200, amd.bytes, { ...type, 'docker-content-digest': bad });
  await t.rejects(registry.manifest(repo(server), '1'), { message: /has the digest/ });
  server.script = serve(200, amd.bytes, { ...type, 'docker-content-digest': 'none' });
  t.equal(await registry.digest(repo(server), '1'), good);
  server.script = serve(200, amd.bytes, { 'content-type': 'application/json' });
  t.equal(
    (await registry.manifest(repo(server), '1')).mediaType,
    amd.mediaType,
    'the type that the manifest has itself',
  );
  server.script = serve(200, '<html>', type);
  await t.rejects(registry.manifest(repo(server), '1'), { message: /not the JSON of a manifest/ });
  server.script = serve(200, '{}', { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' });
  await t.rejects(registry.manifest(repo(server), '1'), { message: /schema 1/ });
  server.script = serve(200, Buffer.alloc(5_000_000), type);
  await t.rejects(registry.manifest(repo(server), '1'), { message: /longer than/ });

  for (const status of [400, 404, 405, 501]) {
    server.script = ({ method }, response) =>
      method === 'HEAD' ? answer(response, status) : answer(response, 200, amd.bytes, type);
    t.equal(await registry.digest(repo(server), '1'), good, `HEAD answered by ${status}`);
  }
});

t.test('a blob from another host comes without credentials', async (t) => {
  const [config, blob] = [...amd.blobs][0]!;
  const cdn = await scripted(t, (_, response) => answer(response, 200, blob));
  const server = await scripted(t, ({ authorization }, response) => {
    if (authorization !== HEADER) return answer(response, 401, {}, { 'www-authenticate': 'Basic realm="x"' });
    return answer(response, 307, '', { location: `${cdn.origin}/blob?signature=canary` });
  });
  const { registry } = setUp(t, [server, cdn], { [server.host]: BASIC });
  t.match(await registry.blob(repo(server), config), { os: 'linux' });
  t.equal(cdn.seen.length, 1);
  t.same(cdn.authorizations, []);
  cdn.script = (_, response) =>
    answer(response, 403, { errors: [{ code: 'DENIED', message: `no ${HEADER} here, Bearer canary-canary` }] });
  await t.rejects(registry.blob(repo(server), config), { message: /\(403\).*DENIED, no <hidden> here, <hidden>$/ });
});

/** A token server and the registry that it is for. */
interface Issued {
  issuer: Scripted;
  server: Scripted;
  /** Tokens that the registry takes: by token, the path. */
  tokens: Map<string, string>;
}

/** Tokens are good for one repository; the first page of any repository is one tag. */
async function issued(t: Test, answerToken: Record<string, unknown> = {}): Promise<Issued> {
  const tokens = new Map<string, string>();
  let count = 0;
  const issuer = await scripted(t, ({ query, body }, response) => {
    const scope = (query.get('scope') ?? new URLSearchParams(body).get('scope') ?? '').split(':')[1] ?? '';
    const token = `token-${count++}-for-${scope}`;
    tokens.set(token, scope);
    answer(response, 200, { token, expires_in: 300, ...answerToken });
  });
  const server = await scripted(t, ({ path, authorization = '' }, response) => {
    const name = /^\/v2\/(.+)\/(?:tags|manifests)\//.exec(path)?.[1] ?? '';
    if (tokens.get(authorization.slice('Bearer '.length)) === name) return answer(response, 200, { tags: ['a'] });
    const challenge = `Bearer realm="${issuer.origin}/token",service="the service",scope="repository:${name}:pull"`;
    return answer(response, 401, {}, { 'www-authenticate': challenge });
  });
  return { issuer, server, tokens };
}

t.test('tokens: no request is made that need not be', async (t) => {
  const { issuer, server } = await issued(t);
  const { registry, clock } = setUp(t, [server, issuer], { [server.host]: BASIC });
  const paths = Array.from({ length: 50 }, (_, index) => `team/app${index}`);
  const lists = await Promise.all(paths.map((path) => registry.tags(repo(server, path))));
  t.ok(lists.every(({ tags }) => tags[0] === 'a'));
  t.equal(server.seen.length, 51, 'one 401 for all of them');
  t.equal(issuer.seen.length, 50, 'one token each');
  await Promise.all(paths.map((path) => registry.tags(repo(server, path))));
  t.equal(server.seen.length, 101, 'warm: a request is a page');
  t.equal(issuer.seen.length, 50);
  t.same(registry.challenge(server.host), { realm: `${issuer.origin}/token`, service: 'the service' });
  t.equal(registry.challenge('nobody.test'), undefined);
  t.match(issuer.seen[0], { authorization: HEADER, method: 'GET' });
  t.same(
    [...issuer.seen[0]!.query],
    [
      ['service', 'the service'],
      ['scope', 'repository:team/app0:pull'],
      ['account', 'user'],
    ],
  );
  t.ok(
    server.authorizations.every((header) => header.startsWith('Bearer token-')),
    'the password is not for the registry',
  );

  clock.pass(300_000 * 0.8 - 1);
  await registry.tags(repo(server, 'team/app0'));
  t.equal(issuer.seen.length, 50);
  clock.pass(1);
  await registry.tags(repo(server, 'team/app0'));
  t.equal(issuer.seen.length, 51, 'four fifths of its life are over');
  t.equal(server.seen.length, 103, 'and no 401 was needed to see it');

  await t.test('asked for at once, fetched once', async (t) => {
    const before = issuer.seen.length;
    await Promise.all(Array.from({ length: 10 }, () => registry.tags(repo(server, 'team/once'))));
    t.equal(issuer.seen.length, before + 1);
  });
});

t.test('what token servers say', async (t) => {
  const later = new Date(fakeClock().now() + 3_600_000).toISOString();
  const earlier = new Date(fakeClock().now() - 200_000).toISOString();
  const long = new Date(fakeClock().now() - 3_600_000).toISOString();
  /** The answer, and the seconds that its token is used. */
  const cases: [name: string, body: Record<string, unknown>, seconds: number][] = [
    ['no time', { expires_in: undefined }, 48],
    ['no sensible time', { expires_in: 'soon' }, 48],
    ['as text', { expires_in: '100' }, 80],
    ['access_token', { token: undefined, access_token: 'token-0-for-team/app', expires_in: 10 }, 8],
    ['issued before', { issued_at: earlier }, 100],
    ['issued later than now', { issued_at: later }, 240],
    ['issued so long ago that clocks must differ', { issued_at: long }, 240],
  ];
  for (const [name, body, seconds] of cases) {
    const { issuer, server } = await issued(t, body);
    const { registry, clock } = setUp(t, [server, issuer]);
    await registry.tags(repo(server));
    clock.pass(seconds * 1000 - 1);
    await registry.tags(repo(server));
    t.equal(issuer.seen.length, 1, `${name}: used for ${seconds} s`);
    clock.pass(1);
    await registry.tags(repo(server));
    t.equal(issuer.seen.length, 2, `${name}: and no longer`);
    t.same(issuer.authorizations, [], 'anonymous');
  }
  const faults: [body: unknown, status: number, message: RegExp][] = [
    [{}, 200, /gave no token/],
    [{ token: 'two words' }, 200, /gave no token/],
    [{ token: 'line\nbreak' }, 200, /gave no token/],
    ['<html>', 200, /gave no token/],
    [{}, 404, /answered 404/],
    [{}, 500, /answered 500/],
    [{}, 401, /wants a login \(401\), and there are no credentials for it in the test/],
    [{}, 403, /wants a login/],
  ];
  for (const [body, status, message] of faults) {
    const { issuer, server } = await issued(t);
    issuer.script = (_, response) => answer(response, status, body);
    await t.rejects(
      setUp(t, [server, issuer]).registry.tags(repo(server)),
      { message },
      `${status} ${JSON.stringify(body)}`,
    );
  }
});

t.test('refresh tokens, and servers that have one way only', async (t) => {
  const { issuer, server, tokens } = await issued(t);
  const refresh: Credentials = { kind: 'identity-token', token: 'canary-refresh' };
  await setUp(t, [server, issuer], { [server.host]: refresh }).registry.tags(repo(server));
  t.match(issuer.seen, [
    {
      method: 'POST',
      url: '/token',
      authorization: undefined,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
  ]);
  t.same(Object.fromEntries(new URLSearchParams(issuer.seen[0]?.body)), {
    grant_type: 'refresh_token',
    refresh_token: 'canary-refresh',
    service: 'the service',
    scope: 'repository:team/app:pull',
    client_id: 'image-update',
  });
  t.notMatch(JSON.stringify(server.seen), 'canary');

  const give = issuer.script;
  for (const [credentials, method, other] of [
    [refresh, 'POST', 'GET'],
    [BASIC, 'GET', 'POST'],
  ] as const) {
    tokens.clear();
    issuer.seen.length = 0;
    issuer.script = (seen, response) => (seen.method === method ? answer(response, 405) : give(seen, response));
    await setUp(t, [server, issuer], { [server.host]: credentials }).registry.tags(repo(server));
    t.same(
      issuer.seen.map((seen) => seen.method),
      [method, other],
    );
  }
  t.match(Object.fromEntries(new URLSearchParams(issuer.seen.at(-1)?.body)), {
    grant_type: 'password',
    username: 'user',
    password: 'canary-password',
  });

  await t.test('a registry token goes as it is', async (t) => {
    tokens.set('canary-registry', 'team/app');
    issuer.seen.length = 0;
    const { registry } = setUp(t, [server, issuer], {
      [server.host]: { kind: 'registry-token', token: 'canary-registry' },
    });
    t.same((await registry.tags(repo(server))).tags, ['a']);
    await t.rejects(registry.tags(repo(server, 'other')), { message: /refused the credentials from the test/ });
    t.equal(issuer.seen.length, 0);
  });
});

t.test('no storm of 401', async (t) => {
  await t.test('an expired token is replaced once', async (t) => {
    const { issuer, server, tokens } = await issued(t);
    const { registry } = setUp(t, [server, issuer]);
    await registry.tags(repo(server));
    tokens.clear();
    await registry.tags(repo(server));
    t.equal(issuer.seen.length, 2);
    t.equal(server.seen.length, 4, '401 and list, twice');
  });
  await t.test('a token that is never taken is an error after one new one', async (t) => {
    const { issuer, server } = await issued(t);
    issuer.script = (_, response) => answer(response, 200, { token: 'useless' });
    const { registry } = setUp(t, [server, issuer], { [server.host]: BASIC });
    await t.rejects(registry.tags(repo(server)), {
      name: 'RegistryError',
      kind: 'unauthorized',
      message: /refused the credentials from the test \(401\); are they right/,
    });
    t.equal(server.seen.length, 2);
    t.equal(issuer.seen.length, 1);
  });
  await t.test('wrong passwords are not shown for ever', async (t) => {
    const basic = await scripted(t, (_, response) =>
      answer(response, 401, {}, { 'www-authenticate': 'Basic realm=x' }),
    );
    const { issuer, server } = await issued(t);
    issuer.script = (_, response) => answer(response, 401, {});
    const { registry } = setUp(t, [basic, server, issuer], { [basic.host]: BASIC, [server.host]: BASIC });
    for (const one of [basic, server]) {
      for (let count = 0; count < 10; count++)
        await t.rejects(registry.tags(repo(one, `team/app${count}`)), {
          name: 'RegistryError',
          kind: 'unauthorized',
          message: count < 3 ? /refused the credentials/ : /are not tried again in this run/,
        });
    }
    t.equal(basic.authorizations.length, 3);
    t.equal(issuer.authorizations.length, 3);
  });
});

t.test('several challenges', async (t) => {
  const { issuer, server } = await issued(t);
  const bearer = `Bearer realm="${issuer.origin}/token",service="the service"`;
  const strict = server.script;
  const cases: [name: string, header: string | string[], basic: boolean][] = [
    ['both in one header', `Basic realm="Nexus, the repository", ${bearer}`, false],
    ['both in two headers', ['Basic realm="x"', bearer], false],
    ['no scope', bearer, false],
    ['a realm that is no URL, then Basic', 'Bearer realm="http://[", Basic realm="not a URL"', true],
    ['unknown schemes before', 'Negotiate, NTLM, Basic realm="x"', true],
  ];
  for (const [name, header, basic] of cases) {
    server.script = (seen, response) => {
      if (basic ? seen.authorization === HEADER : seen.authorization?.startsWith('Bearer token-'))
        return basic ? answer(response, 200, { tags: ['a'] }) : strict(seen, response);
      return answer(response, 401, {}, { 'www-authenticate': header });
    };
    server.authorizations.length = 0;
    const { registry } = setUp(t, [server, issuer], { [server.host]: BASIC });
    t.same((await registry.tags(repo(server))).tags, ['a'], name);
    t.match(server.authorizations, [basic ? /^Basic / : /^Bearer /], name);
  }

  await t.test('a scope with a prefix is learned', async (t) => {
    issuer.seen.length = 0;
    issuer.script = (_, response) => answer(response, 200, { token: 'good-token' });
    server.script = ({ path, authorization }, response) => {
      if (authorization === 'Bearer good-token') return answer(response, 200, { tags: ['a'] });
      const scope = `repository:proxy/${path.slice('/v2/'.length, -'/tags/list'.length)}:pull`;
      return answer(response, 401, {}, { 'www-authenticate': `${bearer},scope="${scope}"` });
    };
    const { registry } = setUp(t, [server, issuer]);
    for (const path of ['one', 'two']) await registry.tags(repo(server, path));
    t.same(
      issuer.seen.map(({ query }) => query.get('scope')),
      ['repository:proxy/one:pull', 'repository:proxy/two:pull'],
    );
  });
});

t.test('credentials stay where they belong', { skip: cannotStart() && 'openssl is missing' }, async (t) => {
  const { ca, server: pair } = certificates();
  await t.test('one host, its port, and no other', async (t) => {
    const one = await scripted(t, (_, response) => answer(response, 401, {}, { 'www-authenticate': 'Basic realm=x' }));
    const other = await scripted(t, one.script);
    const { registry } = setUp(t, [one, other], { [one.host]: BASIC });
    await t.rejects(registry.tags(repo(one)));
    await t.rejects(registry.tags(repo(other)), { message: /there are no credentials for it/ });
    t.same(other.authorizations, []);
  });
  await t.test('over plain http not to a token server elsewhere', async (t) => {
    const thief = await scripted(t, (_, response) => answer(response, 200, { token: 'x' }), { tls: pair });
    const server = await scripted(t, (_, response) =>
      answer(
        response,
        401,
        {},
        { 'www-authenticate': `Bearer realm="https://localhost:${thief.host.split(':')[1]}/token"` },
      ),
    );
    const { registry } = setUp(t, [server], { [server.host]: BASIC }, { ca });
    await t.rejects(registry.tags(repo(server)), { message: /credentials are not sent there/ });
    t.equal(thief.seen.length, 0);
  });
  await t.test('over https to the one that it names, but by https only, and not inside', async (t) => {
    const issuer = await scripted(t, (_, response) => answer(response, 200, { token: 'good-token' }), { tls: pair });
    let realm = `${issuer.origin}/token`;
    const server = await scripted(
      t,
      ({ authorization }, response) =>
        authorization === 'Bearer good-token'
          ? answer(response, 200, { tags: ['a'] })
          : answer(response, 401, {}, { 'www-authenticate': `Bearer realm="${realm}"` }),
      { tls: pair },
    );
    t.same((await setUp(t, [], { [server.host]: BASIC }, { ca }).registry.tags(repo(server))).tags, ['a']);
    t.same(issuer.authorizations, [HEADER]);
    t.same(server.authorizations, ['Bearer good-token']);
    const plain = await scripted(t, (_, response) => answer(response, 200, { token: 'x' }));
    for (const elsewhere of [plain.origin, 'https://169.254.169.254/token', 'https://10.0.0.1/token']) {
      realm = elsewhere;
      await t.rejects(
        setUp(t, [], { [server.host]: BASIC }, { ca }).registry.tags(repo(server)),
        { name: 'RegistryError', kind: 'refused-address' },
        elsewhere,
      );
    }
    t.equal(plain.seen.length, 0);
  });
  await t.test('a token server that redirects gets nothing there', async (t) => {
    const thief = await scripted(t, (_, response) => answer(response, 200, { token: 'x' }));
    const { issuer, server } = await issued(t);
    issuer.script = (_, response) => answer(response, 307, '', { location: `${thief.origin}/token` });
    const { registry } = setUp(t, [issuer, server, thief], { [server.host]: BASIC });
    await t.rejects(registry.tags(repo(server)));
    const refresh: Credentials = { kind: 'identity-token', token: 'canary-refresh' };
    await t.rejects(setUp(t, [issuer, server, thief], { [server.host]: refresh }).registry.tags(repo(server)), {
      message: /answered 307/,
    });
    t.same(thief.authorizations, []);
    t.notMatch(JSON.stringify(thief.seen.map(({ url, body, headers }) => [url, body, headers])), 'canary');
  });
});

t.test('the Docker Hub is one host', async (t) => {
  const asked: string[] = [];
  const http = {
    send: async ({ url }: { url: URL }) => {
      asked.push(url.href);
      return { status: 200, headers: {}, body: Buffer.from('{"tags":["a"]}'), url };
    },
  };
  const found: string[] = [];
  const credentials: CredentialSource = {
    name: 'the test',
    find: async (host, path) => {
      found.push(`${host} ${path}`);
      return undefined;
    },
  };
  const registry = createRegistry({ http, credentials, insecure: ['localhost:5000', 'plain.test:80'] });
  await registry.tags({ host: 'docker.io', path: 'library/nginx' });
  for (const host of ['ghcr.io', 'localhost:5000', 'localhost:5001', 'plain.test:80', 'plain.test'])
    await registry.tags({ host, path: 'a' });
  t.same(asked, [
    'https://registry-1.docker.io/v2/library/nginx/tags/list?n=1000',
    'https://ghcr.io/v2/a/tags/list?n=1000',
    'http://localhost:5000/v2/a/tags/list?n=1000',
    'https://localhost:5001/v2/a/tags/list?n=1000',
    'http://plain.test/v2/a/tags/list?n=1000',
    'http://plain.test/v2/a/tags/list?n=1000',
  ]);
  t.equal(found[0], 'docker.io library/nginx');
});

t.test('a host that fails at first keeps nobody waiting for ever', async (t) => {
  let turn = 0;
  const server = await scripted(t, (_, response) =>
    turn++ === 0 ? fault(response, 404, 'NAME_UNKNOWN') : answer(response, 200, { tags: ['a'] }),
  );
  const { registry } = setUp(t, [server]);
  const [first, ...others] = await Promise.allSettled(['a', 'b', 'c'].map((path) => registry.tags(repo(server, path))));
  t.equal(first?.status, 'rejected');
  t.ok(others.every(({ status }) => status === 'fulfilled'));
  t.equal(digestOf(Buffer.from('')), 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});
