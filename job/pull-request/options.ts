import type { GroupBy } from '../grouping.ts';
import { compileText, type Template } from '../message.ts';
import { JobSpecError } from '../read.ts';
import { refProblem } from '../../api/ref.ts';
import { runsInProcess, type JobSpec } from '../schema.ts';

/** How pull requests look, as it was said. */
export interface PullRequestWishes {
  /** A template over the names of commit messages. */
  title?: string;
  /** Likewise; `{{report}}` is what the body says without a template. */
  body?: string;
  labels?: readonly string[];
  /** Names; `org/team` for a team. */
  reviewers?: readonly string[];
  draft?: boolean;
  autoMerge?: boolean;
  /** One for the whole run, or one for each of these. */
  groupBy?: GroupBy;
  /** The branch, or of groups what their names begin with; `push.branch` of the job if left out. */
  branch?: string;
}

/** Wishes that were checked. */
export interface PullRequestOptions {
  title?: Template;
  body?: Template;
  labels: readonly string[];
  reviewers: readonly string[];
  draft: boolean;
  autoMerge: boolean;
  groupBy: GroupBy;
  /** Of a run without groups. */
  branch: string;
  /** The name that all branches of the job have or stand below. */
  family: string;
}

/** What branches are called, or begin with, where nobody says it. */
const BRANCH = 'image-update';
/** More of them nobody reads. */
const MAX_NAMES = 50;

/**
 * Checks what pull requests shall be like, before anything runs.
 * @throws JobSpecError that names the option and what to write.
 */
export function readWishes(wishes: PullRequestWishes, { git, push, run }: JobSpec): PullRequestOptions {
  const { title, body, groupBy = 'run', labels = [], reviewers = [], draft = false, autoMerge = false } = wishes;
  if (git.ref.branch === undefined)
    throw new JobSpecError('a pull request goes into a branch, so git.ref must be a branch');
  if (groupBy !== 'run' && !runsInProcess(run))
    throw new JobSpecError(
      `--group-by ${groupBy} needs the image-update image, without command, args and env: what any other changed is not known field by field`,
    );
  const own = push.branch === git.ref.branch ? undefined : push.branch;
  const family = wishes.branch ?? own ?? BRANCH;
  // Below the name, so that groups and a run of everything can follow each other.
  const branch = family === BRANCH ? `${BRANCH}/all` : family;
  const problem = refProblem(family);
  if (problem !== undefined) throw new JobSpecError(`--branch ${JSON.stringify(family)}: ${problem}`);
  if (branch === git.ref.branch)
    throw new JobSpecError(`--branch ${branch} is the branch that the pull request goes into; name another one`);
  return {
    ...(title !== undefined && { title: compileText(title, '--title') }),
    ...(body !== undefined && { body: compileText(body, '--body', ['report']) }),
    labels: names('--add-labels', labels),
    reviewers: names('--reviewers', reviewers).map((name) => name.replace(/^@/, '')),
    draft,
    autoMerge,
    groupBy,
    branch,
    family,
  };
}

function names(option: string, given: readonly string[]): string[] {
  const all = [...new Set(given.map((name) => name.trim()).filter((name) => name !== ''))];
  if (all.length > MAX_NAMES) throw new JobSpecError(`${option}: it has ${all.length} names, more than ${MAX_NAMES}`);
  const odd = all.find((name) => name.length > 100 || /[\p{Cc},]/u.test(name));
  if (odd !== undefined)
    throw new JobSpecError(
      `${option}: ${JSON.stringify(odd.slice(0, 100))} holds a comma, a control character or more than 100 characters`,
    );
  return all;
}
