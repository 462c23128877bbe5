// Requests: addresses, proxies, TLS, bounds, redirects, limits, second tries. Loopback only; time is a fake clock's.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { addressKind, guardedLookup, literalKind, mayReach, RefusedAddress } from '../../registry/address.ts';
import { RegistryError } from '../../registry/error.ts';
import type { HttpRequest } from '../../registry/http.ts';
import { Host, MAX_WAIT, readQuota, retryAfter } from '../../registry/limits.ts';
import { createHttp, RETRY_BUDGET, type HttpOptions, type Network } from '../../registry/network.ts';
import { proxyFor } from '../../registry/proxy.ts';
import { Redactor } from '../../registry/redact.ts';
import { addresses, hosts } from '../fixtures/registry/addresses.ts';
import { noProxies, proxies } from '../fixtures/registry/proxies.ts';
import { NOW, quotas, retryAfters } from '../fixtures/registry/quotas.ts';
import { fakeClock } from './clock.ts';
import { answer, startScripted, type Script, type Scripted } from './scripted.ts';
import { cannotMakeKeys, certificates } from './servers.ts';

const MAX_BYTES = 100_000;
const SECRET = 'Bearer canary-of-the-network-test';

type Test = Pick<typeof t, 'teardown'>;

async function scripted(t: Test, script: Script, options?: Parameters<typeof startScripted>[1]): Promise<Scripted> {
  const server = await startScripted(script, options);
  t.teardown(() => server.stop());
  return server;
}

/** A network for which all of these servers are insecure, without a rate. */
function network(t: Test, servers: readonly { host: string }[], options: HttpOptions = {}): Network {
  const http = createHttp({
    insecure: servers.map(({ host }) => host),
    environment: {},
    clock: fakeClock(),
    ...options,
  });
  t.teardown(() => http.close());
  return http;
}

function get(http: Network, url: string, more: Partial<HttpRequest> = {}) {
  return http.send({ method: 'GET', url: new URL(url), maxBytes: MAX_BYTES, ...more });
}

/** What a request that fails says. */
function failureOf(request: Promise<unknown>): Promise<string> {
  return request.then(
    () => 'it did not fail',
    (error: unknown) => String(error),
  );
}

function listHeaders(headers: Record<string, string>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
}

t.test('what an address is', async (t) => {
  for (const [address, kind] of addresses) t.equal(addressKind(address), kind, address);
  for (const [host, kind] of hosts) {
    t.equal(literalKind(host.startsWith('LOCAL') ? host : new URL(`http://${host}`).hostname), kind, host);
  }
  t.ok(mayReach('private', 'named'));
  t.ok(mayReach('private', 'private'));
  t.ok(mayReach('public', 'loopback'));
  t.notOk(mayReach('private', 'public'));
  t.notOk(mayReach('private', 'loopback'));
  t.notOk(mayReach('loopback', 'private'));
  t.notOk(mayReach('metadata', 'named'));
  t.notOk(mayReach('metadata', 'metadata'));
});

t.test('a name that leads where it may not is refused as it is resolved', async (t) => {
  const resolve = (reach: 'named' | 'public', all: boolean) =>
    new Promise((resolve) => guardedLookup(reach)('localhost', { all }, (error, found) => resolve(error ?? found)));
  t.type(await resolve('public', true), RefusedAddress);
  t.type(await resolve('public', false), RefusedAddress);
  t.match(await resolve('named', true), [{ address: /^(?:127\.0\.0\.1|::1)$/ }]);
  t.match(await resolve('named', false), /^(?:127\.0\.0\.1|::1)$/);
});

t.test('which proxy', async (t) => {
  for (const { url, environment, proxy } of proxies)
    t.equal(proxyFor(new URL(url), environment)?.origin, proxy, `${url} ${JSON.stringify(environment)}`);
  for (const text of noProxies) {
    const error = thrown(() => proxyFor(new URL('https://ghcr.io'), { HTTPS_PROXY: text }));
    t.equal(error.kind, 'unreachable');
    t.match(error.message, /^HTTPS_PROXY is not a URL/);
    t.notMatch(error.message, 'hunter22');
  }
});

function thrown(run: () => unknown): RegistryError {
  try {
    run();
  } catch (error) {
    if (error instanceof RegistryError) return error;
  }
  throw new Error('no RegistryError was thrown');
}

t.test('what a host says of limits', async (t) => {
  for (const [headers, wait] of retryAfters)
    t.equal(retryAfter(listHeaders(headers), NOW), wait, JSON.stringify(headers));
  for (const [headers, quota] of quotas) t.same(readQuota(listHeaders(headers), NOW), quota, JSON.stringify(headers));
});

t.test('secrets are taken out of messages', async (t) => {
  const redactor = new Redactor();
  redactor.addLogin('user', 'pass"word+1');
  redactor.add('opaque-token');
  redactor.add('abc');
  const basic = Buffer.from('user:pass"word+1').toString('base64');
  for (const text of [
    'pass"word+1',
    'pass%22word%2B1',
    'pass\\"word+1',
    'opaque-token',
    basic,
    basic.replace(/=+$/, ''),
  ])
    t.equal(redactor.text(`a ${text} b`), 'a <hidden> b', text);
  t.equal(redactor.text('Authorization: Bearer abcdefgh.ij'), 'Authorization: <hidden>');
  t.equal(redactor.text('it said eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln'), 'it said <hidden>');
  t.equal(redactor.text('abc stays, too short to hide'), 'abc stays, too short to hide');
});

t.test('answers come whole, encoded or not, and their connection stays open', async (t) => {
  const text = 'x'.repeat(5000);
  const encoders = new Map<string, (text: string) => Buffer>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', Buffer.from],
  ]);
  const server = await scripted(t, ({ path, headers }, response) => {
    const name = path.slice(1);
    t.match(headers, { 'accept-encoding': 'gzip, deflate, br', 'user-agent': 'image-update', host: server.host });
    answer(response, 200, encoders.get(name)!(text), { 'content-encoding': name, 'set-cookie': ['a=1', 'b=2'] });
  });
  const http = network(t, [server]);
  for (const name of encoders.keys()) {
    const { status, body, headers } = await get(http, `${server.origin}/${name}`);
    t.equal(status, 200);
    t.equal(body.toString(), text, name);
    t.same(headers['set-cookie'], ['a=1', 'b=2']);
  }
  t.equal(server.connections, 1);
  server.script = (_, response) => answer(response, 418, 'tea', { 'content-encoding': 'gzip' });
  const head = await get(http, server.origin, { method: 'HEAD' });
  t.equal(head.status, 418, 'a status is the caller’s affair, and HEAD has no body to decode');
  // Each identity has its own connections.
  server.script = (_, response) => answer(response, 200, '{}');
  await get(http, server.origin, { headers: { authorization: SECRET } });
  t.equal(server.connections, 2);
  await get(http, server.origin, { headers: { authorization: SECRET } });
  t.equal(server.connections, 2);
  await get(http, server.origin, { headers: { authorization: `${SECRET}2` } });
  t.equal(server.connections, 3);
  await get(http, server.origin, { identity: 'one', headers: { authorization: SECRET } });
  await get(http, server.origin, { identity: 'one', headers: { authorization: `${SECRET}2` } });
  t.equal(server.connections, 4);
});

/** 50 MB in 50 kB. */
const BOMB = gzipSync(Buffer.alloc(50_000_000));

/** What goes wrong with an answer, and what is said of it. */
const broken: [name: string, script: Script, kind: string, message: RegExp, tries?: number][] = [
  ['long', (_, response) => answer(response, 200, 'x'.repeat(MAX_BYTES + 1)), 'too-large', /longer than 100,000 bytes/],
  [
    'a gzip bomb',
    (_, response) => answer(response, 200, BOMB, { 'content-encoding': 'gzip' }),
    'too-large',
    /longer than 100,000 bytes/,
  ],
  [
    'endless',
    (_, response) => {
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more));
      };
      more();
    },
    'too-large',
    /longer than/,
  ],
  [
    'not gzip',
    (_, response) => answer(response, 200, 'plain', { 'content-encoding': 'gzip' }),
    'malformed',
    /not gzip as it says/,
  ],
  [
    'half a gzip',
    (_, response) => answer(response, 200, gzipSync('plain').subarray(0, 12), { 'content-encoding': 'gzip' }),
    'malformed',
    /not gzip as it says/,
  ],
  [
    'unknown coding',
    (_, response) => answer(response, 200, 'x', { 'content-encoding': 'zstd' }),
    'malformed',
    /encoded as "zstd"/,
  ],
  [
    'huge headers',
    (_, response) => answer(response, 200, '', { huge: 'x'.repeat(20_000) }),
    'too-large',
    /headers of the answer are too long/,
  ],
  [
    'not HTTP',
    (_, response) => void response.socket?.end('SSH-2.0-OpenSSH\r\n\r\n'),
    'malformed',
    /is not HTTP \(HPE_/,
  ],
  [
    'truncated',
    (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('only this', () => response.socket?.destroy());
    },
    'unreachable',
    /broke in the middle of the answer, after 9 bytes/,
    5,
  ],
  [
    'truncated chunks',
    (_, response) => void response.write('only this', () => response.socket?.destroy()),
    'unreachable',
    /broke in the middle of the answer/,
    5,
  ],
  [
    'no answer',
    (_, response) => void response.socket?.destroy(),
    'unreachable',
    /closed before there was an answer/,
    5,
  ],
  ['silence', () => undefined, 'timeout', /nothing came in 0\.1 s/],
  [
    'a trickle',
    (_, response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    },
    'timeout',
    /not complete in 0\.3 s/,
  ],
];

t.test('answers that are none', async (t) => {
  for (const [name, script, kind, message, tries = 1] of broken) {
    const server = await scripted(t, script);
    const hasty = { connect: 1000, idle: 100, total: 300 };
    const http = network(t, [server], kind === 'timeout' ? { timeouts: hasty } : {});
    await t.rejects(get(http, `${server.origin}/v2/?secret=1`), { name: 'RegistryError', kind, message }, name);
    t.notMatch(await failureOf(get(http, `${server.origin}/v2/?secret=1`)), 'secret', name);
    t.equal(server.seen.length, 2 * tries, `${name}: tries`);
  }
});

t.test('who is not there', async (t) => {
  const closed = await startScripted(() => undefined);
  await closed.stop();
  const http = network(t, [closed]);
  await t.rejects(get(http, closed.origin), { kind: 'unreachable', message: /nothing listens there/ });
  // One that takes connections and never shakes hands.
  const mute = createTcpServer(() => undefined);
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  t.teardown(() => mute.close());
  const hasty = network(t, [], { timeouts: { connect: 100, idle: 1000, total: 1000 } });
  const { port } = mute.address() as AddressInfo;
  await t.rejects(get(hasty, `https://127.0.0.1:${port}/`), { kind: 'timeout', message: /no connection in 0\.1 s/ });
});

t.test('plain http is for hosts that are named', async (t) => {
  const server = await scripted(t, (_, response) => answer(response, 200, {}));
  const http = network(t, []);
  await t.rejects(get(http, server.origin), {
    kind: 'refused-address',
    message: /plain http is for hosts that are named as insecure/,
  });
  await t.rejects(get(http, 'ftp://localhost/'), { name: 'RegistryError', kind: 'refused-address' });
  t.equal(server.seen.length, 0);
  t.equal((await get(network(t, [{ host: 'LOCALHOST:80' }, server]), server.origin)).status, 200);
});

t.test('metadata addresses are never asked', async (t) => {
  const http = network(t, [{ host: '169.254.169.254' }]);
  for (const url of [
    'http://169.254.169.254/latest',
    'https://[fe80::1]/',
    'https://metadata.google.internal/',
    'https://2852039166/',
  ])
    await t.rejects(get(http, url), { kind: 'refused-address', message: /metadata address/ }, url);
  // Nor by a proxy, which would resolve the name itself.
  const proxied = network(t, [], { environment: { HTTPS_PROXY: 'http://127.0.0.1:1' } });
  await t.rejects(get(proxied, 'https://metadata.google.internal/'), {
    name: 'RegistryError',
    kind: 'refused-address',
  });
});

t.test('what an answer names may not lead inside', async (t) => {
  const inner = await scripted(t, (_, response) => answer(response, 200, 'inner'));
  const http = network(t, []);
  const realm = (url: string, registry: string) => get(http, url, { namedBy: new URL(registry) });
  const secret = `https://${inner.host}/token`;
  for (const url of [
    secret,
    'https://localhost/token',
    'https://10.0.0.1/token',
    'https://[::1]/',
    'https://2130706433/',
    'https://127.1/',
  ])
    await t.rejects(
      realm(url, 'https://1.1.1.1/'),
      { kind: 'refused-address', message: /1\.1\.1\.1 leads to https:.*not asked/ },
      url,
    );
  await t.rejects(
    realm(secret, 'https://10.0.0.1/'),
    { name: 'RegistryError', kind: 'refused-address' },
    'another kind of place',
  );
  await t.rejects(
    realm('https://169.254.169.254/', 'https://169.254.1.1/'),
    { name: 'RegistryError', kind: 'refused-address' },
    'metadata',
  );
  t.equal(inner.connections, 0);
  await t.rejects(
    realm(secret, 'https://127.0.0.1:1/'),
    { name: 'RegistryError', kind: 'tls' },
    'the registry is on loopback itself',
  );
  await t.rejects(get(http, secret), { name: 'RegistryError', kind: 'tls' }, 'the user named it');
  await t.rejects(
    realm(secret, 'https://1.1.1.1/'),
    { name: 'RegistryError', kind: 'tls' },
    'and may be led there then',
  );
});

t.test('redirects', async (t) => {
  const other = await scripted(t, (_, response) => answer(response, 200, 'other'));
  const server = await scripted(t, ({ path }, response) => {
    const [, where = '', left = ''] = path.split('/');
    const locations: Record<string, string> = {
      other: `${other.origin}/landed`,
      same: '/end',
      loop: '/loop',
      plain: 'http://127.0.0.1:9/',
      user: `http://user:pass@${other.host}/landed`,
      bad: 'http://[',
      steps: Number(left) > 0 ? `/steps/${Number(left) - 1}` : '/end',
    };
    if (where === 'none') return answer(response, 302, '');
    const location = locations[where];
    return location === undefined ? answer(response, 200, 'here') : answer(response, 307, '', { location });
  });
  const http = network(t, [server, other]);
  const ask = (path: string, more: Partial<HttpRequest> = {}) =>
    get(http, `${server.origin}/${path}`, {
      headers: { Authorization: SECRET, 'Private-Token': SECRET, Accept: '*/*' },
      ...more,
    });

  const landed = await ask('other');
  t.equal(landed.body.toString(), 'other');
  t.equal(landed.url.href, `${other.origin}/landed`);
  t.equal(other.seen[0]?.headers['accept'], '*/*');
  await ask('user');
  t.notMatch(JSON.stringify(other.seen.map(({ headers }) => headers)), SECRET);
  t.same(other.authorizations, [], 'no credentials at another origin, ours or those of the link');
  await ask('same');
  t.equal(server.seen.at(-1)?.authorization, SECRET, 'but at the same one');
  t.equal((await ask('steps/4')).body.toString(), 'here');
  await t.rejects(ask('steps/5'), { kind: 'malformed', message: /more than 5 redirects/ });
  const before = server.seen.length;
  await t.rejects(ask('loop'), { kind: 'malformed', message: /more than 5 redirects/ });
  t.equal(server.seen.length - before, 6);
  await t.rejects(ask('plain'), { kind: 'refused-address', message: /leads to http:\/\/127\.0\.0\.1:9/ });
  await t.rejects(ask('bad'), { kind: 'malformed', message: /leads to no URL/ });
  t.equal((await ask('none')).status, 302, 'a redirect to nowhere is an answer');
  t.equal((await ask('other', { method: 'POST', body: 'secret' })).status, 307, 'a body is not sent on');
  t.equal(other.seen.length, 2);
});

t.test('limits of a host', async (t) => {
  const ok = (headers: Record<string, string> = {}, status = 200) => ({
    status,
    headers: listHeaders(headers),
    body: Buffer.of(),
    url: new URL('https://r.test'),
  });
  await t.test('no more at once, and no more a second, than it says', async (t) => {
    const clock = fakeClock();
    const start = clock.now();
    const host = new Host('r.test', clock, { concurrency: 3, perSecond: 10 });
    let [running, most] = [0, 0];
    const times: number[] = [];
    await Promise.all(
      Array.from({ length: 40 }, () =>
        host.run('GET', false, async () => {
          most = Math.max(most, ++running);
          times.push(clock.now() - start);
          await new Promise(setImmediate);
          running--;
          return ok();
        }),
      ),
    );
    t.equal(most, 3);
    t.equal(times.filter((time) => time === 0).length, 10, 'a burst of one second');
    t.ok(
      times.every((time, index) => time >= (index - 9) * 100 - 1),
      'then one each 100 ms',
    );
    t.equal(times.at(-1), 3000);
  });
  await t.test('Retry-After holds everybody up, and the rate is halved', async (t) => {
    const clock = fakeClock();
    const host = new Host('r.test', clock, { concurrency: 1, perSecond: 10 });
    const start = clock.now();
    await host.run('GET', false, async () => ok({ 'retry-after': '20' }, 429));
    await host.run('GET', false, async () => ok());
    t.ok(clock.now() - start >= 20_000 && clock.now() - start <= 22_000);
    const before = clock.now();
    for (let count = 0; count < 10; count++) await host.run('GET', false, async () => ok());
    t.ok(clock.now() - before > 1_500, `${clock.now() - before} ms for what took 1,000`);
    clock.pass(3_600_000);
    const later = clock.now();
    for (let count = 0; count < 10; count++) await host.run('GET', false, async () => ok());
    t.equal(clock.now(), later, 'an hour later it is forgotten');
  });
  await t.test('a quota that is used up', async (t) => {
    const clock = fakeClock();
    const start = clock.now();
    const host = new Host('r.test', clock);
    await host.run('GET', false, async () => ok({ 'ratelimit-remaining': '0', 'ratelimit-reset': '30' }));
    await host.run('GET', false, async () => ok());
    t.ok(clock.now() - start >= 30_000);
    await host.run('GET', false, async () => ok({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3600' }));
    await t.rejects(
      host.run('GET x', false, async () => ok()),
      {
        kind: 'rate-limited',
        message:
          'GET x: not looked up; r.test is left alone for the rest of this run, since it asks to wait 60 min, longer than a run waits. Run again later, or log in where that raises the limit',
      },
    );
    const hub = new Host('registry-1.docker.io', clock);
    await hub.run('GET manifest', true, async () => ok({ 'ratelimit-remaining': '0;w=21600' }));
    await t.rejects(
      hub.run('GET manifest', true, async () => ok()),
      { kind: 'rate-limited', message: /quota of pulls/ },
    );
    t.equal((await hub.run('GET tags', false, async () => ok())).status, 200, 'what the Hub does not count goes on');
  });
  await t.test('a host that never answers is given up', async (t) => {
    const host = new Host('r.test', fakeClock());
    const late = () => Promise.reject(new RegistryError('timeout', 'late'));
    await t.rejects(host.run('GET', false, late), { message: 'late' });
    await t.rejects(host.run('GET', false, late), { message: 'late' });
    await host.run('GET', false, async () => ok());
    for (let count = 0; count < 3; count++) await t.rejects(host.run('GET', false, late), { message: 'late' });
    await t.rejects(
      host.run('GET', false, async () => ok()),
      { kind: 'timeout', message: /left alone.*3 times in a row/ },
    );
  });
});

/** Answers by status and header in turn; the last for ever. */
function inTurn(...answers: [status: number, headers?: Record<string, string>][]): Script {
  let turn = 0;
  return (_, response) => {
    const [status, headers] = answers[Math.min(turn++, answers.length - 1)]!;
    answer(response, status, {}, headers);
  };
}

t.test('second tries', async (t) => {
  const cases: [name: string, script: Script, tries: number, outcome: number | string][] = [
    ['404', inTurn([404]), 1, 404],
    ['501', inTurn([501]), 1, 501],
    ['500, then well', inTurn([500], [200]), 2, 200],
    ['503 with a time', inTurn([503, { 'retry-after': '5' }], [200]), 2, 200],
    ['429 with a time', inTurn([429, { 'retry-after': '5' }], [200]), 2, 200],
    ['429 with a date', inTurn([429, { 'retry-after': new Date(Date.now() + 5000).toUTCString() }], [200]), 2, 200],
    ['429 without', inTurn([429], [429], [200]), 3, 200],
    ['500 always', inTurn([500]), 5, 500],
    ['429 always', inTurn([429]), 5, 'rate-limited'],
    ['429 for an hour', inTurn([429, { 'retry-after': '3600' }], [200]), 1, 'rate-limited'],
    ['503 for an hour', inTurn([503, { 'retry-after': '3600' }], [200]), 1, 503],
  ];
  for (const [name, script, tries, outcome] of cases) {
    const server = await scripted(t, script);
    const clock = fakeClock();
    const http = network(t, [server], { clock });
    const result = await get(http, server.origin).then(
      ({ status }) => status,
      ({ kind }: RegistryError) => kind,
    );
    t.equal(result, outcome, name);
    t.equal(server.seen.length, tries, `${name}: tries`);
    t.ok(
      clock.slept.every((time) => time <= MAX_WAIT * 1.1),
      `${name}: no sleep is too long`,
    );
    if (outcome !== 'rate-limited') continue;
    await t.rejects(get(http, `${server.origin}/v2/next`), {
      kind: 'rate-limited',
      message: /v2\/next: not looked up; 127\.0\.0\.1 is left alone for the rest of this run/,
    });
    t.equal(server.seen.length, tries, `${name}: it is left alone`);
  }
});

t.test('a connection that was closed while it was kept open is no failure', async (t) => {
  const used = new WeakSet<object>();
  const server = await scripted(t, (_, response) => {
    const socket = response.socket!;
    if (used.has(socket)) return void socket.destroy();
    used.add(socket);
    return answer(response, 200, {});
  });
  const clock = fakeClock();
  const http = network(t, [server], { clock });
  for (let count = 0; count < 5; count++) t.equal((await get(http, server.origin)).status, 200);
  t.same(clock.slept, []);
  t.equal(server.connections, 5);
});

t.test('one budget of second tries a run, and one host that fails holds no other up', async (t) => {
  const bad = await scripted(t, inTurn([500]));
  const good = await scripted(t, inTurn([200]));
  const http = network(t, [bad, good]);
  const [statuses, quick] = await Promise.all([
    Promise.all(Array.from({ length: 30 }, async () => (await get(http, bad.origin)).status)),
    get(http, good.origin).then(() => bad.seen.length),
  ]);
  t.same([...new Set(statuses)], [500]);
  t.equal(bad.seen.length, 30 + RETRY_BUDGET);
  t.ok(quick < 30, 'the good one did not wait');
  t.equal(http.requests, 31 + RETRY_BUDGET);
});

t.test('TLS', { skip: cannotMakeKeys() }, async (t) => {
  const { ca, server: pair, client } = certificates();
  const server = await scripted(t, (_, response) => answer(response, 200, {}), { tls: pair });
  await t.rejects(get(network(t, []), server.origin), {
    kind: 'tls',
    message: /give the certificate of the private authority/,
  });
  for (const options of [{ ca: 'none' }, { clientCertificates: new Map([[server.host, { ...client, key: 'none' }]]) }])
    await t.rejects(get(network(t, [], options), server.origin), {
      name: 'RegistryError',
      kind: 'tls',
      message: /cannot be read .*PEM is wanted/,
    });
  const trusting = network(t, [], { ca });
  t.equal((await get(trusting, server.origin)).status, 200);
  t.equal((await get(trusting, server.origin.replace('127.0.0.1', 'localhost'))).status, 200);
  const elsewhere = await scripted(t, () => undefined, { tls: pair, address: '127.0.0.2' });
  await t.rejects(get(trusting, elsewhere.origin), { kind: 'tls', message: /for another host/ });
  const plain = await scripted(t, () => undefined);
  await t.rejects(get(trusting, `https://${plain.host}`), { kind: 'tls', message: /name the host as insecure/ });
  await t.rejects(
    get(network(t, [server]), `http://${server.host}`),
    RegistryError,
    'TLS where plain http was expected',
  );

  await t.test('a redirect never leads from https to http', async (t) => {
    const open = await scripted(t, (_, response) => answer(response, 200, {}));
    server.script = (_, response) => answer(response, 307, '', { location: open.origin });
    await t.rejects(get(network(t, [open], { ca }), server.origin), {
      kind: 'refused-address',
      message: /from https to http/,
    });
    t.equal(open.seen.length, 0);
  });

  await t.test('a client certificate, for its host alone', async (t) => {
    const shown: string[] = [];
    const strict = createTlsServer(
      { ...pair, ca, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const { subject } = (request.socket as TLSSocket).getPeerCertificate();
        shown.push(String(subject?.CN));
        response.end('{}');
      },
    );
    await new Promise<void>((resolve) => strict.listen(0, '127.0.0.1', resolve));
    const { port } = strict.address() as AddressInfo;
    const http = network(t, [], { ca, clientCertificates: new Map([[`127.0.0.1:${port}`, client]]) });
    await get(http, `https://127.0.0.1:${port}/`);
    await get(http, `https://localhost:${port}/`);
    http.close();
    t.teardown(() => strict.close());
    t.same(shown, ['client', 'undefined']);
  });
});

/** A proxy that leads every host to one port of this machine, and keeps what it was asked. */
async function startProxy(
  t: Test,
  port: () => number,
  { refuse = false, tls }: { refuse?: boolean; tls?: { cert: string; key: string } } = {},
): Promise<{ url: string; asked: string[]; headers: unknown[] }> {
  const asked: string[] = [];
  const headers: unknown[] = [];
  const sockets = new Set<Socket>();
  const proxy = tls ? createTlsServer(tls) : createServer();
  proxy.on('request', (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
    response.end('by the proxy');
  });
  proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    headers.push(request.headers);
    if (refuse) return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const target = connect(port(), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    for (const one of [socket, target]) {
      sockets.add(one);
      one.on('error', () => undefined);
    }
    return undefined;
  });
  await listen(proxy);
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    proxy.closeAllConnections();
    proxy.close();
  });
  return {
    url: `${tls ? 'https' : 'http'}://user:proxy-pass@127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    asked,
    headers,
  };
}

async function listen(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

t.test('proxies', { skip: cannotMakeKeys() }, async (t) => {
  const { ca, server: pair } = certificates();
  const server = await scripted(t, (_, response) => answer(response, 200, 'by the registry'), { tls: pair });
  const proxy = await startProxy(t, () => Number(new URL(server.origin).port));
  const environment = { https_proxy: proxy.url, http_proxy: proxy.url };
  const http = network(t, [{ host: 'plain.test:5000' }], { ca, environment });
  // The name is nobody's: only the proxy can reach it.
  const secure = await get(http, 'https://registry.test/v2/', { headers: { authorization: SECRET } });
  t.equal(secure.body.toString(), 'by the registry');
  await get(http, 'https://registry.test/v2/again', { headers: { authorization: SECRET } });
  t.same(proxy.asked, ['CONNECT registry.test:443'], 'one tunnel, kept open');
  t.equal(server.seen[0]?.headers.host, 'registry.test');
  t.match(proxy.headers[0], { 'proxy-authorization': `Basic ${Buffer.from('user:proxy-pass').toString('base64')}` });
  t.notMatch(JSON.stringify(proxy.headers), SECRET, 'the proxy sees no credentials');
  t.equal(server.seen[0]?.headers['proxy-authorization'], undefined, 'and the registry none of the proxy');

  const plain = await get(http, 'http://plain.test:5000/v2/?n=1');
  t.equal(plain.body.toString(), 'by the proxy');
  t.equal(proxy.asked.at(-1), 'GET http://plain.test:5000/v2/?n=1');
  t.match(proxy.headers.at(-1), { host: 'plain.test:5000' });

  const secret = await startProxy(t, () => Number(new URL(server.origin).port), { tls: pair });
  for (const url of [secret.url, secret.url.replace('127.0.0.1', 'localhost')]) {
    const http = network(t, [{ host: 'plain.test:5000' }], { ca, environment: { HTTPS_PROXY: url, HTTP_PROXY: url } });
    t.equal((await get(http, 'https://registry.test/v2/')).body.toString(), 'by the registry', `by TLS in TLS, ${url}`);
    t.equal((await get(http, 'http://plain.test:5000/')).body.toString(), 'by the proxy');
    const wary = network(t, [], { environment: { HTTPS_PROXY: url } });
    await t.rejects(get(wary, 'https://registry.test/'), { name: 'RegistryError', kind: 'tls' });
  }

  const stern = await startProxy(t, () => 0, { refuse: true });
  const refused = network(t, [], { environment: { HTTPS_PROXY: stern.url } });
  await t.rejects(get(refused, 'https://registry.test/'), {
    kind: 'unreachable',
    message: /answered 407 to CONNECT registry\.test:443; it wants a login/,
  });
  t.notMatch(await failureOf(get(refused, 'https://registry.test/')), 'proxy-pass');
});
