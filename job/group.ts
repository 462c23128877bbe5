import { posix } from 'node:path';
import type { FileChange } from '../git/repository.ts';
import { workloadOf, type Change } from './change.ts';
import type { Part } from './made.ts';
import type { JobSpec } from './schema.ts';

type Grouping = JobSpec['commit']['grouping'];

/** More commits than this in one run are not made: what is left goes into the last. */
const MAX_COMMITS = 100;

/** The changes of each commit, in order of what they are about. One commit for everything where nothing else is asked. */
export function groupChanges(changes: readonly Change[], grouping: Grouping): Change[][] {
  if (grouping === 'Run') return changes.length === 0 ? [] : [[...changes]];
  const groups = Map.groupBy(changes, (change) => groupKey(change, grouping));
  const sorted = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  if (sorted.length <= MAX_COMMITS) return sorted;
  return [...sorted.slice(0, MAX_COMMITS - 1), sorted.slice(MAX_COMMITS - 1).flat()];
}

/** What a change is grouped by. */
export function groupKey(change: Change, grouping: Exclude<Grouping, 'Run'>): string {
  switch (grouping) {
    case 'Image':
      return change.image || change.policy || change.field;
    case 'Workload':
      return workloadOf(change);
    case 'Directory':
      return posix.dirname(change.file);
  }
}

/** The commits of what a foreign image did, of which whole files alone are known: one, or one a directory. */
export function groupFiles(files: readonly FileChange[], changes: readonly Change[], grouping: Grouping): Part[] {
  if (files.length === 0) return [];
  if (grouping !== 'Directory') return [{ files: [...files], changes: [...changes] }];
  const groups = [...Map.groupBy(files, ({ path }) => posix.dirname(path))].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const split = [
    ...groups.slice(0, MAX_COMMITS - 1),
    ['', groups.slice(MAX_COMMITS - 1).flatMap(([, rest]) => rest)] as const,
  ];
  return split
    .filter(([, group]) => group.length > 0)
    .map(([, group]) => {
      const paths = new Set(group.map(({ path }) => path));
      return { files: [...group], changes: changes.filter(({ file }) => paths.has(file)) };
    });
}
