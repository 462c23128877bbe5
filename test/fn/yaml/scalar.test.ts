import fc from 'fast-check';
import { CORE_SCHEMA, load, YAML11_SCHEMA } from 'js-yaml';
import t from 'tap';
import { parse } from 'yaml';
import { compose } from '../../../fn/yaml/compose.ts';
import { encodeScalar } from '../../../fn/yaml/scalar.ts';
import { scan, UNSURE } from '../../../fn/yaml/scan.ts';
import type { Node, ScalarNode } from '../../../fn/yaml/tree.ts';
import { contexts, encodeCases, plainValues, quotedValues, styles, type Context } from '../../fixtures/yaml/scalars.ts';

const RUNS = process.env['QUICK'] ? 200 : 1000;

const readers: Record<string, (text: string) => unknown> = {
  'yaml 1.1': (text) => parse(text, { version: '1.1' }),
  'yaml 1.2': (text) => parse(text, { version: '1.2' }),
  'js-yaml 1.1': (text) => load(text, { schema: YAML11_SCHEMA }),
  'js-yaml 1.2': (text) => load(text, { schema: CORE_SCHEMA }),
};

function read(text: string): Node {
  const tree = compose(text, 0, text.length);
  if (!tree || 'problem' in tree) throw new Error(`${JSON.stringify(text)}: ${JSON.stringify(tree)}`);
  const scanned = scan(text);
  return scanned && scanned !== UNSURE ? scanned : tree;
}

function scalars(node: Node): ScalarNode[] {
  if (node.kind === 'scalar') return [node];
  if (node.kind === 'map') return node.entries.flatMap(({ value }) => scalars(value));
  return node.kind === 'seq' ? node.items.flatMap(scalars) : [];
}

function write(text: string, scalar: ScalarNode, value: string): string {
  return text.slice(0, scalar.start) + encodeScalar(scalar, value, text) + text.slice(scalar.end);
}

function valueAt(data: unknown, path: Context['path']): unknown {
  return path.reduce((inner, key) => (inner as Record<string | number, unknown>)[key], data);
}

/** Undefined if each reader finds the value; else who finds what. */
function misread({ text, path }: Context, style: string, value: string): string | undefined {
  const before = text.replace('@', style);
  const scalar = scalars(read(before)).find((candidate) => candidate.value.trim() === 'old')!;
  const after = write(before, scalar, value);
  // A block scalar's final line breaks are its header's affair.
  const isBlock = style.startsWith('|') || style.startsWith('>');
  for (const [name, reader] of Object.entries(readers)) {
    const found = valueAt(reader(after), path);
    const same = isBlock ? String(found).replace(/\n+$/, '') === value.replace(/\n+$/, '') : found === value;
    if (!same) return `${name} reads ${JSON.stringify(found)} in ${JSON.stringify(after)}`;
  }
  return undefined;
}

const places = contexts.flatMap((context) =>
  Object.values(styles)
    .filter((style) => !context.flow || !/^[|>]/.test(style))
    .map((style) => ({ context, style })),
);

/** What numbers, dates, words and indicators are made of. */
const NUMERIC = Array.from('-+0123456789._:exobEXfaTZ~nulltrueyson <=\'"#@,/');

t.test('an edit in every style', async (t) => {
  for (const { name, text: marked, value, out } of encodeCases) {
    const text = marked.replace(/[«»]/g, '');
    const [start, end] = [marked.indexOf('«'), marked.indexOf('»') - 1];
    const scalar = scalars(read(text)).find((candidate) => candidate.start === start);
    t.equal(scalar?.end, end, `${name}: the span`);
    if (scalar) t.equal(write(text, scalar, value), out, name);
  }
});

t.test('quotes only where they are needed', async (t) => {
  const [scalar] = scalars(read('a: old\n'));
  const isQuoted = (value: string): boolean => encodeScalar(scalar!, value, 'a: old\n') !== value;
  t.strictSame(plainValues.filter(isQuoted), []);
  t.strictSame(
    quotedValues.filter((value) => !isQuoted(value)),
    [],
  );
});

t.test('every value reads back, in every style, by every reader', async (t) => {
  const few = places.filter(({ context }) => context === contexts[0] || context.text.startsWith('{'));
  for (const { context, style } of few) {
    const found = [...plainValues, ...quotedValues].map((value) => misread(context, style, value));
    t.strictSame(
      found.filter((problem) => problem !== undefined),
      [],
    );
  }
});

t.test('any value reads back', async () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...NUMERIC), maxLength: 10 }),
    fc
      .tuple(fc.constantFrom(...plainValues, ...quotedValues), fc.string({ maxLength: 3 }))
      .map((parts) => parts.join('')),
  );
  const property = fc.property(value, fc.constantFrom(...places), (value, { context, style }) => {
    const found = misread(context, style, value);
    if (found !== undefined) throw new Error(found);
  });
  fc.assert(property, { numRuns: RUNS });
});
