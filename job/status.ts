import { createHash } from 'node:crypto';
import { canonicalUrl } from '../git/url.ts';
import type { Change } from './change.ts';
import { classes, type Failure } from './failure.ts';
import type { UpdateJob } from './read.ts';
import { plural } from '../fn/plural.ts';

/** `status.result` (reference/controllers.md A2). */
export interface JobResult {
  outcome: 'Pushed' | 'NothingToChange' | 'DryRun';
  baseCommit: string;
  /** Set exactly when the branch was seen to contain it. */
  commit?: string;
  branch?: string;
  /** Digest of the image that ran in a container. */
  imageDigest?: string;
  filesChanged: number;
  changesCount: number;
  /** The first of them. */
  files: string[];
  changes: Change[];
  /** Whether there are more than are listed. */
  truncated: boolean;
}

/** Of a long list this many are in a status. */
const MAX_LISTED = 100;

export interface Condition {
  type: 'Ready' | 'Reconciling' | 'Stalled' | 'Complete' | 'Failed';
  status: 'True' | 'False';
  reason: string;
  message: string;
  lastTransitionTime: string;
}

/** `status`, as the controller sets it when a job has ended. */
export interface JobStatus {
  phase: 'Succeeded' | 'Failed';
  key: string;
  startTime: string;
  completionTime: string;
  attempt: number;
  result?: JobResult;
  failure?: Failure;
  conditions: Condition[];
}

/** How a job went, in the terms of the engine. */
export interface Ran {
  /** Milliseconds since 1970. */
  started: number;
  ended: number;
  /** From 1. */
  attempt: number;
  outcome: JobResult | Failure;
}

/** The result of changes, with its lists at the length that a status takes. */
export function resultOf(
  outcome: JobResult['outcome'],
  baseCommit: string,
  files: readonly string[],
  changes: readonly Change[],
): JobResult {
  return {
    outcome,
    baseCommit,
    filesChanged: files.length,
    changesCount: changes.length,
    files: files.slice(0, MAX_LISTED),
    changes: changes.slice(0, MAX_LISTED),
    truncated: files.length > MAX_LISTED || changes.length > MAX_LISTED,
  };
}

/** The lock that an UpdateJob waits on in a cluster: the repository and the branch that it pushes to. */
export function keyOf({ spec: { git, push } }: UpdateJob): string {
  const branch = push.branch ?? git.ref.branch ?? '';
  return createHash('sha256')
    .update(`${canonicalUrl(git.url)}\n${branch}`)
    .digest('hex')
    .slice(0, 16);
}

/** The status of a job that has ended. */
export function statusOf(job: UpdateJob, { started, ended, attempt, outcome }: Ran): JobStatus {
  const failed = 'class' in outcome;
  return {
    phase: failed ? 'Failed' : 'Succeeded',
    key: keyOf(job),
    startTime: time(started),
    completionTime: time(ended),
    attempt,
    ...(failed ? { failure: outcome } : { result: outcome }),
    conditions: conditionsOf(outcome, time(ended)),
  };
}

function conditionsOf(outcome: JobResult | Failure, lastTransitionTime: string): Condition[] {
  if ('class' in outcome) {
    const { class: reason, message } = outcome;
    const common = { reason, message, lastTransitionTime };
    return [
      { type: 'Ready', status: 'False', ...common },
      { type: 'Stalled', status: 'True', ...common },
      { type: 'Failed', status: 'True', ...common },
    ];
  }
  const common = { reason: outcome.outcome, message: sentence(outcome), lastTransitionTime };
  return [
    { type: 'Ready', status: 'True', ...common },
    { type: 'Complete', status: 'True', ...common },
  ];
}

/** What a result comes to, for people. */
export function sentence({ outcome, commit, branch, filesChanged, changesCount }: JobResult): string {
  const what = `${plural(changesCount, 'image field')} in ${plural(filesChanged, 'file')}`;
  switch (outcome) {
    case 'NothingToChange':
      return 'nothing to change';
    case 'DryRun':
      return filesChanged === 0 ? 'nothing would change' : `would change ${what}; nothing was pushed`;
    case 'Pushed':
      return `changed ${what}; pushed ${commit?.slice(0, 12)} to ${branch}`;
  }
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The exit status of a job that has ended. */
export function exitStatus(outcome: JobResult | Failure): number {
  return 'class' in outcome ? classes[outcome.class].exit : 0;
}
