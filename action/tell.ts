import { existsSync } from 'node:fs';
import * as core from '@actions/core';
import { describe } from '../fn/result.ts';
import { writeNamed } from '../fn/run.ts';
import { redact } from '../git/redact.ts';
import { workloadOf } from '../job/change.ts';
import { annotate } from './annotate.ts';
import type { Inputs } from './inputs.ts';
import { log, logGroup } from './log.ts';
import { headlineOf, type Moved, type Outcome } from './outcome.ts';
import { setOutputs } from './outputs.ts';
import { summaryOf } from './summary.ts';

/** An outcome without secrets, in whatever text one could stand. */
export function cleaned(outcome: Outcome, secrets: readonly string[]): Outcome {
  const clean = (_: string, value: unknown) => (typeof value === 'string' ? redact(value, secrets) : value);
  return JSON.parse(JSON.stringify(outcome), clean) as Outcome;
}

/**
 * Tells what a run came to, in each way that a workflow hears of it: log, file, outputs, annotations, summary; and fails the step if
 * it is to. `file` takes the results.
 */
export async function tell(outcome: Outcome, inputs: Inputs, file: string, warnings: readonly string[]): Promise<void> {
  const { moved, told, results, diff, warnings: more = [] } = outcome;
  for (const change of moved) log(lineOf(change));
  logGroup('Held back, or to be looked at', told.map(describe));
  logGroup('The diff', diff === '' ? [] : diff.trimEnd().split('\n'));
  writeNamed(file, `${JSON.stringify(results, null, 2)}\n`);
  const cut = setOutputs(outcome, file).map(
    (name) => `the output ${name} is cut, as no variable holds it; ${file} has all`,
  );
  const reason = whyFailed(outcome, inputs);
  const all = [...warnings, ...more, ...cut];
  const left = annotate(outcome, { reason, warnings: all, places: inputs.annotations ?? true });
  const { summary = 'always' } = inputs;
  if (summary === 'always' || (summary === 'on-change' && moved.length > 0))
    await writeSummary(summaryOf(outcome, left));
  log(headlineOf(outcome));
  if (reason !== undefined) process.exitCode = 1;
}

function lineOf(change: Moved): string {
  const { file, line, container, from, to } = change;
  const where = line === undefined ? file : `${file}:${line}`;
  return `${where}: ${[workloadOf(change), container].filter(Boolean).join(' ')}: ${from} -> ${to}`;
}

/** Why the step fails; undefined if it does not. */
function whyFailed({ failure, moved }: Outcome, { 'fail-on': failOn = 'error' }: Inputs): string | undefined {
  if (failOn === 'never') return undefined;
  if (failure !== undefined || failOn === 'error' || moved.length === 0) return failure;
  return `${moved.length} image ${moved.length === 1 ? 'field has' : 'fields have'} an update, and fail-on is ${failOn}`;
}

/** An old Enterprise server has no summaries. */
async function writeSummary(text: string): Promise<void> {
  if (existsSync(process.env['GITHUB_STEP_SUMMARY'] ?? '')) await core.summary.addRaw(text).write();
}
