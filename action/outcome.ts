import type { Result } from '../fn/result.ts';
import { workloadId } from '../fn/workloads.ts';
import { changesOf, type Change } from '../job/change.ts';

/** An image field that moved, or would. */
export interface Moved extends Change {
  /** From 1; of what git was given it is not known. */
  line?: number;
}

/** A pull request, and what this run did with it. */
export interface Pulled {
  number: number;
  url: string;
  branch: string;
  operation: 'created' | 'updated' | 'closed' | 'none';
}

/** What a run came to, for outputs, summary and annotations. */
export interface Outcome {
  moved: Moved[];
  /** Paths of the files that changed, or would. */
  files: string[];
  /** What else there is to say: warnings, and the errors of a run that failed. */
  told: Result[];
  /** Why the run failed, on a line or a few. */
  failure?: string;
  /** What became of the changes, to follow their number in a sentence: `pushed to main`. */
  done: string;
  diff: string;
  commit?: string;
  branch?: string;
  pulled: Pulled[];
  /** Sent to registries; undefined where none was to be asked. */
  requests?: number;
}

/** A run that ended before it changed anything. */
export function failedOutcome(failure: string): Outcome {
  return { moved: [], files: [], told: [], failure, done: '', diff: '', pulled: [] };
}

/** The changes that results of the engine tell of. */
export function movedOf(results: readonly Result[]): Moved[] {
  return results.flatMap((result) => {
    const line = lineOf(result);
    return changesOf([result]).map((change) => ({ ...change, ...(line !== undefined && { line }) }));
  });
}

/** What was to be updated and was not, for programs. */
export interface Held {
  file?: string;
  line?: number;
  workload?: string;
  container?: string;
  image?: string;
  reason: string;
  message: string;
}

export function heldOf(result: Result): Held {
  const { message, file, resourceRef, tags = {} } = result;
  const { container, image, reason = '' } = tags;
  const line = lineOf(result);
  return {
    ...(file && { file: file.path }),
    ...(line !== undefined && { line }),
    ...(resourceRef && { workload: workloadId(resourceRef) }),
    ...(container !== undefined && { container }),
    ...(image !== undefined && { image }),
    reason,
    message,
  };
}

function lineOf({ tags }: Result): number | undefined {
  return tags?.['line'] === undefined ? undefined : Number(tags['line']);
}
