import type { Io } from '../fn/io.ts';
import { InputError } from '../fn/run.ts';
import { pathIn, treeOf } from './own-commits.ts';

/** Where directories of the user's work tree are on its remote. */
export interface Place {
  url: string;
  /** The branch that the one checked out is pushed to. */
  branch: string;
  /** Below the root; none for all of it. */
  paths: string[];
}

/**
 * Finds the remote of directories: a pull request is made of what stands there, so that must be what stands here.
 * @throws InputError that says what to push, or GitError.
 */
export async function placeOnRemote(operands: readonly string[], io: Io): Promise<Place> {
  const tree = await treeOf(operands, io);
  if (tree.branch === undefined)
    throw new InputError(
      `no branch is checked out in ${tree.root}, so there is none to propose changes to; git switch to one, or say --git URL --ref BRANCH`,
    );
  const upstream = await tree.upstream(tree.branch);
  const given = operands.map((operand) => pathIn(tree, operand));
  // The root is everything, which is no path.
  const paths = given.includes('') ? [] : given;
  const problem = await tree.unpushed(upstream, paths);
  if (problem !== undefined) throw new InputError(`${problem}: a pull request is made of what the remote has`);
  return {
    url: await tree.urlOf(upstream.remote),
    branch: upstream.ref.replace('refs/heads/', ''),
    paths,
  };
}
