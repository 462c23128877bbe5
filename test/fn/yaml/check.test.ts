import t from 'tap';
import { replaceAll, type Replacement } from '../../../fn/replace.ts';
import { checkEdits, type Write } from '../../../fn/yaml/check.ts';
import { compose } from '../../../fn/yaml/compose.ts';
import { encodeScalar } from '../../../fn/yaml/scalar.ts';
import type { Node, ScalarNode } from '../../../fn/yaml/tree.ts';
import { rightEdits, wrongEdits } from '../../fixtures/yaml/edits.ts';

interface Edit {
  text: string;
  /** What stands where, and what is to stand there. */
  marks: Replacement[];
}

function unmark(marked: string): Edit {
  const marks: Replacement[] = [];
  let text = '';
  for (const part of marked.split(/(«[^»]*»)/)) {
    const [, old, now] = /^«([^]*)→([^]*)»$/.exec(part) ?? [];
    if (old !== undefined) marks.push({ start: text.length, end: text.length + old.length, text: now! });
    text += old ?? part;
  }
  return { text, marks };
}

function scalars(node: Node): ScalarNode[] {
  if (node.kind === 'scalar') return [node];
  if (node.kind === 'map') return node.entries.flatMap(({ value }) => scalars(value));
  return node.kind === 'seq' ? node.items.flatMap(scalars) : [];
}

function scalarAt(text: string, start: number, from = 0): ScalarNode {
  const tree = compose(text, from, text.length);
  if (!tree || 'problem' in tree) throw new Error(`${JSON.stringify(text)}: ${JSON.stringify(tree)}`);
  return scalars(tree).find((scalar) => scalar.start === start)!;
}

function encoded({ scalar, value }: Write, text: string): Replacement {
  return { start: scalar.start, end: scalar.end, text: encodeScalar(scalar, value, text) };
}

t.test('right edits pass', async (t) => {
  for (const [name, marked] of Object.entries(rightEdits)) {
    const { text, marks } = unmark(marked);
    const writes = marks.map((mark) => ({ scalar: scalarAt(text, mark.start), value: mark.text }));
    const replacements = writes.map((write) => encoded(write, text));
    const span = { start: 0, end: text.length };
    t.equal((await checkEdits(text, span, writes, replacements))?.message, undefined, name);
  }
});

t.test('wrong edits are caught', async (t) => {
  for (const [name, marked] of Object.entries(wrongEdits)) {
    const { text, marks } = unmark(marked);
    const writes = marks.map(({ start }) => ({ scalar: scalarAt(text, start), value: 'nginx:2' }));
    const problem = await checkEdits(text, { start: 0, end: text.length }, writes, marks);
    t.equal(problem?.reason, 'edit-unsafe', name);
  }
});

t.test('an item of a list is judged alone', async (t) => {
  const text = 'items:\n  - a: b\n    image: x:1\n  - a: b\n    image: &x x:1 # c\n    b: *x\n  - not: [closed\n';
  const span = { start: text.indexOf('  - a', 20), end: text.indexOf('  - not') };
  const scalar = scalarAt(text.slice(0, span.end), text.lastIndexOf('x:1'), span.start);
  const replacement = encoded({ scalar, value: 'x:2' }, text);
  t.equal(await checkEdits(text, span, [{ scalar, value: 'x:2' }], [replacement]), undefined);
  t.equal(replaceAll(text, [replacement]), text.replace('&x x:1', '&x x:2'));
  const wrong = await checkEdits(text, span, [{ scalar, value: 'x:2' }], [{ ...replacement, text: 'x:3' }]);
  t.equal(wrong?.reason, 'edit-unsafe');
  t.equal(wrong?.offset, span.start);
});

t.test('a document that no parser reads is not edited', async (t) => {
  const text = 'a: b\nc: [d\n';
  const scalar: ScalarNode = { kind: 'scalar', start: 3, end: 4, value: 'b', style: 'plain' };
  const problem = await checkEdits(
    text,
    { start: 0, end: text.length },
    [{ scalar, value: 'x' }],
    [{ start: 3, end: 4, text: 'x' }],
  );
  t.equal(problem?.reason, 'yaml-invalid');
});
