// Builds dist/ and the container image of it, and says what came of it. `npm run image`; with `-- --engine podman`,
// `--base IMAGE`, `--tag IMAGE`, `--source URL` otherwise than by docker, on the Dockerfile's base, under the version's tag.
import { spawnSync, type SpawnSyncOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAll, root } from './build.ts';

export interface ImageOptions {
  tag: string;
  /** Of the Dockerfile's choice without it. */
  base?: string | undefined;
  /** Where the sources are, for the label. */
  source?: string | undefined;
}

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** What `docker` or `podman` is asked, to build the image of the dist/ that is there. */
export function buildArguments({ tag, base, source }: ImageOptions): string[] {
  const values = { BASE: base, VERSION: version, SOURCE: source, ...commit() };
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return ['build', `--tag=${tag}`, ...given.map(([name, value]) => `--build-arg=${name}=${value}`), root];
}

/** The commit and its time, which is the same for everybody who builds it; of a tree with changes of its own nothing is said. */
function commit(): { REVISION?: string; CREATED?: string } {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  const changes = git('status', '--porcelain');
  if (changes.status !== 0 || changes.stdout !== '') return {};
  const [revision, created] = git('log', '-1', '--format=%H %cI').stdout.trim().split(' ');
  return { ...(revision && created && { REVISION: revision, CREATED: created }) };
}

/** Run by Node in the image, so that what the engine takes to start a container is no part of it. */
const STOPWATCH = `
const { spawnSync } = require('node:child_process');
const input = 'apiVersion: config.kubernetes.io/v1\\nkind: ResourceList\\nitems: []\\n';
const time = (program, args) => {
  const start = performance.now();
  const { status } = spawnSync(program, args, { input });
  if (status !== 0) process.exit(1);
  return performance.now() - start;
};
const median = (times) => times.toSorted((a, b) => a - b)[times.length >> 1];
const [plain, ours] = [[], []];
for (let i = 0; i < 9; i++) {
  plain.push(time('node', ['-e', '0']));
  ours.push(time('image-update', []));
}
console.log(JSON.stringify({ plain: median(plain), ours: median(ours) }));
`;

/** Asks an engine and returns what it prints. Throws if it fails. */
type Ask = (args: string[]) => string | Promise<string>;

/** The size of an image, and how long the function takes on an empty list, against plain Node in the same image. */
export async function measureImage(ask: Ask, image: string): Promise<string> {
  const size = Number(await ask(['image', 'inspect', '--format={{.Size}}', image]));
  const { plain, ours } = JSON.parse(
    await ask(['run', '--rm', '--network=none', '--entrypoint=node', image, '-e', STOPWATCH]),
  ) as Record<'plain' | 'ours', number>;
  const times = `${Math.round(ours)} ms, ${Math.round(plain)} ms`;
  return `${image}: ${Math.round(size / 1e6)} MB; start-up is ${(ours / plain).toFixed(1)} times that of \`node -e 0\` in it (${times})`;
}

if (import.meta.main) {
  const { engine, ...options } = parseArgs({
    options: {
      engine: { type: 'string', default: 'docker' },
      tag: { type: 'string', default: `image-update:${version}` },
      base: { type: 'string' },
      source: { type: 'string' },
    },
  }).values;
  const ask = (args: string[], options: SpawnSyncOptions = {}) => {
    const { status, stdout, error } = spawnSync(engine, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
    if (status === 0) return String(stdout);
    console.error(`image: ${error ? `${engine} cannot be started: ${error.message}` : `${engine} ${args[0]} failed`}`);
    process.exit(1);
  };
  await buildAll(join(root, 'dist'));
  ask(buildArguments(options), { stdio: 'inherit' });
  console.log(await measureImage(ask, options.tag));
}
