import type { Io } from '../fn/io.ts';
import { describe } from '../fn/result.ts';
import type { Scope } from '../fn/scope.ts';
import type { UpdateJob } from '../job/read.ts';
import { runJob, type Report } from '../job/run.ts';
import { exitStatus, sentence, statusOf } from '../job/status.ts';
import { stderrScreen } from '../registry/progress.ts';
import { documentFormat, type Format } from './formats.ts';
import { print } from './output.ts';
import { progressOn } from './progress.ts';
import { openPlace, stopOnSignals, worldOf, type Here, type WorldOptions } from './world.ts';

export interface JobOptions extends WorldOptions {
  format?: Format;
}

/** What a job, and how it went, is on stdout for people. */
type Text = (report: Report) => string;

/** Works with this machine's place and signals, and gives them back. */
export async function onThisMachine<T>(options: JobOptions, io: Io, work: (here: Here) => Promise<T>): Promise<T> {
  const place = openPlace(options, io);
  const stop = stopOnSignals();
  try {
    return await work({ place, stop: stop.controller, progress: progressOn(stderrScreen(io.environment)), io });
  } finally {
    stop.forget();
    place.close();
  }
}

/** Carries out a job here, and shows what came of it. Returns the exit status. */
export async function runHere(
  job: UpdateJob,
  options: JobOptions,
  here: Here,
  text: Text,
  scope?: Scope,
): Promise<number> {
  const report = await runJob(job, await worldOf(job, options, here, scope));
  const { outcome } = report.ran;
  await showJob(job, report, options, here.io, text);
  tellOutcome(outcome, here.io);
  return exitStatus(outcome);
}

/** The text on stdout, results on stderr; with `-o` the job with its status, and what `more` there is. */
export async function showJob(
  job: UpdateJob,
  report: Report,
  options: JobOptions,
  io: Io,
  text: Text,
  more: object = {},
): Promise<void> {
  const { ran, results } = report;
  if (results.length > 0) io.error(results.map(describe).join('\n'));
  const format = documentFormat(options.format);
  io.output(format ? await print(format, { ...manifestOf(job, ran), ...more }) : text(report));
}

/** What a job came to, in a line. */
export function tellOutcome(outcome: Report['ran']['outcome'], io: Io): void {
  io.error(`tk-image: ${'class' in outcome ? `${outcome.class}: ${outcome.message}` : sentence(outcome)}`);
}

function manifestOf(job: UpdateJob, ran: Report['ran']): object {
  const { apiVersion, kind, metadata, spec } = job;
  const { name, namespace, uid, annotations } = metadata;
  const shown = { name, namespace, uid, ...(Object.keys(annotations).length > 0 && { annotations }) };
  return { apiVersion, kind, metadata: shown, spec, status: statusOf(job, ran) };
}
