/** What asking registries costs: in time against the least that must be done, in requests, and in memory. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeImage, push } from '../test/registry/images.ts';
import { cannotStart, startRegistry, type Server } from '../test/registry/servers.ts';
import { ratioFigure, type Figure } from './figure.ts';
import { interleave, rehearse, time } from './measure.ts';

const FETCH = join(import.meta.dirname, 'baseline/fetch.cjs');
const MANY = join(import.meta.dirname, 'registry-many.ts');
const SERVER = join(import.meta.dirname, 'registry-server.ts');
const LISTED = 10_000;
const REPOSITORIES = 1_000;
const BUILDS = 1_000;
const LARGE = 100_000;
/** Starts take some 50 ms and vary by as much: many rounds. */
const STARTS_PER_ROUND = 3;

export interface RegistryBench {
  rounds: number;
  scratch: string;
  /** The bundle of `tk-image`. */
  program: string;
}

/** All cases, against registries that are started and stopped here. */
export async function registryCases(bench: RegistryBench): Promise<Figure[]> {
  const scripted = await startScripted();
  try {
    return [
      await listing(bench, scripted.origin),
      ...(await many(bench, scripted.origin)),
      ...(await newest(bench, scripted.origin)),
      memory(bench, scripted.origin),
    ];
  } finally {
    scripted.stop();
  }
}

/** Listing and choosing against a bare fetch of the listing, both as whole processes. */
async function listing(bench: RegistryBench, scripted: string): Promise<Figure> {
  const missing = cannotStart();
  if (missing !== false) console.error(`bench: ${missing}; the listing comes from a scripted server instead`);
  const registry = missing === false ? await startRegistry() : undefined;
  try {
    if (registry) await fill(registry, 'many/tags', LISTED);
    const origin = registry?.origin ?? scripted;
    const path = registry ? 'many/tags' : `tags/${LISTED}`;
    const args = choosing(bench, origin, 'semver:*', path, '--no-cache');
    const times = interleave(bench.rounds * STARTS_PER_ROUND, {
      baseline: () => time({ args: [FETCH, `${origin}/v2/${path}/tags/list`] }),
      product: () => time({ args }),
    });
    const what = `list ${LISTED} tags of ${registry ? 'docker-registry' : 'a scripted server'} and choose / fetch and JSON.parse`;
    return ratioFigure('registry', what, times.product, times.baseline, 1.5);
  } finally {
    await registry?.stop();
  }
}

/** One image under many tags, whose links are written as docker-registry's storage has them: pushing takes a minute. */
async function fill({ origin, storage }: Server, path: string, tags: number): Promise<void> {
  const image = makeImage({ created: '2026-01-01T00:00:00Z' });
  await push({ origin, path }, image, '1.0.0');
  const directory = join(storage, 'docker/registry/v2/repositories', path, '_manifests/tags');
  for (let i = 1; i < tags; i++) {
    const tag = join(directory, `1.0.${i}`, 'current');
    mkdirSync(tag, { recursive: true });
    writeFileSync(join(tag, 'link'), image.digest);
  }
}

/** Many repositories once tokens are there: what is asked, and how long it takes against a plain loop. */
async function many({ rounds }: RegistryBench, origin: string): Promise<Figure[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [MANY, origin, String(REPOSITORIES), String(rounds)]);
  const { requests, product, loop } = JSON.parse(stdout) as { requests: number; product: number[]; loop: number[] };
  const what = `${REPOSITORIES} repositories of 100 tags`;
  return [
    { case: 'registry', what, value: requests, unit: 'requests', limit: REPOSITORIES },
    ratioFigure('registry', `${what} / a plain loop, as many at once`, product, loop, 2),
  ];
}

/** The newest of many builds, without and with what an earlier run learnt. */
async function newest(bench: RegistryBench, origin: string): Promise<Figure[]> {
  const cache = mkdtempSync(join(bench.scratch, 'cache-'));
  const args = choosing(bench, origin, 'main-*', `builds/${BUILDS}:main-7`, '--cache', cache);
  const figures: Figure[] = [];
  for (const [state, limit] of [
    ['nothing known', 30],
    ['nothing new', 1],
  ] as const) {
    await requestsOf(origin);
    const { stdout } = rehearse({ args }, bench.scratch);
    if (stdout.toString() !== `main-${BUILDS - 1}\n`) throw new Error(`bench: newest is ${stdout}`);
    const what = `the newest of ${BUILDS} builds, ${state}`;
    figures.push({ case: 'registry', what, value: await requestsOf(origin), unit: 'requests', limit });
  }
  rmSync(cache, { recursive: true });
  return figures;
}

/** What a very large listing takes above a tiny one. */
function memory(bench: RegistryBench, origin: string): Figure {
  const [small, large] = [1, LARGE].map((tags) => {
    const args = choosing(bench, origin, 'semver:*', `tags/${tags}`, '--no-cache');
    return rehearse({ args }, bench.scratch).memory;
  }) as [number, number];
  const what = `peak memory of choosing from ${LARGE} tags, above that for one`;
  return { case: 'registry', what, value: (large - small) / 1e6, unit: 'MB', limit: 60 };
}

function choosing(
  { program }: RegistryBench,
  origin: string,
  filter: string,
  path: string,
  ...more: string[]
): string[] {
  const { host } = new URL(origin);
  return [program, 'choose', filter, `${host}/${path}`, '--insecure', host, ...more];
}

/** How many requests there were since this was asked last. */
async function requestsOf(origin: string): Promise<number> {
  const counts = (await (await fetch(`${origin}/counts`)).json()) as Record<string, number>;
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

async function startScripted(): Promise<{ origin: string; stop(): void }> {
  const child = spawn(process.execPath, [SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { origin: `http://127.0.0.1:${port.toString().trim()}`, stop: () => void child.kill() };
}
