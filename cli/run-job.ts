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

/**
 * Makes a job, carries it out here, and shows what came of it: as `text` has it on stdout, everything for a person's eye on stderr;
 * with `-o` the job with its status. Returns the exit status.
 */
export async function runHere(
  options: JobOptions,
  io: Io,
  make: (here: Here) => Promise<UpdateJob>,
  text: (report: Report) => string,
  scope?: Scope,
): Promise<number> {
  const place = openPlace(options, io);
  const stop = stopOnSignals();
  const here: Here = { place, stop: stop.controller, progress: progressOn(stderrScreen(io.environment)), io };
  try {
    const job = await make(here);
    const report = await runJob(job, await worldOf(job, options, here, scope));
    await show(job, report, options, io, text);
    return exitStatus(report.ran.outcome);
  } finally {
    stop.forget();
    place.close();
  }
}

async function show(
  job: UpdateJob,
  report: Report,
  options: JobOptions,
  io: Io,
  text: (report: Report) => string,
): Promise<void> {
  const { ran, results } = report;
  if (results.length > 0) io.error(results.map(describe).join('\n'));
  const { outcome } = ran;
  const format = documentFormat(options.format);
  io.output(format ? await print(format, manifestOf(job, ran)) : text(report));
  io.error('class' in outcome ? `tk-image: ${outcome.class}: ${outcome.message}` : `tk-image: ${sentence(outcome)}`);
}

function manifestOf(job: UpdateJob, ran: Report['ran']): unknown {
  const { apiVersion, kind, metadata, spec } = job;
  const { name, namespace, uid, annotations } = metadata;
  const shown = { name, namespace, uid, ...(Object.keys(annotations).length > 0 && { annotations }) };
  return { apiVersion, kind, metadata: shown, spec, status: statusOf(job, ran) };
}
