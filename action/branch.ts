import { decode } from '../fn/directory.ts';
import type { Io } from '../fn/io.ts';
import type { Result } from '../fn/result.ts';
import { configValue, InputError } from '../fn/run.ts';
import { scopeOf } from '../fn/scope.ts';
import { UsageError } from '../fn/usage.ts';
import type { Repository } from '../git/repository.ts';
import { accessOf } from '../job/access.ts';
import { API_VERSION } from '../api/kind.ts';
import type { Change } from '../job/change.ts';
import { GROUPINGS } from '../job/grouping.ts';
import type { Failure } from '../job/failure.ts';
import type { Made } from '../job/made.ts';
import { explain } from '../job/pull-request/explain.ts';
import type { PullRequestWishes } from '../job/pull-request/options.ts';
import { runPullRequests, type PullRequestResult } from '../job/pull-request/run.ts';
import { checkJob, KIND, type UpdateJob } from '../job/read.ts';
import { runJob, type Report } from '../job/run.ts';
import { forgeOf } from '../cli/pull-request.ts';
import { onThisMachine } from '../cli/run-job.ts';
import { openHere, worldOf, type Here, type WorldOptions } from '../cli/world.ts';
import { functionConfigOf } from './config.ts';
import type { Inputs } from './inputs.ts';
import { log } from './log.ts';
import { failedOutcome, type Outcome } from './outcome.ts';
import type { Workflow } from './workflow.ts';

/** Who makes the commits where nobody says: the account that GitHub shows the job token's work as. */
const AUTHOR = { name: 'github-actions[bot]', email: '41898282+github-actions[bot]@users.noreply.github.com' };

/** Updates a branch of the repository, and pushes to it or opens pull requests. No checkout is needed, and none is touched. */
export async function updateBranch(
  inputs: Inputs,
  metadata: string[],
  workflow: Workflow,
  given: Io,
): Promise<Outcome> {
  const io: Io = { ...given, environment: loggedIn(inputs, given.environment) };
  const options: WorldOptions = {
    metadata,
    secret: [],
    allowHttp: workflow.serverUrl.startsWith('http:'),
    ...(inputs['registry-config'] !== undefined && { dockerConfig: inputs['registry-config'] }),
  };
  return onThisMachine(options, io, async (here) => {
    const job = await inOurWords(async () => jobOf(inputs, workflow, options, here));
    const scope = inputs.images && scopeOf({ images: inputs.images });
    return carryOut(job, await worldOf(job, options, here, scope), inputs, io);
  });
}

/** The environment by which git and the forge log in: by the tokens that are to be used, and no other that happens to be there. */
function loggedIn(inputs: Inputs, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { mode, token, 'branch-token': password = token } = inputs;
  if (password === undefined || (token === undefined && mode !== 'commit'))
    throw new UsageError(
      'token: there is none; leave the input out to use the job token, or give one that is not empty',
    );
  return { ...environment, GIT_USERNAME: 'x-access-token', GIT_PASSWORD: password, FORGE_TOKEN: token };
}

/** The UpdateJob of the inputs, with the config file as it stands on the base branch. */
async function jobOf(inputs: Inputs, workflow: Workflow, options: WorldOptions, here: Here): Promise<UpdateJob> {
  const base = inputs.base ?? workflow.branch ?? workflow.defaultBranch;
  if (base === undefined)
    throw new UsageError('base: the workflow runs on no branch, and its event names none; say which branch to update');
  const job = (functionConfig: unknown) => checkJob(manifestOf(inputs, workflow, base, functionConfig), 'the inputs');
  const file = inputs['config-file'];
  if (file === undefined) return job(functionConfigOf(inputs, undefined));
  const { remote } = await accessOf(job(undefined), new Map(), here.io.environment);
  const repository = await openHere(remote, options, here);
  try {
    const name = `${file} of the branch ${base}`;
    const text = await textOf(repository, `refs/heads/${base}`, file, name);
    return job(functionConfigOf(inputs, await configValue(text, name)));
  } finally {
    repository.close();
  }
}

/** A larger file is no configuration. */
const MAX_CONFIG_BYTES = 1 << 20;

async function textOf(repository: Repository, ref: string, path: string, name: string): Promise<string> {
  const commit = await repository.fetch(ref);
  const entry = (await repository.list(commit, [path])).find((one) => one.path === path);
  if (!entry?.mode.startsWith('100')) throw new InputError(`${name} is not there, or is no file`);
  for await (const { content } of repository.blobs([entry.oid])) {
    const text = content.length > MAX_CONFIG_BYTES ? undefined : decode(content);
    if (text !== undefined) return text;
  }
  throw new InputError(`${name} is no UTF-8 text, or larger than ${MAX_CONFIG_BYTES} bytes`);
}

function manifestOf(inputs: Inputs, workflow: Workflow, base: string, functionConfig: unknown): unknown {
  const { path: paths = [], mode, author = AUTHOR, 'commit-message': messageTemplate, 'group-by': groupBy } = inputs;
  const { serverUrl, repository } = workflow;
  const isWhole = paths.includes('');
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: 'github-action' },
    spec: {
      git: { url: `${serverUrl}/${repository}`, ref: { branch: base }, paths: isWhole ? [] : paths },
      run: { image: 'image-update', contract: 'Function', ...(functionConfig !== undefined && { functionConfig }) },
      commit: {
        author,
        ...(messageTemplate !== undefined && { messageTemplate }),
        // Of pull requests each is a group already.
        ...(groupBy !== undefined && mode === 'commit' && { grouping: GROUPINGS[groupBy] }),
      },
      push: { mode: inputs['dry-run'] === true ? 'DryRun' : 'Push' },
    },
  };
}

/** What the engine calls inputs, in its messages. */
const WORDS: Readonly<Record<string, string>> = {
  'spec.commit.messageTemplate': 'commit-message',
  '--title': 'title',
  '--body': 'body',
  '--add-labels': 'labels',
  '--reviewers': 'reviewers',
  '--branch': 'branch',
  '--group-by': 'group-by',
};

async function inOurWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'UsageError') throw error;
    throw new UsageError(
      Object.entries(WORDS).reduce((text, [theirs, ours]) => text.replaceAll(theirs, ours), error.message),
    );
  }
}

/** Carries the job out, by a push or by pull requests, and keeps what was made on the way. */
async function carryOut(
  job: UpdateJob,
  world: Awaited<ReturnType<typeof worldOf>>,
  inputs: Inputs,
  io: Io,
): Promise<Outcome> {
  const made: Made[] = [];
  const watched: typeof world = {
    ...world,
    async make(...run) {
      const one = await world.make(...run);
      made.push(one);
      return one;
    },
  };
  if (inputs.mode === 'commit') {
    const report = await inOurWords(async () => runJob(job, watched));
    // After a race it was made anew.
    return { ...outcomeOf(report, made.at(-1)), ...pushedBy(report) };
  }
  const { known } = world;
  const around = {
    world: watched,
    forge: async () => forgeOf(job.spec.git.url, {}, io.environment),
    ...(known && { facts: async (change: Change) => explain(change, await known.answers()), labelsOf: known.labels }),
  };
  const { plan, pullRequests } = await inOurWords(async () => runPullRequests(job, wishesOf(inputs), around));
  // The first is the plan: what pull requests are made of is made once more for each.
  const outcome = outcomeOf(plan, made[0]);
  return job.spec.push.mode === 'DryRun' ? outcome : { ...outcome, ...proposedBy(pullRequests) };
}

function wishesOf(inputs: Inputs): PullRequestWishes {
  const { title, body, labels, reviewers, draft, branch, 'auto-merge': autoMerge, 'group-by': groupBy } = inputs;
  return {
    ...(title !== undefined && { title }),
    ...(body !== undefined && { body }),
    ...(labels && { labels }),
    ...(reviewers && { reviewers }),
    ...(draft !== undefined && { draft }),
    ...(autoMerge !== undefined && { autoMerge }),
    ...(groupBy !== undefined && { groupBy }),
    ...(branch !== undefined && { branch }),
  };
}

/** An outcome of what was made, whatever became of it. */
function outcomeOf({ ran: { outcome }, results: told, diff }: Report, made: Made | undefined): Outcome {
  if ('class' in outcome) return failedOutcome(textOfFailure(outcome));
  const parts = made?.parts ?? [];
  const moved = parts.flatMap(({ changes }) => changes);
  return {
    moved,
    files: [...new Set(parts.flatMap(({ files }) => files.map(({ path }) => path)))].toSorted(),
    told,
    results: [...moved.map(resultOf), ...told],
    diff,
    pulled: [],
  };
}

/** A change as a result; what the engine said of it beside is not known any more. */
function resultOf({ file, field, from, to, image, container, policy }: Change): Result {
  const tags = {
    field,
    ...(image !== '' && { image }),
    ...(container !== undefined && { container }),
    ...(policy !== undefined && { policy }),
  };
  return { message: `${from} -> ${to}`, severity: 'info', file: { path: file }, tags };
}

function pushedBy({ ran: { outcome } }: Report): Pick<Outcome, 'done' | 'commit' | 'branch'> {
  if ('class' in outcome || outcome.outcome !== 'Pushed') return {};
  const { commit, branch } = outcome;
  return {
    done: `pushed to ${branch}`,
    ...(commit !== undefined && { commit }),
    ...(branch !== undefined && { branch }),
  };
}

/** What pull requests add to the outcome of their plan. */
function proposedBy(pullRequests: readonly PullRequestResult[]): Partial<Outcome> {
  for (const { message } of pullRequests) log(message);
  const failures = pullRequests.flatMap(({ failure }) => (failure ? [textOfFailure(failure)] : []));
  const warnings = pullRequests.flatMap((one) => one.warnings);
  const last = pullRequests.findLast(({ commit }) => commit !== undefined);
  const pulled = pullRequests.flatMap(({ number, url = '', branch, operation }) =>
    number === undefined ? [] : [{ number, url, branch, operation }],
  );
  return {
    pulled,
    ...(warnings.length > 0 && { warnings }),
    ...(failures.length > 0 && { failure: [...new Set(failures)].join('\n') }),
    ...(pulled.length > 0 && {
      done: `in ${pulled.map(({ number, operation }) => `pull request ${number} (${operation})`).join(', ')}`,
    }),
    ...(last?.commit !== undefined && { commit: last.commit, branch: last.branch }),
  };
}

function textOfFailure({ class: name, message }: Failure): string {
  return `${name}: ${message}`;
}
