import { createHash } from 'node:crypto';
import type { FileChange } from '../../git/repository.ts';
import { keyOf, type Change } from '../change.ts';
import { groupKey } from '../group.ts';
import { GROUPINGS } from '../grouping.ts';
import type { Made } from '../made.ts';
import type { UpdateJob } from '../read.ts';
import { changesMark, jobMark } from './mark.ts';
import type { PullRequestOptions } from './options.ts';

/** What a pull request is to propose. */
export interface Proposal {
  branch: string;
  /** What its changes have in common: an image, a workload, a directory; undefined for all of a run. */
  group?: string;
  changes: readonly Change[];
  files: readonly string[];
  /** Tells these changes from others. */
  mark: string;
  /** The fields that it is about; undefined for all. */
  only?: ReadonlySet<string>;
}

/** Of a branch's name, for people. */
const MAX_SLUG = 50;

/** The pull requests that the changes of a run come to, each on a branch that the same group has in every run. */
export function proposalsOf(
  { parts }: Made,
  job: UpdateJob,
  { groupBy, branch, family }: PullRequestOptions,
): Proposal[] {
  const changes = parts.flatMap((part) => part.changes);
  const files = parts.flatMap((part) => part.files);
  if (files.length === 0) return [];
  if (groupBy === 'run') return [{ branch, changes, files: pathsOf(files), mark: changesMark(changes, files) }];
  const groups = Map.groupBy(changes, (change) => groupKey(change, GROUPINGS[groupBy]));
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, changes]) => ({
      branch: branchOf(family, group, [jobMark(job), groupBy]),
      group,
      changes,
      files: [...new Set(changes.map(({ file }) => file))],
      mark: changesMark(changes, []),
      only: new Set(changes.map(keyOf)),
    }));
}

function pathsOf(files: readonly FileChange[]): string[] {
  return [...new Set(files.map(({ path }) => path))].toSorted();
}

/** `image-update/ghcr-io-org-app-1a2b3c4d`: readable, and by its hash no other group's, job's or grouping's. */
function branchOf(prefix: string, group: string, more: readonly string[]): string {
  const slug = group
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG)
    .replaceAll(/^-+|-+$/g, '');
  const hash = createHash('sha256')
    .update(JSON.stringify([...more, group]))
    .digest('hex')
    .slice(0, 8);
  return `${prefix}/${slug === '' ? hash : `${slug}-${hash}`}`;
}
