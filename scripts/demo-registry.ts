// Updates a copy of examples/registry from a real registry on this machine, records what it said, and does it again from the
// record with the registry stopped. `npm run demo:registry`.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeImage, makeIndex, push } from '../test/registry/images.ts';
import { cannotStart, startRegistry, type Server } from '../test/registry/servers.ts';
import { buildAll, root } from './build.ts';
import { coloured, heading, quiet } from './show.ts';

/** The host in the manifests of the example, in whose place the registry's own is put. */
const HOST = 'registry.example.com';

/** What the registry holds: of each repository its tags, and when their images were built. */
const images: Record<string, Record<string, string>> = {
  'shop/web': {
    '1.4.2': '2026-09-01T08:12:00Z',
    '1.4.9': '2026-10-11T09:30:00Z',
    '1.4.10': '2026-11-02T14:05:00Z',
    '1.5.0': '2026-11-21T11:00:00Z',
    latest: '2026-11-21T11:00:00Z',
  },
  'shop/assets': {
    'main-3f2a91c': '2026-11-01T10:00:00Z',
    'main-b81d0e4': '2026-11-20T16:41:00Z',
    'main-07c55fa': '2026-11-12T09:00:00Z',
    'pr-812': '2026-11-22T09:00:00Z',
  },
  'shop/worker': { '2.0.0': '2026-08-01T10:00:00Z', '2.3.1': '2026-11-15T10:00:00Z', '3.0.0': '2026-11-16T10:00:00Z' },
  'shop/relay': { '3.1.0': '2026-10-01T10:00:00Z', '3.2.0': '2026-11-01T10:00:00Z' },
};

const missing = cannotStart();
if (missing !== false) {
  console.error(`demo: ${missing}; it comes with: apt-get install docker-registry`);
  process.exit(1);
}
const programs = { 'image-update': join(root, 'dist/image-update.js'), 'tk-image': join(root, 'dist/tk-image.js') };
if (!Object.values(programs).every((program) => existsSync(program))) {
  console.error('demo: building dist/, once');
  await buildAll(join(root, 'dist'));
}
const directory = mkdtempSync(join(tmpdir(), 'image-update-demo-'));
const registry = await startRegistry();
try {
  await demonstrate(registry);
} finally {
  await registry.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function demonstrate(registry: Server): Promise<void> {
  heading(`A registry of its own, ${registry.host}`);
  for (const [path, tags] of Object.entries(images)) {
    for (const [tag, created] of Object.entries(tags))
      await push({ origin: registry.origin, path }, made(created), tag);
    console.log(`  ${path}: ${Object.keys(tags).join(', ')}`);
  }
  copyTree('live', registry.host);
  copyTree('replay', registry.host);

  heading('$ image-update clusters --fn-config update.yaml --diff');
  const update = ['clusters', '--fn-config', 'update.yaml', '--diff'];
  const live = await start('image-update', 'live', update, registry.host);
  process.stdout.write(live.stdout.split('\n').map(coloured).join('\n'));
  quiet(live.stderr);

  heading('$ tk-image scan clusters --output images.yaml    # in a copy that is not updated yet');
  const scan = await start('tk-image', 'replay', ['scan', 'clusters', '--output', 'images.yaml'], registry.host, 1);
  quiet(scan.stderr);
  console.log(readFileSync(join(directory, 'replay/images.yaml'), 'utf8').replaceAll(/^/gm, '  ').trimEnd());

  await registry.stop();
  heading('$ image-update clusters --metadata images.yaml    # the registry is stopped');
  const replay = await start('image-update', 'replay', ['clusters', '--metadata', 'images.yaml'], undefined);
  process.stdout.write(replay.stdout);
  quiet(replay.stderr);

  heading('The same bytes');
  console.log(`  ${compare()}`);
}

/** An image for two platforms, built at a time. */
function made(created: string) {
  return makeIndex(
    ['linux/amd64', 'linux/arm64'].map((platform) => makeImage({ platform, created, content: created })),
  );
}

function copyTree(name: string, host: string): void {
  const tree = join(directory, name);
  cpSync(join(root, 'examples/registry'), tree, { recursive: true });
  for (const file of filesOf(name)) writeFileSync(file, readFileSync(file, 'utf8').replaceAll(HOST, host));
}

function filesOf(name: string): string[] {
  return readdirSync(join(directory, name, 'clusters'), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

/** Runs a program in a copy. It asks the registry, if there is one, by plain http, and keeps its cache in the copy too. */
async function start(
  name: keyof typeof programs,
  tree: string,
  args: string[],
  host: string | undefined,
  wanted = 0,
): Promise<{ stdout: string; stderr: string }> {
  const env = {
    ...process.env,
    IMAGE_UPDATE_CACHE: join(directory, `${tree}-cache`),
    ...(host !== undefined && { REGISTRY_INSECURE: host }),
  };
  const child = spawn(process.execPath, [programs[name], ...args], { cwd: join(directory, tree), env });
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on('close', resolve)),
  ]);
  if (status !== wanted) throw new Error(`${name} ended with status ${String(status)}:\n${stderr}`);
  return { stdout, stderr };
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += String(chunk);
  return all;
}

/** Compares what came of the registry with what came of the record, without trusting the programs. */
function compare(): string {
  const [live, replay] = [filesOf('live'), filesOf('replay')];
  const differs = live.find((file, i) => !readFileSync(file).equals(readFileSync(replay[i] ?? '')));
  if (differs !== undefined || live.length !== replay.length)
    throw new Error(`${differs ?? 'a file'} is not what came of the record`);
  return `Compared byte by byte: ${live.length} files are the same, from the registry and from the record.`;
}
