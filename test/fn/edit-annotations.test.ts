// Edits of annotations: as the table says, and of random documents nothing but what was wanted.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { load } from 'js-yaml';
import t from 'tap';
import { editAnnotations, type AnnotationEdit } from '../../fn/edit-annotations.ts';
import { chainReplacements, replaceAll, type Replacement } from '../../fn/replace.ts';
import { readDocument } from '../../fn/yaml/read.ts';
import type { Entry, MapNode } from '../../fn/yaml/tree.ts';
import { edits } from '../fixtures/annotation-edits.ts';
import { damage, randomDocument } from './yaml/random.ts';

const numRuns = process.env['QUICK'] ? 60 : 600;

async function edit(text: string, { set, remove }: AnnotationEdit, path = '') {
  const result = await editAnnotations(text, { start: 0, end: text.length }, new Map([[path, { set, remove }]]));
  return 'problems' in result ? result.problems.get(path)! : replaceAll(text, result.replacements);
}

function wanted(set: Record<string, string>, remove: readonly string[] = []): AnnotationEdit {
  return { set: new Map(Object.entries(set)), remove: new Set(remove) };
}

t.test('documents after an edit', async (t) => {
  for (const { about, text, path = '', set = {}, remove = [], edited, says } of edits) {
    const result = await edit(text, wanted(set, remove), path);
    if (edited === undefined) t.match(result, { message: says }, about);
    else {
      t.equal(result, edited, about);
      t.equal(await edit(edited, wanted(set, remove), path), edited, `${about}: once more changes nothing`);
    }
  }
});

t.test('in a stream, of the document alone', async (t) => {
  const document = 'kind: Pod\nmetadata:\n  name: web\n';
  const text = `# first\n---\n${document}---\n${document}`;
  const start = text.indexOf('---');
  const edits = new Map([['', wanted({ 'x/y': 'z' })]]);
  const result = await editAnnotations(text, { start, end: text.lastIndexOf('---') }, edits);
  t.match(result, { replacements: [{ text: '  annotations:\n    x/y: z\n' }] });
  if ('replacements' in result)
    t.equal(
      replaceAll(text, result.replacements),
      `# first\n---\n${document}  annotations:\n    x/y: z\n---\n${document}`,
    );
});

t.test('of a list, many at once; or of those that cannot be, each by its path', async (t) => {
  const items = [
    '  metadata: {name: a}\n',
    '  metadata:\n    annotations: {a: b, c: d}\n    name: b\n',
    '  metadata:\n    name: c\n    annotations:\n      c: d\n      a: b\n',
  ];
  const list = (texts: readonly string[]) =>
    `kind: List\nitems:\n${texts.map((text) => `- kind: Pod\n${text}`).join('')}`;
  const all = (edit: AnnotationEdit, count: number) =>
    new Map(Array.from({ length: count }, (_, i) => [`items[${i}]`, edit]));
  const edited = async (text: string, edits: ReadonlyMap<string, AnnotationEdit>) => {
    const result = await editAnnotations(text, { start: 0, end: text.length }, edits);
    return 'problems' in result ? result.problems : replaceAll(text, result.replacements);
  };
  t.equal(
    await edited(list(items), all(wanted({ x: 'z' }, ['a', 'c']), 3)),
    list([
      '  metadata: {name: a, annotations: {x: z}}\n',
      '  metadata:\n    annotations: {x: z}\n    name: b\n',
      '  metadata:\n    name: c\n    annotations:\n      x: z\n',
    ]),
  );
  t.equal(
    await edited(list(items), all(wanted({}, ['a', 'c']), 3)),
    list([items[0]!, '  metadata:\n    name: b\n', '  metadata:\n    name: c\n']),
  );
  const problems = await edited(list([...items, '  metadata: []\n', '  metadata: {}\n']), all(wanted({ x: 'z' }), 5));
  t.match(
    problems,
    new Map([
      ['items[3]', { message: /a list/ }],
      ['items[4]', { message: /is empty/ }],
    ]),
  );
  t.equal(typeof problems === 'string' ? 0 : problems.size, 2);
});

const AUTOMATED = 'fluxcd.io/automated';

/** A manifest as somebody may write it. */
interface Hand {
  form: 'block' | 'braces' | 'lines' | 'json' | 'json over lines';
  step: number;
  eol: string;
  bom: boolean;
  ended: boolean;
  labels: 'none' | 'first' | 'last';
  annotations: string[][] | 'none' | 'nothing' | 'null' | 'empty';
  comments: boolean;
}

const values = ['b', '"true"', "'c d'", 'semver:~1.2', '"#"', "'it''s'", 'true'];
const hands = fc.record<Hand>({
  form: fc.constantFrom('block', 'block', 'braces', 'lines', 'json', 'json over lines'),
  step: fc.integer({ min: 1, max: 4 }),
  eol: fc.constantFrom('\n', '\r\n'),
  bom: fc.boolean(),
  ended: fc.boolean(),
  labels: fc.constantFrom('none', 'first', 'last'),
  annotations: fc.oneof(
    fc.constantFrom('none' as const, 'nothing' as const, 'null' as const, 'empty' as const),
    fc
      .uniqueArray(fc.constantFrom('a', 'x/y', 'fluxcd.io/tag.web', "'q'", '"r"'), { minLength: 1 })
      .chain((keys) => fc.tuple(...keys.map((key) => fc.tuple(fc.constant(key), fc.constantFrom(...values))))),
  ),
  comments: fc.boolean(),
});

/** Keys with texts, or with more keys. */
type Tree = [key: string, value: string | Tree][];

function manifest({ annotations, labels, ...hand }: Hand): string {
  const simple = { none: undefined, nothing: '', null: 'null', empty: '{}' };
  const value = typeof annotations === 'string' ? simple[annotations] : (annotations as Tree);
  const label: Tree = [['labels', [['app', 'web']]]];
  const metadata: Tree = [
    ...(labels === 'first' ? label : []),
    ['name', 'web'],
    ...(value === undefined ? [] : ([['annotations', value]] as Tree)),
    ...(labels === 'last' ? label : []),
  ];
  const tree: Tree = [
    ['kind', 'Pod'],
    ['metadata', metadata],
    ['spec', [['image', "'nginx'"]]],
  ];
  const lines = hand.form === 'block' ? block(tree, 0, hand) : [braces(tree, 0, hand)];
  const text = lines.join('\n').replaceAll('\n', hand.eol) + (hand.ended ? hand.eol : '');
  return (hand.bom ? '\uFEFF' : '') + text;
}

function block(tree: Tree, depth: number, hand: Pick<Hand, 'step' | 'comments'>): string[] {
  const indent = ' '.repeat(depth * hand.step);
  return tree.flatMap(([key, value]) => {
    const above = hand.comments ? [`${indent}# above ${key}`] : [];
    if (typeof value !== 'string') return [...above, `${indent}${key}:`, ...block(value, depth + 1, hand)];
    return [...above, `${indent}${key}:${value && ` ${value}`}${hand.comments && value ? ` # of ${key}` : ''}`];
  });
}

function braces(tree: Tree, depth: number, hand: Pick<Hand, 'form' | 'step' | 'comments'>): string {
  const { form, step, comments } = hand;
  const json = form.startsWith('json');
  const overLines = form === 'lines' || form === 'json over lines';
  const entries = tree.map(([key, value]) => {
    const written = typeof value === 'string' ? value : braces(value, depth + 1, hand);
    if (!json) return `${key}: ${written}`;
    const bare = typeof value === 'string' ? JSON.stringify(load(value || 'null') ?? null) : written;
    return `${JSON.stringify(String(load(key)))}:${overLines ? ' ' : ''}${bare}`;
  });
  if (!overLines) return `{${entries.join(json ? ',' : ', ')}}`;
  const indent = `\n${' '.repeat(depth * step)}`;
  const inner = indent + ' '.repeat(step);
  const last = entries.length - 1;
  const lines = entries.map((entry, i) => `${inner}${entry}${i < last ? ',' : ''}${comments && !json ? ' # c' : ''}`);
  return `{${lines.join('')}${indent}}`;
}

/** The value of a document to a reader that the edit does not use. */
function valueOf(text: string): { metadata: { annotations?: Record<string, unknown> } } {
  return load(text.replace(/^\uFEFF/, '')) as ReturnType<typeof valueOf>;
}

/** What the document says after an edit, if all is as wanted. */
function expected(text: string, { set, remove }: AnnotationEdit): unknown {
  const value = valueOf(text);
  const annotations = { ...value.metadata.annotations, ...Object.fromEntries(set) };
  for (const key of remove) delete annotations[key];
  return { ...value, metadata: { ...value.metadata, annotations } };
}

/** An empty map is as good as none. */
function said(text: string): unknown {
  const value = valueOf(text);
  return { ...value, metadata: { ...value.metadata, annotations: value.metadata.annotations ?? {} } };
}

function commentLines(text: string): string {
  return (text.match(/^\s*#.*$/gm) ?? []).map((line) => line.trim()).join('\n');
}

const changes = fc.record({
  set: fc.dictionary(
    fc.constantFrom(AUTOMATED, 'fluxcd.io/tag.web', 'a'),
    fc.constantFrom('true', 'glob:*', 'semver:>=1 <2', "it's", '1.10', 'regexp:^[0-9]+$', 'a\nb', 'x: y # z', ''),
  ),
  remove: fc.uniqueArray(fc.constantFrom('x/y', 'q', 'r', 'b')),
});

t.test('of a manifest in any hand the annotations change, and nothing else', async (t) => {
  await fc.assert(
    fc.asyncProperty(hands, changes, async (hand, { set, remove }) => {
      const text = manifest(hand);
      const edit1 = wanted(set, remove);
      const edited = await edit(text, edit1);
      if (typeof edited !== 'string') throw new Error(`${edited.message}\n${text}`);
      const again = await edit(edited, edit1);
      const problem = !isDeepStrictEqual(said(edited), expected(text, edit1))
        ? 'something else is said'
        : again !== edited
          ? 'a second time changes something'
          : commentLines(edited) !== commentLines(text)
            ? 'a comment is gone'
            : hand.eol === '\r\n' && /(?<!\r)\n/.test(edited)
              ? 'a line ends otherwise'
              : undefined;
      if (problem) throw new Error(`${problem}:\n${text}\n>>>\n${edited}`);
    }),
    { numRuns },
  );
  t.pass();
});

t.test('automated and no longer automated, every byte is as before', async (t) => {
  await fc.assert(
    fc.asyncProperty(hands, async (hand) => {
      // Of annotations without any, nothing is left.
      if (hand.annotations === 'nothing' || hand.annotations === 'null' || hand.annotations === 'empty') return;
      const text = manifest(hand);
      const edited = await edit(text, wanted({ [AUTOMATED]: 'true' }));
      const back = typeof edited === 'string' ? await edit(edited, wanted({}, [AUTOMATED])) : edited;
      if (back !== text) throw new Error(`${text}\n>>>\n${JSON.stringify(edited)}\n>>>\n${JSON.stringify(back)}`);
    }),
    { numRuns },
  );
  t.pass();
});

/** A random document, one map of which becomes its metadata, and a key in there its annotations. */
async function withMetadata(text: string, which: number): Promise<string | undefined> {
  const document = await readDocument(text);
  const maps = 'problem' in document ? [] : mapsIn(document.root?.kind === 'map' ? document.root : undefined);
  const metadata = maps[which % (maps.length || 1)];
  if (!metadata) return undefined;
  const inside = metadata.value.entries.filter(({ value }) => value.kind !== 'seq');
  const annotations = inside[which % (inside.length + 1)];
  const renamed = [rename(metadata, 'metadata'), ...(annotations ? [rename(annotations, 'annotations')] : [])];
  return replaceAll(
    text,
    renamed.toSorted((a, b) => a.start - b.start),
  );
}

function mapsIn(root: MapNode | undefined): { key: Entry['key']; value: MapNode }[] {
  return (root?.entries ?? []).flatMap(({ key, value }) => (value.kind === 'map' ? { key, value } : []));
}

function rename({ key: { start, end, style } }: Pick<Entry, 'key'>, name: string): Replacement {
  return { start, end, text: style === 'double' ? `"${name}"` : name };
}

const damages = fc.array(fc.record({ kind: fc.nat(99), at: fc.nat(9999), what: fc.nat(99) }), { maxLength: 2 });

t.test('of a random document the annotations change and nothing else, or nothing at all', async (t) => {
  let edited = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(999), damages, fc.boolean(), async (seed, which, damages, removes) => {
      const text = await withMetadata(damage(randomDocument(seed), damages), which);
      if (text === undefined) return;
      const document = await readDocument(text);
      const root = 'problem' in document || document.root?.kind !== 'map' ? undefined : document.root;
      const metadata = mapsIn(root).find(({ key }) => key.value === 'metadata')?.value;
      const keys = mapsIn(metadata).flatMap(({ value }) => value.entries.map(({ key }) => key.value));
      const wish = wanted({ [AUTOMATED]: 'true' }, removes ? keys.slice(0, 2) : []);
      const result = await edit(text, wish);
      if (typeof result !== 'string') {
        if (result.message.includes('this is a bug')) throw new Error(`${result.message}\n${text}`);
        return;
      }
      edited++;
      if ((await edit(result, wish)) !== result) throw new Error(`not the same twice:\n${text}\n>>>\n${result}`);
      // What js-yaml does not take was compared by the other reader alone.
      const [before, after] = [attempt(() => expected(text, wish)), attempt(() => said(result))];
      if (before !== undefined && !isDeepStrictEqual(after, before))
        throw new Error(`something else is said:\n${text}\n>>>\n${result}`);
    }),
    { numRuns },
  );
  t.ok(edited > numRuns / 20, `${edited} were edited`);
});

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

t.test('two lists of replacements make one', async (t) => {
  const places = fc.array(fc.tuple(fc.nat(20), fc.nat(5), fc.string({ maxLength: 3 })), { maxLength: 4 });
  fc.assert(
    fc.property(fc.string({ minLength: 10, maxLength: 20 }), places, places, (text, first, second) => {
      const one = apart(first, text.length);
      const middle = replaceAll(text, one);
      const two = apart(second, middle.length);
      return replaceAll(text, chainReplacements(one, two)) === replaceAll(middle, two);
    }),
    { numRuns },
  );
  t.pass();
});

/** Replacements in order that lie in a text and do not overlap. */
function apart(places: [number, number, string][], length: number): Replacement[] {
  let position = 0;
  return places
    .toSorted(([a], [b]) => a - b)
    .flatMap(([at, size, text]) => {
      const start = Math.max(at, position);
      const end = start + size;
      if (end > length) return [];
      position = end;
      return [{ start, end, text }];
    });
}
