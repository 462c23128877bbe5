import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { GitError } from './error.ts';
import { failureOf } from './failure.ts';
import type { Executed } from './process.ts';
import type { Git, Reach, ReachOptions } from './program.ts';
import { isOid } from './ref.ts';

/** A remote, and how large what comes from it may grow. */
export interface Source extends Reach {
  /** Bytes of packs on disk. */
  maxBytes: number;
}

const QUIET = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--no-show-forced-updates'];
const BLOBLESS = '--filter=blob:none';
const WHOLE = '--no-filter';
/** Beside a commit that is here already, what is new are few files, and most of them will be read. */
const SMALL_BLOBS = '--filter=blob:limit=256k';

/** How much of the history comes along: so many commits, all of it (0), or those since a time (seconds since 1970) and so many more. */
export type Extent = { depth: number } | { since: number; parents: number };

/**
 * Fetches a commit by full ref or id, without blobs or with those of less than `blobs` bytes, as far as the server can leave
 * out history and blobs; a server that cannot sends more. `head` is the commit that the server has just said the ref names:
 * it is not asked again. Returns the commit.
 */
export async function fetchCommit(
  git: Git,
  source: Source,
  wanted: string,
  { blobs = 0, head, ...extent }: Extent & { blobs?: number; head?: string | undefined },
): Promise<string> {
  const what = `fetching ${wanted} of ${source.url}`;
  // What it is called here says nothing and clashes with nothing, whatever it is called there. Git tells the server what
  // it has by such refs, so that the next fetch brings only what is new.
  const kept = `refs/fetched/${createHash('sha256').update(wanted).digest('hex').slice(0, 40)}`;
  const isUpdate = 'depth' in extent && extent.depth === 1 && existsSync(join(git.directory, kept));
  const fetch = (refspec: string, filter: string, ...options: string[]) =>
    bounded(git, source, ['fetch', ...QUIET, '--force', filter, ...options, '--end-of-options', 'origin', refspec], {
      what,
      promisor: filter !== WHOLE,
    });

  let refspec = `${head ?? wanted}:${kept}`;
  const first = blobs > 0 ? `--filter=blob:limit=${blobs}` : isUpdate ? SMALL_BLOBS : BLOBLESS;
  let ended = await fetch(refspec, first, ...extentOptions(git, extent));
  if (ended.status !== 0 && head !== undefined && NOT_BY_ID.test(ended.stderr)) {
    refspec = `${wanted}:${kept}`;
    ended = await fetch(refspec, first, ...extentOptions(git, extent));
  }
  if (ended.status !== 0 && first !== BLOBLESS && NO_BASE.test(ended.stderr))
    ended = await fetch(refspec, BLOBLESS, ...extentOptions(git, extent));
  if (ended.status !== 0 && WARTS.test(ended.stderr))
    ended = await fetch(refspec, WHOLE, ...extentOptions(git, extent));
  if (ended.status !== 0 && NOT_SHALLOW.test(ended.stderr)) ended = await fetch(refspec, BLOBLESS);
  if (ended.status !== 0 && isOid(wanted) && NOT_BY_ID.test(ended.stderr)) {
    ended = await fetch(ALL_BRANCHES, BLOBLESS, '--prune', ...extentOptions(git, { depth: 0 }));
    if (ended.status === 0) return commitOf(git, wanted, wanted, what);
  }
  if (ended.status === 0 && 'since' in extent && extent.parents > 0 && isShallow(git))
    ended = await fetch(refspec, BLOBLESS, `--deepen=${extent.parents}`);
  if (ended.status !== 0) throw failureOf(what, ended.stderr);
  return commitOf(git, kept, wanted, what);
}

const ALL_BRANCHES = 'refs/heads/*:refs/fetched/all/*';
/** What was sent is the difference to a file that is there and not here. */
const NO_BASE = /index-pack failed|unresolved delta|promisor remote/;
/** What old tools got wrong and program.ts lets pass; but before 2.43 git lets nothing pass in a fetch with a filter. */
const WARTS = /: (?:badTimezone|missingSpaceBeforeDate|zeroPaddedFilemode):/;
/** A server, or a protocol, that knows no depth. */
const NOT_SHALLOW = /does not support (?:shallow|--depth|--shallow|--deepen)|shallow capabilities|--shallow-since/;
/** A server that gives out only what its refs name. */
const NOT_BY_ID = /unadvertised object|not our ref/;

function extentOptions(git: Git, extent: Extent): string[] {
  if ('since' in extent) return [`--shallow-since=${isoTime(extent.since)}`];
  if (extent.depth > 0) return [`--depth=${extent.depth}`];
  return isShallow(git) ? ['--unshallow'] : [];
}

function isShallow(git: Git): boolean {
  return existsSync(join(git.directory, 'shallow'));
}

/** Seconds since 1970 as git reads them in every place. */
export function isoTime(seconds: number): string {
  return new Date(Math.max(0, seconds) * 1000).toISOString().replace('.000', '');
}

async function commitOf(git: Git, name: string, wanted: string, what: string): Promise<string> {
  // A branch names a commit and nothing else; a tag may name a tag.
  if (wanted.startsWith('refs/heads/')) return readFileSync(join(git.directory, name), 'utf8').trim();
  try {
    const out = await git.run(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`], { what });
    return out.toString().trim().split('\n').at(-1) ?? '';
  } catch (error) {
    if (error instanceof GitError && error.class === 'Internal')
      throw new GitError('RefNotFound', `${what} failed: ${wanted} does not name a commit there`);
    throw error;
  }
}

/** Whether an object is here. */
export async function has(git: Git, oid: string): Promise<boolean> {
  const out = await git.run(['cat-file', '--batch-check'], { what: 'looking for a commit', input: `${oid}\n` });
  return !out.toString().endsWith(' missing\n');
}

/** Fetches blobs by their ids, in one request; from a server that does not give them so, the whole of a commit. */
export async function fetchBlobs(
  git: Git,
  source: Source,
  oids: readonly string[],
  commit: string | undefined,
): Promise<void> {
  const what = `fetching ${oids.length} files of ${source.url}`;
  const byId = [
    '-c',
    'fetch.negotiationAlgorithm=noop',
    'fetch',
    ...QUIET,
    BLOBLESS,
    '--stdin',
    '--end-of-options',
    'origin',
  ];
  const ended = await bounded(git, source, byId, { what, promisor: true, input: `${oids.join('\n')}\n` });
  if (ended.status === 0) return;
  if (commit === undefined || !NOT_BY_ID.test(ended.stderr)) throw failureOf(what, ended.stderr);
  const from = isOid(commit)
    ? ['--prune', ...extentOptions(git, { depth: 0 }), 'origin', ALL_BRANCHES]
    : ['--depth=1', 'origin', commit];
  const whole = ['fetch', ...QUIET, '--force', '--refetch', WHOLE, ...from];
  const again = await bounded(git, source, whole, { what, promisor: true });
  if (again.status !== 0) throw failureOf(what, again.stderr);
}

const WATCH_MS = 500;

/** Runs a fetch and ends it when the packs outgrow their bound: git has none of its own. */
async function bounded(git: Git, source: Source, args: string[], options: ReachOptions): Promise<Executed> {
  const tooLarge = new AbortController();
  const watch = setInterval(() => {
    if (packBytes(git.directory) > source.maxBytes) tooLarge.abort();
  }, WATCH_MS);
  try {
    const executed = await git.reach(args, source, { ...options, signal: tooLarge.signal });
    if (packBytes(git.directory) > source.maxBytes) tooLarge.abort();
    tooLarge.signal.throwIfAborted();
    return executed;
  } catch (error) {
    if (!tooLarge.signal.aborted) throw error;
    throw new GitError(
      'TooLarge',
      `${options.what} brought more than the ${Math.ceil(source.maxBytes / (1 << 20))} MiB that a repository may have`,
    );
  } finally {
    clearInterval(watch);
  }
}

/** Bytes of the packs of a repository, half-written ones included. */
export function packBytes(gitDirectory: string): number {
  return packs(gitDirectory).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** The files below a repository's packs. */
export function packs(gitDirectory: string): { name: string; bytes: number }[] {
  const directory = join(gitDirectory, 'objects/pack');
  if (!existsSync(directory)) return [];
  return readdirSync(directory).map((name) => {
    const bytes = statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
    return { name, bytes };
  });
}
