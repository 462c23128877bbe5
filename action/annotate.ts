import * as core from '@actions/core';
import type { Result, Severity } from '../fn/result.ts';
import type { Outcome } from './outcome.ts';

/** What the runner shows of each kind in a step; what comes after is dropped in silence. */
const MOST = 10;

/** A note on the page of the run, at a file and line where there is one. */
interface Annotation {
  severity: Severity;
  title: string;
  message: string;
  file?: string;
  line?: number;
}

/** What there is to annotate beside the outcome. */
export interface Annotating {
  /** Why the step fails, if it does. */
  reason: string | undefined;
  warnings: readonly string[];
  /** Whether files and lines are annotated. */
  places: boolean;
}

/**
 * Sets annotations, the most important of each kind first: what is about the whole run, then what has a line, which is shown beside
 * the code. Returns how many there was no room for.
 */
export function annotate(outcome: Outcome, { reason, warnings, places }: Annotating): number {
  const all = [
    ...(reason === undefined ? [] : [about('error', reason)]),
    ...(outcome.failure === undefined || outcome.failure === reason ? [] : [about('warning', outcome.failure)]),
    ...warnings.map((message) => about('warning', message)),
    ...(places ? placed(outcome) : []),
  ];
  const count: Record<Severity, number> = { error: 0, warning: 0, info: 0 };
  const shown = all.filter(({ severity }) => count[severity]++ < MOST);
  for (const { severity, message, title, file, line } of shown)
    issue[severity](message, {
      title,
      ...(file !== undefined && { file }),
      ...(line !== undefined && { startLine: line }),
    });
  return all.length - shown.length;
}

const issue = { error: core.error, warning: core.warning, info: core.notice } as const;

function about(severity: Severity, message: string): Annotation {
  return { severity, title: 'image-update', message };
}

/** What has a line first, else in order. */
function placed({ told, moved, done }: Outcome): Annotation[] {
  const what = done === undefined ? 'Image update' : 'Image updated';
  const changes = moved.map(({ file, line, container, from, to }): Annotation => ({
    severity: 'info',
    title: container === undefined ? what : `${what}: ${container}`,
    message: `${from} -> ${to}`,
    ...(file !== '' && { file }),
    ...(line !== undefined && { line }),
  }));
  return [...told.map(annotationOf), ...changes].toSorted(
    (a, b) => Number(a.line === undefined) - Number(b.line === undefined),
  );
}

function annotationOf({ severity, message, resourceRef, file, tags }: Result): Annotation {
  const who = [resourceRef && `${resourceRef.kind} ${resourceRef.name}`, tags?.['container']].filter(Boolean).join(' ');
  return {
    severity,
    title: who || 'image-update',
    message,
    ...(file && { file: file.path }),
    ...(tags?.['line'] !== undefined && { line: Number(tags['line']) }),
  };
}
