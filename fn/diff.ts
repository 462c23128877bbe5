import { lineOf, lineStarts } from './lines.ts';
import type { Replacement } from './replace.ts';

const CONTEXT = 3;

/**
 * A unified diff, as `git apply` takes it, of a text and what replacements make of it. They are in order and apart.
 * The changed lines are known from the replacements, so nothing is compared.
 */
export function unifiedDiff(name: string, text: string, replacements: readonly Replacement[]): string {
  const path = name.replace(/^\/+/, '');
  return `--- a/${path}\n+++ b/${path}\n${hunksOf(text, replacements)}`;
}

/** What follows the names in such a diff. The text, or what becomes of it, may be empty. */
export function hunksOf(text: string, replacements: readonly Replacement[]): string {
  const starts = bounds(text);
  const lastLine = starts.length - 2;
  const hunks: Hunk[] = [];
  for (const whole of replacements) {
    const replacement = changedLines(text, whole);
    const first = Math.min(lastLine, lineOf(starts, replacement.start));
    const last = Math.min(lastLine, lineOf(starts, Math.max(replacement.start, replacement.end - 1)));
    const hunk = hunks.at(-1);
    if (hunk && first <= hunk.last + 2 * CONTEXT) {
      hunk.last = Math.max(hunk.last, last);
      hunk.replacements.push(replacement);
    } else hunks.push({ first, last, replacements: [replacement] });
  }
  let shift = 0;
  let output = '';
  for (const { first, last, replacements } of hunks) {
    const from = Math.max(0, first - CONTEXT);
    const to = Math.min(starts.length - 1, last + 1 + CONTEXT);
    const body = diffLines(text, starts, from, to, replacements);
    const removed = body.filter((line) => line.startsWith(' ') || line.startsWith('-')).length;
    const added = body.filter((line) => line.startsWith(' ') || line.startsWith('+')).length;
    output += `@@ -${span(from, removed)} +${span(from + shift, added)} @@\n${body.join('\n')}\n`;
    shift += added - removed;
  }
  return output;
}

/** Where lines begin and how many they are; of none, the line before them. */
function span(from: number, count: number): string {
  return `${count === 0 ? from : from + 1},${count}`;
}

/** A replacement without the lines that it begins with and does not change: the header of a block scalar. */
function changedLines(text: string, { start, end, text: replacement }: Replacement): Replacement {
  let same = 0;
  while (start + same < end && same < replacement.length && text[start + same] === replacement[same]) same++;
  const lines = replacement.lastIndexOf('\n', same - 1) + 1;
  return same === 0 ? { start, end, text: replacement } : { start: start + lines, end, text: replacement.slice(lines) };
}

interface Hunk {
  first: number;
  last: number;
  replacements: Replacement[];
}

function diffLines(text: string, starts: number[], from: number, to: number, replacements: Replacement[]): string[] {
  const body: string[] = [];
  const pending = [...replacements];
  for (let line = from; line < to; line++) {
    // Whole lines that are put before this one, which stays.
    while (pending.length > 0 && isWholeLinesAt(pending[0]!, starts[line]!))
      body.push(...prefixed('+', pending.shift()!.text));
    if (pending.length === 0 || pending[0]!.start >= starts[line + 1]!) {
      body.push(...prefixed(' ', text.slice(starts[line], starts[line + 1])));
      continue;
    }
    // A run of changed lines: all that the replacements on them touch.
    const start = starts[line]!;
    let old = line;
    let changed = '';
    let position = start;
    while (pending.length > 0 && pending[0]!.start < starts[old + 1]!) {
      const { start: at, end, text: replacement } = pending.shift()!;
      changed += text.slice(position, at) + replacement;
      position = end;
      while (old + 1 < to && starts[old + 1]! < end) old++;
    }
    changed += text.slice(position, Math.max(position, starts[old + 1]!));
    body.push(...prefixed('-', text.slice(start, starts[old + 1])), ...prefixed('+', changed));
    line = old;
  }
  // What comes behind the last line.
  if (to === starts.length - 1) body.push(...prefixed('+', pending.map((replacement) => replacement.text).join('')));
  return body;
}

function isWholeLinesAt({ start, end, text }: Replacement, offset: number): boolean {
  return start === offset && end === offset && text.endsWith('\n');
}

function prefixed(sign: string, lines: string): string[] {
  if (lines === '') return [];
  const ended = lines.endsWith('\n');
  const output = (ended ? lines.slice(0, -1) : lines).split('\n').map((line) => sign + line);
  if (!ended) output.push('\\ No newline at end of file');
  return output;
}

/** Where each line starts, and at last where the text ends. */
function bounds(text: string): number[] {
  const starts = lineStarts(text);
  if (!text.endsWith('\n')) starts.push(text.length);
  return starts;
}
