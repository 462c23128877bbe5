import { workloadOf, type Change } from './change.ts';
import { directoryOf } from './path.ts';
import type { JobSpec } from './schema.ts';

type Grouping = JobSpec['commit']['grouping'];

/** More commits than this in one run are not made: what is left goes into the last. */
const MAX_COMMITS = 100;

/** The changes of each commit, in order of what they are about. One commit for everything where nothing else is asked. */
export function groupChanges(changes: readonly Change[], grouping: Grouping): Change[][] {
  if (grouping === 'Run') return changes.length === 0 ? [] : [[...changes]];
  const groups = Map.groupBy(changes, (change) => keyOf(change, grouping));
  const sorted = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  if (sorted.length <= MAX_COMMITS) return sorted;
  return [...sorted.slice(0, MAX_COMMITS - 1), sorted.slice(MAX_COMMITS - 1).flat()];
}

function keyOf(change: Change, grouping: Exclude<Grouping, 'Run'>): string {
  switch (grouping) {
    case 'Image':
      return change.image || change.policy || change.field;
    case 'Workload':
      return workloadOf(change);
    case 'Directory':
      return directoryOf(change.file);
  }
}
