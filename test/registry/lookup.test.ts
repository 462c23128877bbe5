// The live look-up above the scanner: notes, failures, what is kept for a record; its line on a terminal; its options.
import { Command } from 'commander';
import t from 'tap';
import { parseInto } from '../../fn/command.ts';
import { createRegistry } from '../../registry/client.ts';
import { RegistryError } from '../../registry/error.ts';
import { RegistryLookup } from '../../registry/lookup.ts';
import { declareRegistryOptions, readSettings, registryOptions, type GivenOptions } from '../../registry/options.ts';
import { createHttp } from '../../registry/network.ts';
import { Progress, type Screen } from '../../registry/progress.ts';
import { createScanner, type Scanner } from '../../registry/scan.ts';
import { uniteRecords } from '../../cli/record.ts';
import { makeImage, makeIndex } from './images.ts';
import { shelves, startScripted } from './scripted.ts';

const SILENT: Screen = {
  isTerminal: false,
  write: () => t.fail('nobody looks'),
  now: () => 0,
  every: () => () => undefined,
};

function lookupOf(scanner: Partial<Scanner>): RegistryLookup {
  const none = () => Promise.reject(new Error('it was not to be asked'));
  return new RegistryLookup({ scan: none, digest: none, labels: none, ...scanner }, new Progress(SILENT, () => 0));
}

const DIGEST = `sha256:${'1'.repeat(64)}`;
const OTHER = `sha256:${'2'.repeat(64)}`;

t.test('answers, and what is kept of them', async (t) => {
  const tags = [
    { name: '1', firstSeen: 'then' },
    { name: '2', digest: OTHER, created: 'once', firstSeen: 'then' },
  ];
  const lookup = lookupOf({
    scan: async (image) => ({
      metadata: { image, complete: true, tags },
      notes: [
        { reason: 'times-by-order', message: 'by order' },
        { reason: 'tags-dropped', message: 'dropped' },
      ],
    }),
    digest: async () => DIGEST,
  });
  await lookup.metadata('nginx', []);
  t.equal(await lookup.digest('docker.io/library/nginx', '1'), DIGEST);
  t.equal(await lookup.digest('nginx', '2'), DIGEST);
  t.equal(await lookup.digest('redis', '7'), DIGEST);
  t.strictSame(lookup.found(), [
    {
      listed: true,
      metadata: {
        image: 'nginx',
        complete: true,
        tags: [
          { name: '1', firstSeen: 'then', digest: DIGEST },
          { name: '2', digest: DIGEST, created: 'once', firstSeen: 'then' },
        ],
      },
    },
    { listed: false, metadata: { image: 'redis', complete: false, tags: [{ name: '7', digest: DIGEST }] } },
  ]);
  t.same(
    lookup.notes.map(({ reason }) => reason),
    ['tags-dropped'],
  );
  t.same(
    lookup.remarks.map(({ reason }) => reason),
    ['times-by-order'],
  );

  const earlier = {
    image: 'docker.io/library/redis',
    complete: true,
    tags: [{ name: '6' }, { name: '7', firstSeen: 'x' }],
  };
  t.strictSame(
    uniteRecords([earlier], lookup.found()).find(({ image }) => image.endsWith('redis')),
    { ...earlier, tags: [{ name: '6' }, { name: '7', firstSeen: 'x', digest: DIGEST }] },
    'a digest alone takes nothing from an earlier listing',
  );
});

t.test('what a registry refuses is a note; any other error is a bug', async (t) => {
  const lookup = lookupOf({ scan: () => Promise.reject(new RegistryError('denied', 'app may not be read')) });
  const note = { reason: 'registry-denied', message: 'app may not be read', image: 'app' };
  t.strictSame(await lookup.metadata('app', []), note);
  t.strictSame([...lookup.failures], [['app', note]]);
  t.same(lookup.found(), []);
  await t.rejects(lookup.digest('app', '1'), { message: 'it was not to be asked' });
});

t.test('progress on a terminal', async (t) => {
  let now = 0;
  let tick: (() => void) | undefined;
  const written: string[] = [];
  const screen: Screen = {
    isTerminal: true,
    write: (text) => void written.push(text),
    now: () => now,
    every(_, call) {
      tick = call;
      return () => (tick = undefined);
    },
  };
  let requests = 0;
  const progress = new Progress(screen, () => requests);
  const ends: (() => void)[] = [];
  const open = () => progress.during(() => new Promise<void>((resolve) => ends.push(resolve)));
  const [first, second] = [open(), open()];
  now = 900;
  tick?.();
  t.same(written, [], 'nothing for what may be over soon');
  [now, requests] = [2_000, 50];
  tick?.();
  ends[0]?.();
  await first;
  now = 4_000;
  tick?.();
  ends[1]?.();
  await second;
  t.same(written, [
    '\r\u001B[K0 of 2 look-ups, 50 requests, 25 a second',
    '\r\u001B[K1 of 2 look-ups, 50 requests, 13 a second',
    '\r\u001B[K',
  ]);
  t.equal(tick, undefined, 'nothing keeps the process');
});

function settingsOf(argv: string[], environment: NodeJS.ProcessEnv = {}) {
  const command = new Command();
  declareRegistryOptions(command);
  t.equal(parseInto(command, argv), undefined);
  return readSettings(command.opts<GivenOptions>(), environment);
}

t.test('options, else the environment', async (t) => {
  const none = { clientCertificates: new Map(), insecure: [], ambient: new Set(), labels: [] };
  t.strictSame(settingsOf([]), none);
  const all = {
    dockerConfig: 'd.json',
    secretFile: 's.yaml',
    caFile: 'ca.pem',
    clientCertificates: new Map([
      ['a.test:5000', { cert: 'c.pem', key: 'k.pem' }],
      ['b.test', { cert: 'b.pem', key: 'b.pem' }],
    ]),
    insecure: ['localhost:5000', '[::1]:80'],
    ambient: new Set(['aws', 'gcp']),
    platform: 'linux/arm64',
    labels: ['ghcr.io/acme/*', 'nginx'],
    lookups: 7,
  };
  const given =
    '--docker-config d.json --registry-secret s.yaml --ca ca.pem --platform linux/arm64 --client-cert A.test:5000=c.pem ' +
    '--client-key a.test:5000=k.pem --client-cert b.test=b.pem --insecure LOCALHOST:5000 --insecure [::1]:80 ' +
    '--ambient aws --ambient gcp --labels ghcr.io/acme/* --labels nginx --lookups 7';
  t.strictSame(settingsOf(given.split(' ')), all);
  t.strictSame(
    settingsOf(['--docker-config', 'd.json'], {
      REGISTRY_SECRET_FILE: 's.yaml',
      REGISTRY_CA_FILE: 'ca.pem',
      REGISTRY_CLIENT_CERT: 'a.test:5000=c.pem,b.test=b.pem',
      REGISTRY_CLIENT_KEY: 'a.test:5000=k.pem',
      REGISTRY_INSECURE: 'localhost:5000, [::1]:80',
      REGISTRY_AMBIENT: 'aws,gcp',
      REGISTRY_PLATFORM: 'linux/arm64',
      REGISTRY_LABELS: 'ghcr.io/acme/*,nginx',
      REGISTRY_LOOKUPS: '7',
    }),
    all,
  );
  t.strictSame(
    settingsOf(['--insecure', 'a.test', '--lookups=3'], { REGISTRY_INSECURE: 'b.test', REGISTRY_LOOKUPS: '9' }),
    {
      ...none,
      insecure: ['a.test'],
      lookups: 3,
    },
  );
  t.equal(settingsOf(['--no-cache']).cache, false);
  t.equal(settingsOf(['--cache', 'dir']).cache, 'dir');
  t.equal(settingsOf([], { IMAGE_UPDATE_CACHE: 'dir' }).cache, undefined, 'the cache itself reads its variable');
  const variables = registryOptions.flatMap(({ variable }) => variable ?? []);
  t.equal(new Set(variables).size, variables.length);
});

t.test('labels: of an image, of an index, of a registry that does not tell', async (t) => {
  const labels = { 'org.opencontainers.image.revision': 'of the config', maintainer: 'x'.repeat(5000), 'a/b': 'kept' };
  const annotations = { 'org.opencontainers.image.revision': 'of the manifest' };
  const amd = makeImage({ labels, annotations });
  const arm = makeImage({ platform: 'linux/arm64', labels: { 'a/b': 'arm' } });
  const index = makeIndex([arm, amd], { annotations: { 'org.opencontainers.image.source': 'https://h/o/r' } });
  const server = await startScripted(
    shelves({ 'org/app': { tags: ['1', '2'], images: { 1: makeImage({ labels }), 2: index, 3: makeIndex([]) } } }),
  );
  t.teardown(server.stop);
  const http = createHttp({ insecure: [server.host] });
  const registry = createRegistry({
    http,
    credentials: { name: 'none', find: async () => undefined },
    insecure: [server.host],
  });
  const image = `${server.host}/org/app`;
  const read = async (reference: string, platform?: string) =>
    new RegistryLookup(
      createScanner({ registry, ...(platform && { platform }) }),
      new Progress(SILENT, () => 0),
    ).labels(image, reference);
  t.strictSame(await read('1'), { 'org.opencontainers.image.revision': 'of the config', 'a/b': 'kept' });
  t.equal(server.seen.filter(({ path }) => path.includes('org/app')).length, 2, 'two requests');
  const whole = { 'org.opencontainers.image.source': 'https://h/o/r', ...annotations, 'a/b': 'kept' };
  t.strictSame(await read('2'), whole, "the manifest's before the config's, and what the index adds");
  t.strictSame(await read(index.digest), whole, 'by digest');
  t.match(await read('2', 'linux/arm64'), { 'a/b': 'arm' });
  t.strictSame(await read('3'), {}, 'an index of nothing');
  t.equal(await read('4'), undefined, "what is not there is nobody's fault");
});
