import { createHash } from 'node:crypto';
import { objectId } from '../../git/object.ts';
import type { FileChange } from '../../git/repository.ts';
import { keyOf, type Change } from '../change.ts';
import type { UpdateJob } from '../read.ts';

/** What the last line of a body says to us, in a comment that no forge shows. */
export interface Mark {
  /** The job whose pull request it is: no other one touches it. */
  job: string;
  /** The changes that it proposes; undefined once it was closed as nothing was left. */
  changes?: string;
  /** Whether it was us who made it a draft. */
  draft: boolean;
}

const MARK = /<!-- image-update: job=([0-9a-f]{16}) changes=([0-9a-f]{16}|none)( draft)? -->/g;

export function markText({ job, changes = 'none', draft }: Mark): string {
  return `<!-- image-update: job=${job} changes=${changes}${draft ? ' draft' : ''} -->`;
}

/** The mark of a body; undefined if it is not one of ours, or a person has taken it over by removing the line. */
export function readMark(body: string): Mark | undefined {
  const [, job, changes, draft] = [...body.matchAll(MARK)].at(-1) ?? [];
  if (job === undefined) return undefined;
  return { job, ...(changes !== 'none' && { changes: changes! }), draft: draft !== undefined };
}

/** A body whose pull request is closed by us: the same changes may come back another day. */
export function withoutChanges(body: string): string {
  const mark = readMark(body);
  return mark ? body.replaceAll(MARK, markText({ job: mark.job, draft: mark.draft })) : body;
}

/** What tells a job from others in the same repository: its name, and where it may write. */
export function jobMark({ metadata: { namespace, name }, spec: { git } }: UpdateJob): string {
  return hash([namespace, name, git.paths]);
}

/** What tells changes from others: each field, and what it becomes; where there is no field, each file. */
export function changesMark(changes: readonly Change[], files: readonly FileChange[]): string {
  if (changes.length > 0) return hash(changes.map((change) => `${keyOf(change)} ${change.to}`).toSorted());
  return hash(files.map(({ path, content }) => `${path} ${content ? objectId('blob', content, 40) : ''}`).toSorted());
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
