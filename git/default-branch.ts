import { GitError } from './error.ts';
import { failureOf } from './failure.ts';
import type { Git, Reach } from './program.ts';

/** The branch that a remote's HEAD names. @throws GitError of class `RefNotFound` if it names none. */
export async function defaultBranch(git: Git, reach: Reach): Promise<string> {
  const what = `asking ${reach.url} for its default branch`;
  const { status, stdout, stderr } = await git.reach(
    ['ls-remote', '--quiet', '--symref', '--end-of-options', 'origin', 'HEAD'],
    reach,
    { what },
  );
  if (status !== 0) throw failureOf(what, stderr);
  const name = /^ref: refs\/heads\/(.+)\tHEAD$/m.exec(stdout.toString())?.[1];
  if (name !== undefined) return name;
  const isEmpty = stdout.length === 0;
  throw new GitError(
    'RefNotFound',
    isEmpty
      ? `${reach.url} has no commit on its default branch; make the first one, or say which branch with --ref`
      : `${reach.url} does not say which branch is its default; say one with --ref`,
  );
}
