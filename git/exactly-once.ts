import { setTimeout as sleep } from 'node:timers/promises';
import { GitError } from './error.ts';
import type { NewCommit, Repository } from './repository.ts';

/** A line at the end of a commit message by which the commit is found again (reference/controllers.md A8). */
export interface Trailer {
  key: string;
  value: string;
}

export interface Publication {
  /** Full: `refs/heads/main`. */
  ref: string;
  /** The commit that was fetched, and that the first commit stands on. */
  base: string;
  /** One or more, each on the one before it; their messages hold the trailer. */
  commits: readonly Omit<NewCommit, 'parent'>[];
  trailer: Trailer;
  /** Seconds since 1970: no commit with the trailer is older. */
  since: number;
  /** How often a push that came too late is done again on the new head. */
  maxRaceRetries: number;
  /** As in `Push`; with it, nothing is done again: a branch that stands elsewhere is somebody else's. */
  lease?: string | null;
  options?: Readonly<Record<string, string>>;
}

export interface Published {
  /** The last commit, which the branch was seen to contain. */
  commit: string;
  /** What the first commit stands on; undefined if an earlier run had pushed. */
  base?: string;
  /** Pushes; 0 if an earlier run had pushed. */
  tries: number;
}

/** Somebody else has changed the same paths, or made the branch: what was to be published must be made anew. */
export class Overlap extends GitError {}

/** Waits a time in milliseconds, and chance from 0 to 1: for tests. */
export interface Pace {
  wait: (milliseconds: number) => Promise<unknown>;
  random: () => number;
}

const PACE: Pace = { wait: sleep, random: Math.random };
/** Writers that met once shall not meet again: the time to wait is drawn from a span that doubles up to the most. */
const SPAN_MS = { first: 200, most: 5000 };
/** Whoever pushes on top of ours may have a clock that is as much slower: history is cut off at the first commit that is too old. */
export const SKEW_SECONDS = 600;
/** A branch on which more has happened since the job was made is not searched further. */
const MAX_HISTORY = 10_000;

/**
 * Pushes commits so that they are on the branch exactly once, however often it is run (reference/controllers.md B5): looks
 * for the trailer before the first push and after each error, and does a push that came too late again on the new head as
 * long as nobody else has touched the same paths.
 * @throws GitError, of class `Race` if others were faster too often or touched the same paths.
 */
export async function publish(repository: Repository, publication: Publication, pace = PACE): Promise<Published> {
  const { ref, commits, lease, maxRaceRetries } = publication;
  let { base } = publication;
  const seen = lease === undefined ? base : lease;
  const before = seen === null ? undefined : await findTrailer(repository, seen, publication);
  if (before !== undefined) return { commit: before, tries: 0 };
  for (let tries = 1; ; tries++) {
    const commit = await build(repository, base, commits);
    try {
      await repository.push({ ...pushOf(publication), commit });
      return { commit, base, tries };
    } catch (error) {
      const isRace = error instanceof GitError && error.class === 'Race';
      if (!isRace || lease !== undefined || tries > maxRaceRetries) {
        const arrived = await lookAfter(repository, publication);
        if (arrived !== undefined) return { commit: arrived, base, tries };
        if (!isRace) throw error;
        throw lease === undefined ? tooOften(ref, tries) : new Overlap('Race', error.message);
      }
      await pace.wait(pace.random() * Math.min(SPAN_MS.most, SPAN_MS.first * 2 ** (tries - 1)));
      const next = await repository.fetch(ref);
      const arrived = await findTrailer(repository, next, withSkew(publication));
      if (arrived !== undefined) return { commit: arrived, base, tries };
      await checkUntouched(repository, base, next, publication);
      base = next;
    }
  }
}

/** Whether what was pushed is there after all, as far as that can be found out: the push's own error says the rest. */
async function lookAfter(repository: Repository, publication: Publication): Promise<string | undefined> {
  try {
    const head = await repository.remoteHead(publication.ref);
    return head === undefined ? undefined : await findTrailer(repository, head, withSkew(publication));
  } catch {
    return undefined;
  }
}

function withSkew({ trailer, since }: Publication): Pick<Publication, 'trailer' | 'since'> {
  return { trailer, since: since - SKEW_SECONDS };
}

/** The newest commit with the trailer that a head reaches. */
export async function findTrailer(
  repository: Repository,
  head: string,
  { trailer, since }: Pick<Publication, 'trailer' | 'since'>,
): Promise<string | undefined> {
  for await (const { oid, message } of repository.log(head, { max: MAX_HISTORY, since }))
    if (hasTrailer(message, trailer)) return oid;
  return undefined;
}

/** Whether a commit message ends with a paragraph that holds the trailer. */
export function hasTrailer(message: string, { key, value }: Trailer): boolean {
  const last =
    message
      .trimEnd()
      .split(/\n\s*\n/)
      .at(-1) ?? '';
  return last.split('\n').some((line) => line.trim() === `${key}: ${value}`);
}

async function build(repository: Repository, base: string, commits: Publication['commits']): Promise<string> {
  let parent = base;
  for (const commit of commits) parent = await repository.commit({ ...commit, parent });
  return parent;
}

function pushOf({ ref, lease, options }: Publication) {
  return { ref, ...(lease !== undefined && { lease }), ...(options && { options }) };
}

async function checkUntouched(repository: Repository, old: string, next: string, { ref, commits }: Publication) {
  const paths = [...new Set(commits.flatMap(({ changes }) => changes.map(({ path }) => path)))];
  const [before, after] = await Promise.all([repository.list(old, paths), repository.list(next, paths)]);
  const stands = new Map(before.map(({ path, mode, oid }) => [path, `${mode} ${oid}`]));
  const touched = after.find(({ path, mode, oid }) => stands.get(path) !== `${mode} ${oid}`)?.path;
  const left = new Set(after.map(({ path }) => path));
  const path = touched ?? before.find((entry) => !left.has(entry.path))?.path;
  if (path !== undefined)
    throw new Overlap('Race', `${ref} has moved to ${next} meanwhile, which changes ${path} too; run it again on that`);
}

function tooOften(ref: string, tries: number): GitError {
  return new GitError(
    'Race',
    `${ref} has moved before each of ${tries} pushes; others push too often, run it again later`,
  );
}
