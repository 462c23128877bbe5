import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import { collect, newCommand, parseInto } from '../fn/command.ts';
import { readConfig } from '../fn/config/config.ts';
import { defaultSpec } from '../fn/config/defaults.ts';
import type { Io } from '../fn/io.ts';
import type { Answers } from '../fn/lookup/answers.ts';
import { guarded, readText } from '../fn/run.ts';
import { describe } from '../fn/result.ts';
import { UsageError } from '../fn/usage.ts';
import { openRepository, repositoryDirectory } from '../git/open.ts';
import { openScratch } from '../git/scratch.ts';
import { accessOf, readSecrets, type Secret } from '../job/access.ts';
import { GivenAnswers } from '../job/answers.ts';
import { diskCache, hashOf, noCache } from '../job/cache.ts';
import { workloadOf, type Change } from '../job/change.ts';
import { evaluate } from '../job/evaluate.ts';
import { explain } from '../job/pull-request/explain.ts';
import { exitStatusOf, runPullRequests, type PullRequestReport } from '../job/pull-request/run.ts';
import type { Informants } from '../job/pull-request/text.ts';
import { readJob, type UpdateJob } from '../job/read.ts';
import { RELEASE } from '../job/revert.ts';
import { runJob, type Report, type World } from '../job/run.ts';
import { runsInProcess } from '../job/schema.ts';
import { exitStatus, sentence, statusOf } from '../job/status.ts';
import { cacheDirectory } from '../registry/place.ts';
import { declareRegistryOptions, type GivenOptions } from '../registry/options.ts';
import { FORMATS, print, type Format } from './output.ts';
import { declarePullRequestOptions, forgeOf, wishesOf, type PullRequestFlags } from './pull-request.ts';

interface Options extends GivenOptions, PullRequestFlags {
  file: string;
  dryRun?: boolean;
  metadata: string[];
  release: string[];
  secret: string[];
  allowHttp?: boolean;
  format?: Format;
}

/** `tk-image run`: carries out an UpdateJob here, without a cluster. */
export async function run(argv: string[], io: Io): Promise<number> {
  return guarded(
    io,
    async () => {
      const options = parse(argv);
      const wishes = wishesOf(options);
      if (!wishes && options.branch !== undefined)
        throw new UsageError('--branch goes with --pull-request; without, the job says push.branch');
      const job = await jobOf(options, io);
      const place = openPlace(options, io);
      const stop = stopOnSignals();
      try {
        const { informants, ...world } = await worldOf(job, options, { place, stop: stop.controller }, io);
        if (wishes) {
          const forge = async () => forgeOf(job.spec.git.url, options, io.environment);
          const report = await runPullRequests(job, wishes, { world, forge, ...informants });
          await showPullRequests(report, options, io);
          return exitStatusOf(report);
        }
        const report = await runJob(job, world);
        await show(job, report, options, io);
        return exitStatus(report.ran.outcome);
      } finally {
        stop.forget();
        place.close();
      }
    },
    'tk-image',
  );
}

function parse(argv: string[]): Options {
  const command = newCommand('run')
    .requiredOption('-f, --file <file>')
    .option('--dry-run')
    .option('--metadata <file>', '', collect, [])
    .option('--release <image>', '', collect, [])
    .option('--secret <file>', '', collect, [])
    .option('--allow-http')
    .addOption(new Option('-o, --format <format>').choices(FORMATS));
  command.option('--branch <name>');
  declarePullRequestOptions(command);
  declareRegistryOptions(command);
  const problem = parseInto(command, argv);
  if (problem !== undefined) throw new UsageError(problem);
  return command.opts<Options>();
}

/** The job of the file, with what options add to it. */
async function jobOf({ file, dryRun, release, allowHttp }: Options, io: Io): Promise<UpdateJob> {
  const job = await readJob(readText(io, file), file === '-' ? 'stdin' : file);
  if (job.spec.suspend)
    throw new UsageError(`${file}: spec.suspend is true, so nothing is done; take it out to run the job`);
  if (job.spec.git.url.startsWith('http:') && !allowHttp)
    throw new UsageError(
      `${file}: spec.git.url is http://, by which anybody on the way reads and changes what is sent; write https://, or say --allow-http`,
    );
  if (dryRun) job.spec.push.mode = 'DryRun';
  if (release.length > 0)
    job.metadata.annotations[RELEASE] = [job.metadata.annotations[RELEASE] ?? [], release].flat().join(',');
  return job;
}

/** Where the repository and what was found out are kept; of a run that keeps nothing, a directory that is removed. */
interface Place {
  directory: string;
  keeps: boolean;
  close(): void;
}

function openPlace({ cache }: Options, { environment }: Io): Place {
  if (cache !== false) {
    const directory = typeof cache === 'string' ? cache : cacheDirectory(environment);
    return { directory, keeps: true, close: () => undefined };
  }
  const { path, remove } = openScratch();
  return { directory: path, keeps: false, close: remove };
}

/** What is asked to end ends what it has started first. */
function stopOnSignals(): { controller: AbortController; forget: () => void } {
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

interface Here {
  place: Place;
  stop: AbortController;
}

async function worldOf(job: UpdateJob, options: Options, { place, stop }: Here, io: Io): Promise<World & Maker> {
  const { signal } = stop;
  const secrets = await secretsOf(options, io);
  const cache = place.keeps ? diskCache(join(place.directory, 'jobs')) : noCache;
  const maker = runsInProcess(job.spec.run) ? await engine(job, options, cache, io) : container(job, signal, io);
  return {
    ...maker,
    cache,
    async open() {
      const { remote, signing } = await accessOf(job, secrets, io.environment);
      const repository = await openRepository(remote, {
        directory: repositoryDirectory(join(place.directory, 'git'), remote.url),
        protocols: options.allowHttp ? ['https:', 'ssh:', 'http:'] : ['https:', 'ssh:'],
        environment: io.environment,
        signal,
      });
      return { repository, ...(signing && { signing }) };
    },
    now: Date.now,
    stop: () => stop.abort(),
  };
}

async function secretsOf({ secret }: Options, io: Io): Promise<Map<string, Secret>> {
  const secrets = await Promise.all(secret.map((file) => readSecrets(readText(io, file), file)));
  return new Map(secrets.flat().map((one) => [one.name, one]));
}

/** What makes the changes, and what it can tell of them. */
interface Maker extends Pick<World, 'make' | 'readAhead' | 'fixed'> {
  informants?: Informants;
}

/** The engine of this program. */
async function engine(job: UpdateJob, options: Options, cache: World['cache'], io: Io): Promise<Maker> {
  const { functionConfig } = job.spec.run;
  // Not by `configOf`, which loads the schemas late: here they are at hand.
  const config = functionConfig === undefined ? { spec: defaultSpec(), setImage: false } : readConfig(functionConfig);
  const files = options.metadata.map((name) => {
    const text = readText(io, name);
    return { name, text, hash: hashOf(text) };
  });
  const given = new GivenAnswers(files);
  const asks = config.spec.lookup === 'registry';
  const lookup = asks ? await (await import('../registry/connect.ts')).connect(options, io) : undefined;
  const program = thisProgram();
  let answers: Promise<Answers> | undefined;
  return {
    informants: {
      facts: async (change) => explain(change, { answers: await (answers ??= given.take()), lookup }),
      ...(lookup && { labelsOf: async (image: string, reference: string) => lookup.labels(image, reference) }),
    },
    make: async (repository, commit, only) =>
      evaluate(job, commit, repository, { config, given, lookup, cache, program, ...(only && { only }) }),
    readAhead: () => given.readAhead(),
    fixed: asks ? undefined : JSON.stringify([program, files.map(({ name, hash }) => [name, hash])]),
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

/** The diff or the changes on stdout, everything for a person's eye on stderr; with `-o` the job with its status. */
async function show(job: UpdateJob, { ran, results, diff }: Report, { format }: Options, io: Io): Promise<void> {
  if (results.length > 0) io.error(results.map(describe).join('\n'));
  const { outcome } = ran;
  if (format) io.output(await print(format, manifestOf(job, ran)));
  else if (!('class' in outcome)) {
    if (outcome.outcome === 'DryRun') io.output(diff);
    if (outcome.outcome === 'Pushed') io.output(outcome.changes.map(line).join(''));
  }
  io.error('class' in outcome ? `tk-image: ${outcome.class}: ${outcome.message}` : `tk-image: ${sentence(outcome)}`);
}

/** The bodies of a dry run on stdout, or with `-o` what became of each; everything for a person's eye on stderr. */
async function showPullRequests({ plan, pullRequests }: PullRequestReport, { format }: Options, io: Io): Promise<void> {
  const { outcome } = plan.ran;
  const told = plan.results.map(describe);
  if (told.length > 0) io.error(told.join('\n'));
  if ('class' in outcome) io.error(`tk-image: ${outcome.class}: ${outcome.message}`);
  else if (pullRequests.length === 0) io.error('tk-image: nothing to propose');
  for (const { failure, message, warnings } of pullRequests) {
    for (const warning of warnings) io.error(`tk-image: warning: ${warning}`);
    io.error(`tk-image: ${failure ? `${failure.class}: ` : ''}${message}`);
  }
  if (format) io.output(await print(format, pullRequests));
  else
    for (const { url, title, body } of pullRequests)
      if (url !== undefined) io.output(`${url}\n`);
      else if (body !== undefined) io.output(`${title}\n\n${body}\n`);
}

function line(change: Change): string {
  const { file, container, from, to } = change;
  return `${file}: ${[workloadOf(change), container].filter(Boolean).join(' ')}: ${from} -> ${to}\n`;
}

function manifestOf(job: UpdateJob, ran: Report['ran']): unknown {
  const { apiVersion, kind, metadata, spec } = job;
  const { name, namespace, uid, annotations } = metadata;
  const shown = { name, namespace, uid, ...(Object.keys(annotations).length > 0 && { annotations }) };
  return { apiVersion, kind, metadata: shown, spec, status: statusOf(job, ran) };
}
