import * as core from '@actions/core';
import { workloadOf } from '../job/change.ts';
import { heldOf, type Moved, type Outcome } from './outcome.ts';

/** A list becomes JSON. */
type Value = string | number | boolean | undefined | readonly object[] | readonly string[];

/** Each output of action.yml; what is not known is an empty text, as the runner has it. */
const outputs: Record<string, (outcome: Outcome, resultsFile: string) => Value> = {
  changed: ({ moved }) => moved.length > 0,
  changes: ({ moved }) => moved.map(changeOf),
  'changed-files': ({ files }) => files,
  images: ({ moved }) => [...new Set(moved.map(({ to }) => to))].toSorted(),
  held: ({ told }) => told.map(heldOf),
  results: (_, resultsFile) => resultsFile,
  'commit-sha': ({ commit }) => commit,
  branch: ({ branch }) => branch,
  'pull-request-number': ({ pulled }) => pulled.at(-1)?.number,
  'pull-request-url': ({ pulled }) => pulled.at(-1)?.url,
  'pull-request-operation': ({ pulled }) => pulled.at(-1)?.operation,
  'pull-requests': ({ pulled }) => pulled,
  'registry-requests': ({ requests }) => requests,
};

/** The names of the outputs. */
export const outputNames = Object.keys(outputs);

/**
 * Most bytes of a list. A variable that a script reads it from holds 128 KiB on Linux, and a job takes 1 MB of outputs, counted as
 * UTF-16 (docs.github.com, "Defining outputs for jobs"): room for the five that there are.
 */
const MAX_LIST_BYTES = 100_000;

/**
 * Sets the outputs. A list that is too long is cut, as the file of results has all.
 * @returns the names of those that were cut.
 */
export function setOutputs(outcome: Outcome, resultsFile: string): string[] {
  const cut: string[] = [];
  for (const [name, valueOf] of Object.entries(outputs)) {
    const value = valueOf(outcome, resultsFile) ?? '';
    if (typeof value !== 'object') core.setOutput(name, String(value));
    else {
      const kept = fitting(value);
      if (kept.length < value.length) cut.push(name);
      core.setOutput(name, JSON.stringify(kept));
    }
  }
  return cut;
}

function fitting(list: readonly unknown[]): readonly unknown[] {
  let left = MAX_LIST_BYTES;
  const end = list.findIndex((entry) => (left -= Buffer.byteLength(JSON.stringify(entry)) + 1) < 0);
  return end < 0 ? list : list.slice(0, end);
}

function changeOf(moved: Moved): Record<string, unknown> {
  const { file, line, container, field, image, from, to, policy } = moved;
  return { file, line, workload: workloadOf(moved), container, field, image, from, to, policy };
}
