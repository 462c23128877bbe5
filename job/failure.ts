import type { GitError, GitErrorClass } from '../git/error.ts';

/** What went wrong with an UpdateJob, by who must act (reference/controllers.md B6). */
export type FailureClass =
  | GitErrorClass
  | 'FunctionFailed'
  | 'ForbiddenChange'
  | 'OutOfMemory'
  | 'ImagePull'
  | 'Evicted'
  | 'NodeLost';

/** The job did not do what it should. The message says what, where and who must act; never a secret. */
export class JobError extends Error {
  override name = 'JobError';
  readonly class: FailureClass;
  /** A finer word for machines: `Link`, `OutsidePaths`; the class itself where there is none. */
  readonly reason: string;

  constructor(failureClass: FailureClass, message: string, reason: string = failureClass) {
    super(message);
    this.class = failureClass;
    this.reason = reason;
  }
}

/** `status.failure`. */
export interface Failure {
  class: FailureClass;
  reason: string;
  message: string;
  /** Whether the same job may do better later, with nobody doing anything. */
  retriable: boolean;
}

/** How a class is answered. */
interface Answer {
  /** Exit status of `tk-image run`, and of the containers of a Pod. */
  exit: number;
  retriable: boolean;
  /** What it means, for the table in docs/update-job.md. */
  meaning: string;
}

export const classes: Readonly<Record<FailureClass, Answer>> = {
  GitAuth: { exit: 20, retriable: true, meaning: 'The git server refused the credentials, or wants some.' },
  HostKey: { exit: 21, retriable: false, meaning: "The git server's ssh host key is not the one in `known_hosts`." },
  GitUnavailable: { exit: 22, retriable: true, meaning: 'The git server cannot be reached, or has a fault.' },
  RefNotFound: { exit: 23, retriable: false, meaning: 'The branch, tag or commit is not there.' },
  Race: { exit: 30, retriable: true, meaning: 'Others pushed first, again and again, or changed the same files.' },
  PushRefused: {
    exit: 31,
    retriable: false,
    meaning: "The git server's rules refused the push: a hook, a protected branch.",
  },
  FunctionFailed: {
    exit: 40,
    retriable: false,
    meaning: 'The image ended with an error, or gave back no ResourceList.',
  },
  ForbiddenChange: {
    exit: 41,
    retriable: false,
    meaning: 'The image did what `git.paths` and `run.allow` do not let it do.',
  },
  TooLarge: { exit: 42, retriable: false, meaning: 'A repository, a file or a result is larger than is taken.' },
  Timeout: { exit: 43, retriable: true, meaning: 'A time limit was reached.' },
  OutOfMemory: { exit: 44, retriable: true, meaning: 'The image used more memory than `run.resources.limits.memory`.' },
  ImagePull: {
    exit: 45,
    retriable: true,
    meaning: 'The image cannot be had, or there is no program to run containers.',
  },
  DiskFull: { exit: 46, retriable: true, meaning: 'There is no space left on the disk.' },
  Evicted: { exit: 47, retriable: true, meaning: 'The Pod was evicted; in a cluster alone.' },
  NodeLost: { exit: 48, retriable: true, meaning: 'The Pod and its node are gone; in a cluster alone.' },
  Internal: { exit: 1, retriable: true, meaning: 'Anything else.' },
};

const MAX_MESSAGE_BYTES = 4096;
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** The failure that an error comes to. */
export function failureOf(error: unknown): Failure {
  const message = bounded(error instanceof Error ? error.message : String(error));
  if (isKnown(error)) return failure(error.class, message, error.reason);
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return failure(code !== undefined && FULL.has(code) ? 'DiskFull' : 'Internal', message);
}

/** By its name: what is loaded late has error classes of its own. */
function isKnown(error: unknown): error is JobError | (GitError & { reason?: undefined }) {
  return error instanceof Error && (error.name === 'JobError' || error.name === 'GitError');
}

function failure(failureClass: FailureClass, message: string, reason: string | undefined = failureClass): Failure {
  return { class: failureClass, reason, message, retriable: classes[failureClass].retriable };
}

function bounded(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= MAX_MESSAGE_BYTES) return message;
  return `${bytes
    .subarray(0, MAX_MESSAGE_BYTES - 4)
    .toString('utf8')
    .replace(/\uFFFD$/, '')}…`;
}
