import { GitError } from './error.ts';
import { failureOf, pushFailure } from './failure.ts';
import type { Git, Reach } from './program.ts';
import { checkOid, checkRef } from './ref.ts';
import type { Push } from './repository.ts';

/** The commit that a full ref of a remote names; an annotated tag is followed to its commit. */
export async function remoteHead(git: Git, reach: Reach, ref: string): Promise<string | undefined> {
  const found = await remoteRefs(git, reach, ref, [ref, `${ref}^{}`]);
  return found.get(`${ref}^{}`) ?? found.get(ref);
}

/** The branches of a remote with a name or below it, and their commits. */
export async function remoteBranches(git: Git, reach: Reach, name: string): Promise<Map<string, string>> {
  const ref = `refs/heads/${name}`;
  const found = await remoteRefs(git, reach, ref, [ref, `${ref}/*`]);
  const ours = [...found].filter(([found]) => found === ref || found.startsWith(`${ref}/`));
  return new Map(ours.map(([found, oid]) => [found.slice('refs/heads/'.length), oid]));
}

/** A pattern also matches the end of longer names. */
async function remoteRefs(
  git: Git,
  reach: Reach,
  ref: string,
  patterns: readonly string[],
): Promise<Map<string, string>> {
  checkRef(ref);
  const what = `asking ${reach.url} for ${ref}`;
  const args = ['ls-remote', '--quiet', '--end-of-options', 'origin', ...patterns];
  const executed = await git.reach(args, reach, { what });
  if (executed.status !== 0) throw failureOf(what, executed.stderr);
  const lines = executed.stdout.toString().split('\n');
  return new Map(
    lines.map((line): [string, string] => {
      const [oid = '', name = ''] = line.split('\t');
      return [name, oid];
    }),
  );
}

/** @throws GitError for a push that no server need be asked about. */
export function checkPush({ commit, ref, lease, options = {} }: Push): void {
  checkOid(commit);
  checkRef(ref);
  if (lease) checkOid(lease);
  for (const option of pushOptions(options))
    if (!/^[\u0020-\u007E]+$/.test(option))
      throw new GitError('PushRefused', `the push option ${JSON.stringify(option)} holds more than printable ASCII`);
}

/** GitLab's `merge_request.create` and its like have no value. */
function pushOptions(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).map(([key, value]) => (value === '' ? key : `${key}=${value}`));
}

/** Thin packs would look for blobs that were never fetched. */
const FIXED = ['push', '--porcelain', '--no-verify', '--no-thin', '--no-signed', '--no-follow-tags'];

/** Removes a ref that stands where it was seen. */
export async function removeRef(git: Git, reach: Reach, ref: string, seen: string): Promise<void> {
  checkRef(ref);
  checkOid(seen);
  const args = [...FIXED, `--force-with-lease=${ref}:${seen}`, '--end-of-options', 'origin', `:${ref}`];
  const what = `the removal of ${ref} of ${reach.url}`;
  const executed = await git.reach(args, reach, { what });
  if (executed.status !== 0) throw pushFailure(what, executed.stdout.toString(), executed.stderr);
}

/**
 * Pushes one commit to one full ref, which makes it atomic. `expected` is where the ref must stand (null: nowhere);
 * undefined leaves it to the server that the push only moves forward. Check it first.
 */
export async function pushCommit(
  git: Git,
  reach: Reach,
  push: Push,
  expected: string | null | undefined,
): Promise<void> {
  const { commit, ref, options = {} } = push;
  const lease = expected === undefined ? [] : [`--force-with-lease=${ref}:${expected ?? ''}`];
  const given = pushOptions(options).map((option) => `--push-option=${option}`);
  // A branch that is new to the remote may stand on what its own branch has left behind: git asks whether the remote has it.
  const negotiating = expected === null ? ['-c', 'push.negotiate=true'] : [];
  const args = [...negotiating, ...FIXED, ...lease, ...given, '--end-of-options', 'origin', `${commit}:${ref}`];
  const what = `the push of ${commit} to ${ref} of ${reach.url}`;
  const executed = await git.reach(args, reach, { what });
  if (executed.status !== 0) throw pushFailure(what, executed.stdout.toString(), executed.stderr);
}
