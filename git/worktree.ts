import { existsSync, realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { GitError } from './error.ts';
import { pushFailure } from './failure.ts';
import { execute, LONGEST_TIMER_MS, type Executed } from './process.ts';
import { ancestors, isBelow } from './path.ts';
import { redact } from './redact.ts';
import type { Identity } from './repository.ts';

/** What a commit of the user's own is made of. */
export interface OwnCommit {
  /** Below the root. What they hold now is committed, and nothing else, whatever is staged. */
  paths: readonly string[];
  message: string;
  /** `Name <email>`, if it is not the user. */
  author?: string;
  /** Whether to sign it; as the user's configuration has it if that is not said. */
  sign?: boolean;
}

/** A branch of a remote. */
export interface Upstream {
  remote: string;
  /** Full: `refs/heads/main`. */
  ref: string;
  /** It is to become the upstream of the branch. */
  isNew: boolean;
}

/**
 * The user's own work tree, by their own git: their configuration, identity, hooks, and keys to sign with.
 * @throws GitError from each of its methods; what is wrong with the work tree is of class `Internal`.
 */
export interface Worktree {
  /** Its top directory. */
  root: string;
  /** The branch that is checked out; undefined if none is. */
  branch: string | undefined;
  /** The commit that is checked out; undefined before the first one. */
  head: string | undefined;
  /** The path of a file below the root; undefined for one that is elsewhere. */
  pathOf(file: string): string | undefined;
  /** Why these files cannot be committed as they will be; undefined if they can. */
  problem(paths: readonly string[]): Promise<string | undefined>;
  /** Goes to a branch that is not there yet, or stands where we are. Returns what goes back, and takes a new one away. */
  switchTo(branch: string): Promise<() => Promise<void>>;
  /** Commits, and returns the id. */
  commit(commit: OwnCommit): Promise<string>;
  /** Where a branch is pushed. */
  upstream(branch: string): Promise<Upstream>;
  /** Pushes what is checked out, forward alone. */
  push(upstream: Upstream): Promise<void>;
  /** The URL of a remote. */
  urlOf(remote: string): Promise<string>;
  /** Why what is pushed is not all that stands below these paths, or anywhere if none is given; undefined if it is, as far as is known here. */
  unpushed(upstream: Upstream, paths: readonly string[]): Promise<string | undefined>;
}

/** More output than this is no answer that was asked for. */
const MAX_OUTPUT_BYTES = 256 << 20;
/** What git leaves in its directory while it waits for the user to go on with something. */
const UNFINISHED: Readonly<Record<string, string>> = {
  MERGE_HEAD: 'merge',
  'rebase-merge': 'rebase',
  'rebase-apply': 'rebase',
  CHERRY_PICK_HEAD: 'cherry-pick',
  REVERT_HEAD: 'revert',
};

/** Opens the work tree that a directory is in. @throws GitError of class `Internal` if it is in none. */
export async function openWorktree(directory: string, environment: NodeJS.ProcessEnv): Promise<Worktree> {
  const git = ownGit(directory, environment);
  const said = await git.run(['rev-parse', '--show-toplevel', '--absolute-git-dir']);
  if (said.status !== 0)
    throw new GitError('Internal', `${directory} is in no git work tree that can be used: ${wordsOf(said)}`);
  const [root = '', gitDirectory = ''] = said.stdout.toString().split('\n');
  const ours = ownGit(root, environment);
  const branch = await ours.ask(['symbolic-ref', '--quiet', '--short', 'HEAD']);
  const head = await ours.ask(['rev-parse', '--quiet', '--verify', 'HEAD^{commit}']);
  return worktreeOf({ root, branch, head }, ours, (name) => existsSync(join(gitDirectory, name)));
}

function worktreeOf(
  place: Pick<Worktree, 'root' | 'branch' | 'head'>,
  git: OwnGit,
  has: (name: string) => boolean,
): Worktree {
  const { root, head } = place;
  return {
    ...place,
    pathOf(file) {
      const place = relative(root, realpathSync(file));
      return place === '..' || place.startsWith(`..${sep}`) ? undefined : place.split(sep).join('/');
    },
    async problem(paths) {
      if (head === undefined) return `${root} has no commit yet; make the first one, then run this again`;
      const unfinished = Object.keys(UNFINISHED).find(has);
      if (unfinished !== undefined)
        return `a ${UNFINISHED[unfinished]} is not finished in ${root}; finish it, or give it up, first`;
      // Not by their names: there may be more than a command line takes.
      const tracked = new Set(entriesOf(await git.must(['ls-files', '-z'], 'listing the files')));
      const unknown = paths.find((path) => !tracked.has(path));
      // Of a submodule the top is listed, as one entry.
      const submodule = unknown && ancestors(unknown).find((path) => tracked.has(path));
      if (submodule !== undefined)
        return `${unknown} is in the submodule ${submodule}, which has commits of its own; run this in there, and name directories without it here`;
      if (unknown !== undefined)
        return `${unknown} is not tracked by git in ${root}; add and commit it first, or leave it out`;
      const changed = new Set(await changedFiles(git));
      const dirty = paths.filter((path) => changed.has(path));
      if (dirty.length === 0) return undefined;
      const more = dirty.length > 1 ? ` and ${dirty.length - 1} more` : '';
      return `${dirty[0]}${more} has changes that are not committed, which would be committed too; commit or stash them first`;
    },
    async switchTo(branch) {
      const there = await git.ask(['rev-parse', '--quiet', '--verify', `refs/heads/${branch}^{commit}`]);
      if (there !== undefined && there !== head)
        throw new GitError(
          'Internal',
          `the branch ${branch} is there already, and not where ${place.branch ?? 'HEAD'} is; git switch ${branch} first to add to it, or give another name`,
        );
      const isNew = there === undefined;
      await git.must(['switch', '--quiet', ...(isNew ? ['--create'] : []), branch], `switching to ${branch}`);
      return async () => {
        const back = place.branch === undefined ? ['--detach', head!] : [place.branch];
        await git.must(['switch', '--quiet', ...back], 'switching back');
        if (isNew) await git.must(['branch', '--quiet', '--delete', '--force', branch], `deleting ${branch}`);
      };
    },
    async commit({ paths, message, author, sign }) {
      const options = [
        ...(author === undefined ? [] : [`--author=${author}`]),
        ...(sign === undefined ? [] : [sign ? '--gpg-sign' : '--no-gpg-sign']),
      ];
      const args = ['commit', '--quiet', '--cleanup=whitespace', `--message=${message}`, ...options];
      const input = paths.map((path) => `:(top,literal)${path}\0`).join('');
      await git.must([...args, '--only', '--pathspec-from-file=-', '--pathspec-file-nul'], 'the commit', input);
      return (await git.must(['rev-parse', 'HEAD'], 'reading the commit')).trim();
    },
    async upstream(branch) {
      const remote = await git.ask(['config', `branch.${branch}.remote`]);
      const ref = await git.ask(['config', `branch.${branch}.merge`]);
      if (remote !== undefined && ref !== undefined) return { remote, ref, isNew: false };
      const remotes = (await git.must(['remote'], 'listing the remotes')).split('\n').filter(Boolean);
      const [only = ''] = remotes;
      if (only === '') throw new GitError('Internal', `${root} has no remote to push to; add one with git remote add`);
      const chosen =
        (await git.ask(['config', 'remote.pushDefault'])) ?? (remotes.includes('origin') ? 'origin' : only);
      return { remote: chosen, ref: `refs/heads/${branch}`, isNew: true };
    },
    async urlOf(remote) {
      return (await git.must(['remote', 'get-url', remote], `reading the URL of ${remote}`)).trim();
    },
    async unpushed({ remote, ref, isNew }, paths) {
      const name = ref.replace('refs/heads/', '');
      if (isNew) return `the branch ${name} is not on ${remote} yet; git push it first`;
      const ahead = await git.must(['rev-list', '--count', '@{upstream}..HEAD'], `comparing with ${remote}`);
      if (ahead.trim() !== '0') return `${ahead.trim()} commits on ${name} are not on ${remote}; git push them first`;
      const dirty = (await changedFiles(git)).find((file) => isBelow(file, paths));
      return dirty && `${dirty} has changes that are not on ${remote}; commit and push them, or stash them, first`;
    },
    async push({ remote, ref, isNew }) {
      const args = ['push', '--porcelain', ...(isNew ? ['--set-upstream'] : []), remote, `HEAD:${ref}`];
      const executed = await git.run(args);
      if (executed.status === 0) return;
      const what = `the push to ${ref.replace('refs/heads/', '')} of ${remote}`;
      throw pushFailure(what, executed.stdout.toString(), redact(executed.stderr, []));
    },
  };
}

/** The tracked files with changes that are not committed. */
async function changedFiles(git: OwnGit): Promise<string[]> {
  const status = ['status', '--porcelain', '-z', '--no-renames', '--untracked-files=no', '--ignore-submodules=all'];
  return entriesOf(await git.must(status, 'looking for changes')).map((entry) => entry.slice(3));
}

/** The git program as the user runs it in a directory. */
interface OwnGit {
  run(args: readonly string[], input?: string): Promise<Executed>;
  /** What it says, if anything. */
  ask(args: readonly string[]): Promise<string | undefined>;
  /** What it says. @throws GitError that begins with `what` if it fails. */
  must(args: readonly string[], what: string, input?: string): Promise<string>;
}

function ownGit(directory: string, environment: NodeJS.ProcessEnv): OwnGit {
  // What it says is read here; a hook's words may be in any.
  const env = { ...defined(environment), LC_ALL: 'C.UTF-8' };
  const run = async (args: readonly string[], input?: string) =>
    execute(
      {
        program: 'git',
        args: ['-C', directory, ...args],
        env,
        ...(input !== undefined && { input }),
        isAttached: true,
        // A hook may test for as long as it likes, and a user think about a passphrase.
        timeout: LONGEST_TIMER_MS,
      },
      MAX_OUTPUT_BYTES,
    );
  return {
    run,
    async ask(args) {
      const { status, stdout } = await run(args);
      return status === 0 ? stdout.toString().trim() || undefined : undefined;
    },
    async must(args, what, input) {
      const executed = await run(args, input);
      if (executed.status !== 0) throw new GitError('Internal', `${what} failed: ${wordsOf(executed)}`);
      return executed.stdout.toString();
    },
  };
}

function defined(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** How much of a program's words goes into a message. */
const MAX_WORDS = 4000;

/** All that git and the user's hooks said. */
function wordsOf({ stdout, stderr }: Executed): string {
  const said = redact([stderr, stdout.toString()].join('\n').trim(), []);
  return said === '' ? 'git said nothing' : said.slice(-MAX_WORDS);
}

function entriesOf(text: string): string[] {
  return text.split('\0').filter(Boolean);
}

/** Who the user is, as their git knows it; undefined if it does not. */
export async function userIdentity(environment: NodeJS.ProcessEnv): Promise<Identity | undefined> {
  const git = ownGit('.', environment);
  const [name, email] = await Promise.all([git.ask(['config', 'user.name']), git.ask(['config', 'user.email'])]);
  return name === undefined || email === undefined ? undefined : { name, email };
}
