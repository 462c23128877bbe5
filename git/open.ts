import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeCommit } from './commit.ts';
import { accessTo } from './credentials.ts';
import { GitError } from './error.ts';
import { fetchBlobs, fetchCommit, has, packBytes, packs, type Source } from './fetch.ts';
import { endOrphans, lockDirectory, removeLeftovers } from './lock.ts';
import { checkGit, gitOn, type Git } from './program.ts';
import { defaultBranch } from './default-branch.ts';
import { checkPush, pushCommit, remoteBranches, remoteHead, removeRef } from './push.ts';
import { listTree, missingBlobs, readBlobs, readCommit, readLog, type LogRange } from './read.ts';
import { checkOid, checkRef, isOid } from './ref.ts';
import type { LogEntry, NewCommit, Push, Remote, Repository, TreeEntry } from './repository.ts';
import { openScratch, type Scratch } from './scratch.ts';
import { canonicalUrl, checkUrl, type Protocol } from './url.ts';

export interface OpenOptions {
  /** Where the repository is kept; may hold it already, from an earlier run. For this URL alone: see `repositoryDirectory`. */
  directory: string;
  /** Beyond `https:` and `ssh:`. */
  protocols?: readonly Protocol[];
  /** Ends whatever runs. */
  signal?: AbortSignal;
  environment?: NodeJS.ProcessEnv;
  /** Bytes that the packs of the repository may have. */
  maxBytes?: number;
}

export interface OpenRepository extends Repository {
  /** The branch that the remote's HEAD names. @throws GitError of class `RefNotFound` if there is none, as it is empty. */
  defaultBranch(): Promise<string>;
  /** Gives the directory back and takes keys away. */
  close(): void;
}

/** Manifests of 100,000 files, and their history, are a small part of this. */
const MAX_REPOSITORY_BYTES = 2 * 2 ** 30;
/** Each fetch leaves a pack; with more of them than this, fetching all anew costs less than reading through them. */
const MAX_PACKS = 100;

/** The place of a repository in a cache, by its canonical URL. */
export function repositoryDirectory(cache: string, url: string): string {
  return join(cache, createHash('sha256').update(canonicalUrl(url)).digest('hex').slice(0, 32));
}

/**
 * Opens the bare repository of a remote; takes its directory for this process until it is closed.
 * @throws GitError, of class `Timeout` if another process has the directory for longer than the remote's time-out.
 */
export async function openRepository(remote: Remote, given: OpenOptions): Promise<OpenRepository> {
  const options = { ...given, directory: resolve(given.directory) };
  const url = checkUrl(remote.url, options.protocols);
  const undo: (() => void)[] = [];
  try {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    undo.push(await lockDirectory(options.directory, remote.timeout, options.signal));
    const scratch = openScratch();
    undo.push(scratch.remove);
    const home = join(scratch.path, 'home');
    mkdirSync(home);
    // A repository that is here was made by a git that was looked at.
    if (!existsSync(join(options.directory, URL_FILE))) await checkGit(home, options.environment);
    checkCache(options, url.href);
    const program = (name: string) => prepare(join(options.directory, name), { ...options, home });
    const source = {
      url: url.href,
      access: accessTo(url, remote, scratch),
      timeout: remote.timeout,
      maxBytes: options.maxBytes ?? MAX_REPOSITORY_BYTES,
    };
    // Two: a fetch of history would cut short, or fill with commits that lack their trees, what the trees are read from.
    return new BareRepository(program(TREES), program(HISTORY), source, scratch, () => {
      for (const step of undo.toReversed()) step();
    });
  } catch (error) {
    for (const step of undo.toReversed()) step();
    throw asGitError(error, 'opening the repository');
  }
}

const TREES = 'trees.git';
const HISTORY = 'history.git';
/** Names the URL whose repository a directory holds. */
const URL_FILE = 'url';

/** Takes away what is of another URL or has grown too large. */
function checkCache({ directory, maxBytes = MAX_REPOSITORY_BYTES }: OpenOptions, href: string): void {
  const urlFile = join(directory, URL_FILE);
  const isOurs = existsSync(urlFile) && readFileSync(urlFile, 'utf8') === href;
  const gits = [TREES, HISTORY].map((name) => join(directory, name));
  endOrphans(gits.filter((path) => existsSync(path)));
  const isWorn = gits.some((path) => packBytes(path) > maxBytes / 2 || packs(path).length > 3 * MAX_PACKS);
  if (!isOurs || isWorn) wipe(directory);
  writeFileSync(urlFile, href);
}

function wipe(directory: string): void {
  for (const name of [TREES, HISTORY, URL_FILE]) rmSync(join(directory, name), { recursive: true, force: true });
}

/** Makes a bare repository, or the one that is there fit for use. Its configuration is written anew each time. */
function prepare(
  directory: string,
  options: { home: string; environment?: NodeJS.ProcessEnv; signal?: AbortSignal },
): Git {
  for (const name of ['objects/pack', 'refs']) mkdirSync(join(directory, name), { recursive: true });
  removeLeftovers(directory);
  writeFileSync(join(directory, 'HEAD'), 'ref: refs/heads/none\n');
  writeFileSync(join(directory, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n');
  return gitOn(directory, options);
}

class BareRepository implements OpenRepository {
  readonly #trees: Git;
  readonly #history: Git;
  readonly #source: Source;
  readonly #scratch: Scratch;
  readonly #release: () => void;
  /** What each commit of ours stands on that was not pushed. */
  readonly #parents = new Map<string, string>();
  /** What each ref that was asked for named then. */
  readonly #heads = new Map<string, string | undefined>();
  /** What was fetched last, for servers that give no blobs by their ids. */
  #fetched: string | undefined;
  /** The commit of what was fetched last. */
  #commit: string | undefined;
  #isBroken = false;

  constructor(trees: Git, history: Git, source: Source, scratch: Scratch, release: () => void) {
    this.#trees = trees;
    this.#history = history;
    this.#source = source;
    this.#scratch = scratch;
    this.#release = release;
  }

  async defaultBranch(): Promise<string> {
    return this.#guarded('asking for the default branch', () => defaultBranch(this.#trees, this.#source));
  }

  async remoteHead(ref: string): Promise<string | undefined> {
    const head = await this.#guarded(`asking for ${ref}`, () => remoteHead(this.#trees, this.#source, ref));
    this.#heads.set(ref, head);
    return head;
  }

  async remoteBranches(name: string): Promise<Map<string, string>> {
    return this.#guarded(`asking for ${name}`, () => remoteBranches(this.#trees, this.#source, name));
  }

  async fetch(what: string, { depth = 1, blobs = 0 }: { depth?: number; blobs?: number } = {}): Promise<string> {
    return this.#guarded(`fetching ${what}`, async () => {
      if (!isOid(what)) checkRef(what);
      const isHere = isOid(what) && depth === 1 && (await has(this.#trees, what));
      // What was just asked for is fetched as it was then, once.
      const head = what.startsWith('refs/heads/') ? this.#heads.get(what) : undefined;
      this.#heads.delete(what);
      const commit = isHere ? what : await fetchCommit(this.#trees, this.#source, what, { depth, blobs, head });
      this.#fetched = what;
      this.#commit = commit;
      return commit;
    });
  }

  async list(commit: string, paths?: readonly string[]): Promise<TreeEntry[]> {
    return this.#guarded('reading a tree', async () => {
      checkOid(commit);
      // Of a commit that only its history brought, the tree is there.
      const isOld = !this.#isHere(commit) && !(await has(this.#trees, commit)) && (await has(this.#history, commit));
      return listTree(isOld ? this.#history : this.#trees, commit, paths);
    });
  }

  async *blobs(oids: readonly string[]): AsyncGenerator<{ oid: string; content: Buffer }> {
    if (oids.length === 0) return;
    let read = 0;
    // Most often all are here, and reading them tells.
    for await (const blob of readBlobs(this.#trees, oids)) {
      read++;
      yield blob;
    }
    const rest = oids.slice(read);
    if (rest.length === 0) return;
    await this.#guarded('fetching files', async () => {
      const missing = await missingBlobs(this.#trees, rest);
      if (missing.length > 0) await fetchBlobs(this.#trees, this.#source, missing, this.#fetched);
    });
    for await (const blob of readBlobs(this.#trees, rest)) {
      read++;
      yield blob;
    }
    if (read < oids.length) throw new GitError('RefNotFound', `the repository has no file with the id ${oids[read]}`);
  }

  async commit(commit: NewCommit): Promise<string> {
    return this.#guarded('writing the commit', async () => {
      const oid = await writeCommit(this.#trees, this.#scratch, commit);
      this.#parents.set(oid, commit.parent);
      return oid;
    });
  }

  async push(push: Push): Promise<void> {
    return this.#guarded(`the push to ${push.ref}`, async () => {
      checkPush(push);
      const expected = push.lease === undefined ? this.#baseOf(push.commit) : push.lease;
      try {
        await pushCommit(this.#trees, this.#source, push, expected);
      } catch (error) {
        // An error may hide that it arrived (reference/controllers.md, finding 4).
        const head = await remoteHead(this.#trees, this.#source, push.ref).catch(() => undefined);
        if (head !== push.commit) throw error;
      }
      this.#forget(push.commit);
    });
  }

  async remove(ref: string, seen: string): Promise<void> {
    return this.#guarded(`the removal of ${ref}`, () => removeRef(this.#trees, this.#source, ref, seen));
  }

  async *log(from: string, range: LogRange): AsyncGenerator<LogEntry> {
    const entries = await this.#guarded('reading history', async () => {
      const { max, since, paths = [] } = range;
      // The server would say the same.
      const time = since === undefined ? undefined : (await readCommit(this.#trees, from))?.time;
      if (time !== undefined && time < since!) return [];
      // What a commit did to paths shows beside its parents.
      const parents = paths.length > 0 ? 1 : 0;
      const extent = since === undefined ? { depth: max + parents } : { since, parents };
      try {
        await fetchCommit(this.#history, this.#source, from, extent);
      } catch (error) {
        if (error instanceof GitError && NOTHING_SINCE.test(error.message)) return [];
        throw error;
      }
      return readLog(this.#history, from, range);
    });
    yield* entries;
  }

  close(): void {
    try {
      if (this.#isBroken) wipe(join(this.#trees.directory, '..'));
    } finally {
      this.#release();
    }
  }

  /** Whether a commit needs no looking for. */
  #isHere(commit: string): boolean {
    return commit === this.#commit || this.#parents.has(commit);
  }

  /** The commit of the remote on which a chain of ours stands: a push moves forward from it, or not at all. */
  #baseOf(commit: string): string | undefined {
    let base = this.#parents.get(commit);
    for (let next = base; next !== undefined; next = this.#parents.get(next)) base = next;
    return base;
  }

  /** What was pushed is the remote's. */
  #forget(commit: string): void {
    let parent = this.#parents.get(commit);
    for (let oid = commit; parent !== undefined; parent = this.#parents.get(oid)) {
      this.#parents.delete(oid);
      oid = parent;
    }
  }

  async #guarded<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const failure = asGitError(error, what);
      if (failure.class === 'Internal' || failure.class === 'DiskFull') this.#isBroken = true;
      throw failure;
    }
  }
}

/** What a server says when all history is older than it was asked for. */
const NOTHING_SINCE = /no commits selected for shallow requests|error processing shallow info/;

function asGitError(error: unknown, what: string): GitError {
  if (error instanceof GitError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new GitError(
      'DiskFull',
      `${what} failed: the disk is full here; make room, or give the run a larger volume`,
    );
  return new GitError('Internal', `${what} failed: ${message}`);
}
