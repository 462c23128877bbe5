import type { ForgeType } from '../git/forge/forge.ts';
import { openForge } from '../git/forge/open.ts';
import type { Scope } from '../fn/scope.ts';
import { accessOf } from '../job/access.ts';
import { explain } from '../job/pull-request/explain.ts';
import type { PullRequestWishes } from '../job/pull-request/options.ts';
import { exitStatusOf, runPullRequests, type PullRequestReport, type PullRequestResult } from '../job/pull-request/run.ts';
import type { UpdateJob } from '../job/read.ts';
import type { Report } from '../job/run.ts';
import { showJob, type JobOptions } from './run-job.ts';
import { worldOf, type Here } from './world.ts';

/** What options say of pull requests. */
export interface PullRequestOptions extends JobOptions {
  wishes: PullRequestWishes;
  forge?: ForgeType;
  forgeUrl?: string;
}

/** Carries out a job by pull requests here, and shows what came of them. Returns the exit status. */
export async function proposeHere(
  job: UpdateJob,
  options: PullRequestOptions,
  here: Here,
  text: (report: Report) => string,
  scope?: Scope,
): Promise<number> {
  const { io } = here;
  const { known, ...world } = await worldOf(job, options, here, scope);
  const report = await runPullRequests(job, options.wishes, {
    world,
    async forge() {
      const { ca } = (await accessOf(job, new Map(), io.environment)).remote;
      return openForge(job.spec.git.url, {
        environment: io.environment,
        ...(ca !== undefined && { ca }),
        ...(options.forge && { type: options.forge }),
        ...(options.forgeUrl !== undefined && { url: options.forgeUrl }),
      });
    },
    ...(known && { facts: async (change) => explain(change, await known.answers()), labelsOf: known.labels }),
  });
  const { plan, pullRequests } = report;
  await showJob(job, plan, options, io, (plan) => text(plan) + foretold(job, report), { pullRequests });
  for (const { message, warnings, failure } of pullRequests) {
    io.error(`tk-image: ${failure ? `${failure.class}: ${failure.message}` : message}`);
    for (const warning of warnings) io.error(`tk-image: warning: ${warning}`);
  }
  return exitStatusOf(report);
}

/** Titles and bodies of a dry run. */
function foretold({ spec }: UpdateJob, { pullRequests }: PullRequestReport): string {
  return spec.push.mode === 'DryRun' ? pullRequests.map(pageOf).join('') : '';
}

function pageOf({ branch, title = '', body = '' }: PullRequestResult): string {
  return `\n--- ${branch}: ${title}\n\n${body}\n`;
}
