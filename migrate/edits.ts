import { editAnnotations } from '../fn/edit-annotations.ts';
import { lineStart, nextLine } from '../fn/lines.ts';
import { chainReplacements, replaceAll, type Replacement } from '../fn/replace.ts';
import type { Source } from '../fn/source.ts';
import { differ } from '../fn/yaml/check.ts';
import type { Node, Span } from '../fn/yaml/tree.ts';
import type { Leaf } from './forest.ts';
import type { CommentEdit, Plan } from './outcome.ts';

interface Problem {
  message: string;
}

/** A document that is not edited after all, and why. */
export interface Unedited {
  leaf: Leaf;
  problem: Problem;
}

/** The replacements that a plan makes in each source; a document is edited wholly or not at all, and the proof is its reading. */
export async function editsOf({
  annotations,
  comments,
}: Plan): Promise<{ edits: Map<Source, Replacement[]>; unedited: Unedited[] }> {
  const edits = new Map<Source, Replacement[]>();
  const unedited: Unedited[] = [];
  for (const leaf of new Set([...annotations.keys(), ...comments.keys()])) {
    const edited = await editLeaf(leaf, comments.get(leaf) ?? [], annotations.get(leaf) ?? new Map());
    if ('problem' in edited) unedited.push({ leaf, problem: edited.problem });
    else if (edited.replacements.length > 0)
      edits.set(
        leaf.source,
        [...(edits.get(leaf.source) ?? []), ...edited.replacements].toSorted((a, b) => a.start - b.start),
      );
  }
  return { edits, unedited };
}

async function editLeaf(
  { source: { text }, slice }: Leaf,
  comments: readonly CommentEdit[],
  annotations: ReadonlyMap<{ path: string }, { set: Map<string, string>; remove: Set<string> }>,
): Promise<{ replacements: Replacement[] } | { problem: Problem }> {
  const replacements = commentReplacements(text, comments);
  const edited = replaceAll(text, replacements);
  const problem = replacements.length > 0 ? await checkComments(text, slice, edited) : undefined;
  if (problem !== undefined) return { problem: { message: problem } };
  const span = { start: slice.start, end: slice.end + edited.length - text.length };
  const next = await editAnnotations(edited, span, new Map([...annotations].map(([{ path }, edit]) => [path, edit])));
  if ('problems' in next) return { problem: [...next.problems.values()][0]! };
  return { replacements: chainReplacements(replacements, next.replacements) };
}

function commentReplacements(text: string, comments: readonly CommentEdit[]): Replacement[] {
  return comments
    .map(({ at, comment, text: wanted }): Replacement => {
      if (!comment) return { start: at, end: at, text: ` ${wanted}` };
      if (wanted !== undefined) return { ...comment, text: wanted };
      const line = lineStart(text, comment.start);
      const before = text.slice(line, comment.start);
      if (before.trim() === '') return { start: line, end: nextLine(text, comment.start), text: '' };
      return { start: line + before.trimEnd().length, end: comment.end, text: '' };
    })
    .toSorted((a, b) => a.start - b.start);
}

/** Proves that a document means what it meant: read by another reader, only comments differ. */
async function checkComments(text: string, { start, end }: Span, edited: string): Promise<string | undefined> {
  const { compose } = await import('../fn/yaml/compose.ts');
  const before = compose(text, start, end);
  const after = compose(edited, start, end + edited.length - text.length);
  if (before && 'problem' in before) return before.problem.message;
  if (after && 'problem' in after) return `the edited text is not readable: ${after.problem.message}`;
  const difference = differ({ text, root: bare(before) }, { text: edited, root: bare(after) });
  return difference === undefined
    ? undefined
    : `more than comments would have changed (${difference}); this is a bug of image-update, please report it with this document`;
}

/** A tree without its comments. */
function bare(root: Node | undefined): Node | undefined {
  const stack = root ? [root] : [];
  for (let node = stack.pop(); node; node = stack.pop())
    if (node.kind === 'seq') stack.push(...node.items);
    else if (node.kind === 'map') for (const { key, value } of node.entries) stack.push(key, value);
    else {
      delete node.comment;
      delete node.above;
    }
  return root;
}
