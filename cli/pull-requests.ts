import type { Io } from '../fn/io.ts';
import type { ForgeType } from '../git/forge/forge.ts';
import { openForge } from '../git/forge/open.ts';
import type { Scope } from '../fn/scope.ts';
import { accessOf } from '../job/access.ts';
import { explain } from '../job/pull-request/explain.ts';
import type { PullRequestWishes } from '../job/pull-request/options.ts';
import {
  exitStatusOf,
  runPullRequests,
  type Around,
  type PullRequestReport,
  type PullRequestResult,
} from '../job/pull-request/run.ts';
import type { UpdateJob } from '../job/read.ts';
import type { Report } from '../job/run.ts';
import { showJob, type JobOptions } from './run-job.ts';
import { worldOf, type Here } from './world.ts';

/** What is said of the forge. */
interface ForgeWishes {
  forge?: ForgeType;
  forgeUrl?: string;
  /** In place of the environment's. */
  token?: string;
}

/** What options say of pull requests. */
export interface PullRequestOptions extends JobOptions, ForgeWishes {
  wishes: PullRequestWishes;
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
  const world = await worldOf(job, options, here, scope);
  const report = await runPullRequests(job, options.wishes, aroundOf(job, world, options, io));
  const { plan, pullRequests } = report;
  await showJob(job, plan, options, io, (plan) => text(plan) + foretold(job, report), { pullRequests });
  for (const { message, warnings, failure } of pullRequests) {
    io.error(`tk-image: ${failure ? `${failure.class}: ${failure.message}` : message}`);
    for (const warning of warnings) io.error(`tk-image: warning: ${warning}`);
  }
  return exitStatusOf(report);
}

/** What pull requests need of this machine, beside the world of their job. */
export function aroundOf(
  job: UpdateJob,
  { known, ...world }: Awaited<ReturnType<typeof worldOf>>,
  { forge: type, forgeUrl: url, token }: ForgeWishes,
  { environment }: Io,
): Around {
  return {
    world,
    async forge() {
      const { ca } = (await accessOf(job, new Map(), environment)).remote;
      return openForge(job.spec.git.url, {
        environment,
        ...(ca !== undefined && { ca }),
        ...(type && { type }),
        ...(url !== undefined && { url }),
        ...(token !== undefined && { token }),
      });
    },
    ...(known && { facts: async (change) => explain(change, await known.answers()), labelsOf: known.labels }),
  };
}

/** Titles and bodies of a dry run. */
function foretold({ spec }: UpdateJob, { pullRequests }: PullRequestReport): string {
  return spec.push.mode === 'DryRun' ? pullRequests.map(pageOf).join('') : '';
}

function pageOf({ branch, title = '', body = '' }: PullRequestResult): string {
  return `\n--- ${branch}: ${title}\n\n${body}\n`;
}
