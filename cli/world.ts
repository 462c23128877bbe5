import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, type Config } from '../fn/config/config.ts';
import { defaultSpec } from '../fn/config/defaults.ts';
import type { Io } from '../fn/io.ts';
import type { Answers } from '../fn/lookup/answers.ts';
import type { Lookup } from '../fn/lookup/lookup.ts';
import { remembering } from '../fn/lookup/remembering.ts';
import { readText } from '../fn/run.ts';
import type { Scope } from '../fn/scope.ts';
import { openRepository, repositoryDirectory, type OpenRepository } from '../git/open.ts';
import type { Remote } from '../git/repository.ts';
import { openScratch } from '../git/scratch.ts';
import { accessOf, readSecrets, type Secret } from '../job/access.ts';
import { GivenAnswers } from '../job/answers.ts';
import { diskCache, hashOf, noCache } from '../job/cache.ts';
import { evaluate } from '../job/evaluate.ts';
import type { UpdateJob } from '../job/read.ts';
import type { World } from '../job/run.ts';
import { runsInProcess } from '../job/schema.ts';
import { cacheDirectory } from '../registry/place.ts';
import type { GivenOptions } from '../registry/options.ts';
import { TO_ASK } from './given.ts';
import type { Progress } from './progress.ts';

/** What options say of the world that a job runs in. */
export interface WorldOptions extends GivenOptions {
  metadata: string[];
  secret: string[];
  allowHttp?: boolean;
  /** Given to a command that else asks registries, whatever the functionConfig says. */
  offline?: boolean;
}

/** Where a job runs, and what ends it. */
export interface Here {
  place: Place;
  stop: AbortController;
  progress: Progress;
  io: Io;
}

/** Where the repository and what was found out are kept; of a run that keeps nothing, a directory that is removed. */
export interface Place {
  directory: string;
  keeps: boolean;
  close(): void;
}

export function openPlace({ cache }: GivenOptions, { environment }: Io): Place {
  if (cache !== false) {
    const directory = typeof cache === 'string' ? cache : cacheDirectory(environment);
    return { directory, keeps: true, close: () => undefined };
  }
  const { path, remove } = openScratch();
  return { directory: path, keeps: false, close: remove };
}

/** What is asked to end ends what it has started first. */
export function stopOnSignals(): { controller: AbortController; forget: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, abort);
  return {
    controller,
    forget() {
      for (const signal of signals) process.off(signal, abort);
    },
  };
}

/** The world of `tk-image`: this machine, its files, its git, its environment. `scope` narrows what the engine does. */
export async function worldOf(
  job: UpdateJob,
  options: WorldOptions,
  here: Here,
  scope?: Scope,
): Promise<World & Pick<Maker, 'known'>> {
  const { place, stop, progress, io } = here;
  const secrets = await secretsOf(options, io);
  const cache = place.keeps ? diskCache(join(place.directory, 'jobs')) : noCache;
  const maker = runsInProcess(job.spec.run)
    ? await engine(job, options, { cache, scope }, io)
    : container(job, stop.signal, io);
  return {
    ...maker,
    make: async (repository, commit, only) =>
      progress.during('reading files', async () => maker.make(repository, commit, only)),
    cache,
    async open() {
      const { remote, signing } = await accessOf(job, secrets, io.environment);
      const repository = await openHere(remote, options, here);
      return { repository, ...(signing && { signing }) };
    },
    now: Date.now,
    stop: () => stop.abort(),
  };
}

/** Opens a remote's repository, and shows what takes long with it. */
export async function openHere(
  remote: Remote,
  { allowHttp }: WorldOptions,
  { place, stop, progress, io }: Here,
): Promise<OpenRepository> {
  const repository = await openRepository(remote, {
    directory: repositoryDirectory(join(place.directory, 'git'), remote.url),
    protocols: allowHttp ? ['https:', 'ssh:', 'http:'] : ['https:', 'ssh:'],
    environment: io.environment,
    signal: stop.signal,
  });
  const fetch = repository.fetch.bind(repository);
  repository.fetch = async (what, extent) =>
    progress.during(`fetching ${shortRef(what)} of ${remote.url}`, () => fetch(what, extent));
  const push = repository.push.bind(repository);
  repository.push = async (one) => progress.during(`pushing ${shortRef(one.ref)} to ${remote.url}`, () => push(one));
  return repository;
}

function shortRef(ref: string): string {
  return ref.replace(/^refs\/(?:heads|tags)\//, '');
}

async function secretsOf({ secret }: WorldOptions, io: Io): Promise<Map<string, Secret>> {
  const secrets = await Promise.all(secret.map((file) => readSecrets(readText(io, file), file)));
  return new Map(secrets.flat().map((one) => [one.name, one]));
}

interface Maker extends Pick<World, 'make' | 'readAhead' | 'fixed'> {
  /** What the engine goes by, for whoever explains what it did. */
  known?: {
    answers(): Promise<{ answers: Answers; lookup: Lookup | undefined }>;
    labels(image: string, reference: string): Promise<Readonly<Record<string, string>> | undefined>;
  };
}

/** The engine of this program. */
async function engine(
  job: UpdateJob,
  options: WorldOptions,
  { cache, scope }: { cache: World['cache']; scope: Scope | undefined },
  io: Io,
): Promise<Maker> {
  const { functionConfig } = job.spec.run;
  // Not by `configOf`, which loads the schemas late: here they are at hand.
  const given = functionConfig === undefined ? { spec: defaultSpec(), setImage: false } : readConfig(functionConfig);
  const config: Config = { ...given, ...(scope && { scope }), ...(options.offline && { toAsk: TO_ASK }) };
  const files = options.metadata.map((name) => {
    const text = readText(io, name);
    return { name, text, hash: hashOf(text) };
  });
  const answers = new GivenAnswers(files);
  const asks = config.spec.lookup === 'registry';
  const registries = asks ? await (await import('../registry/connect.ts')).connect(options, io) : undefined;
  // It may run several times.
  const lookup = registries && remembering(registries);
  const program = thisProgram();
  return {
    make: async (repository, commit, only) =>
      evaluate(job, commit, repository, { config, given: answers, lookup, cache, program, ...(only && { only }) }),
    readAhead: () => answers.readAhead(),
    known: {
      answers: async () => ({ answers: await answers.take(), lookup }),
      labels: async (image, reference) => registries?.labels(image, reference),
    },
    fixed: asks
      ? undefined
      : JSON.stringify([program, scope, config.toAsk, files.map(({ name, hash }) => [name, hash])]),
  };
}

/** Which build of this program it is, as far as a file tells. */
function thisProgram(): string {
  const status = statSync(process.argv[1] ?? process.execPath, { throwIfNoEntry: false });
  return `${status?.size} ${status?.mtimeMs}`;
}

/** Any other image, by a program that runs containers. */
function container(job: UpdateJob, signal: AbortSignal, { environment }: Io): Maker {
  return {
    async make(repository, commit) {
      const { runImage } = await import('../job/image.ts');
      return runImage(job, commit, repository, { environment, signal });
    },
    fixed: undefined,
  };
}
