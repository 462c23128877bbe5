import type { Result } from '../fn/result.ts';
import { workloadId } from '../fn/workloads.ts';
import { changesOf, type Change } from '../job/change.ts';
import { plural } from '../fn/plural.ts';

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
  /** All of it, as docs/function.md describes results. */
  results: Result[];
  /** Why the run failed, on a line or a few. */
  failure?: string;
  /** Where the changes are, to follow their number in a sentence; nowhere if left out. */
  done?: string;
  diff: string;
  commit?: string;
  branch?: string;
  pulled: Pulled[];
  /** What was wished for pull requests and not had, and what else to know of them. */
  warnings?: string[];
  /** Sent to registries, where that is known. */
  requests?: number;
}

/** A run that changed nothing. */
export function failedOutcome(failure: string): Outcome {
  return { moved: [], files: [], told: [], results: [], failure, diff: '', pulled: [] };
}

/** An outcome in a line. */
export function headlineOf({ moved, files, told, failure, done }: Outcome): string {
  const held = told.length === 0 ? '' : `, ${told.length} held back or to be looked at`;
  if (failure !== undefined) return `image-update: failed${held}`;
  if (moved.length === 0) return `image-update: nothing to change${held}`;
  const what = `${plural(moved.length, 'image field')} in ${plural(files.length, 'file')}`;
  return done === undefined
    ? `image-update: ${what} would change; nothing was written${held}`
    : `image-update: ${what} changed, ${done}${held}`;
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
