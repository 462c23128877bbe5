import { hunksOf, unifiedDiff } from '../fn/diff.ts';
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
  /** What becomes of the file itself; nothing is said where its text alone changes. */
  file?: 'new' | 'deleted' | 'not text';
}

/** The diff of everything that was made, as `git apply` takes it where all is text. */
export function diffOf({ edits }: Made): string {
  return edits.map(diffOfOne).join('');
}

function diffOfOne({ path, before, replacements, file }: Edit): string {
  if (file === undefined) return unifiedDiff(path, before, replacements);
  if (file === 'not text') return `Binary files a/${path} and b/${path} differ\n`;
  const hunks = hunksOf(before, replacements);
  const names = file === 'new' ? `--- /dev/null\n+++ b/${path}\n` : `--- a/${path}\n+++ /dev/null\n`;
  return `diff --git a/${path} b/${path}\n${file} file mode 100644\n${hunks === '' ? '' : names + hunks}`;
}

/** The edit that leads from one text to another: of the lines between the first and last that differ, each or all at once. */
export function editOf(path: string, before: string, after: string): Edit {
  const [old, now] = [linesOf(before), linesOf(after)];
  const start = sameLines(old, now);
  const end = sameLines(old.slice(start).toReversed(), now.slice(start).toReversed());
  const [gone, come] = [old.slice(start, old.length - end), now.slice(start, now.length - end)];
  const pairs =
    gone.length === come.length ? gone.map((line, i) => [line, come[i]!]) : [[gone.join(''), come.join('')]];
  const replacements: Replacement[] = [];
  let position = old.slice(0, start).join('').length;
  for (const [from = '', to = ''] of pairs) {
    if (from !== to) replacements.push({ start: position, end: position + from.length, text: to });
    position += from.length;
  }
  return { path, before, replacements };
}

function linesOf(text: string): string[] {
  return text.split(/(?<=\n)/);
}

function sameLines(old: readonly string[], now: readonly string[]): number {
  let same = 0;
  while (same < Math.min(old.length, now.length) && old[same] === now[same]) same++;
  return same;
}
