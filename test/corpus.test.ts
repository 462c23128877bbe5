// The bench corpus, small: it agrees with itself, and the engine makes exactly the edits that its truth names.
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { generate } from '../bench/corpus.ts';
import { expected, places, readTruth, VARIANTS, type Variant } from '../bench/corpus/truth.ts';
import { verify } from '../bench/corpus/verify.ts';
import type { Arguments } from '../fn/arguments.ts';
import type { Io } from '../fn/io.ts';
import { runDirectory } from '../fn/run-directory.ts';
import { runList } from '../fn/run-list.ts';

const quick = process.env['QUICK'] !== undefined;
const APPS = quick ? 40 : 150;
const SEEDS = quick ? [1] : [1, 2];
const MAX_SHOWN = 5;

t.test('the same seed gives the same bytes', async (t) => {
  const root = t.testdir({ a: {}, b: {}, c: {} });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => join(root, name)) as [string, string, string];
  t.same(generate(a, { apps: 20, seed: 7 }), generate(b, { apps: 20, seed: 7 }));
  generate(c, { apps: 20, seed: 8 });
  t.same(fingerprint(a), fingerprint(b));
  t.notSame(fingerprint(a), fingerprint(c));
});

for (const seed of SEEDS) {
  t.test(`a corpus of ${APPS} apps, seed ${seed}`, async (t) => {
    const dir = t.testdir();
    generate(dir, { apps: APPS, seed });
    t.same(verify(dir).slice(0, MAX_SHOWN), [], 'its truth is what an independent reading finds');
    await testDirectory(t, dir);
    await testList(t, dir);
  });
}

/** Each variant's news contain those before it, so that one tree serves all, in order. */
async function testDirectory(t: Test, dir: string): Promise<void> {
  const source = places.tree(dir);
  const tree = join(dir, 'updated');
  cpSync(source, tree, { recursive: true });
  let settled = new Map<string, string>();
  for (const variant of VARIANTS) {
    const truth = readTruth(places.truth(dir, variant));
    const before = stampsOf(tree);
    const status = await runDirectory(args(dir, variant, { operands: [tree] }), silent(), offline);
    t.equal(status, 0, `${variant}: the directory is updated`);
    const wrong = filesOf(source).filter((path) => {
      const bytes = readFileSync(join(source, path));
      return !readFileSync(join(tree, path)).equals(expected(bytes, truth[path]));
    });
    t.same(wrong.slice(0, MAX_SHOWN), [], `${variant}: the expected fields changed, and no other byte`);
    settled = stampsOf(tree);
    const touched = changed(before, settled).filter((path) => !truth[path]);
    t.same(touched.slice(0, MAX_SHOWN), [], `${variant}: no other file was written`);
    t.same([...settled.keys()], [...before.keys()], `${variant}: no file came or went`);
  }
  await runDirectory(args(dir, 'all', { operands: [tree] }), silent(), offline);
  t.same(changed(settled, stampsOf(tree)), [], 'a second run writes nothing');
}

async function testList(t: Test, dir: string): Promise<void> {
  const input = readFileSync(places.list(dir));
  let items: Buffer = input;
  for (const variant of VARIANTS) {
    items = expected(input, readTruth(places.listTruth(dir, variant))['list.yaml']);
    const output = await update(dir, variant, input);
    t.equal(
      firstDifference(output, items),
      undefined,
      `${variant}: the list has the expected fields and no other byte`,
    );
    t.match(output.subarray(items.length).toString(), /^(?:results:\n|$)/, `${variant}: results follow, nothing else`);
  }
  const again = await update(dir, 'all', items);
  t.equal(firstDifference(again, items), undefined, 'a second run changes nothing in the list');
}

/** What the function prints for a ResourceList. */
async function update(dir: string, variant: Variant, input: Buffer): Promise<Buffer> {
  const name = join(dir, 'input.yaml');
  const output = join(dir, 'output.yaml');
  writeFileSync(name, input);
  await runList(args(dir, variant, { input: name, output }), silent(), offline);
  return readFileSync(output);
}

/** No configuration here asks for a look-up. */
function offline(): Promise<never> {
  throw new Error('a registry was to be asked');
}

/** Where and what, if `actual` does not start with `wanted`. */
function firstDifference(actual: Buffer, wanted: Buffer): string | undefined {
  if (actual.subarray(0, wanted.length).equals(wanted)) return undefined;
  const at = wanted.findIndex((byte, index) => byte !== actual[index]);
  const around = (bytes: Buffer) => bytes.subarray(Math.max(0, at - 80), at + 40).toString();
  return `at byte ${at}: wanted ${around(wanted)}, found ${around(actual)}`;
}

function args(dir: string, variant: Variant, more: Partial<Arguments>): Arguments {
  const metadata = [places.metadata(dir, variant)];
  return { operands: [], metadata, dryRun: false, diff: false, strict: false, help: false, ...more };
}

function silent(): Io {
  const ignore = () => undefined;
  return { read: readFileSync, isTerminal: false, output: ignore, error: ignore, environment: {} };
}

function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
}

/** Inode and time of each file: a file that is written anew differs in one of them at least. */
function stampsOf(root: string): Map<string, string> {
  return new Map(
    filesOf(root).map((path) => {
      const { ino, mtimeNs, mode } = statSync(join(root, path), { bigint: true });
      return [path, `${ino} ${mtimeNs} ${mode}`];
    }),
  );
}

function changed(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...before.keys()].filter((path) => before.get(path) !== after.get(path));
}

function fingerprint(dir: string): string {
  const hash = createHash('sha256');
  for (const path of filesOf(dir)) hash.update(path).update(readFileSync(join(dir, path)));
  return hash.digest('hex');
}
