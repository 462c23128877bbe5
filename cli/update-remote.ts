import type { Io } from '../fn/io.ts';
import { API_VERSION } from '../api/kind.ts';
import { defaultSpec } from '../fn/config/defaults.ts';
import { configOf } from '../fn/run.ts';
import { scopeOf } from '../fn/scope.ts';
import { DONE } from '../fn/status.ts';
import { UsageError } from '../fn/usage.ts';
import { sshUrl, urlProblem } from '../git/url.ts';
import { userIdentity } from '../git/worktree.ts';
import type { Identity } from '../git/repository.ts';
import { accessOf } from '../job/access.ts';
import { checkJob, KIND, type UpdateJob } from '../job/read.ts';
import { RELEASE } from '../job/revert.ts';
import type { Report } from '../job/run.ts';
import { changeTable } from './change-table.ts';
import { onThisMachine, runHere } from './run-job.ts';
import { GROUPINGS } from '../job/grouping.ts';
import { AUTHOR, type UpdateOptions } from './update.ts';
import { openHere, type Here } from './world.ts';

/** Who makes the commits where nobody says. */
const NOBODY: Identity = { name: 'image-update', email: 'image-update@localhost' };

/** As many as a job can allow: the engine is this program, and `--max-changes` is there. */
const MAX_FILES = 100_000;

/** Updates a branch of a repository without a work tree, by an UpdateJob made of the options. `where` the URL is from, for messages. */
export async function updateRemote(url: string, options: UpdateOptions, own: Io, where = '--git'): Promise<number> {
  const { push, dryRun, image: images, signingKey } = options;
  const io: Io =
    signingKey === undefined ? own : { ...own, environment: { ...own.environment, GIT_SIGNING_KEY_FILE: signingKey } };
  checkUrl(url, options, where);
  const scope = images.length > 0 ? scopeOf({ images }) : undefined;
  const text = (report: Report) => textOf(report, options);
  const given = { ...options, secret: [] };
  return onThisMachine(given, io, async (here) => {
    const job = await jobOf(sshUrl(url), options, here);
    if (options.pullRequest) {
      const { proposeHere } = await import('./pull-request.ts');
      return proposeHere(job, given, here, text, scope);
    }
    const status = await runHere(job, given, here, text, scope);
    if (status === DONE && !push && !dryRun)
      io.error('tk-image: this was a dry run, as nothing is pushed without --push or --pull-request');
    return status;
  });
}

function checkUrl(url: string, { allowHttp }: UpdateOptions, where: string): void {
  const problem = urlProblem(sshUrl(url), ['https:', 'ssh:', 'http:']);
  if (problem !== undefined) throw new UsageError(`${where} ${url.replace(/\/\/[^/]*@/, '//')}: it ${problem}`);
  if (url.startsWith('http:') && !allowHttp)
    throw new UsageError(
      `${where} has http://, by which anybody on the way reads and changes what is sent; write https://, or say --allow-http`,
    );
}

/** The job; where no branch is said, of the one that the remote takes for its default. */
async function jobOf(url: string, options: UpdateOptions, here: Here): Promise<UpdateJob> {
  const { io, progress } = here;
  const functionConfig = await functionConfigOf(options, io);
  const author = options.author === undefined ? await userIdentity(io.environment) : authorOf(options.author);
  const jobOn = (branch: string) =>
    checkJob(manifestOf(url, branch, options, { functionConfig, author: author ?? NOBODY }), 'the UpdateJob');
  if (options.ref !== undefined) return jobOn(options.ref);
  const { remote } = await accessOf(jobOn('main'), new Map(), io.environment);
  const repository = await openHere(remote, { ...options, secret: [] }, here);
  try {
    return jobOn(await progress.during(`asking ${url}`, async () => repository.defaultBranch()));
  } finally {
    repository.close();
  }
}

function authorOf(text: string): Identity {
  const [, name = '', email = ''] = AUTHOR.exec(text) ?? [];
  return { name, email };
}

function manifestOf(
  url: string,
  branch: string,
  options: UpdateOptions,
  { functionConfig, author }: { functionConfig: unknown; author: Identity },
): unknown {
  const { path, groupBy, message, branch: target, push, pullRequest, dryRun, release, signingKey } = options;
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: {
      name: 'update',
      ...(release.length > 0 && { annotations: { [RELEASE]: release.join(',') } }),
    },
    spec: {
      git: { url, ref: { branch }, paths: path.map((one) => one.replace(/^(?:\.\/)+|\/+$/g, '')) },
      run: { image: 'image-update', contract: 'Function', functionConfig, allow: { maxFiles: MAX_FILES } },
      commit: {
        author,
        // Of pull requests, each has one commit.
        ...(!pullRequest && { grouping: GROUPINGS[groupBy ?? 'run'] }),
        ...(message !== undefined && { messageTemplate: message }),
        ...(signingKey !== undefined && {
          signing: { type: options.signingType ?? 'ssh', secretRef: { name: 'signing' } },
        }),
      },
      push: {
        ...(target !== undefined && !pullRequest && { branch: target }),
        mode: (push || pullRequest) && !dryRun ? 'Push' : 'DryRun',
      },
    },
  };
}

/** The functionConfig of the options; what is as it would be anyway is left out. */
async function functionConfigOf(options: UpdateOptions, io: Io): Promise<unknown> {
  const { fnConfig, strict = false, maxChanges, offline } = options;
  const { spec, setImage } = await configOf({ strict, ...(fnConfig !== undefined && { fnConfig }) }, io);
  if (setImage) throw new UsageError(`--fn-config ${fnConfig}: --git takes an ImageUpdate; write its "updates"`);
  spec.lookup = offline ? 'none' : 'registry';
  if (maxChanges !== undefined) spec.maxChanges = Number(maxChanges);
  const usual = new Map<string, unknown>(Object.entries(defaultSpec()));
  const said = Object.entries(spec).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(usual.get(key)));
  return { apiVersion: API_VERSION, kind: 'ImageUpdate', spec: Object.fromEntries(said) };
}

function textOf({ ran: { outcome }, diff }: Report, options: UpdateOptions): string {
  if ('class' in outcome) return '';
  if (options.diff) return diff;
  const { changes, changesCount } = outcome;
  const more = changesCount > changes.length ? `and ${changesCount - changes.length} more\n` : '';
  return changeTable(changes) + more;
}
