import type { Note } from '../note.ts';
import { replaceAll, type Replacement } from '../replace.ts';
import type { Node, ScalarNode, Span } from './tree.ts';

/** A scalar, and the text that it must decode to afterwards. */
export interface Write {
  scalar: ScalarNode;
  value: string;
}

/**
 * Proves an edit: the document before and after is parsed by a second, independent parser, and must be equal event for
 * event save for the scalars written, which must say what was meant (reference/krm-function.md D4.5).
 *
 * js-yaml judges, as it is ten times as fast as the AST of `yaml`; what it does not take (`!!merge`, aliases to an anchor
 * before an item of a list) is judged by that AST, and what neither takes is not edited. Undefined if all is well.
 */
export async function checkEdits(
  text: string,
  span: Span,
  writes: readonly Write[],
  replacements: readonly Replacement[],
): Promise<Note | undefined> {
  const overrun = writes.some(({ scalar }, i) => !covers(replacements[i]!, scalar));
  if (overrun || writes.length !== replacements.length)
    return broken('other text than the value is replaced', span.start);
  const before = text.slice(span.start, span.end);
  const after = replaceAll(text, replacements, span.start, span.end);
  // Events tell nothing of comments; only a text with a "#" can hold one.
  if (!replacements.some(({ start, end, text: now }) => (text.slice(start, end) + now).includes('#'))) {
    const { compare } = await import('./events.ts');
    if (compare(before, after, writes, span.start) === 'equal') return undefined;
  }
  const { compose } = await import('./compose.ts');
  const [was, is] = [compose(text, span.start, span.end), compose(after, 0, after.length)];
  if (isRefusal(was)) return was.problem;
  if (isRefusal(is)) return broken(`the edited text is not readable: ${is.problem.message}`, span.start);
  const written = new Map(writes.map(({ scalar, value }) => [scalar.start, value]));
  const difference = differ({ text, root: was }, { text: after, root: is }, written);
  return difference === undefined ? undefined : broken(difference, span.start);
}

function covers(replacement: Span, scalar: Span): boolean {
  return replacement.start === scalar.start && replacement.end === scalar.end;
}

function isRefusal(
  node: Node | undefined | { problem: Note & { offset: number } },
): node is { problem: Note & { offset: number } } {
  return node !== undefined && 'problem' in node;
}

/** A tree, and the text that its comments stand in. */
interface Document {
  text: string;
  root: Node | undefined;
}

/** Where two trees differ but for what was written; undefined if nowhere. */
export function differ(
  before: Document,
  after: Document,
  written: ReadonlyMap<number, string> = new Map(),
): string | undefined {
  // Pairs still to compare; a stack of our own, as documents may be deep. Aliases are compared by name.
  const stack: [Node | undefined, Node | undefined][] = [[before.root, after.root]];
  for (let pair = stack.pop(); pair; pair = stack.pop()) {
    const [a, b] = pair;
    if (a?.kind !== b?.kind) return `a ${a?.kind ?? 'nothing'} became a ${b?.kind ?? 'nothing'}`;
    if (!a || !b) continue;
    if (commentOf(a, before.text) !== commentOf(b, after.text)) return 'a comment changed';
    if (a.kind === 'alias' || b.kind === 'alias') {
      if (a.kind !== 'alias' || b.kind !== 'alias' || a.name !== b.name) return 'an alias changed';
      continue;
    }
    if (a.anchor !== b.anchor || a.tag !== b.tag) return 'an anchor or a tag changed';
    if (a.kind === 'scalar' && b.kind === 'scalar') {
      const expected = written.get(a.start);
      const same = expected === undefined ? a.value === b.value : chomped(b) === chomped({ ...b, value: expected });
      if (!same) return `"${b.value}" stands where "${expected ?? a.value}" should`;
    } else if (a.kind === 'map' && b.kind === 'map') {
      if (a.entries.length !== b.entries.length) return 'a map has another number of keys';
      for (const [i, entry] of a.entries.entries()) {
        const other = b.entries[i]!;
        stack.push([entry.key, other.key], [entry.value, other.value]);
      }
    } else if (a.kind === 'seq' && b.kind === 'seq') {
      if (a.items.length !== b.items.length) return 'a list has another number of items';
      for (const [i, item] of a.items.entries()) stack.push([item, b.items[i]]);
    }
  }
  return undefined;
}

function commentOf(node: Node, text: string): string | undefined {
  const comment = 'comment' in node ? node.comment : undefined;
  return comment && text.slice(comment.start, comment.end);
}

/** A block scalar's final line ends are its header's affair. */
function chomped({ style, value }: Pick<ScalarNode, 'style' | 'value'>): string {
  return style === 'literal' || style === 'folded' ? value.replace(/\n+$/, '') : value;
}

function broken(why: string, offset: number): Note {
  return {
    reason: 'edit-unsafe',
    message: `the edit was not made, as more than the image would have changed (${why}); this is a bug of image-update, please report it with this document`,
    offset,
  };
}
