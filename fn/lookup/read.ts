import { lineAt } from '../lines.ts';
import type { Note } from '../note.ts';
import { documentsWith, type Slice } from '../source.ts';
import { splitDocuments } from '../yaml/documents.ts';
import { readDocument } from '../yaml/read.ts';
import { deref, type Node } from '../yaml/tree.ts';
import { toValue } from '../yaml/value.ts';
import { ANSWER_WORDS } from '../words.ts';
import type { Answers } from './answers.ts';

/** Takes the answers of a `--metadata` file, YAML or JSON, one document or many. What is no answer there is told. */
export async function addFile(answers: Answers, text: string, name: string): Promise<void> {
  const json = parseJson(text);
  if (json !== undefined) {
    for (const value of Array.isArray(json) ? json : [json])
      if (!answers.add(value)) answers.notes.push(notAnswer(name));
    return;
  }
  for (const document of splitDocuments(text)) {
    const value = await readValue(text, document);
    if (isNote(value)) answers.notes.push({ ...value, message: `${name}: ${value.message}` });
    else if (!answers.add(value)) answers.notes.push(notAnswer(name));
  }
}

/** Takes the answers among documents that may be anything; what cannot be read is left to whoever edits them. */
export async function addDocuments(answers: Answers, text: string, documents: Slice[]): Promise<void> {
  for (const document of documentsWith(text, documents, ANSWER_WORDS)) {
    const value = await readValue(text, document);
    if (isNote(value)) continue;
    for (const one of document.joined && Array.isArray(value) ? value : [value]) answers.add(one);
  }
}

/** The plain value of one document, or why it has none. */
export async function readValue(text: string, { start, end, item }: Slice): Promise<unknown> {
  const read = await readDocument(text, start, end);
  if ('problem' in read) {
    const { offset, ...note } = read.problem;
    return { ...note, message: `line ${lineAt(text, offset)}: ${note.message}` } satisfies Note;
  }
  try {
    return toValue(item ? itemOf(read.root) : read.root);
  } catch (error) {
    if (error instanceof RangeError) return { reason: 'too-large', message: error.message } satisfies Note;
    throw error;
  }
}

/** The item of a slice of a block-style list, `- apiVersion: …`; a slice of any other list is the item itself. */
export function itemOf(root: Node | undefined): Node | undefined {
  const node = deref(root);
  return node?.kind === 'seq' && node.items.length === 1 ? node.items[0] : node;
}

/** JSON where the text is all of it; it is much the fastest to read. */
function parseJson(text: string): unknown {
  if (!/^\uFEFF?\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
  } catch {
    return undefined;
  }
}

export function isNote(value: unknown): value is Note {
  return typeof value === 'object' && value !== null && 'reason' in value && 'message' in value && !('kind' in value);
}

function notAnswer(name: string): Note {
  return {
    reason: 'metadata-malformed',
    message: `${name}: a document is neither ImageMetadata, ImagePolicy nor ImageRepository, and not used`,
  };
}
