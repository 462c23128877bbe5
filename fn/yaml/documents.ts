import { nextLine } from '../lines.ts';
import type { Span } from './tree.ts';

/** One document of a stream. The span starts a line and holds the document's own comments, directives and `---`. */
export interface DocumentSpan extends Span {
  /** Its number among the documents with content, from 0, as kyaml counts for its `index` annotations. */
  index: number;
}

/** A marker is alone at the left edge, or a blank follows: `---x` is content (reference/krm-function.md D4.2). */
const MARKER = /^\uFEFF?(---|\.\.\.)(?![^ \t\r\n])/gm;

/**
 * Splits a stream into its documents by lines alone: nothing is parsed, and whether a document is valid is its reader's
 * business. Documents without content (blank, comments only, null) are left out and not counted.
 */
export function splitDocuments(text: string): DocumentSpan[] {
  const documents: DocumentSpan[] = [];
  let start = 0;
  function close(end: number): void {
    if (hasContent(text, start, end)) documents.push({ start, end, index: documents.length });
    start = end;
  }
  for (const { index, 0: marker } of text.matchAll(MARKER)) {
    if (marker.endsWith('.')) close(nextLine(text, index, text.length));
    else if (skipPrelude(text, start, index) < index) close(index);
  }
  close(text.length);
  return documents;
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
