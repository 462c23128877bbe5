import { lineOf, lineStarts, nextLine } from './lines.ts';

/** A text that holds documents: a file, or a ResourceList whose items are its documents. */
export interface Source {
  /** The path that results name; an item of a ResourceList has its own. */
  path?: string;
  text: string;
  documents: Slice[];
}

/** One document, as a half-open range of offsets; or comments between documents. */
export interface Slice {
  start: number;
  end: number;
  /** Position among the documents of its file, from 0; comments have none. */
  index?: number;
  /** The path below the root, for targets. */
  path?: string;
  /** An item of a ResourceList: its path and index are its annotations'. */
  item?: boolean;
  /** Several items that share anchors, and are read as one document. */
  joined?: boolean;
}

/** Words that make a document worth reading. */
export interface Words {
  /** Beginnings of keys: in a comment they mean nothing. */
  keys: readonly string[];
  anywhere: readonly string[];
}

/**
 * The documents in which any of the words occurs, in order. Searching a text costs next to nothing; reading it as YAML
 * does not (reference/krm-function.md D3), so a document without a word that could matter is never read.
 */
export function documentsWith(text: string, documents: Slice[], { keys, anywhere }: Words): Slice[] {
  const hit = new Uint8Array(documents.length);
  for (const word of keys) mark(text, documents, word, true, hit);
  for (const word of anywhere) mark(text, documents, word, false, hit);
  return documents.filter((_, i) => hit[i] === 1);
}

function mark(text: string, documents: Slice[], word: string, isKey: boolean, hit: Uint8Array): void {
  let document = 0;
  let found = text.indexOf(word);
  while (found >= 0) {
    while (document < documents.length && documents[document]!.end <= found) document++;
    if (document === documents.length) return;
    const { start, end } = documents[document]!;
    const commented = isKey && isCommented(text, found);
    const counts = start <= found && !commented;
    if (counts) hit[document] = 1;
    // All of a comment's line is comment: one look at a line is enough, however often the word is in it.
    found = text.indexOf(word, counts ? end : commented ? nextLine(text, found) : found + 1);
  }
}

/** Whether a comment begins before an offset on its line. Quotes before it could hide one: then it is not taken for one. */
function isCommented(text: string, offset: number): boolean {
  let comment = false;
  for (let i = offset - 1; i >= 0; i--) {
    const char = text[i];
    if (char === '\n') break;
    if (char === '"' || char === "'") return false;
    if (char === '#' && (i === 0 || /\s/.test(text[i - 1]!))) comment = true;
  }
  return comment;
}

const tables = new WeakMap<Source, number[]>();

/** The line of an offset in a source, from 1. Its lines are counted once, however much is told of it. */
export function lineIn(source: Source, offset: number): number {
  let starts = tables.get(source);
  if (!starts) tables.set(source, (starts = lineStarts(source.text)));
  return lineOf(starts, offset) + 1;
}
