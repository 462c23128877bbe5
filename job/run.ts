import { findTrailer, Overlap, publish, SKEW_SECONDS, type Pace, type Publication } from '../git/exactly-once.ts';
import { GitError } from '../git/error.ts';
import { LONGEST_TIMER_MS } from '../git/process.ts';
import { objectId } from '../git/object.ts';
import type { FileChange, NewCommit, Repository, Signing } from '../git/repository.ts';
import type { Result } from '../fn/result.ts';
import { hashOf, type Cache } from './cache.ts';
import { milliseconds } from '../api/duration.ts';
import { failureOf, JobError } from './failure.ts';
import { diffOf, type Made, type Part } from './made.ts';
import { compileTemplate, renderMessage, TRAILER, trailerValue, type Template } from './message.ts';
import { derivedUid, JobSpecError, type JobMetadata, type UpdateJob } from './read.ts';
import { resultOf, type JobResult, type Ran } from './status.ts';

/** What a run needs of the world. */
export interface World {
  /** Opens the repository of the job, with the key to sign with. */
  open(): Promise<Opened>;
  /**
   * Makes the changes on a commit: the engine, or an image in a container; what came back has been checked. `only` are the
   * fields that it is about, by `keyOf`, where the engine makes a part of the changes alone.
   */
  make(repository: Repository, commit: string, only?: ReadonlySet<string>): Promise<Made>;
  /** Does what `make` needs no repository for; called while git fetches. */
  readAhead?(): void;
  /**
   * What the outcome depends on beside the job and the repository; undefined if it may be another one each time, as with a
   * registry that is asked, or an image that is named by a tag.
   */
  fixed: string | undefined;
  cache: Cache;
  /**
   * Where the branch to push to stood when somebody looked whether it may be made anew, null for nowhere: if it stands elsewhere
   * it is left as it is.
   */
  seen?: string | null;
  /** Milliseconds since 1970. */
  now(): number;
  /** Ends whatever runs. */
  stop(): void;
  pace?: Pace;
}

export interface Opened {
  repository: Repository & { close(): void };
  signing?: Signing;
}

/** How a job went, and what there is to show. */
export interface Report {
  ran: Ran;
  /** Warnings, and what a function reported. */
  results: Result[];
  /** Of a dry run. */
  diff: string;
}

/**
 * Carries out an UpdateJob: finds the head, makes the changes, commits and pushes them exactly once. Where nothing is new since
 * the last run, that costs one question to the remote. Whatever goes wrong is in the report.
 * @throws JobSpecError for what the job's author must correct, before anything runs.
 */
export async function runJob(job: UpdateJob, world: World): Promise<Report> {
  const template = compileTemplate(job.spec.commit.messageTemplate);
  const started = world.now();
  let attempt = 1;
  const ended = (outcome: Ran['outcome']): Ran => ({ started, ended: world.now(), attempt, outcome });
  let opened: Opened | undefined;
  const deadline = setTimeout(() => world.stop(), Math.min(milliseconds(job.spec.activeDeadline), LONGEST_TIMER_MS));
  try {
    opened = await world.open();
    const run: Run = { ...opened, job, world, template, started, memory: new Memory(job, world, opened.repository) };
    const before = await run.memory.recall();
    if (before) return { ran: ended(before.outcome), results: before.results, diff: '' };
    for (; ; attempt++) {
      try {
        const { outcome, made } = await attemptOnce(run);
        return { ran: ended(outcome), results: made.results, diff: diffOf(made) };
      } catch (error) {
        // What was stopped by the deadline would not say so.
        checkDeadline(run);
        if (!mayPass(error, job) || attempt > job.spec.backoffLimit) throw error;
      }
    }
  } catch (error) {
    if (error instanceof JobSpecError) throw error;
    return { ran: ended(failureOf(error)), results: [], diff: '' };
  } finally {
    clearTimeout(deadline);
    opened?.repository.close();
  }
}

/** One run of a job, from its start to its end. */
interface Run extends Opened {
  job: UpdateJob;
  world: World;
  template: Template;
  started: number;
  memory: Memory;
}

/** Others changed the same files meanwhile: the changes may be made anew on the new head. */
function mayPass(error: unknown, { spec: { push } }: UpdateJob): boolean {
  // A rebuilt branch that stands elsewhere holds what nobody here has seen: that is for a person to look at.
  return error instanceof Overlap && push.branchStrategy === 'FastForward';
}

function checkDeadline({ job, started, world }: Run): void {
  const { activeDeadline } = job.spec;
  if (world.now() - started > milliseconds(activeDeadline))
    throw new JobError('Timeout', `it has run for longer than activeDeadline (${activeDeadline})`);
}

interface Attempt {
  outcome: JobResult;
  made: Made;
}

async function attemptOnce(run: Run): Promise<Attempt> {
  const { job, world, repository, memory } = run;
  const fetching = startOf(job, repository);
  world.readAhead?.();
  const start = await fetching;
  if (world.seen !== undefined && start.lease !== undefined && start.lease !== world.seen)
    throw new GitError('Race', `${start.target!.ref} has moved since it was looked at; run it again`);
  const made = await world.make(repository, start.base);
  checkDeadline(run);
  const { target } = start;
  const changes = made.parts.flatMap((part) => part.changes);
  const files = [...new Set(made.parts.flatMap((part) => part.files.map(({ path }) => path)))].toSorted();
  const result = (outcome: JobResult['outcome'], baseCommit = start.base): JobResult => ({
    ...resultOf(outcome, baseCommit, files, changes),
    ...(target && { branch: target.branch }),
    ...(made.imageDigest !== undefined && { imageDigest: made.imageDigest }),
  });
  // The schema lets nothing but a dry run go without a branch.
  if (job.spec.push.mode === 'DryRun' || !target) return { outcome: result('DryRun'), made };

  const metadata = trailed(job.metadata, start, made.parts);
  const commits = made.parts.map((part) => commitOf(run, part, metadata, target.branch));
  const earlier = await earlierPush(run, start, commits);
  if (earlier !== undefined) return { outcome: { ...result('Pushed'), commit: earlier }, made };
  if (commits.length === 0 || (await isRebuilt(repository, start, made.parts, commits))) {
    const outcome = { ...result('NothingToChange'), ...EMPTY };
    memory.remember(start, outcome, made.results);
    return { outcome, made };
  }
  const { commit, base } = await publish(
    repository,
    publication(run, start, target.ref, metadata, commits),
    world.pace,
  );
  memory.remember(start, { ...result('NothingToChange', commit), ...EMPTY }, made.results, commit);
  return { outcome: { ...result('Pushed', base), commit }, made };
}

/** What is to be said of changes where there are none. */
const EMPTY = { filesChanged: 0, changesCount: 0, files: [], changes: [], truncated: false };

// --- where it begins and where it goes -------------------------------------------------------------------------------

interface Start {
  /** The commit that the changes are made on. */
  base: string;
  /** The ref that the base is the head of. */
  ref: string;
  /** Undefined: a dry run from a tag or a commit, which goes nowhere. */
  target?: { branch: string; ref: string };
  /** Where the target stands, if it is to be replaced or made; `null`: it is not there. */
  lease?: string | null;
}

/** A larger file is no manifest, or rarely; it is fetched if it is read. */
const MAX_FETCHED_BLOB_BYTES = 1 << 20;

/** Fetches the commit to begin with: the branch to push to where it is there and is not made anew, else what `git.ref` names. */
async function startOf({ spec: { git, push } }: UpdateJob, repository: Repository): Promise<Start> {
  const source = sourceRef(git.ref);
  const branch = push.branch ?? git.ref.branch;
  const target = branch === undefined ? undefined : { branch, ref: `refs/heads/${branch}` };
  // Where all is read all may come at once; of a part of a repository what is in it is asked for by name.
  const blobs = git.paths.length === 0 ? MAX_FETCHED_BLOB_BYTES : 0;
  const fetch = async (ref: string) => repository.fetch(ref, { depth: git.depth, blobs });
  if (!target || target.ref === source) return { base: await fetch(source), ref: source, ...(target && { target }) };
  const head = await repository.remoteHead(target.ref);
  if (head !== undefined && push.branchStrategy === 'FastForward')
    return { base: await fetch(target.ref), ref: target.ref, target };
  return { base: await fetch(source), ref: source, target, lease: head ?? null };
}

function sourceRef({ branch, tag, commit }: UpdateJob['spec']['git']['ref']): string {
  if (branch !== undefined) return `refs/heads/${branch}`;
  return tag === undefined ? commit! : `refs/tags/${tag}`;
}

// --- commits ---------------------------------------------------------------------------------------------------------

type Commit = Omit<NewCommit, 'parent'>;

/**
 * What the trailer says of a job. In a cluster its uid, which no other job has; outside of one the same file may be run again,
 * so there it is of what is done to what: a commit is found again, and never taken for one of another run.
 */
function trailed(metadata: JobMetadata, { base }: Start, parts: readonly Part[]): JobMetadata {
  if (metadata.unique) return metadata;
  const files = parts.flatMap(({ files }) =>
    files.map(({ path, content }) => [path, content && objectId('blob', content, base.length)]),
  );
  return { ...metadata, uid: derivedUid(JSON.stringify([metadata.uid, base, files])) };
}

function commitOf(
  { job, signing, template, started }: Run,
  { changes, files }: Part,
  metadata: JobMetadata,
  branch: string,
): Commit {
  const paths = files.map(({ path }) => path);
  return {
    changes: files,
    message: renderMessage(template, { changes, files: paths, branch }, metadata),
    author: job.spec.commit.author,
    time: secondsOf(job, started),
    ...(signing && { signing }),
  };
}

/** When the job was made: in a cluster the same for every attempt, so that they make the same commit. */
function secondsOf({ metadata: { created } }: UpdateJob, started: number): number {
  return Math.floor((created ?? started) / 1000);
}

function publication(
  { job, started }: Run,
  { base, lease }: Start,
  ref: string,
  metadata: JobMetadata,
  commits: readonly Commit[],
): Publication {
  const { options, maxRaceRetries } = job.spec.push;
  return {
    ref,
    base,
    commits,
    trailer: { key: TRAILER, value: trailerValue(metadata) },
    since: secondsOf(job, started),
    maxRaceRetries,
    ...(lease !== undefined && { lease }),
    ...(Object.keys(options).length > 0 && { options }),
  };
}

/**
 * The commit of an earlier attempt of the same job that nobody heard of any more: there is nothing to change then, and still
 * the job has pushed (reference/controllers.md B5.3, B6). Outside of a cluster jobs are not told apart so well.
 */
async function earlierPush(
  { job: { metadata }, repository }: Run,
  { base, target, lease }: Start,
  commits: readonly Commit[],
): Promise<string | undefined> {
  if (!metadata.unique || metadata.created === undefined || !target || commits.length > 0) return undefined;
  const head = lease === undefined ? base : lease;
  if (head === null) return undefined;
  const trailer = { key: TRAILER, value: trailerValue(metadata) };
  return findTrailer(repository, head, { trailer, since: Math.floor(metadata.created / 1000) - SKEW_SECONDS });
}

/** Whether a branch to be rebuilt holds just these commits on this base already: making them anew would change their times alone. */
async function isRebuilt(
  repository: Repository,
  { base, lease }: Start,
  parts: readonly Part[],
  commits: readonly Commit[],
): Promise<boolean> {
  if (typeof lease !== 'string') return false;
  const there = [];
  for await (const entry of repository.log(lease, { max: commits.length + 1 })) there.push(entry);
  // Of the last commit that is fetched the parents are not.
  there.splice(commits.length);
  const wanted = commits.toReversed();
  if (there.length !== wanted.length || there.at(-1)?.parents[0] !== base) return false;
  if (there.some(({ message }, i) => message.trimEnd() !== wanted[i]!.message.trimEnd())) return false;
  return holdsFiles(
    repository,
    lease,
    parts.flatMap(({ files }) => files),
  );
}

/** Whether a commit of the remote has files as they are to be; of several of one path the last counts. */
export async function holdsFiles(
  repository: Repository,
  commit: string,
  files: readonly FileChange[],
): Promise<boolean> {
  const contents = new Map(files.map(({ path, content }) => [path, content] as const));
  await repository.fetch(commit);
  const oids = new Map((await repository.list(commit, [...contents.keys()])).map(({ path, oid }) => [path, oid]));
  return [...contents].every(
    ([path, content]) => oids.get(path) === (content ? objectId('blob', content, commit.length) : undefined),
  );
}

// --- what the last run came to ---------------------------------------------------------------------------------------

interface Remembered {
  /** Each ref that was looked at, and where it stood; null: it was not there. */
  heads: [ref: string, oid: string | null][];
  outcome: JobResult;
  results: Result[];
}

/** Remembers that a job had nothing to change at a head, so that the next run asks for the head alone. */
class Memory {
  readonly #cache: Cache;
  readonly #repository: Repository;
  readonly #key: string | undefined;

  constructor({ metadata, spec }: UpdateJob, { cache, fixed }: World, repository: Repository) {
    this.#cache = cache;
    this.#repository = repository;
    const counts = spec.push.mode === 'Push' && fixed !== undefined;
    this.#key = counts ? hashOf(JSON.stringify([metadata, spec, fixed])) : undefined;
  }

  /** What the last run came to, if all that it looked at stands where it stood. */
  async recall(): Promise<Remembered | undefined> {
    const known = this.#key === undefined ? undefined : parse(this.#cache.read('last', this.#key));
    if (!known) return undefined;
    for (const [ref, oid] of known.heads)
      if (((await this.#repository.remoteHead(ref)) ?? null) !== oid) return undefined;
    return known;
  }

  /** After a push the engine has nothing to change on what it pushed. */
  remember({ base, ref, target, lease }: Start, outcome: JobResult, results: Result[], pushed?: string): void {
    if (this.#key === undefined || !ref.startsWith('refs/')) return;
    const heads: Remembered['heads'] = [];
    if (lease === undefined) heads.push([ref, pushed ?? base]);
    else heads.push([ref, base], [target!.ref, pushed ?? lease]);
    this.#cache.write('last', this.#key, JSON.stringify({ heads, outcome, results } satisfies Remembered));
  }
}

function parse(text: string | undefined): Remembered | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Remembered);
  } catch {
    return undefined;
  }
}
