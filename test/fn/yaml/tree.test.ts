import t from 'tap';
import { scan, UNSURE } from '../../../fn/yaml/scan.ts';
import { at, get, textOf, type Node } from '../../../fn/yaml/tree.ts';

function read(text: string): Node | undefined {
  const root = scan(text);
  if (root === UNSURE) throw new Error(`the scanner is unsure of ${text}`);
  return root;
}

t.test('keys are seen through aliases and merges, own keys first, then merged maps in order', async (t) => {
  const root = read(`
a: &a {image: a, x: ax}
b: &b {image: b, y: by}
one: {<<: *a}
own: {<<: *a, image: own}
two: {<<: [*b, *a]}
deep: {<<: {<<: *b, x: deep}}
quoted: {"<<": *a}
alias: *a
`);
  const cases: [string, string, string | undefined][] = [
    ['one', 'image', 'a'],
    ['own', 'image', 'own'],
    ['own', 'x', 'ax'],
    ['two', 'image', 'b'],
    ['two', 'x', 'ax'],
    ['two', 'z', undefined],
    ['deep', 'x', 'deep'],
    ['deep', 'y', 'by'],
    ['quoted', 'image', undefined],
    ['alias', 'x', 'ax'],
    ['one', 'toString', undefined],
  ];
  for (const [map, key, wanted] of cases) t.equal(textOf(at(root, map, key)), wanted, `${map}.${key}`);
});

t.test('what is nothing has no text', async (t) => {
  const root = read('a:\nb: ~\nc: null\nd: "~"\ne: ""\nf: {}\n');
  for (const key of ['a', 'b', 'c', 'f', 'g']) t.equal(textOf(get(root, key)), undefined, key);
  t.equal(textOf(get(root, 'd')), '~');
  t.equal(textOf(get(root, 'e')), '');
});

t.test('maps that merge each other many times over are looked at once', { timeout: 5000 }, async (t) => {
  const nine = (i: number): string => Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ');
  const levels = Array.from({ length: 40 }, (_, i) => `a${i}: &a${i} ${i === 0 ? '{x: 1}' : `{<<: [${nine(i)}]}`}\n`);
  const last = get(read(levels.join('')), 'a39');
  t.equal(textOf(get(last, 'x')), '1');
  t.equal(get(last, 'absent'), undefined);
});
