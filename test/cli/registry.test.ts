// The programs against a real registry: look-up, record and replay, logins, and what is said when a registry fails.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Account } from '../../fn/policy/account.ts';
import { root } from '../../scripts/build.ts';
import { deployment } from '../fixtures/update.ts';
import { makeImage, push } from '../registry/images.ts';
import { answer, fault, shelves, startScripted } from '../registry/scripted.ts';
import { ACCOUNT, cannotStart, startRegistry, type Server } from '../registry/servers.ts';

const skip = cannotStart();
const home = mkdtempSync(join(tmpdir(), 'image-update-cli-'));
t.teardown(() => rmSync(home, { recursive: true, force: true }));
t.setTimeout(120_000);

interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

interface Given {
  input?: string;
  env?: Record<string, string>;
  cwd?: string;
}

/** Runs a bundle with an empty home and a cache of its own: nothing of this machine's logins is seen. */
async function run(program: 'image-update' | 'tk-image', args: string[], given: Given = {}): Promise<Ran> {
  const env = { PATH: process.env['PATH'], HOME: home, IMAGE_UPDATE_CACHE: join(home, 'cache'), ...given.env };
  const child = spawn(process.execPath, [join(root, 'dist', `${program}.js`), ...args], {
    env,
    cwd: given.cwd ?? home,
  });
  const ran: Ran = { status: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ran.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.stderr += text));
  child.stdin.on('error', () => undefined).end(given.input ?? '');
  ran.status = await new Promise((resolve) => child.on('close', resolve));
  return ran;
}

function file(name: string, text: string): string {
  writeFileSync(join(home, name), text);
  return join(home, name);
}

const TAGS = ['1.2.0', '1.2.10', '1.3.0', 'main-1', 'main-2'];

async function fill(registry: Server, path: string): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const [i, tag] of TAGS.entries()) {
    const image = makeImage({ created: `2026-01-0${i + 1}T00:00:00Z`, content: tag });
    await push({ origin: registry.origin, path, headers: registry.headersFor(path) }, image, tag);
    digests.set(tag, image.digest);
  }
  return digests;
}

const AUTOMATED = 'fluxcd.io/automated: "true"';
const LOOKUP = 'apiVersion: image-update.dev/v1alpha1\nkind: ImageUpdate\nspec: {lookup: registry}\n';
const STRICT = LOOKUP.replace('{lookup', '{strict: true, lookup');

t.test('the demo: updated, recorded, replayed', { skip }, async (t) => {
  const child = spawn(process.execPath, [join(root, 'scripts/demo-registry.ts')], {
    env: { PATH: process.env['PATH'], HOME: home },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  t.equal(await new Promise((resolve) => child.on('close', resolve)), 0, output);
  for (const part of [
    /^-.*shop\/web:1\.4\.2 {3}# two blanks more, and they stay\n\+.*shop\/web:1\.4\.10 {3}# two blanks more/m,
    /^\+.*"127\.0\.0\.1:\d+\/shop\/assets:main-b81d0e4"$/m,
    /^\+.*shop\/worker:2\.3\.1@sha256:[0-9a-f]{64}$/m,
    /warning: Deployment shop\/mail queue: .*404/,
    /image-update: changed 3 fields in 2 files of 3, 1 warning/,
    /Compared byte by byte: 3 files are the same/,
  ])
    t.match(output, part);
});

t.test('a registry that anybody may ask', { skip }, async (t) => {
  const registry = await startRegistry();
  t.teardown(() => registry.stop());
  const digests = await fill(registry, 'team/app');
  const image = `${registry.host}/team/app`;
  const insecure = ['--insecure', registry.host];

  await t.test('choose', async (t) => {
    t.match(await run('tk-image', ['choose', 'semver:~1.2', image, ...insecure]), {
      status: 0,
      stdout: '1.2.10\n',
      stderr: /^1\.2\.10 is the highest version of 2 tags/,
    });
    const newest = await run('tk-image', ['choose', 'main-*', `${image}:main-1`, ...insecure, '-o', 'json']);
    const account = JSON.parse(newest.stdout) as Account;
    t.match(account, { image, chosen: 'main-2', reason: 'newest', candidates: ['main-2', 'main-1'] });
    t.match(await run('tk-image', ['choose', 'semver:~9', image, ...insecure]), { status: 3, stdout: '' });
    const gone = await run('tk-image', ['choose', 'semver:~9', `${image}-x`, ...insecure]);
    t.match(gone, { status: 1, stdout: '', stderr: /^tk-image: .*team\/app-x.*404/ });
    const secure = await run('tk-image', ['choose', 'semver:~1', image]);
    t.match(secure, { status: 1, stdout: '', stderr: /^tk-image: .*127\.0\.0\.1/ });
  });

  await t.test('scan of images, and a record that is stable', async (t) => {
    const yaml = await run('tk-image', ['scan', image, ...insecure]);
    t.equal(yaml.status, 0, yaml.stderr);
    t.match(yaml.stdout, /^apiVersion: image-update\.dev\/v1alpha1\nkind: ImageMetadata\n/);
    const printed = await run('tk-image', ['scan', image, ...insecure, '--output', '-']);
    t.match(printed, { status: 0, stdout: /^apiVersion: image-update\.dev\/v1alpha1\nkind: ImageMetadata\n/ });
    const record = file('record.yaml', '');
    const args = ['scan', image, ...insecure, '--output', record];
    t.equal((await run('tk-image', args)).status, 0);
    const first = readFileSync(record, 'utf8');
    t.equal((await run('tk-image', args)).status, 0);
    t.equal(readFileSync(record, 'utf8'), first, 'scanned again, nothing differs');
    t.match(await run('tk-image', ['scan', image, ...insecure, '--output', '/dev/full']), {
      status: 1,
      stderr: /\/dev\/full cannot be written/,
    });
    const newest = await run('tk-image', [...args, '--filter', 'glob:main-*']);
    t.equal(newest.status, 0, newest.stderr);
    t.match(readFileSync(record, 'utf8'), /name: main-2, .*created: "2026-01-05T00:00:00Z"/, 'with what a rule needs');

    const partly = await run('tk-image', ['scan', `${image}-x`, ...insecure, '--output', record]);
    t.match(partly, { status: 1, stderr: /team\/app-x.*404/ });
    t.match(readFileSync(record, 'utf8'), /name: main-2/, 'what was recorded stays');
    const json = await run('tk-image', ['scan', image, ...insecure, '-o', 'json']);
    t.match(JSON.parse(json.stdout), [{ kind: 'ImageMetadata', image, complete: true }]);

    for (const other of [
      'kind: Deployment\n',
      'kind: ImagePolicy\napiVersion: image-update.dev/v1alpha1\nmetadata: {name: a}\n',
    ]) {
      const taken = file('taken.yaml', other);
      t.match(await run('tk-image', ['scan', image, ...insecure, '--output', taken]), {
        status: 1,
        stderr: /another --output/,
      });
      t.equal(readFileSync(taken, 'utf8'), other);
    }
  });

  const manifest = deployment(
    [AUTOMATED, 'fluxcd.io/tag.a: semver:~1.2', 'fluxcd.io/tag.b: main-*'],
    `a: ${image}:1.2.0@${digests.get('1.2.0')}`,
    `b: ${image}:main-1`,
  );
  const updated = manifest
    .replace(`1.2.0@${digests.get('1.2.0')}`, `1.2.10@${digests.get('1.2.10')}`)
    .replace('main-1', 'main-2');
  const config = file('lookup.yaml', LOOKUP);

  await t.test('a directory, and the same from its record', async (t) => {
    const [live, replay] = [t.testdir({ 'a.yaml': manifest }), t.testdir({ 'a.yaml': manifest })];
    writeFileSync(join(live, 'a.yaml'), manifest);
    const done = await run('image-update', [live, '--fn-config', config, ...insecure]);
    t.equal(done.status, 0, done.stderr);
    t.equal(readFileSync(join(live, 'a.yaml'), 'utf8'), updated);
    writeFileSync(join(replay, 'a.yaml'), manifest);
    const record = join(home, 'tree.json');
    const scanned = await run('tk-image', ['scan', replay, ...insecure, '--output', record]);
    t.match(scanned, { status: 0, stdout: '' });
    t.match(JSON.parse(readFileSync(record, 'utf8')), [{ image }]);
    t.equal((await run('image-update', [replay, '--metadata', record])).status, 0);
    t.equal(readFileSync(join(replay, 'a.yaml'), 'utf8'), updated);
  });

  await t.test('the function by environment alone', async (t) => {
    const item = JSON.stringify({
      kind: 'Pod',
      metadata: { name: 'p', annotations: { 'fluxcd.io/automated': 'true', 'fluxcd.io/tag.c': 'semver:~1.2' } },
      spec: { containers: [{ name: 'c', image: `${image}:1.2.0` }] },
    });
    const list = (item: string) =>
      `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- ${item}\nfunctionConfig: {apiVersion: v1, kind: ConfigMap, data: {lookup: registry}}\n`;
    const done = await run('image-update', [], { input: list(item), env: { REGISTRY_INSECURE: registry.host } });
    t.equal(done.status, 0, done.stderr);
    t.ok(done.stdout.startsWith(list(item.replace('1.2.0', '1.2.10'))), done.stdout);
    const twice = await run('image-update', ['--registry-login', 'a@r.test', '--password-stdin'], {
      input: list(item),
    });
    t.match(twice, { status: 2, stdout: '', stderr: /stdin has the password or the ResourceList/ });
    const bad = await run('image-update', [], { input: list(item), env: { REGISTRY_PLATFORM: 'linux' } });
    t.match(bad, { status: 2, stderr: /--platform linux: it is os\/arch/ });
  });

  await t.test(
    'a registry that fails is a warning at each field, or an error, and nothing is half written',
    async (t) => {
      const other = deployment([AUTOMATED, 'fluxcd.io/tag.c: semver:*'], `c: ${image}-x:1.0.0`);
      const tree = t.testdir({ 'a.yaml': manifest, 'b.yaml': other });
      const strict = await run('image-update', [tree, '--fn-config', file('strict.yaml', STRICT), ...insecure]);
      t.match(strict, {
        status: 1,
        stdout: '',
        stderr: /b\.yaml:\d+: error: Deployment web c: .*404[^]*nothing was written/,
      });
      t.equal(readFileSync(join(tree, 'a.yaml'), 'utf8'), manifest);
      const results = join(home, 'results.json');
      const done = await run('image-update', [tree, '--fn-config', config, ...insecure, '--results', results]);
      t.match(done, { status: 0, stderr: /b\.yaml:\d+: warning: Deployment web c: .*404/ });
      t.equal(readFileSync(join(tree, 'a.yaml'), 'utf8'), updated, 'what could be looked up moves');
      t.equal(readFileSync(join(tree, 'b.yaml'), 'utf8'), other);
      t.match(
        (JSON.parse(readFileSync(results, 'utf8')) as { severity: string }[]).filter(
          ({ severity }) => severity !== 'info',
        ),
        [{ severity: 'warning', tags: { reason: 'registry-not-found', container: 'c', image: `${image}-x` } }],
      );
    },
  );
});

t.test('a registry that wants a login', { skip }, async (t) => {
  const registry = await startRegistry({ login: 'htpasswd' });
  t.teardown(() => registry.stop());
  await fill(registry, 'team/app');
  const choose = ['choose', 'semver:~1.2', `${registry.host}/team/app`, '--insecure', registry.host];
  const { username, password } = ACCOUNT;
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const docker = file('docker.json', JSON.stringify({ auths: { [registry.host]: { auth } } }));
  const dockerconfigjson = Buffer.from(readFileSync(docker)).toString('base64');
  const secret = file(
    'secret.yaml',
    `kind: Secret\ntype: kubernetes.io/dockerconfigjson\nmetadata: {name: pull}\ndata: {.dockerconfigjson: ${dockerconfigjson}}\n`,
  );
  const login = { REGISTRY_HOST: registry.host, REGISTRY_USERNAME: username, REGISTRY_PASSWORD: password };
  const ways: [string, string[], Given][] = [
    ['stdin', ['--registry-login', `${username}@${registry.host}`, '--password-stdin'], { input: `${password}\n` }],
    ['environment', [], { env: login }],
    ['a Docker config', ['--docker-config', docker], {}],
    ['a pull Secret', ['--registry-secret', secret], {}],
    ['the same by environment', [], { env: { REGISTRY_SECRET_FILE: secret } }],
  ];
  for (const [name, args, given] of ways)
    t.match(await run('tk-image', [...choose, ...args], given), { status: 0, stdout: '1.2.10\n' }, name);

  const wrong: [string, string[], Given][] = [
    ['no login', [], {}],
    ['a wrong password', [], { env: { ...login, REGISTRY_PASSWORD: 'canary-of-the-test' } }],
  ];
  for (const [name, args, given] of wrong) {
    const refused = await run('tk-image', [...choose, ...args], given);
    t.match(refused, { status: 1, stdout: '', stderr: /^tk-image: .*team\/app.*401/ }, name);
    t.notMatch(refused.stderr, /canary/, `${name}: no secret`);
  }
});

t.test('what a scan of a directory costs', async (t) => {
  const registry = await startScripted(({ path }, response) => {
    const [, repository] = /^\/v2\/(.+)\/tags\/list$/.exec(path) ?? [];
    if (path === '/v2/') return answer(response, 200, {});
    if (repository === undefined) return fault(response, 404, 'MANIFEST_UNKNOWN');
    return answer(response, 200, { name: repository, tags: ['1.0.0', '1.1.0', '2.0.0'] });
  });
  t.teardown(() => registry.stop());
  const field = (repository: string, name: string) => `${name}: ${registry.host}/${repository}:1.0.0`;
  const tree = t.testdir({
    'a.yaml': deployment(
      [AUTOMATED, 'fluxcd.io/tag.x: semver:~1', 'fluxcd.io/tag.y: semver:~2'],
      field('a', 'x'),
      field('b', 'y'),
    ),
    'b.yaml': deployment([AUTOMATED, 'fluxcd.io/tag.x: semver:~2'], field('a', 'x')),
    'c.yaml': deployment([], field('c', 'x')),
    'record.yaml': `apiVersion: image-update.dev/v1alpha1\nkind: ImageMetadata\nimage: ${registry.host}/a\ntags: []\n`,
  });
  const ran = await run('tk-image', ['scan', tree, '--insecure', registry.host]);
  t.equal(ran.status, 0, ran.stderr);
  t.same(
    registry.seen
      .map(({ path }) => path)
      .filter((path) => path !== '/v2/')
      .toSorted(),
    ['/v2/a/tags/list', '/v2/b/tags/list'],
    'a listing for each repository of an automated field, whatever an old record says, and none else',
  );
  t.same(
    [...ran.stdout.matchAll(/^image: (.+)$/gm)].map(([, image]) => image),
    [`${registry.host}/a`, `${registry.host}/b`],
  );
});

t.test('the programs look up the times of what passes the filter, and of nothing else', async (t) => {
  const images = Object.fromEntries(
    ['dev-1', 'dev-2', 'main-1', 'main-2', 'main-3'].map((tag, i) => [
      tag,
      makeImage({ created: `2026-01-0${9 - i}T00:00:00Z`, content: tag }),
    ]),
  );
  const registry = await startScripted(shelves({ a: { tags: Object.keys(images), images } }));
  t.teardown(() => registry.stop());
  const tree = t.testdir({
    'a.yaml': deployment([AUTOMATED, 'fluxcd.io/tag.x: glob:main-*'], `x: ${registry.host}/a:main-3`),
    'update.yaml': LOOKUP,
  });
  const asks = ['--insecure', registry.host, '--no-cache'];
  for (const [program, ...args] of [
    ['tk-image', 'choose', 'glob:main-*', `${registry.host}/a`],
    ['tk-image', 'scan', tree],
    ['image-update', tree, '--fn-config', join(tree, 'update.yaml')],
  ] as const) {
    registry.seen.length = 0;
    const ran = await run(program, [...args, ...asks]);
    t.match(ran, { status: 0, stderr: /^(?!.*warning: )/s }, `${program} ${args[0]}: ${ran.stderr}`);
    t.same(
      registry.seen.map(({ path }) => path.replace(/sha256.*/, 'sha256')).toSorted(),
      [
        'blobs/sha256',
        'blobs/sha256',
        'blobs/sha256',
        'manifests/main-1',
        'manifests/main-2',
        'manifests/main-3',
        'tags/list',
      ].map((path) => `/v2/a/${path}`),
      `${program} ${args[0]}`,
    );
  }
  t.match(readFileSync(join(tree, 'a.yaml'), 'utf8'), ':main-1');
});

interface Refused {
  args: string[];
  env?: Record<string, string>;
  status?: number;
  says: RegExp;
}

const refused: Refused[] = [
  { args: [], says: /what to scan/ },
  { args: ['No/Image'], says: /"No\/Image" is neither a directory nor an image/ },
  { args: ['r.test/a', '.'], says: /not both: r\.test\/a is no directory/ },
  { args: ['.', '--filter', 'semver:*'], says: /--filter and --policy are for images/ },
  { args: ['r.test/a', '--fn-config', 'x'], says: /for directories/ },
  { args: ['r.test/a', '--filter', '*', '--policy', 'x'], says: /one of --filter and --policy/ },
  { args: ['r.test/a', '--insecure', 'http://r.test'], says: /--insecure http:\/\/r\.test: .*localhost:5000/ },
  { args: ['r.test/a', '--ambient', 'aws,ibm'], says: /--ambient ibm: the clouds are aws, gcp, azure/ },
  { args: ['r.test/a', '--platform', 'linux'], says: /--platform linux/ },
  { args: ['r.test/a', '--lookups', 'many'], says: /--lookups many: it takes a whole number/ },
  { args: ['r.test/a', '--registry-login', 'me@r.test'], says: /--password-stdin/ },
  { args: ['r.test/a', '--password-stdin'], says: /--registry-login/ },
  { args: ['r.test/a', '--client-cert', 'x.pem'], says: /HOST=FILE/ },
  { args: ['r.test/a', '--client-key', 'r.test=x.pem'], says: /no --client-cert/ },
  { args: ['r.test/a', '--ca', 'none.pem'], status: 1, says: /none\.pem cannot be read/ },
  { args: ['r.test/a', '--registry-secret', 'none.yaml'], status: 1, says: /none\.yaml is not there/ },
  { args: ['r.test/a'], env: { REGISTRY_PASSWORD: 'canary-of-the-test' }, status: 1, says: /REGISTRY_HOST/ },
  { args: ['r.test/a', '--isecure', 'x'], says: /--isecure.*\n?.*--insecure/ },
];

t.test('what cannot be done is said before anybody is asked', async (t) => {
  t.ok(existsSync(join(root, 'dist/tk-image.js')), 'npm run build');
  const ran = await Promise.all(refused.map(({ args, env }) => run('tk-image', ['scan', ...args], env ? { env } : {})));
  for (const [i, { args, status = 2, says }] of refused.entries()) {
    t.equal(ran[i]!.status, status, `${args.join(' ')}: ${ran[i]!.stderr}`);
    t.match(ran[i]!.stderr, says, args.join(' '));
    t.notMatch(ran[i]!.stderr, /canary|\n +at /, args.join(' '));
    t.equal(ran[i]!.stdout, '');
  }
});
