import * as core from '@actions/core';
import type { Result, Severity } from '../fn/result.ts';
import { describe } from '../fn/result.ts';
import { harmless, log } from './log.ts';
import type { Outcome } from './outcome.ts';

/** What the runner shows of each kind in a step; what comes after is dropped in silence. */
export const MOST_ANNOTATIONS = 10;

/** A note on the page of the run, at a file and line where there is one. */
export interface Annotation {
  severity: Severity;
  title: string;
  message: string;
  file?: string;
  line?: number;
}

const issue = { error: core.error, warning: core.warning, info: core.notice } as const;

/**
 * The annotations of a run, the most important of each kind first: what is about the whole run, then what has a line, which is
 * shown beside the code.
 */
export function annotationsOf(outcome: Outcome, notes: readonly Annotation[], updates: Severity): Annotation[] {
  const { told, moved, failure } = outcome;
  const whole: Annotation[] = failure === undefined ? [] : [{ severity: 'error', title: 'image-update', message: failure }];
  const placed = told.map(annotationOf);
  const changes = moved.map(({ file, line, container, from, to }): Annotation => ({
    severity: updates,
    title: [updates === 'info' ? 'Image updated' : 'Image update available', container].filter(Boolean).join(': '),
    message: `${from} -> ${to}`,
    ...(file !== '' && { file }),
    ...(line !== undefined && { line }),
  }));
  return [...whole, ...notes, ...[...placed, ...changes].toSorted(byPlace)];
}

/** Those with a line first, else in their order. */
function byPlace(a: Annotation, b: Annotation): number {
  return Number(a.line === undefined) - Number(b.line === undefined);
}

function annotationOf({ severity, message, resourceRef, file, tags }: Result): Annotation {
  const title = [resourceRef && `${resourceRef.kind} ${resourceRef.name}`, tags?.['container']].filter(Boolean).join(' ');
  return {
    severity,
    title: title || 'image-update',
    message,
    ...(file && { file: file.path }),
    ...(tags?.['line'] !== undefined && { line: Number(tags['line']) }),
  };
}

/** Sets as many as are shown; returns how many are left. */
export function annotate(annotations: readonly Annotation[]): number {
  const count: Record<Severity, number> = { error: 0, warning: 0, info: 0 };
  let left = 0;
  for (const { severity, message, title, file, line } of annotations) {
    if (count[severity]++ >= MOST_ANNOTATIONS) left++;
    // The old form of a command is found in the text of a new one, too.
    else
      issue[severity](harmless(message), {
        title: harmless(title),
        ...(file !== undefined && { file: harmless(file) }),
        ...(line !== undefined && { startLine: line }),
      });
  }
  return left;
}

/** The same as plain lines of the log. */
export function tellAll(results: readonly Result[]): void {
  for (const result of results) log(describe(result));
}
