import type { Io } from '../fn/io.ts';
import { readText } from '../fn/run.ts';
import { UsageError } from '../fn/usage.ts';
import { workloadOf, type Change } from '../job/change.ts';
import { readJob, type UpdateJob } from '../job/read.ts';
import { RELEASE } from '../job/revert.ts';
import type { Report } from '../job/run.ts';
import { ABOUT_PULL_REQUESTS, flagOf, givenOf } from './given.ts';
import { carryOut, type Parsed } from './command.ts';
import type { PullRequestFlags } from './pull-request.ts';
import { onThisMachine, runHere, type JobOptions } from './run-job.ts';
import { run as spec } from './specs/run.ts';

interface Options extends JobOptions, PullRequestFlags {
  file: string;
  dryRun?: boolean;
  release: string[];
}

/** `tk-image run`: carries out an UpdateJob here, without a cluster. */
export async function run(argv: string[], io: Io): Promise<number> {
  return carryOut(spec, argv, io, async ({ options, operands }: Parsed<Options>) => {
    if (operands[0] !== undefined)
      throw new UsageError(`"${operands[0]}" is one word too many; the job is given by -f`);
    refuseAlone(options);
    const job = await jobOf(options, io);
    return onThisMachine(options, io, async (here) => {
      if (!options.pullRequest) return runHere(job, options, here, textOf);
      const { proposeHere } = await import('./pull-request.ts');
      return proposeHere(job, options, here, textOf);
    });
  });
}

/** @throws UsageError for what is about pull requests where there are none. */
function refuseAlone(options: Options): void {
  const alone = options.pullRequest ? undefined : givenOf(options, [...ABOUT_PULL_REQUESTS, 'branch', 'groupBy']);
  if (alone !== undefined)
    throw new UsageError(`${flagOf(alone)} is about pull requests; say --pull-request too, or write it into the job`);
}

/** The job of the file, with what options add to it. */
async function jobOf({ file, dryRun, release, allowHttp }: Options, io: Io): Promise<UpdateJob> {
  const job = await readJob(readText(io, file), file === '-' ? 'stdin' : file);
  if (job.spec.suspend)
    throw new UsageError(`${file}: spec.suspend is true, so nothing is done; take it out to run the job`);
  if (job.spec.git.url.startsWith('http:') && !allowHttp)
    throw new UsageError(
      `${file}: spec.git.url is http://, by which anybody on the way reads and changes what is sent; write https://, or say --allow-http`,
    );
  if (dryRun) job.spec.push.mode = 'DryRun';
  if (release.length > 0)
    job.metadata.annotations[RELEASE] = [job.metadata.annotations[RELEASE] ?? [], release].flat().join(',');
  return job;
}

/** The diff of a dry run, the changes that were pushed. */
function textOf({ ran: { outcome }, diff }: Report): string {
  if ('class' in outcome) return '';
  return outcome.outcome === 'DryRun' ? diff : outcome.changes.map(line).join('');
}

function line(change: Change): string {
  const { file, container, from, to } = change;
  return `${file}: ${[workloadOf(change), container].filter(Boolean).join(' ')}: ${from} -> ${to}\n`;
}
