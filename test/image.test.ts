// The container image: built and run by a real engine, as kpt, kustomize, people and UpdateJobs run it. What it does must be what
// the program on this machine does.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { programHelp } from '../cli/help.ts';
import { root } from '../scripts/build.ts';
import { buildArguments, measureImage } from '../scripts/image.ts';
import { findProgram } from '../scripts/tools.ts';
import { needEngine, programs, type Answer } from './engine.ts';
import { commandsOf, copyOf, expectedOf, makeWorkshop, program, shell, treeOf } from './examples.ts';
import { deployment, MAIN, metadata, openShop } from './job/places.ts';
import { leaveOutOfQuickRun } from './quick.ts';

leaveOutOfQuickRun();
// Half a minute on two idle cores.
t.setTimeout(150_000);

const engine = await needEngine();
const { docker, environment } = engine;
const workshop = makeWorkshop();
t.teardown(() => rmSync(workshop, { recursive: true, force: true }));

const base = `localhost/base:test-${process.pid}`;
const image = `localhost/image-update:test-${process.pid}`;
/** The same under a name that `tk-image run` does not take for itself. */
const foreign = `localhost/other:test-${process.pid}`;

const certificates = '/etc/ssl/certs/ca-certificates.crt';
const remote = '/usr/lib/git-core/git-remote-http';
await engine.importFiles(base, {
  ...programs('chmod', 'env', 'git', 'id', 'ln', 'sh', 'ssh'),
  '/usr/local/bin/node': process.execPath,
  [remote]: remote,
  ...(existsSync(certificates) && { [certificates]: certificates }),
});

t.test('it is built', async (t) => {
  for (const tag of [image, foreign]) {
    // No bridge is there, and none is needed: the base has what the Dockerfile would install.
    const args = [...buildArguments({ tag, base, source: 'https://git.example.com/x' }), '--network=none'];
    const { status, stderr } = await docker(args);
    t.equal(status, 0, tag, { stderr });
  }
  t.comment(await measureImage(async (args) => (await docker(args)).stdout, image));
});

/** What the program on this machine says to the same. */
function here(args: string[], input = '', cwd = root): Answer {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd, input, encoding: 'utf8' });
  return { status: status ?? -1, stdout, stderr };
}

/** As kpt does it, and as those do who trust nobody. */
const users = [
  ['--user', 'nobody', '--security-opt=no-new-privileges'],
  ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges'],
  ['--user', '1234:1234', '--read-only', '--cap-drop=ALL', '--env=HOME='],
  ['--user', '0:0', '--read-only', '--cap-drop=ALL'],
];
const runOnce = ['run', '--rm', '-i', '--network', 'none'];

t.test('what it says of itself', async (t) => {
  const { stdout } = await docker(['image', 'inspect', '--format={{json .Config}}', image]);
  const config = JSON.parse(stdout) as { Labels: Record<string, string> };
  t.match(config, { Entrypoint: ['image-update'], User: '65532:65532', WorkingDir: '/workspace' });
  t.match(config, { Cmd: null, Healthcheck: undefined }, 'an entry point in exec form, and nothing behind it');
  const { version, license, description } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  const labels = Object.fromEntries(
    Object.entries(config.Labels).map(([name, value]) => [name.replace('org.opencontainers.image.', ''), value]),
  );
  t.match(labels, {
    title: 'image-update',
    description,
    licenses: license,
    version,
    source: 'https://git.example.com/x',
  });
  t.match(labels, { revision: /^([0-9a-f]{40,64})?$/, created: /^(\d{4}-\d\d-\d\dT\S+)?$/ });
});

t.test('a ResourceList on stdin', async (t) => {
  const list = readFileSync(join(root, 'examples/pipe/list.yaml'), 'utf8');
  for (const options of users)
    t.same(await docker([...runOnce, ...options, image], list), here([], list), options.join(' '));
  const wrong = list.replace(' updates:', ' updaets:');
  const refused = here([], wrong);
  t.match(refused, { status: 2, stderr: /updaets/ });
  t.same(await docker([...runOnce, ...users[0]!, image], wrong), refused, 'what is wrong is said as here');
});

t.test('its programs', async (t) => {
  for (const [entrypoint, help] of [
    ['image-update', readFileSync(join(root, 'docs/function.md'), 'utf8')],
    ['tk-image', programHelp('tk-image')],
  ] as const) {
    const { stdout, status } = await docker([...runOnce, ...users[0]!, `--entrypoint=${entrypoint}`, image, '--help']);
    t.equal(status, 0);
    t.equal(stdout, help, `${entrypoint} --help`);
  }
  const tags = '1.4.2\n1.4.10\n1.5.0\n';
  const choose = ['--entrypoint=tk-image', image, 'choose', 'semver:~1.4', '--tags', '-'];
  for (const options of [users[0]!, users[2]!])
    t.match(await docker([...runOnce, ...options, ...choose], tags), { status: 0, stdout: '1.4.10\n' });
  // ssh looks its user up before it does anything.
  const ssh = ['--entrypoint=ssh', image, '-T', 'git@127.0.0.1'];
  for (const options of [[], users[0]!])
    t.match(await docker([...runOnce, ...options, ...ssh]), { stderr: /port 22: Connection refused/ });
  const listed = await docker([...runOnce, '--entrypoint=sh', image, '-c', 'cd /usr/local/lib/image-update && echo *']);
  t.equal(
    listed.stdout,
    'LICENSE THIRD-PARTY-NOTICES.txt clouds image-update.js package.json tk-image tk-image.js\n',
    'no types, no libraries, no sources',
  );
});

t.test('built by somebody who lets nobody read', async (t) => {
  const context = t.testdir();
  for (const name of ['Dockerfile', '.dockerignore', 'LICENSE', 'dist'])
    cpSync(join(root, name), join(context, name), { recursive: true });
  for (const entry of readdirSync(join(context, 'dist'), { withFileTypes: true, recursive: true }))
    chmodSync(
      join(entry.parentPath, entry.name),
      entry.isDirectory() || entry.name.endsWith('update.js') ? 0o700 : 0o600,
    );
  const strict = `${image}-strict`;
  const args = [...buildArguments({ tag: strict, base }).slice(0, -1), context];
  t.match(await docker([...args, '--network=none']), { status: 0 });
  t.match(await docker([...runOnce, '--user=nobody', strict, '--help']), { status: 0 });
});

t.test('a directory that is mounted', async (t) => {
  const expected = copyOf('directory', workshop);
  const args = ['clusters', '--metadata', 'metadata/images.yaml', '--metadata', 'metadata/policies.yaml'];
  const there = here(args, '', expected);
  t.equal(there.status, 0);
  const mine = process.getuid?.() ?? 0;
  const owner = mine === 0 ? 1234 : mine;

  const work = copyOf('directory', workshop);
  // git would find the owner dubious, were it asked; and what stands in there is obeyed by nobody.
  spawnSync('git', ['init', '-q', work]);
  chmodSync(work, 0o755);
  for (const file of ['', ...readdirSync(work, { recursive: true, encoding: 'utf8' })])
    chownSync(join(work, file), owner, owner);
  const mounted = ['-v', `${work}:/workspace`, '-w', '/workspace', '--read-only', '--cap-drop=ALL', image, ...args];
  const before = treeOf(work);
  const refused = await docker([...runOnce, ...mounted]);
  t.match(refused, { status: 1, stderr: /permission denied/ }, "the image's own user may not write there");
  t.same(treeOf(work), before, 'so nothing is changed');
  t.same(await docker([...runOnce, `--user=${owner}:${owner}`, ...mounted]), there, 'its owner may');
  const after = [...treeOf(work)].filter(([path]) => !path.startsWith('.git/'));
  t.same(new Map(after), treeOf(expected), 'and gets what the program here makes of it');
});

t.test('kpt', { skip: !findProgram('kpt') && 'kpt missing; npm run tools says how to get it' }, async (t) => {
  const [work, expected] = [copyOf('kpt-eval', workshop), copyOf('kpt-eval', workshop)];
  await shell(workshop, expected, commandsOf('kpt-eval'));
  const commands = commandsOf('kpt-eval').replace('--exec image-update', `--image ${image}`);
  const run = await shell(workshop, work, commands, { env: environment });
  t.equal(run.status, 0, run.stderr);
  const [got, wanted] = [treeOf(work), treeOf(expected)];
  t.match(got.get('results/results.yaml'), image, 'it was the image');
  for (const tree of [got, wanted]) tree.delete('results/results.yaml');
  t.same(got, wanted, 'kpt fn eval: what the program makes');
  const doc = await shell(workshop, work, `kpt fn doc --image ${image}`, { env: environment });
  t.equal(doc.stdout.trimEnd(), readFileSync(join(root, 'docs/function.md'), 'utf8').trimEnd(), 'kpt fn doc');
});

/** Sections of docs/container.md, and the example in which the commands in them are run. */
const sections = { 'On a directory': 'examples/directory', ...(findProgram('kpt') && { 'With kpt': '' }) };

t.test('what docs/container.md says', async (t) => {
  const page = readFileSync(join(root, 'docs/container.md'), 'utf8');
  for (const [heading, place] of Object.entries(sections)) {
    const clone = join(workshop, heading.replaceAll(' ', '-'));
    cpSync(join(root, 'examples'), join(clone, 'examples'), { recursive: true });
    const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
    const blocks = [...section.matchAll(/^```text\n([^]*?)^```$/gm)].map(([, block]) => block);
    // It is built already.
    const commands = blocks
      .join('')
      .replaceAll(/^npm .*$/gm, '')
      .replaceAll(/\S*image-update:v?0\.1\.0/g, image);
    t.match(commands, image);
    const { status, stderr } = await shell(workshop, join(clone, place), commands, { env: environment });
    t.equal(status, 0, heading, { stderr });
  }
});

const kustomize = findProgram('kustomize');

t.test('kustomize', { skip: !kustomize && 'kustomize missing; run: npm run tools' }, async (t) => {
  const work = copyOf('kustomize', workshop);
  const config = join(work, 'update.yaml');
  writeFileSync(
    config,
    readFileSync(config, 'utf8').replace('exec:\n        path: ./run', `container:\n        image: ${image}`),
  );
  const built = await shell(workshop, work, `${kustomize} build --enable-alpha-plugins .`, { env: environment });
  t.equal(built.stdout, expectedOf('kustomize').get('stdout'), built.stderr);
  t.match(built.stderr, /web: ghcr\.io\/acme\/web:2\.4\.0 -> /, 'and says what it did, as kustomize asks it to');
});

t.test('an UpdateJob', async (t) => {
  const shop = await openShop({ 'web.yaml': deployment('web', '1.0.0'), 'notes.txt': 'web:1.0.0\n' });
  t.teardown(shop.close);
  const job = (image: string, run: Record<string, unknown> = {}) => ({ run: { image, ...run } });

  await t.test('of the image itself, in the image', async (t) => {
    const files = join(shop.home, 'files');
    mkdirSync(files);
    const spec = { git: { url: shop.url, ref: { branch: 'main' } }, commit: { author: { email: 'bot@example.com' } } };
    writeFileSync(
      join(files, 'job.yaml'),
      JSON.stringify({
        apiVersion: 'image-update.dev/v1alpha1',
        kind: 'UpdateJob',
        metadata: { name: 'update' },
        spec: { ...spec, ...job('image-update') },
      }),
    );
    writeFileSync(join(files, 'images.yaml'), metadata({ web: ['1.0.0', '1.1.0'] }));
    const ran = await docker(
      [
        'run',
        '--rm',
        '--network=host',
        '--read-only',
        '--tmpfs=/tmp',
        '--cap-drop=ALL',
        `--volume=${files}:/workspace:ro`,
      ]
        .concat('--entrypoint=tk-image', image)
        .concat('run', '-f', 'job.yaml', '--metadata', 'images.yaml', '--allow-http'),
    );
    t.equal(ran.status, 0, ran.stderr);
    t.equal(shop.show(MAIN, 'web.yaml'), deployment('web', '1.1.0'), 'checked out, changed and pushed');
  });

  const functionConfig = {
    apiVersion: 'image-update.dev/v1alpha1',
    kind: 'ImageUpdate',
    spec: { updates: [{ image: 'ghcr.io/acme/web', to: { tag: '2.0.0' } }] },
  };
  for (const [contract, run, tag] of [
    ['Function', { functionConfig }, '2.0.0'],
    ['WorkingDirectory', { args: ['.', '--fn-config', 'config.yaml'] }, '3.0.0'],
  ] as const)
    await t.test(`of an image of others, by the contract ${contract}`, async (t) => {
      const config = JSON.stringify(functionConfig).replace('2.0.0', '3.0.0');
      if (contract === 'WorkingDirectory') shop.commit({ 'config.yaml': config });
      const ran = await shop.run(job(foreign, { contract, ...run }), { environment });
      t.equal(ran.status, 0, ran.stderr);
      t.equal(shop.show(MAIN, 'web.yaml'), deployment('web', tag), 'every other byte stays');
      t.equal(shop.show(MAIN, 'notes.txt'), 'web:1.0.0\n');
    });

  const { stdout } = await docker(['ps', '--all', '--quiet', `--filter=ancestor=${foreign}`]);
  t.equal(stdout, '', 'no container is left');
});
