/** What an UpdateJob costs on a git server on loopback, against git's own commands for the least that must be done. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  addCommit,
  createRepository,
  git,
  serverEnvironment,
  startHttp,
  type HttpServer,
} from '../test/git/servers.ts';
import { generate } from './corpus.ts';
import { places } from './corpus/truth.ts';
import { ratioFigure, type Figure } from './figure.ts';

export interface GitBench {
  rounds: number;
  scratch: string;
  seed: number;
  /** The bundle of `tk-image`. */
  program: string;
}

/** Apps of a corpus with some 10,000 YAML files. */
const APPS = 3_800;
const PUSHERS = 8;
const COMMITS_EACH = 5;
const MAIN = 'refs/heads/main';
/** What a second run may take beside git's own time. */
const ALLOWANCE_MS = 200;

/** All cases, against a server that is started and stopped here. */
export async function gitCases(bench: GitBench): Promise<Figure[]> {
  const root = join(bench.scratch, 'git');
  const repository = join(root, 'fleet.git');
  mkdirSync(root, { recursive: true });
  const files = writeRepository(bench, repository);
  console.error(`bench: a repository of ${files} YAML files`);
  const server = await startHttp({ root });
  const place: Place = { ...bench, root, repository, server, url: `${server.url}/fleet.git` };
  try {
    return [
      ...(await fromNothing(place)),
      ...(await afterOneCommit(place)),
      await nothingNew(place),
      ...(await pushers(place)),
    ];
  } finally {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  }
}

interface Place extends GitBench {
  root: string;
  repository: string;
  server: HttpServer;
  url: string;
}

/** The corpus as one commit, and one more workload that is to move. Returns the number of its YAML files. */
function writeRepository({ scratch, seed }: GitBench, repository: string): number {
  const corpus = join(scratch, 'git-corpus');
  mkdirSync(corpus);
  const { files } = generate(corpus, { apps: APPS, seed });
  createRepository(repository, { 'bench/web.yaml': workload('1.0.0') });
  const tree = places.tree(corpus);
  const contents = readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => [relative(tree, file), readFileSync(file)] as const);
  addCommit(repository, MAIN, Object.fromEntries(contents));
  git(repository, ['repack', '-q', '-a', '-d']);
  cpSync(places.metadata(corpus, 'none'), join(scratch, 'git-metadata.json'));
  writeFileSync(join(scratch, 'git-more.yaml'), metadata('1.1.0', IMAGE));
  rmSync(corpus, { recursive: true });
  return files + 1;
}

/** A name of its own: a common word would be looked for in half of the files. */
const IMAGE = 'storefront';

function workload(tag: string, name = IMAGE): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  annotations: {fluxcd.io/automated: "true", fluxcd.io/tag.app: "semver:*"}
spec:
  template:
    spec:
      containers:
      - name: app
        image: ghcr.io/bench/${name}:${tag}
`;
}

function metadata(tag: string, name: string): string {
  return `apiVersion: image-update.dev/v1alpha1\nkind: ImageMetadata\nmetadata: {name: ${name}}\nimage: ghcr.io/bench/${name}\ntags: [{name: ${tag}}]\n`;
}

interface Running {
  cache: string;
  /** Of `--metadata`. */
  files?: string[];
  /** What the job says of its run beside the image. */
  run?: Record<string, unknown>;
}

/** Writes a job and returns what runs it. */
function running({ scratch, url, program }: Place, name: string, { cache, files = [], run }: Running): string[] {
  const job = join(scratch, `git-${name}.json`);
  const spec = {
    git: { url, ref: { branch: 'main' } },
    run: { image: 'image-update', ...run },
    push: { maxRaceRetries: 100 },
    commit: { author: { email: 'bench@example.com' } },
  };
  const manifest = { apiVersion: 'image-update.dev/v1alpha1', kind: 'UpdateJob', metadata: { name }, spec };
  writeFileSync(job, JSON.stringify(manifest));
  return [
    program,
    'run',
    '-f',
    job,
    '--allow-http',
    '--cache',
    cache,
    ...files.flatMap((file) => ['--metadata', file]),
  ];
}

/** One image is set, as by a job that somebody who has chosen has made. */
function oneImage(place: Place, cache: string): string[] {
  const updates = [{ image: `ghcr.io/bench/${IMAGE}`, to: { tag: '1.1.0' } }];
  const spec = { annotations: false, markers: false, updates };
  const functionConfig = { apiVersion: 'image-update.dev/v1alpha1', kind: 'ImageUpdate', spec };
  return running(place, 'one', { cache, run: { contract: 'Function', functionConfig } });
}

/** Every field that is automated by annotation or marker is chosen for, and one moves. */
function easyMode(place: Place, cache: string): string[] {
  const files = ['git-metadata.json', 'git-more.yaml'].map((file) => join(place.scratch, file));
  return running(place, 'all', { cache, files });
}

// --- cases ----------------------------------------------------------------------------------------------------------

/** The whole run with nothing kept, push included, against a clone without blobs, and the blobs. */
async function fromNothing(place: Place): Promise<Figure[]> {
  const { repository, scratch, url, rounds } = place;
  const head = git(repository, ['rev-parse', MAIN]);
  const oids = blobsToRead(repository, head);
  const [cache, clone] = [join(scratch, 'git-cache'), join(scratch, 'git-clone')];
  const product = (command: typeof oneImage) => async () => {
    rmSync(cache, { recursive: true, force: true });
    git(repository, ['update-ref', MAIN, head]);
    const time = await timed(() => run(process.execPath, command(place, cache)));
    const changed = git(repository, ['diff', '--numstat', head, MAIN]);
    if (changed !== '1\t1\tbench/web.yaml') throw new Error(`the run changed: ${changed}`);
    return time;
  };
  const baseline = async () => {
    rmSync(clone, { recursive: true, force: true });
    return timed(async () => {
      await run('git', ['clone', '--quiet', '--depth=1', '--filter=blob:none', '--no-checkout', url, clone]);
      // In one go: one by one, as cat-file would get them, they take minutes.
      await run('git', ['-C', clone, ...FETCH_BLOBS], oids);
      await run('git', ['-C', clone, 'cat-file', '--batch', '--buffer'], oids);
    });
  };
  const times = await inTurn(rounds, { baseline, one: product(oneImage), all: product(easyMode) });
  const against = 'pushed / clone without blobs, and those it must read';
  return [
    ratioFigure('git', `from nothing, one image set in 10,000 files, ${against}`, times.one, times.baseline, 1.5),
    ratioFigure('git', `from nothing, half of the files automated, ${against}`, times.all, times.baseline),
  ];
}

const FETCH_BLOBS = [
  ['-c', 'fetch.negotiationAlgorithm=noop', 'fetch', '--quiet', '--no-tags', '--no-write-fetch-head'],
  ['--filter=blob:none', '--stdin', 'origin'],
].flat();

/** The ids of the YAML files, a line each. */
function blobsToRead(repository: string, commit: string): string {
  const lines = git(repository, ['ls-tree', '-r', commit])
    .split('\n')
    .filter((line) => /(?:\.ya?ml|Kustomization)"?$/.test(line));
  return `${[...new Set(lines.map((line) => line.split(/\s/)[2]))].join('\n')}\n`;
}

/** A run after a commit that touches one file, against a fetch of that commit. */
async function afterOneCommit(place: Place): Promise<Figure[]> {
  const { repository, scratch, rounds } = place;
  const clone = join(scratch, 'git-clone');
  const caches = [join(scratch, 'git-cache'), join(scratch, 'git-cache-all')] as const;
  const [one, all] = [oneImage(place, caches[0]), easyMode(place, caches[1])];
  for (const command of [one, all]) await run(process.execPath, command);
  let commits = 0;
  const touch = () =>
    addCommit(repository, MAIN, {
      'bench/other.yaml': workload('1.0.0', `other-${commits++}`).replace('true', 'false'),
    });
  const after = (work: () => Promise<unknown>) => async () => {
    touch();
    return timed(work);
  };
  const times = await inTurn(rounds, {
    fetch: after(() => run('git', ['-C', clone, 'fetch', '--quiet', '--depth=1', 'origin', 'main'])),
    one: after(() => run(process.execPath, one)),
    all: after(() => run(process.execPath, all)),
  });
  const allowed = times.fetch.map((time) => 1.2 * time + ALLOWANCE_MS);
  const what = 'after a commit of one file / 1.2 × git fetch + 200 ms';
  return [
    ratioFigure('git', `one image set, ${what}`, times.one, allowed, 1),
    ratioFigure('git', `half of the files automated, ${what}`, times.all, allowed),
  ];
}

/** Nothing new: the requests of one ls-remote, and no more. */
async function nothingNew(place: Place): Promise<Figure> {
  const { scratch, server, url } = place;
  const command = easyMode(place, join(scratch, 'git-cache-all'));
  await run(process.execPath, command);
  const requestsOf = async (work: () => Promise<void>) => {
    const from = server.requests.length;
    await work();
    return server.requests.length - from;
  };
  const least = await requestsOf(() => run('git', ['ls-remote', url, MAIN]));
  const value = await requestsOf(() => run(process.execPath, command));
  return { case: 'git', what: 'nothing new / the requests of one ls-remote', value, unit: 'requests', limit: least };
}

/** Eight writers of one branch, each with files of its own: pushes a commit takes. */
async function pushers({ scratch, root, program, server, ...rest }: Place): Promise<Figure[]> {
  const names = Array.from({ length: PUSHERS }, (_, i) => `writer-${i}`);
  const repository = join(root, 'shared.git');
  createRepository(repository, Object.fromEntries(names.map((name) => [`${name}.yaml`, workload('1.0.0', name)])));
  const place = { ...rest, scratch, root, program, server, repository, url: `${server.url}/shared.git` };
  const tries: number[] = [];
  await Promise.all(
    names.map(async (name) => {
      for (let i = 1; i <= COMMITS_EACH; i++) {
        const file = join(scratch, `git-${name}.yaml`);
        writeFileSync(file, metadata(`1.${i}.0`, name));
        const args = running(place, name, { cache: join(scratch, `git-cache-${name}`), files: [file] });
        // The server does not know who pushes; whoever pushes by a user of its own is told apart.
        tries.push(
          await pushesOf(server, name, () =>
            run(process.execPath, args, '', { GIT_USERNAME: name, GIT_PASSWORD: 'x' }),
          ),
        );
      }
    }),
  );
  const commits = git(repository, ['log', '--format=%(trailers:key=Update-Job,valueonly)%x00%P', MAIN]);
  const trailers = commits.split('\n').filter((line) => line.startsWith('default/'));
  const linear = commits
    .split('\0')
    .slice(1)
    .every((parents) => parents.trim().split(' ').length <= 1);
  if (new Set(trailers).size !== PUSHERS * COMMITS_EACH || trailers.length !== PUSHERS * COMMITS_EACH || !linear)
    throw new Error(`${trailers.length} commits by ${PUSHERS} writers, ${linear ? '' : 'not '}in a line`);
  const what = `${PUSHERS} writers at once, pushes a commit`;
  const mean = tries.reduce((sum, count) => sum + count, 0) / tries.length;
  return [
    { case: 'git', what: `${what}, mean`, value: mean, unit: 'tries' },
    { case: 'git', what: `${what}, most`, value: Math.max(...tries), unit: 'tries' },
  ];
}

/** The pushes that a user begins while something runs: one that comes too late may end before it sends anything. */
async function pushesOf(
  { requests, authorizations }: HttpServer,
  user: string,
  work: () => Promise<unknown>,
): Promise<number> {
  const from = requests.length;
  await work();
  const mine = `Basic ${Buffer.from(`${user}:x`).toString('base64')}`;
  return requests
    .slice(from)
    .filter((request, i) => /^GET .*service=git-receive-pack$/.test(request) && authorizations[from + i] === mine)
    .length;
}

// --- programs, timed while the server of this process goes on -------------------------------------------------------

/** Times of several runs, one of each a round, in changing order. */
async function inTurn<K extends string>(
  rounds: number,
  runs: Record<K, () => Promise<number>>,
): Promise<Record<K, number[]>> {
  const names = Object.keys(runs) as K[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 === 0 ? names : names.toReversed()) times[name].push(await runs[name]());
  return times;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Runs a program to its end. @throws with its stderr if it fails. */
async function run(
  program: string,
  args: readonly string[],
  input = '',
  env: Record<string, string> = {},
): Promise<void> {
  const child = spawn(program, args, { env: { ...serverEnvironment(), ...env }, stdio: ['pipe', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined).end(input);
  const status = await new Promise((resolve) => child.on('close', resolve));
  if (status !== 0)
    throw new Error(
      `${program} ${args.slice(0, 4).join(' ')} ended with status ${String(status)}:\n${stderr.slice(-2000)}`,
    );
}
