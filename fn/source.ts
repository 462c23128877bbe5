/** A text that holds documents: a file, or a ResourceList whose items are its documents. */
export interface Source {
  /** The path that results name; an item of a ResourceList has its own. */
  path?: string;
  text: string;
  documents: Slice[];
}

/** One document, as a half-open range of offsets. */
export interface Slice {
  start: number;
  end: number;
  /** Position among the documents of its file, from 0. */
  index?: number;
  /** The path below the root, for targets. */
  path?: string;
  /** An item of a ResourceList: its path and index are its annotations'. */
  item?: boolean;
}

/**
 * The documents in which any of the words occurs, in order. Searching a text costs next to nothing; reading it as YAML
 * does not (reference/krm-function.md D3), so a document without a word that could matter is never read.
 */
export function documentsWith(text: string, documents: Slice[], words: Iterable<string>): Slice[] {
  const hit = new Uint8Array(documents.length);
  for (const word of words) {
    let document = 0;
    let found = text.indexOf(word);
    while (found >= 0) {
      while (document < documents.length && documents[document]!.end <= found) document++;
      if (document === documents.length) break;
      const { start, end } = documents[document]!;
      if (start <= found) hit[document] = 1;
      found = text.indexOf(word, start <= found ? end : found + 1);
    }
  }
  return documents.filter((_, i) => hit[i] === 1);
}

/** The line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) line++;
  return line;
}
