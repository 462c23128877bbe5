import { nextLine } from '../lines.ts';
import type { Span } from './tree.ts';

/** A part of a stream. The span starts a line and holds the part's own comments, directives and `---`. */
export interface StreamPart extends Span {
  /**
   * Its number among the documents, from 0, as kyaml counts for its `index` annotations. A part without content (blank,
   * comments only, null) has none and is not counted.
   */
  index?: number;
}

export type DocumentSpan = Required<StreamPart>;

/** A marker is alone at the left edge, or a blank follows: `---x` is content (reference/krm-function.md D4.2). */
const MARKER = /^\uFEFF?(---|\.\.\.)(?![^ \t\r\n])/gm;

/** The documents of a stream, those without content left out. */
export function splitDocuments(text: string): DocumentSpan[] {
  return splitStream(text).filter((part): part is DocumentSpan => part.index !== undefined);
}

/**
 * Splits a stream at its document markers by lines alone: nothing is parsed, and whether a document is valid is its reader's
 * business. The parts are all of the text: also comments that belong to no document may hold what its author should hear of.
 */
export function splitStream(text: string): StreamPart[] {
  const parts: StreamPart[] = [];
  let start = 0;
  let count = 0;
  function close(end: number): void {
    if (start < end) parts.push({ start, end, ...(hasContent(text, start, end) && { index: count++ }) });
    start = end;
  }
  for (const { index, 0: marker } of text.matchAll(MARKER)) {
    if (marker.endsWith('.')) close(nextLine(text, index, text.length));
    else if (skipPrelude(text, start, index) < index) close(index);
  }
  close(text.length);
  return parts;
}

function hasContent(text: string, start: number, end: number): boolean {
  let content = skipPrelude(text, start, end);
  if (text.startsWith('---', content)) content = skipPrelude(text, content + 3, end);
  if (isOver(text, content, end)) return false;
  const next = nextLine(text, content, end);
  const isNull = /^(?:~|null|Null|NULL)\s*(?:\s#.*)?$/.test(text.slice(content, next).trimEnd());
  return !isNull || !isOver(text, skipPrelude(text, next, end), end);
}

function isOver(text: string, content: number, end: number): boolean {
  return content >= end || text.startsWith('...', content);
}

/** Where the first thing stands that is not blank, a comment or a directive. */
function skipPrelude(text: string, start: number, end: number): number {
  let i = start;
  while (i < end) {
    const char = text[i];
    if (char === '#' || (char === '%' && /[\n\uFEFF]|^$/.test(text.slice(Math.max(0, i - 1), i))))
      i = nextLine(text, i, end);
    else if (char === ' ' || char === '\t' || char === '\n' || char === '\r' || char === '\uFEFF') i++;
    else return i;
  }
  return end;
}
