import { onOneLine } from '../fn/result.ts';
import { workloadOf, type Change } from '../job/change.ts';
import { tableText } from './table.ts';

/** Changes as the release command of Flux v1 showed them (reference/flux-v1-mode.md §15.3); nothing for none. */
export function changeTable(changes: readonly Change[]): string {
  if (changes.length === 0) return '';
  const rows = changes.map((change) => [
    workloadOf(change),
    change.container ?? '',
    stepOf(change),
    change.policy ?? '',
  ]);
  return tableText([['WORKLOAD', 'CONTAINER', 'UPDATE', 'POLICY'], ...rows.map((row) => row.map(onOneLine))]);
}

/** `ghcr.io/org/app:1.0.0 -> 1.1.0`: of the new reference what is new. */
export function stepOf({ image, from, to }: Pick<Change, 'image' | 'from' | 'to'>): string {
  const name = `${image}:`;
  const step = `${from} -> ${from.startsWith(name) && to.startsWith(name) ? to.slice(name.length) : to}`;
  return step.replaceAll(/(@sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…');
}
