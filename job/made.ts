import { unifiedDiff } from '../fn/diff.ts';
import type { Replacement } from '../fn/replace.ts';
import type { Result } from '../fn/result.ts';
import type { FileChange } from '../git/repository.ts';
import type { Change } from './change.ts';

/** What a run makes of a commit, before anything is committed. */
export interface Made {
  /** One a commit to be, each on top of the one before. */
  parts: Part[];
  edits: Edit[];
  /** What else there is to say: warnings, and what a function reported. */
  results: Result[];
  /** Digest of the image that ran in a container. */
  imageDigest?: string;
}

/** The changes of a commit, and the files that it has anew. */
export interface Part {
  changes: Change[];
  files: FileChange[];
}

/** What happens to a file from the first to the last part, for people. */
export interface Edit {
  path: string;
  before: string;
  replacements: Replacement[];
}

/** The diff of everything that was made. */
export function diffOf({ edits }: Made): string {
  return edits.map(({ path, before, replacements }) => unifiedDiff(path, before, replacements)).join('');
}

/** The edit that leads from one text to another: line by line where there are as many lines, else all between the first and last that differ. */
export function editOf(path: string, before: string, after: string): Edit {
  const [old, now] = [before, after].map((text) => text.split(/(?<=\n)/));
  const lines = old!.length === now!.length ? old!.map((line, i) => [line, now![i]!] as const) : [between(old!, now!)];
  const replacements: Replacement[] = [];
  let position = lines.length === old!.length ? 0 : commonStart(old!, now!);
  for (const [from, to] of lines) {
    if (from !== to) replacements.push({ start: position, end: position + from.length, text: to });
    position += from.length;
  }
  return { path, before, replacements };
}

function commonStart(old: readonly string[], now: readonly string[]): number {
  return old.slice(0, sameLines(old, now)).join('').length;
}

function sameLines(old: readonly string[], now: readonly string[]): number {
  let same = 0;
  while (same < Math.min(old.length, now.length) && old[same] === now[same]) same++;
  return same;
}

function between(old: readonly string[], now: readonly string[]): readonly [string, string] {
  const start = sameLines(old, now);
  const end = sameLines(old.slice(start).toReversed(), now.slice(start).toReversed());
  return [old.slice(start, old.length - end).join(''), now.slice(start, now.length - end).join('')];
}
