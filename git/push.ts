import { GitError } from './error.ts';
import { failureOf, pushFailure } from './failure.ts';
import type { Git, Reach } from './program.ts';
import { checkOid, checkRef } from './ref.ts';
import type { Push } from './repository.ts';

/** The commit that a full ref of a remote names; an annotated tag is followed to its commit. */
export async function remoteHead(git: Git, reach: Reach, ref: string): Promise<string | undefined> {
  checkRef(ref);
  const what = `asking ${reach.url} for ${ref}`;
  const executed = await git.reach(['ls-remote', '--quiet', '--end-of-options', 'origin', ref, `${ref}^{}`], reach, {
    what,
  });
  if (executed.status !== 0) throw failureOf(what, executed.stderr);
  // A pattern also matches the end of longer names.
  const found = new Map(
    executed.stdout
      .toString()
      .split('\n')
      .map((line): [string, string] => {
        const [oid = '', name = ''] = line.split('\t');
        return [name, oid];
      }),
  );
  return found.get(`${ref}^{}`) ?? found.get(ref);
}

/**
 * Pushes one commit to one full ref, which makes it atomic. `expected` is where the ref must stand (null: nowhere);
 * undefined leaves it to the server that the push only moves forward.
 */
export async function pushCommit(
  git: Git,
  reach: Reach,
  push: Push,
  expected: string | null | undefined,
): Promise<void> {
  const { commit, ref, options = {} } = push;
  checkOid(commit);
  checkRef(ref);
  if (expected) checkOid(expected);
  const lease = expected === undefined ? [] : [`--force-with-lease=${ref}:${expected ?? ''}`];
  // Thin packs would look for blobs that were never fetched.
  const fixed = ['push', '--porcelain', '--no-verify', '--no-thin', '--no-signed', '--no-follow-tags'];
  const args = [...fixed, ...lease, ...pushOptions(options), '--end-of-options', 'origin', `${commit}:${ref}`];
  const what = `the push of ${commit} to ${ref} of ${reach.url}`;
  const executed = await git.reach(args, reach, { what });
  if (executed.status !== 0) throw pushFailure(what, executed.stdout.toString(), executed.stderr);
}

function pushOptions(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).map(([key, value]) => {
    const option = value === '' ? key : `${key}=${value}`;
    if (!/^[\u0020-\u007E]+$/.test(option))
      throw new GitError('PushRefused', `the push option ${JSON.stringify(key)} holds more than printable ASCII`);
    return `--push-option=${option}`;
  });
}
