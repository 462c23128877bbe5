import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { compose } from '../../../fn/yaml/compose.ts';
import { scan, UNSURE } from '../../../fn/yaml/scan.ts';
import type { Node } from '../../../fn/yaml/tree.ts';
import { sureCases, unsureCases } from '../../fixtures/yaml/sure.ts';
import { damage, randomDocument } from './random.ts';

const RUNS = process.env['QUICK'] ? 300 : 2000;

/** Each scalar with its path; breaks as `\n`. */
function outline(node: Node | undefined, path: string[] = []): string[] {
  if (!node) return [];
  const start = `${path.join('.')}=`;
  if (node.kind === 'alias') return [`${start}*${node.name}`];
  if (node.kind === 'scalar') return [start + node.value.replaceAll('\n', '\\n')];
  const lines =
    node.kind === 'seq'
      ? node.items.flatMap((item, i) => outline(item, [...path, String(i)]))
      : node.entries.flatMap(({ key, value }) => outline(value, [...path, key.value]));
  return lines.length > 0 ? lines : [`${start}${node.kind === 'seq' ? '[]' : '{}'}`];
}

/** The scanner promises nothing but this: what it is sure of is what the AST says. */
function agrees(text: string, start = 0, end = text.length): boolean {
  const scanned = scan(text, start, end);
  return scanned === UNSURE || isDeepStrictEqual(scanned, compose(text, start, end));
}

const seed = fc.nat(0x7fff_ffff);
const damages = fc.array(fc.record({ kind: fc.nat(1000), at: fc.nat(100_000), what: fc.nat(1000) }), {
  minLength: 1,
  maxLength: 3,
});

t.test('ordinary texts are read without help', async (t) => {
  for (const { name, text, from, to, outline: wanted } of sureCases) {
    const [start, end] = [from ? text.indexOf(from) : 0, to ? text.indexOf(to) : text.length];
    const scanned = scan(text, start, end);
    t.not(scanned, UNSURE, name);
    if (scanned === UNSURE) continue;
    t.same(outline(scanned), wanted, name);
    t.ok(isDeepStrictEqual(scanned, compose(text, start, end)), `${name}: as the AST reads it`);
  }
});

t.test('what is rare or wrong is left to the AST', async (t) => {
  for (const [name, text] of Object.entries(unsureCases)) t.equal(scan(text), UNSURE, name);
});

t.test('ordinary documents: sure of nearly all, and right', async (t) => {
  let sure = 0;
  fc.assert(
    fc.property(seed, (seed) => {
      const text = randomDocument(seed, true);
      if (scan(text) !== UNSURE) sure++;
      return agrees(text);
    }),
    { numRuns: RUNS },
  );
  t.ok(sure / RUNS >= 0.9, `sure of ${sure} in ${RUNS}`);
});

t.test('odd and damaged documents: sure or right', async () => {
  const property = fc.property(seed, fc.boolean(), damages, (seed, ordinary, damages) =>
    agrees(damage(randomDocument(seed, ordinary), damages)),
  );
  fc.assert(property, { numRuns: 2 * RUNS });
});

t.test('slices of documents: sure or right', async () => {
  const property = fc.property(seed, fc.nat(1000), fc.nat(1000), fc.boolean(), (seed, from, length, dashes) => {
    const text = randomDocument(seed, true);
    const lines = [...text.matchAll(dashes ? /^ *- /gm : /^(?! *#)/gm)].map(({ index }) => index);
    if (lines.length === 0) return true;
    const first = from % lines.length;
    return agrees(text, lines[first], lines[first + 1 + (length % lines.length)] ?? text.length);
  });
  fc.assert(property, { numRuns: RUNS });
});

/** As many levels or keys as nobody writes; the scanner must neither throw nor take long. */
const hostile: Record<string, [string, boolean]> = {
  '5,000 levels of flow': ['['.repeat(5000) + ']'.repeat(5000), false],
  '5,000 open brackets': ['{a: '.repeat(5000), false],
  '5,000 levels of block': [Array.from({ length: 5000 }, (_, i) => `${' '.repeat(i)}a:\n`).join(''), false],
  '5,000 dashes': ['- '.repeat(5000), false],
  '200 levels of flow': ['['.repeat(200) + ']'.repeat(200), true],
  '20,000 keys': [Array.from({ length: 20_000 }, (_, i) => `key${i}: value\n`).join(''), true],
  'an 8 MB line': [`a: ${'x'.repeat(8_000_000)}\n`, true],
  '8 MB of blanks': [`a: b${' '.repeat(8_000_000)}c\n`, true],
  '2 MB of blank lines': [`a: b\n${'\n'.repeat(2_000_000)}  c\n`, true],
  'a 64 MB block scalar': [
    `kind: ConfigMap\ndata:\n  a: |\n${`${' '.repeat(4)}${'y'.repeat(123)}\n`.repeat(500_000)}`,
    true,
  ],
};

t.test('hostile texts end soon', async (t) => {
  for (const [name, [text, sure]] of Object.entries(hostile)) {
    const begin = performance.now();
    const scanned = scan(text);
    t.equal(scanned !== UNSURE, sure, name);
    t.ok(performance.now() - begin < 5000, `${name}: in time`);
  }
});
