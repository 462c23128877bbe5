import t from 'tap';
import { lineAt } from '../../../fn/lines.ts';
import { compose } from '../../../fn/yaml/compose.ts';
import { splitDocuments } from '../../../fn/yaml/documents.ts';
import { readDocument } from '../../../fn/yaml/read.ts';
import { scan, UNSURE } from '../../../fn/yaml/scan.ts';
import { at, deref, type Node, type ScalarNode } from '../../../fn/yaml/tree.ts';
import { toValue } from '../../../fn/yaml/value.ts';
import { placeCases, refusals } from '../../fixtures/yaml/places.ts';

function scalars(node: Node): ScalarNode[] {
  if (node.kind === 'scalar') return [node];
  if (node.kind === 'map') return node.entries.flatMap(({ value }) => scalars(value));
  return node.kind === 'seq' ? node.items.flatMap(scalars) : [];
}

function composed(text: string): Node {
  const tree = compose(text, 0, text.length);
  if (!tree || 'problem' in tree) throw new Error(`${JSON.stringify(text)}: ${JSON.stringify(tree)}`);
  return tree;
}

function messageOf(text: string): string {
  const tree = compose(text, 0, text.length);
  return tree && 'problem' in tree ? `${tree.problem.reason}: ${tree.problem.message}` : '';
}

t.test('what the range of a value covers, to both readers', async (t) => {
  for (const { name, text: marked, unsure = false, ...wanted } of placeCases) {
    const text = marked.replace(/[«»]/g, '');
    const [start, end] = [marked.indexOf('«'), marked.indexOf('»') - 1];
    const scanned = scan(text);
    t.equal(scanned === UNSURE, unsure, `${name}: sure`);
    for (const tree of [composed(text), ...(scanned && scanned !== UNSURE ? [scanned] : [])]) {
      const found = scalars(tree).find((scalar) => scalar.start === start);
      const { style, value, comment } = found ?? {};
      t.same(
        { style, value, end: found?.end, ...(comment && { comment: text.slice(comment.start, comment.end) }) },
        { ...wanted, end },
        name,
      );
    }
  }
});

t.test('what is refused: why, and on which line', async (t) => {
  for (const { name, text, ...wanted } of refusals) {
    t.equal(scan(text), UNSURE, `${name}: unsure`);
    const outcome = await readDocument(text);
    if (!('problem' in outcome)) {
      t.fail(`${name}: not refused`);
      continue;
    }
    const { reason, message, offset } = outcome.problem;
    t.match(
      { reason, line: lineAt(text, offset), message },
      { reason: wanted.reason, line: wanted.line, message: wanted.says },
      name,
    );
  }
});

t.test('comments above an item belong to it; others do not', async (t) => {
  const text = 'a:\n# one\n# two\n- b\n\n# three\n\n- c\n- d # four\n# five\n- *x\n'.replace('a:', 'y: &x z\na:');
  for (const tree of [composed(text), scan(text) as Node]) {
    const list = at(tree, 'a');
    const above =
      list?.kind === 'seq'
        ? list.items.map((item) => ('above' in item && item.above ? text.slice(item.above.start, item.above.end) : ''))
        : [];
    t.same(above, ['# one\n# two', '', '', '# five']);
  }
});

t.test('aliases and merge keys: the latest anchor before counts, own keys come first', async (t) => {
  const text = 'a: &x {b: 1, c: 2}\nd: *x\ne: {<<: *x, c: 3}\nf: &x 4\ng: *x\n';
  const tree = composed(text);
  t.same(toValue(at(tree, 'd')), { b: 1, c: 2 });
  t.same([at(tree, 'e', 'b'), at(tree, 'e', 'c')].map(toValue), [1, 3]);
  t.equal(toValue(at(tree, 'g')), 4);
  t.equal(deref(at(tree, 'd')), at(tree, 'a'));
});

t.test('a stream is split by its markers alone', async (t) => {
  const text = '\uFEFF# c\n---\na: |\n  ---\n  x\n--- # d\n---\n~\n---\n# only\n...\n%YAML 1.2\n---\n---x: y\n';
  t.same(
    splitDocuments(text).map(({ start, end, index }) => [index, text.slice(start, end)]),
    [
      [0, '\uFEFF# c\n---\na: |\n  ---\n  x\n'],
      [1, '%YAML 1.2\n---\n---x: y\n'],
    ],
  );
});

/** A second, and what a loaded machine takes besides. In milliseconds. */
const BOUND = 5000;
/** What costs the AST most: each text took it 5 to 20 seconds. */
const COSTLY: [head: string, unit: string, refusal: RegExp][] = [
  ['', ']', /^yaml-invalid: .*Unexpected flow-seq-end/],
  ['[', ',', /^too-large: /],
  ['[', ': ', /^too-large: /],
  ['', '"', /^yaml-invalid: |^too-large: /],
  ['', '{{ a }}\n', /^template: /],
  ['', '- a: &a b\n  c: *a\n', /^too-large: /],
];

t.test('a MiB of anything is read or refused in bounded time', async (t) => {
  for (const [head, unit, refusal] of COSTLY) {
    const text = head + unit.repeat((1 << 20) / unit.length);
    const started = performance.now();
    t.match(messageOf(text), refusal, JSON.stringify(head + unit));
    t.ok(performance.now() - started < BOUND, `${JSON.stringify(head + unit)}: in bounded time`);
  }
  t.equal(messageOf(`a: !!str b\nb:\n${'- key: value\n'.repeat(50_000)}`), '', '50,000 lines are read');
});

t.test('hostile texts are refused, not thrown', async (t) => {
  const deep = (open: string, close: string, levels: number): string => open.repeat(levels) + close.repeat(levels);
  t.match(messageOf(deep('[', ']', 5000)), /nested too deeply/);
  t.match(messageOf('{a: '.repeat(5000)), /nested too deeply/);
  t.match(messageOf('- '.repeat(5000)), /nested too deeply/);
  t.match(
    messageOf(Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')),
    /nested (too deeply|deeper)/,
  );
  t.match(messageOf(`a: |\n  ${'x'.repeat(9_000_000)}\n`), /too-large: .*8\.6 MiB/);
  const long = messageOf(`a: ${'!'.repeat(100_000)} b\n`);
  t.ok(long !== '' && long.length < 400, 'a message quotes little');
  const keys = Array.from({ length: 20_000 }, (_, i) => `key${i}: ${i}\n`).join('');
  t.equal(Object.keys(toValue(composed(`${keys}a: !!str b\n`)) as object).length, 20_001);
  t.match(messageOf(`${keys}key7: !!str b\n`), /duplicate-key: .*"key7"/);
  const bomb = Array.from({ length: 30 }, (_, i) => `a${i}: &a${i} [${i > 0 ? `*a${i - 1}, *a${i - 1}` : 'x'}]\n`).join(
    '',
  );
  const started = performance.now();
  t.throws(() => toValue(composed(bomb)), { name: 'RangeError', message: /aliases repeat more than/ });
  t.ok(performance.now() - started < BOUND, 'in bounded time');
  const repeated = toValue(composed(`a: &a [${'x, '.repeat(1000)}]\nb: [${'*a, '.repeat(90)}]\n`));
  t.equal((repeated as { b: unknown[][] }).b.flat().length, 90_000, 'many aliases of something small');
  const blanks = composed(`a: "${' '.repeat(1_000_000)}\\t"\n`);
  t.equal((at(blanks, 'a') as ScalarNode).value.length, 1_000_001);
});
