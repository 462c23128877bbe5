// The whole story on this machine, without a network: a registry gets a new tag, one command finds it, says why, and pushes a
// commit whose diff is one line; the next one comes as a pull request. `npm run demo`.
import { createHash } from 'node:crypto';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startForge } from '../test/git/forge/stand-in.ts';
import { startHttp } from '../test/git/servers.ts';
import { makeImage, type MadeImage } from '../test/registry/images.ts';
import { shelves, startScripted, type Shelf } from '../test/registry/scripted.ts';
import { buildAll, root } from './build.ts';
import { coloured, heading, quiet } from './show.ts';

/** The host in the manifests of the example, in whose place the registry's own is put. */
const HOST = 'registry.example.com';
const FILE = 'clusters/shop/web.yaml';
const program = join(root, 'dist/tk-image.js');

if (!existsSync(program)) {
  console.error('demo: building dist/, once');
  await buildAll(join(root, 'dist'));
}
const directory = mkdtempSync(join(tmpdir(), 'image-update-demo-'));
const clone = join(directory, 'clone');
const shelf = new Map<string, Shelf>();
const registry = await startScripted(shelves(Object.fromEntries(shelf)));
const git = await startHttp({ root: directory });
const environment = {
  ...process.env,
  HOME: directory,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
  REGISTRY_INSECURE: registry.host,
  FORGE_TOKEN: 'none',
  IMAGE_UPDATE_CACHE: join(directory, 'cache'),
};

try {
  await tell();
} finally {
  await Promise.all([registry.stop(), git.close()]);
  rmSync(directory, { recursive: true, force: true });
}

async function tell(): Promise<void> {
  const url = `${git.url}/acme/config.git`;
  heading(`A registry on this machine, ${registry.host}`);
  push('shop/web', { '1.4.2': '2026-09-01T08:12:00Z', '1.5.0': '2026-11-21T11:00:00Z' });
  push('shop/assets', { 'main-3f2a91c': '2026-11-01T10:00:00Z', 'pr-812': '2026-11-22T09:00:00Z' });

  heading(`A git repository, ${url}`);
  makeRepository();
  console.log(readFileSync(join(clone, FILE), 'utf8').trimEnd().replaceAll(/^/gm, '  '));

  heading('CI pushes a new build: shop/web:1.4.10');
  push('shop/web', { '1.4.10': '2026-11-24T14:05:00Z' });

  await show(['list', '.', '--workload', 'web']);
  await show(['explain', '.', 'web']);
  await show(['update', '--git', url, '--push', '--allow-http']);

  heading('$ git show    # what was pushed: one line');
  command(clone, 'pull', '--quiet');
  const shown = command(clone, 'show', '--format=%an <%ae>%n%n%B', 'HEAD');
  process.stdout.write(shown.split('\n').map(coloured).join('\n'));
  const changed = shown.split('\n').filter((line) => /^[-+](?![-+]{2} )/.test(line));
  if (changed.length !== 2) throw new Error(`${changed.length} lines of the diff changed, not one`);

  await show(['update', '--git', url, '--push', '--allow-http']);

  heading('CI pushes again: shop/web:1.4.11. This time a pull request shall ask first');
  push('shop/web', { '1.4.11': '2026-11-26T09:20:00Z' });
  const forge = await startForge('gitea', join(directory, 'acme/config.git'));
  try {
    const at = ['--forge', 'gitea', '--forge-url', forge.server.origin];
    await show(['update', '--git', url, '--pull-request', ...at, '--allow-http']);
    heading('What the pull request says');
    const [pull] = forge.pulls;
    if (!pull) throw new Error('no pull request was opened');
    console.log(`# ${pull.title}\n\n${pull.body}`);
  } finally {
    await forge.server.stop();
  }

  heading('Read on');
  console.log('  docs/laptop.md           all of this, on your own files');
  console.log('  docs/pull-requests.md    pull requests on GitHub, GitLab, Gitea and Forgejo');
  console.log('  npm run demo:directory   a larger tree, edited in place, and what was held');
}

/** Puts tags on the registry, each an image that was built at a time. */
function push(path: string, tags: Record<string, string>): void {
  const { tags: names = [], images = {} } = shelf.get(path) ?? {};
  const made = Object.entries(tags).map(([tag, created]) => [tag, built(path, tag, created)] as const);
  shelf.set(path, { tags: [...names, ...Object.keys(tags)], images: { ...images, ...Object.fromEntries(made) } });
  registry.script = shelves(Object.fromEntries(shelf));
  console.log(`  ${path}: ${Object.keys(tags).join(', ')}`);
}

/** An image that says what it was built of, as `docker/metadata-action` labels them. */
function built(path: string, tag: string, created: string): MadeImage {
  const labels = {
    'org.opencontainers.image.source': `https://github.com/acme/${path.split('/')[1]}`,
    'org.opencontainers.image.revision': createHash('sha1').update(`${path}:${tag}`).digest('hex'),
  };
  return makeImage({ created, labels, content: tag });
}

/** A repository that is served, with the manifests of an example, and a clone of it. */
function makeRepository(): void {
  const work = join(directory, 'work');
  mkdirSync(work);
  mkdirSync(join(directory, 'acme'));
  cpSync(join(root, 'examples/registry', FILE), join(work, FILE), { recursive: true });
  writeFileSync(join(work, FILE), readFileSync(join(work, FILE), 'utf8').replaceAll(HOST, registry.host));
  command(work, 'init', '--quiet', '--initial-branch=main');
  command(work, 'add', '.');
  command(work, 'commit', '--quiet', '--message=The shop');
  command(directory, 'clone', '--quiet', '--bare', 'work', 'acme/config.git');
  command(join(directory, 'acme/config.git'), 'config', 'http.receivepack', 'true');
  command(directory, 'clone', '--quiet', 'acme/config.git', 'clone');
}

function command(cwd: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd, env: environment, encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Runs the program in the clone and shows what it says. Not waited for with spawnSync: the servers live in this process. */
async function show(args: string[]): Promise<void> {
  heading(`$ tk-image ${args.join(' ')}`);
  const child = spawn(process.execPath, [program, ...args], { cwd: clone, env: environment });
  const [stdout, stderr, status] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise((resolve) => child.on('close', resolve)),
  ]);
  process.stdout.write(stdout);
  if (stderr !== '') quiet(stderr);
  if (status !== 0) throw new Error(`tk-image ${args.join(' ')} ended with status ${String(status)}`);
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += String(chunk);
  return all;
}
