import { readFileSync } from 'node:fs';
import { reasonOf } from '../fn/directory.ts';
import { InputError } from '../fn/run.ts';
import type { Scope } from '../fn/scope.ts';
import type { Forge, ForgeType } from '../git/forge/forge.ts';
import { openForge } from '../git/forge/open.ts';
import { explain } from '../job/pull-request/explain.ts';
import type { PullRequestWishes } from '../job/pull-request/options.ts';
import {
  exitStatusOf,
  runPullRequests,
  type PullRequestReport,
  type PullRequestResult,
} from '../job/pull-request/run.ts';
import type { UpdateJob } from '../job/read.ts';
import type { Report } from '../job/run.ts';
import { showJob, tellOutcome, type JobOptions } from './run-job.ts';
import { worldOf, type Here } from './world.ts';

/** What the options about pull requests were given. */
export interface PullRequestFlags {
  pullRequest?: boolean;
  branch?: string;
  groupBy?: PullRequestWishes['groupBy'];
  title?: string;
  body?: string;
  addLabels: readonly string[];
  reviewers: readonly string[];
  draft?: boolean;
  autoMerge?: boolean;
  forge?: ForgeType;
  forgeUrl?: string;
}

/** Carries out a job by pull requests here, and shows what came of them. Returns the exit status. */
export async function proposeHere(
  job: UpdateJob,
  options: JobOptions & PullRequestFlags,
  here: Here,
  text: (report: Report) => string,
  scope?: Scope,
): Promise<number> {
  const { io } = here;
  const { known, ...world } = await worldOf(job, options, here, scope);
  const report = await runPullRequests(job, wishesOf(options), {
    world,
    forge: async () => forgeOf(job.spec.git.url, options, io.environment),
    ...(known && { facts: async (change) => explain(change, await known.answers()), labelsOf: known.labels }),
  });
  const { plan, pullRequests } = report;
  await showJob(job, plan, options, io, (plan) => text(plan) + foretold(job, report), { pullRequests });
  // Of a run by pull requests the plan alone pushes nothing, and they are what happened.
  if (isDry(job) || pullRequests.length === 0) tellOutcome(plan.ran.outcome, io);
  for (const { message, warnings, failure } of pullRequests) {
    io.error(`tk-image: ${failure ? `${failure.class}: ${failure.message}` : message}`);
    for (const warning of warnings) io.error(`tk-image: warning: ${warning}`);
  }
  return exitStatusOf(report);
}

/** How pull requests shall be. Names may be written with commas between. */
function wishesOf({ branch, groupBy, title, body, addLabels, reviewers, draft, autoMerge }: PullRequestFlags) {
  const wishes: PullRequestWishes = {
    ...(branch !== undefined && { branch }),
    ...(groupBy !== undefined && { groupBy }),
    ...(title !== undefined && { title }),
    ...(body !== undefined && { body }),
    labels: addLabels.flatMap((names) => names.split(',')),
    reviewers: reviewers.flatMap((names) => names.split(',')),
    ...(draft !== undefined && { draft }),
    ...(autoMerge !== undefined && { autoMerge }),
  };
  return wishes;
}

/** Opens the forge of a repository by what was given and the environment; `GIT_CA_FILE` is trusted there too. @throws GitError, InputError */
export async function forgeOf(
  repositoryUrl: string,
  { forge, forgeUrl }: Pick<PullRequestFlags, 'forge' | 'forgeUrl'>,
  environment: NodeJS.ProcessEnv,
): Promise<Forge> {
  const ca = environment['GIT_CA_FILE'] ? readCa(environment['GIT_CA_FILE']) : undefined;
  return openForge(repositoryUrl, {
    environment,
    ...(forge && { type: forge }),
    ...(forgeUrl !== undefined && { url: forgeUrl }),
    ...(ca !== undefined && { ca }),
  });
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(`GIT_CA_FILE names ${file}, which cannot be read: ${reasonOf(error)}`);
  }
}

function isDry({ spec }: UpdateJob): boolean {
  return spec.push.mode === 'DryRun';
}

/** Titles and bodies of a dry run. */
function foretold(job: UpdateJob, { pullRequests }: PullRequestReport): string {
  return isDry(job) ? pullRequests.map(pageOf).join('') : '';
}

function pageOf({ branch, title = '', body = '' }: PullRequestResult): string {
  return `\n--- ${branch}: ${title}\n\n${body}\n`;
}
