// The protocol against real registries: Debian's docker-registry 2.8, and distribution 3, which pages.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createRegistry } from '../../registry/client.ts';
import type { Credentials } from '../../registry/credentials.ts';
import { createHttp, type HttpOptions } from '../../registry/network.ts';
import type { Registry, Repository } from '../../registry/registry.ts';
import { makeImage, makeIndex, push } from './images.ts';
import {
  ACCOUNT,
  cannotStart,
  certificates,
  REFRESH_TOKEN,
  startRegistry,
  type Server,
  type ServerOptions,
} from './servers.ts';

t.setTimeout(120_000);

const CREATED = '2026-01-01T00:00:00Z';
const images = {
  single: makeImage({ created: CREATED, labels: { 'org.opencontainers.image.version': '1' } }),
  index: makeIndex([makeImage({ created: CREATED }), makeImage({ platform: 'linux/arm64/v8' })]),
  annotated: makeImage({ annotations: { 'org.opencontainers.image.created': CREATED }, content: 'annotated' }),
  docker: makeImage({ kind: 'docker', created: '1970-01-01T00:00:00Z' }),
  list: makeIndex([makeImage({ kind: 'docker' })], { kind: 'docker' }),
};

const BASIC: Credentials = { kind: 'basic', ...ACCOUNT };
const WRONG: Credentials = { kind: 'basic', username: ACCOUNT.username, password: 'not-the-password' };
const REFRESH: Credentials = { kind: 'identity-token', token: REFRESH_TOKEN };

type Test = Pick<typeof t, 'teardown' | 'same' | 'equal'>;

async function start(t: Test, options: ServerOptions): Promise<Server> {
  const server = await startRegistry(options);
  t.teardown(() => server.stop());
  return server;
}

/** A registry room for one server and its token server. */
function client(t: Test, server: Server, credentials?: Credentials, options: HttpOptions = {}) {
  const insecure = server.origin.startsWith('https:')
    ? []
    : [server.host, ...(server.issuer ? [server.issuer.host] : [])];
  const http = createHttp({ insecure, environment: {}, ...options });
  t.teardown(() => http.close());
  return {
    http,
    registry: createRegistry({ http, insecure, credentials: { name: 'the test', find: async () => credentials } }),
  };
}

async function pushAll(server: Server, path: string): Promise<void> {
  for (const [tag, image] of Object.entries(images))
    await push({ origin: server.origin, path, headers: server.headersFor(path) }, image, tag);
}

/** Reads everything that there is of a repository, and compares it with what was pushed. */
async function readAll(t: Test, registry: Registry, repository: Repository): Promise<void> {
  t.same((await registry.tags(repository)).tags.toSorted(), Object.keys(images).toSorted());
  for (const [tag, image] of Object.entries(images)) {
    t.equal(await registry.digest(repository, tag), image.digest, `${tag}: digest`);
    const manifest = await registry.manifest(repository, tag);
    t.same(
      manifest,
      { digest: image.digest, mediaType: image.mediaType, body: JSON.parse(image.bytes.toString()) },
      tag,
    );
    for (const below of image.manifests)
      t.equal((await registry.manifest(repository, below.digest)).mediaType, below.mediaType);
    const [config, bytes] = [...image.blobs][0]!;
    t.same(await registry.blob(repository, config), JSON.parse(bytes.toString()), `${tag}: config`);
  }
}

for (const program of ['docker-registry', 'distribution-registry'] as const) {
  t.test(program, { skip: cannotStart(program) }, async (t) => {
    await t.test('anonymous', async (t) => {
      const server = await start(t, { program });
      await pushAll(server, 'team/app');
      const { registry } = client(t, server);
      const repository = { host: server.host, path: 'team/app' };
      await readAll(t, registry, repository);
      const missing = { host: server.host, path: 'team/none' };
      await t.rejects(registry.tags(missing), { message: /team\/none: .*404.*NAME_UNKNOWN/ });
      await t.rejects(registry.digest(repository, 'none'), { message: /404.*MANIFEST_UNKNOWN/ });
      await t.rejects(registry.blob(repository, `sha256:${'0'.repeat(64)}`), { message: /404.*BLOB_UNKNOWN/ });
    });

    await t.test('htpasswd', async (t) => {
      const server = await start(t, { program, login: 'htpasswd' });
      await pushAll(server, 'team/app');
      const repository = { host: server.host, path: 'team/app' };
      const { registry, http } = client(t, server, BASIC);
      await registry.tags(repository);
      t.equal(http.requests, 2, 'a 401 first');
      await registry.tags(repository);
      t.equal(http.requests, 3, 'and never again');
      await readAll(t, registry, repository);
      await t.rejects(client(t, server, WRONG).registry.tags(repository), {
        message: /refused the credentials from the test \(401\)/,
      });
      await t.rejects(client(t, server).registry.tags(repository), { message: /wants a login.*no credentials/ });
    });

    await t.test('tokens', async (t) => {
      const server = await start(t, { program, login: 'token' });
      const { issuer, host } = server;
      await pushAll(server, 'team/app');
      await pushAll(server, 'public/app');
      const [secret, open] = ['team/app', 'public/app'].map((path) => ({ host, path })) as [Repository, Repository];
      const { registry, http } = client(t, server, BASIC);
      await registry.tags(secret);
      t.equal(http.requests, 3, '401, token, list');
      await registry.tags(open);
      t.equal(http.requests, 5, 'token, list');
      await readAll(t, registry, secret);
      t.equal(issuer!.seen.length, 2, 'one token a repository');
      t.match(registry.challenge(host), { realm: `${issuer!.origin}/token`, service: 'registry.test' });
      await readAll(t, client(t, server, REFRESH).registry, secret);
      t.equal(issuer!.seen.at(-1)?.method, 'POST');
      await readAll(t, client(t, server).registry, open);
      await t.rejects(client(t, server).registry.tags(secret), { message: /team\/app: the registry wants a login/ });
      await t.rejects(client(t, server, WRONG).registry.tags(open), {
        message: /token server .* refused the credentials/,
      });
      await t.rejects(client(t, server, { ...REFRESH, token: 'old-refresh-token' }).registry.tags(secret), {
        message: /refused the credentials/,
      });
    });

    await t.test('TLS with a private authority and client certificates', async (t) => {
      const server = await start(t, { program, tls: 'client' });
      const { ca, client: pair } = certificates();
      const repository = { host: server.host, path: 'team/app' };
      const ask = (options: HttpOptions) => client(t, server, undefined, options).registry.tags(repository);
      await t.rejects(ask({}), { message: /authority that is not trusted/ });
      await t.rejects(ask({ ca }), { message: /does it want a client certificate/ });
      const known = { ca, clientCertificates: new Map([[server.host, pair]]) };
      await t.rejects(ask(known), { message: /404.*NAME_UNKNOWN/ }, 'it answers');
    });
  });
}

t.test('distribution 3 pages', { skip: cannotStart('distribution-registry') }, async (t) => {
  const server = await start(t, { program: 'distribution-registry' });
  const tags = Array.from({ length: 2500 }, (_, index) => `1.0.${index}`);
  const target = { origin: server.origin, path: 'team/app' };
  await push(target, images.single, 'first');
  // A tag is a file that holds a digest: written by hand it costs no request.
  const store = join(server.storage, 'docker/registry/v2/repositories/team/app/_manifests/tags');
  t.same(readdirSync(store), ['first']);
  for (const tag of tags) {
    mkdirSync(join(store, tag, 'current'), { recursive: true });
    writeFileSync(join(store, tag, 'current/link'), images.single.digest);
  }
  const { registry, http } = client(t, server);
  const repository = { host: server.host, path: 'team/app' };
  const list = await registry.tags(repository);
  t.same(list.tags.toSorted(), ['first', ...tags].toSorted());
  t.match(list, { complete: true, dropped: 0 });
  t.equal(http.requests, 3);
  t.equal(await registry.digest(repository, '1.0.2499'), images.single.digest);
});
