import type { Forge, PullRequest, PullRequestChanges } from '../../git/forge/forge.ts';
import type { LogEntry } from '../../git/repository.ts';
import { oneLine } from '../message.ts';
import type { Change } from '../change.ts';
import { failureOf, type Failure } from '../failure.ts';
import type { Made } from '../made.ts';
import type { UpdateJob } from '../read.ts';
import { holdsFiles, runJob, type Opened, type Report, type World } from '../run.ts';
import type { JobSpec } from '../schema.ts';
import { exitStatus } from '../status.ts';
import { commitsOf, foreignCommit } from './branch.ts';
import { jobMark, markText, readMark, withoutChanges, type Mark } from './mark.ts';
import { readWishes, type PullRequestOptions, type PullRequestWishes } from './options.ts';
import { proposalsOf, type Proposal } from './proposal.ts';
import { farewell, foreignOf, gatherFacts, textOf, warningsOf, type Informants } from './text.ts';

/** What pull requests need of the world. */
export interface Around extends Informants {
  /** That of the job; used for several runs. */
  world: World;
  /** Opens the forge; not asked in a dry run. */
  forge(): Promise<Forge>;
}

/** What became of one pull request. */
export interface PullRequestResult {
  operation: 'created' | 'updated' | 'closed' | 'none';
  branch: string;
  /** What its changes have in common; undefined for all of a run. */
  group?: string;
  number?: number;
  url?: string;
  /** The commit at the end of its branch. */
  commit?: string;
  title?: string;
  body?: string;
  changes: readonly Change[];
  /** A sentence for people. */
  message: string;
  /** What was wished for and not had: labels, reviewers, the merge by itself. The pull request stays. */
  warnings: string[];
  failure?: Failure;
}

export interface PullRequestReport {
  /** Of the run that found out what there is to change. */
  plan: Report;
  pullRequests: PullRequestResult[];
}

/** More pull requests than this are not opened or updated in one run: the rest waits for the next. */
const MAX_PULL_REQUESTS = 50;
/** What a body of a dry run may have: as much as every forge takes. */
const DRY_BODY = 65_536;

/**
 * Carries out an UpdateJob by pull requests: one for the run, or one for each group of its changes, each on a branch of its own.
 * They are opened, brought up to date in place, and closed when nothing is left. Whatever goes wrong is in the report.
 * @throws JobSpecError for what the job's author must correct, before anything runs.
 */
export async function runPullRequests(
  job: UpdateJob,
  wishes: PullRequestWishes,
  around: Around,
): Promise<PullRequestReport> {
  const options = readWishes(wishes, job.spec);
  const base = job.spec.git.ref.branch!;
  const push: JobSpec['push'] = { ...job.spec.push, mode: 'DryRun', branch: base, branchStrategy: 'FastForward' };
  const { report: plan, made } = await ranOn({ job, around }, push);
  if ('class' in plan.ran.outcome || !made) return { plan, pullRequests: [] };
  const run: Run = { job, options, around, plan, made, push, base, head: plan.ran.outcome.baseCommit };
  const proposals = proposalsOf(made, job, options);
  if (job.spec.push.mode === 'DryRun')
    return { plan, pullRequests: await Promise.all(proposals.map((proposal) => foretell(run, proposal))) };
  return { plan, pullRequests: await carryOut(run, proposals) };
}

/** The exit status of a report: that of its first failure. */
export function exitStatusOf({ plan, pullRequests }: PullRequestReport): number {
  return exitStatus(pullRequests.find(({ failure }) => failure)?.failure ?? plan.ran.outcome);
}

interface Run {
  job: UpdateJob;
  options: PullRequestOptions;
  around: Around;
  plan: Report;
  /** What the plan came to. */
  made: Made;
  /** How the plan was run. */
  push: JobSpec['push'];
  /** The branch that pull requests go into, and where it stands. */
  base: string;
  head: string;
}

/** A run whose forge and branches are known. */
interface Live extends Run {
  forge: Forge;
  /** The branches of the job's family, and where they stand. */
  branches: ReadonlyMap<string, string>;
  /** The newest commit on a branch that is not ours. */
  foreignOn(head: string): Promise<LogEntry | undefined>;
}

async function carryOut(run: Run, proposals: readonly Proposal[]): Promise<PullRequestResult[]> {
  const { options, around, job } = run;
  const results: PullRequestResult[] = [];
  let known: ReadonlySet<string> | undefined;
  /** Whether to go on: what the token may not do for one it may not do for the others. */
  const attempt = async (about: Subject, work: (live: Live) => Promise<PullRequestResult | undefined>) => {
    const result = await attempted(about, () => work(live));
    if (result) results.push(result);
    return result?.failure?.class !== 'GitAuth' && result?.failure?.class !== 'RefNotFound';
  };
  let live: Live;
  try {
    live = {
      ...run,
      forge: await around.forge(),
      branches: await inRepository(run, async ({ repository }) => repository.remoteBranches(options.family)),
      foreignOn: async (head) =>
        inRepository(run, async ({ repository }) => {
          known ??= await commitsOf(repository, run.head);
          return foreignCommit(repository, head, known, job.spec.commit.author);
        }),
    };
  } catch (error) {
    return [failed({ branch: options.family, changes: [] }, error)];
  }
  const wanted = new Set(proposals.map(({ branch }) => branch));
  // First what is left over: its branch may stand in the way of a new one.
  for (const [branch, head] of live.branches)
    if (!wanted.has(branch) && !(await attempt({ branch, changes: [] }, async (live) => withdraw(live, branch, head))))
      return results;
  for (const proposal of proposals.slice(0, MAX_PULL_REQUESTS))
    if (!(await attempt(proposal, async (live) => propose(live, proposal)))) return results;
  for (const proposal of proposals.slice(MAX_PULL_REQUESTS))
    results.push(left(proposal, `${MAX_PULL_REQUESTS} pull requests are enough for one run; it waits for the next`));
  return results;
}

// --- one pull request ------------------------------------------------------------------------------------------------

/** Opens the pull request of some changes, or brings it up to date. */
async function propose(run: Live, proposal: Proposal): Promise<PullRequestResult> {
  const { forge, branches, job, base } = run;
  const { branch } = proposal;
  const all = await forge.ofBranch(branch);
  const open = openOf(all, base);
  const mark = open && readMark(open.body);
  if (open && !isOurs(mark, job)) return left(proposal, notOurs(open, mark), open);
  const last = all.find(({ state }) => state !== 'open');
  if (!open && last?.state === 'closed' && isDeclined(last, proposal, job))
    return left(
      proposal,
      `pull request ${last.number} with these very changes was closed without a merge; newer ones open another`,
      last,
    );

  const head = branches.get(branch);
  // What was merged is not lost, however it was merged.
  const isMerged = last?.state === 'merged' && last.headSha === head;
  const foreign = head === undefined || isMerged ? undefined : await run.foreignOn(head);
  if (foreign && !open)
    return left(
      proposal,
      `commit ${foreign.oid.slice(0, 12)} of ${oneLine(foreign.author.name)} stands on ${branch}, which has no pull request of ours; merge it, or delete the branch`,
    );
  const published = await publish(run, proposal, { head, foreign, isSame: mark?.changes === proposal.mark });
  if ('class' in published) return { ...left(proposal, published.message, open), failure: published };

  const found = { ...proposal, foreign, commit: published.commit };
  if (open) return renew(run, found, open, published.pushed);
  const { title, body } = await written(run, found, { draft: run.options.draft });
  try {
    const made = await forge.create({ head: branch, base, title, body, draft: run.options.draft });
    const warnings = await dress(run, made, { isNew: true, pushed: true });
    if (made.quiet) warnings.push(QUIET);
    return done('created', found, { ...made, title, body }, warnings);
  } catch (error) {
    if (failureOf(error).class !== 'Race') throw error;
    // Another run was faster by a moment.
    const there = openOf(await forge.ofBranch(branch), base);
    if (!there) throw error;
    if (!isOurs(readMark(there.body), job)) return left(proposal, notOurs(there, readMark(there.body)), there);
    return renew(run, found, there, true);
  }
}

const QUIET =
  "the pull request was opened with the job's own token, for which no other workflow starts: no checks run on it until a person closes and opens it; give the token of a GitHub App";

/** A proposal whose branch is as it should be. */
type Found = Proposal & { foreign: LogEntry | undefined; commit: string };

/** Brings an open pull request up to date; what is as it should be costs no request. */
async function renew(run: Live, found: Found, open: PullRequest, pushed: boolean): Promise<PullRequestResult> {
  const { forge, base, options } = run;
  const mark = readMark(open.body);
  // What a person made of it stays; only a draft of ours is ours to end.
  const isReady = mark?.draft === true && open.draft && !options.draft;
  const fresh = await written(run, found, { draft: mark?.draft === true && !isReady });
  const { body } = fresh;
  // A person may have found a better one for these very changes.
  const title = mark?.changes === found.mark ? open.title : fresh.title;
  const changes: PullRequestChanges = {
    ...(tidy(open.title) !== tidy(title) && { title }),
    ...(tidy(open.body) !== tidy(body) && { body }),
    ...(open.base !== base && { base }),
    ...(isReady && { draft: false }),
  };
  const isChanged = Object.keys(changes).length > 0;
  if (isChanged) await forge.update(open, changes);
  const warnings = await dress(run, open, { isNew: false, pushed });
  const isSame = !isChanged && !pushed && missingLabels(run, open).length === 0;
  return done(isSame ? 'none' : 'updated', found, { ...open, title, body }, warnings);
}

/** Labels, reviewers and the merge by itself. What is refused of them is a warning: the pull request is there. */
async function dress(
  run: Live,
  pull: PullRequest,
  { isNew, pushed }: { isNew: boolean; pushed: boolean },
): Promise<string[]> {
  const { forge, options } = run;
  const labels = missingLabels(run, pull);
  const steps = [
    ...(labels.length > 0 ? [async () => forge.addLabels(pull, labels)] : []),
    // Asked once: who has reviewed, or was let go, is not asked again.
    ...(isNew && options.reviewers.length > 0 ? [async () => forge.requestReviewers(pull, options.reviewers)] : []),
    // Some forges forget it when something is pushed.
    ...(pushed && options.autoMerge ? [async () => forge.autoMerge(pull)] : []),
  ];
  const warnings: string[] = [];
  for (const step of steps) warnings.push(...(await warned(step)));
  return warnings;
}

function missingLabels({ options }: Run, { labels }: PullRequest): string[] {
  const there = new Set(labels.map((label) => label.toLowerCase()));
  return options.labels.filter((label) => !there.has(label.toLowerCase()));
}

async function warned(step: () => Promise<unknown>): Promise<string[]> {
  try {
    await step();
    return [];
  } catch (error) {
    return [failureOf(error).message];
  }
}

/** Closes the pull request of a branch for which nothing is left to change; nothing to tell if it has none of ours. */
async function withdraw(run: Live, branch: string, head: string): Promise<PullRequestResult | undefined> {
  const { forge, base, job, plan } = run;
  const open = openOf(await forge.ofBranch(branch), base);
  if (!open || !isOurs(readMark(open.body), job)) return undefined;
  const about = { branch, changes: [] };
  const foreign = await run.foreignOn(head);
  if (foreign)
    return left(
      about,
      `nothing of ours is left to change, but commit ${foreign.oid.slice(0, 12)} of ${oneLine(foreign.author.name)} stands on ${branch}: it is theirs to merge or close`,
      open,
    );
  await forge.update(open, { closed: true, body: withoutChanges(open.body) });
  const warnings = [
    ...(await warned(async () => forge.comment(open, farewell(base, warningsOf(plan))))),
    ...(await warned(async () =>
      inRepository(run, ({ repository }) => repository.remove(`refs/heads/${branch}`, head)),
    )),
  ];
  const message = `closed pull request ${open.number}, as nothing is left to change: ${open.url}`;
  return { ...left(about, message, open), operation: 'closed', commit: head, warnings };
}

/** What a dry run would open or bring up to date; the forge is not asked. */
async function foretell(run: Run, proposal: Proposal): Promise<PullRequestResult> {
  const { title, body } = await written(run, { ...proposal, foreign: undefined }, { draft: run.options.draft });
  return { ...left(proposal, `would be proposed on ${proposal.branch}: ${title}`), title, body };
}

/** Title and whole body. */
async function written(
  run: Run & { forge?: Forge },
  found: Omit<Found, 'commit'>,
  { draft }: { draft: boolean },
): Promise<{ title: string; body: string }> {
  const { job, options, around, plan, forge } = run;
  const mark = markText({ job: jobMark(job), changes: found.mark, draft });
  const facts = await gatherFacts(found.changes, around);
  const more = { facts, warnings: warningsOf(plan), ...foreignOf(found.foreign) };
  const { title, body } = textOf(job, options, found, more, (forge?.maxBody ?? DRY_BODY) - mark.length - 2);
  return { title, body: `${body}\n\n${mark}` };
}

// --- its branch ------------------------------------------------------------------------------------------------------

/** What was seen of a branch. */
interface Seen {
  head: string | undefined;
  foreign: LogEntry | undefined;
  /** Whether the open pull request proposes these very changes. */
  isSame: boolean;
}

/** Puts the changes on their branch: made anew from the base, or on top of what others have put there. */
async function publish(
  run: Run,
  proposal: Proposal,
  { head, foreign, isSame }: Seen,
): Promise<{ commit: string; pushed: boolean } | Failure> {
  const { branch, only } = proposal;
  const push: JobSpec['push'] = { ...run.job.spec.push, branch, branchStrategy: foreign ? 'FastForward' : 'Rebuild' };
  // As long as the files come out the same, the branch may lag behind: each push would start its checks again.
  if (head !== undefined && !foreign && isSame && (await isCurrent(run, proposal, head)))
    return { commit: head, pushed: false };
  const { report } = await ranOn(run, push, only, foreign ? undefined : (head ?? null));
  const { outcome } = report.ran;
  if ('class' in outcome) return outcome;
  const commit = outcome.commit ?? head;
  if (commit === undefined)
    return failureOf(new Error(`${run.base} has moved meanwhile, and nothing is left to change on it; run it again`));
  return { commit, pushed: outcome.outcome === 'Pushed' };
}

async function isCurrent(run: Run, { only }: Proposal, head: string): Promise<boolean> {
  const made = only ? (await ranOn(run, run.push, only)).made : run.made;
  const files = made?.parts.flatMap((part) => part.files);
  return files !== undefined && inRepository(run, async ({ repository }) => holdsFiles(repository, head, files));
}

/** Runs the job with another push, on some of its fields or all. */
async function ranOn(
  { job, around: { world } }: Pick<Run, 'job' | 'around'>,
  push: JobSpec['push'],
  only?: ReadonlySet<string>,
  seen?: string | null,
): Promise<{ report: Report; made?: Made }> {
  const kept: { made?: Made } = {};
  const report = await runJob(
    { ...job, spec: { ...job.spec, push } },
    {
      ...world,
      // What was to change is told even where nothing is new.
      fixed: undefined,
      async make(repository, commit) {
        kept.made = await world.make(repository, commit, only);
        return kept.made;
      },
      ...(seen !== undefined && { seen }),
    },
  );
  return { report, ...kept };
}

async function inRepository<T>({ around }: Pick<Run, 'around'>, work: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = await around.world.open();
  try {
    return await work(opened);
  } finally {
    opened.repository.close();
  }
}

// --- results ---------------------------------------------------------------------------------------------------------

type Subject = Pick<PullRequestResult, 'branch' | 'group' | 'changes'>;

/** The open one: into the base if there is one, else into another branch, as when the job has got another base. */
function openOf(all: readonly PullRequest[], base: string): PullRequest | undefined {
  const open = all.filter(({ state }) => state === 'open');
  return open.find((one) => one.base === base) ?? open[0];
}

function isOurs(mark: Mark | undefined, job: UpdateJob): boolean {
  return mark?.job === jobMark(job);
}

function isDeclined({ body }: PullRequest, { mark }: Proposal, job: UpdateJob): boolean {
  const declined = readMark(body);
  return isOurs(declined, job) && declined?.changes === mark;
}

function notOurs({ number, head }: PullRequest, mark: Mark | undefined): string {
  return mark
    ? `pull request ${number} of ${head} belongs to another job, by its name or paths; close it, or give this one another --branch`
    : `pull request ${number} of ${head} is a person's, who opened it or took the last line out of its body; it is left to them`;
}

function left({ branch, group, changes }: Subject, message: string, pull?: PullRequest): PullRequestResult {
  return {
    operation: 'none',
    branch,
    ...(group !== undefined && { group }),
    ...(pull && { number: pull.number, url: pull.url, title: pull.title }),
    changes,
    message,
    warnings: [],
  };
}

function done(
  operation: 'created' | 'updated' | 'none',
  found: Found,
  pull: PullRequest,
  warnings: string[],
): PullRequestResult {
  const what = operation === 'none' ? 'is up to date' : operation === 'created' ? 'is new' : 'was brought up to date';
  const message = `pull request ${pull.number} ${what}: ${pull.url}`;
  return { ...left(found, message, pull), operation, commit: found.commit, body: pull.body, warnings };
}

async function attempted(
  about: Subject,
  work: () => Promise<PullRequestResult | undefined>,
): Promise<PullRequestResult | undefined> {
  try {
    return await work();
  } catch (error) {
    return failed(about, error);
  }
}

function failed(about: Subject, error: unknown): PullRequestResult {
  const failure = failureOf(error);
  return { ...left(about, failure.message), failure };
}

/** Forges keep line ends and blank lines at the end in their own ways. */
function tidy(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').trim();
}
