import type { LogEntry } from '../../git/repository.ts';
import { describe } from '../../fn/result.ts';
import { remember } from '../../fn/remember.ts';
import { parseReference } from '../../fn/reference.ts';
import type { Change } from '../change.ts';
import { renderText, type MessageData } from '../message.ts';
import type { UpdateJob } from '../read.ts';
import type { Report } from '../run.ts';
import { bodyOf, cutTitle, titleOf, type BodyData, type Facts } from './body.ts';
import { compareLink, type Labels } from './compare.ts';
import { code, fit, plain } from './markdown.ts';
import type { PullRequestOptions } from './options.ts';
import type { Proposal } from './proposal.ts';

/** Whom to ask for what a body tells beside the changes. */
export interface Informants {
  /** What is known of a change: see `explain`. */
  facts?(change: Change): Promise<Facts>;
  /** The labels of an image by tag or digest; undefined where they cannot be had. */
  labelsOf?(image: string, reference: string): Promise<Labels | undefined>;
}

/** More changes than this are told without facts: a registry is asked for each. */
const MAX_TOLD = 100;

/** What is known of changes. What cannot be found out is left out: the body says the less. */
export async function gatherFacts(
  changes: readonly Change[],
  { facts, labelsOf }: Informants,
): Promise<Map<Change, Facts>> {
  const asked = new Map<string, Promise<Labels | undefined>>();
  const labels = async (text: string) => {
    const { name, tag, digest } = parseReference(text) ?? {};
    const reference = digest ?? tag;
    if (!labelsOf || name === undefined || reference === undefined) return undefined;
    return remember(asked, text, () => labelsOf(name, reference));
  };
  const found = changes.slice(0, MAX_TOLD).map(async (change): Promise<[Change, Facts]> => {
    const [known, from, to] = await Promise.all([
      orNothing(facts?.(change)),
      orNothing(labels(change.from)),
      orNothing(labels(change.to)),
    ]);
    const compare = compareLink(from, to);
    return [change, { ...known, ...(compare !== undefined && { compare }) }];
  });
  return new Map(await Promise.all(found));
}

async function orNothing<T>(asked: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await asked;
  } catch {
    return undefined;
  }
}

/** Title and body of a pull request, by the templates where there are some; the body without its mark. */
export function textOf(
  job: UpdateJob,
  { title, body }: PullRequestOptions,
  { changes, files, branch, group }: Proposal,
  more: Omit<BodyData, 'changes' | 'files'>,
  room: number,
): { title: string; body: string } {
  const data: MessageData = { changes, files, branch };
  const report = bodyOf({ changes, files, ...more }, room);
  return {
    title: title ? cutTitle(renderText(title, data, job.metadata, plain)) : titleOf({ changes, files }, group),
    body: body ? cutLines(renderText(body, data, job.metadata, code, { report }), room) : report,
  };
}

function cutLines(text: string, room: number): string {
  return fit({ head: [], rows: text.split('\n'), foot: [], rest: () => ['…'] }, room);
}

/** The warnings of a run that a body tells. */
export function warningsOf({ results }: Report): string[] {
  return results.map(describe);
}

const MAX_REASONS = 10;

/** Why a pull request is closed, as a comment. */
export function farewell(base: string, warnings: readonly string[]): string {
  const reasons = warnings.slice(0, MAX_REASONS).map((line) => `- ${code(line)}`);
  return [
    `Nothing is left to change: ${code(base)} has what was proposed here, or it is proposed no more.`,
    ...(reasons.length > 0 ? ['What else was found in the last run:', reasons.join('\n')] : []),
  ].join('\n\n');
}

/** A foreign commit as a body names it. */
export function foreignOf(entry: LogEntry | undefined): Pick<BodyData, 'foreign'> {
  return entry ? { foreign: { commit: entry.oid, author: entry.author.name } } : {};
}
