import t from 'tap';
import type { RegistryError } from '../../registry/error.ts';
import { inspect } from '../../registry/inspect.ts';
import { isCommitNamed, lookOf } from '../../registry/looks.ts';
import { byPreference, platformsOf, readConfig, readManifest } from '../../registry/manifest.ts';
import type { Manifest, Registry } from '../../registry/registry.ts';
import { CHILD, configs, DIGEST, looks, manifests, refused } from '../fixtures/registry/manifests.ts';
import { FakeRegistry } from './fake.ts';

t.test('manifests and configs', async (t) => {
  for (const { about, mediaType, body, reads } of manifests)
    t.match(readManifest({ digest: DIGEST, mediaType, body }), reads, about);
  const index = readManifest({ digest: DIGEST, ...manifests.find(({ about }) => about.startsWith('an index:'))! });
  t.equal(index.kind === 'index' && index.children.length, 4);
  for (const { about, mediaType, body, why } of refused) {
    const error = thrown(() => readManifest({ digest: DIGEST, mediaType, body }));
    t.equal(error?.kind, 'malformed', about);
    t.match(error?.message, why);
    t.match(error?.message, DIGEST);
  }
  for (const { about, body, reads } of configs) t.match(readConfig(body), reads, about);
  const children = ['linux/arm64', 'linux/arm64/v8', undefined, 'linux/amd64'].map((platform) => ({
    digest: CHILD,
    platform,
  }));
  t.same(
    byPreference(children, 'linux/amd64').map(({ platform }) => platform),
    ['linux/amd64', 'linux/arm64', 'linux/arm64/v8', undefined],
  );
  t.equal(byPreference(children.slice(1), 'linux/arm64')[0]?.platform, 'linux/arm64/v8');
  t.same(platformsOf([...children, ...children]), ['linux/amd64', 'linux/arm64', 'linux/arm64/v8']);
});

function thrown(work: () => unknown): RegistryError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error as RegistryError;
  }
}

t.test('what names look like', async (t) => {
  for (const [name, family, numbers] of looks) {
    const look = lookOf(name);
    t.same([look.family, look.numbers.join(' ')], [family, numbers], name);
    t.equal(isCommitNamed(name), family.includes('#'), name);
  }
});

t.test('of an index the first image that has a time; labels only where asked', async (t) => {
  const repository = { host: 'h.example', path: 'a' };
  const registry = new FakeRegistry({ x: { built: 5, index: ['linux/arm64', 'linux/s390x'] } });
  const manifest = await registry.manifest(repository, 'x');
  const how = { platform: 'linux/amd64', labels: false };
  t.match(await inspect(registry, repository, manifest, how), {
    by: 'linux/amd64',
    created: '2026-01-07T00:00:00Z',
    platforms: ['linux/arm64', 'linux/s390x'],
  });
  t.equal(
    (await inspect(registry, repository, manifest, { ...how, platform: 'linux/s390x' })).created,
    '2026-01-08T00:00:00Z',
  );

  const created = '2026-02-02T00:00:00Z';
  const labelled = '2026-03-03T00:00:00Z';
  const body = { config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: CHILD } };
  const one: Manifest = { digest: DIGEST, mediaType: 'application/vnd.oci.image.manifest.v1+json', body };
  const stub = {
    blob: async () => ({ created, config: { Labels: { 'org.opencontainers.image.created': labelled } } }),
  } as unknown as Registry;
  t.equal((await inspect(stub, repository, one, how)).created, created);
  t.match(await inspect(stub, repository, one, { ...how, labels: true }), {
    by: 'linux/amd64 labels',
    created: labelled,
  });
  const annotations = { 'org.opencontainers.image.created': '2026-04-04T00:00:00Z' };
  const annotated = { ...one, body: { ...body, annotations } };
  t.equal((await inspect(stub, repository, annotated, how)).created, created);
  t.equal((await inspect(stub, repository, annotated, { ...how, labels: true })).created, '2026-04-04T00:00:00Z');
});
