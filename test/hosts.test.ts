// Every example in its host, by the commands of its README. `UPDATE_EXPECTED=1` writes what is expected anew.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { root } from '../scripts/build.ts';
import { findProgram, toolsDirectory } from '../scripts/tools.ts';
import {
  changedLines,
  commandsOf,
  copyOf,
  exampleNames,
  expectedOf,
  gitDiff,
  installProgram,
  makeWorkshop,
  program,
  saveExpected,
  shell,
  treeOf,
  type Tree,
} from './examples.ts';

interface Host {
  example: string;
  /** Programs without which the example is skipped. */
  needs: string[];
  /** Shell that makes the outcome of a run the input of the next; `$STDOUT` is what the run printed. */
  feedBack?: string;
  /** What a second run prints, if it is not what the first one did. */
  again?: string;
}

const hosts: Host[] = [
  { example: 'directory', needs: [], again: '' },
  { example: 'pipe', needs: [], feedBack: 'cp "$STDOUT" list.yaml' },
  { example: 'kpt-eval', needs: ['kpt'] },
  { example: 'kpt-render', needs: ['kpt'] },
  { example: 'kpt-source-sink', needs: ['kpt'], feedBack: 'rm -r resources && mv updated resources' },
  { example: 'kustomize', needs: ['kustomize'] },
  { example: 'set-image', needs: ['kpt'] },
  { example: 'library', needs: [] },
  { example: 'from-argocd-image-updater', needs: [] },
  { example: 'from-flux-v2', needs: [] },
  { example: 'from-keel', needs: [], again: '' },
  { example: 'from-renovate', needs: [], again: '' },
];

/** Their READMEs are run by tests of their own, test/cli/registry.test.ts and test/job/example.test.ts: they need servers. */
const ELSEWHERE = ['registry', 'update-job'];

/** Files that tell of one run: a second run, which changes nothing, has less to tell. */
const REPORTS = /^results(?:\/|\.json$)/;

const quick = process.env['QUICK'] ? 'QUICK: it starts other programs' : false;
const built = existsSync(program);
if (!built) t.fail('dist/image-update.js is not there; run: npm run build');

// Twelve seconds on two idle cores; the programs' own limit is a minute each.
t.setTimeout(150_000);
const workshop = makeWorkshop();
installProgram(workshop, 'cat', 'cat');
installProgram(workshop, 'recorder', 'tee "$RECORD" | "$NODE" "$PROGRAM" "$@"');
t.teardown(() => rmSync(workshop, { recursive: true, force: true }));

/** Why a test cannot be run here; false if it can. */
function unable(...needs: string[]): string | false {
  const missing = needs.filter((need) => !findProgram(need));
  if (quick || !built) return quick || 'nothing is built';
  return missing.length > 0 && `${missing.join(' and ')} missing; npm run tools says how to get it`;
}

/** Files of `after` that are not in `before`. */
function added(before: Tree, after: Tree): Tree {
  return new Map([...after].filter(([path]) => !before.has(path)));
}

function withoutReports(tree: Tree): Tree {
  return new Map([...tree].filter(([path]) => !REPORTS.test(path)));
}

t.test('every example is run, by commands that its README has', async (t) => {
  t.same([...hosts.map(({ example }) => example), ...ELSEWHERE].toSorted(), exampleNames().toSorted());
  for (const { example } of hosts) t.match(commandsOf(example), /./, `${example} has commands`);
});

for (const { example, needs, feedBack, again } of hosts) {
  t.test(`example ${example}`, { skip: unable('git', ...needs) }, async (t) => {
    const commands = commandsOf(example);
    const original = copyOf(example, workshop);
    const work = copyOf(example, workshop);
    const first = await shell(workshop, work, commands);
    t.equal(first.status, 0, `it ends well: ${first.stderr}`);

    const diff = await gitDiff(workshop, original, work);
    const outcome = added(treeOf(original), treeOf(work));
    if (diff !== '') outcome.set('diff.patch', diff);
    if (first.stdout !== '' && first.stdout !== diff) outcome.set('stdout', first.stdout);
    if (process.env['UPDATE_EXPECTED']) saveExpected(example, outcome);
    t.same(outcome, expectedOf(example), 'exactly what is expected comes of it');
    t.same(
      [...treeOf(original).keys()].filter((path) => !treeOf(work).has(path)),
      [],
      'no file is lost',
    );

    if (feedBack) {
      writeFileSync(join(workshop, 'stdout'), first.stdout);
      const env = { STDOUT: join(workshop, 'stdout') };
      t.match(await shell(workshop, work, feedBack, { env }), { status: 0 });
    }
    const settled = withoutReports(treeOf(work));
    const second = await shell(workshop, work, commands);
    t.equal(second.status, 0, `a second run ends well: ${second.stderr}`);
    const end = withoutReports(treeOf(work));
    t.same(new Map([...end].filter(([path]) => settled.has(path))), settled, 'a second run changes nothing');
    for (const [path, bytes] of added(settled, end)) t.equal(bytes, outcome.get(path), `and gives the same ${path}`);
    t.equal(second.stdout, again ?? first.stdout, 'and prints what it should');
  });
}

t.test('directory: what --diff prints is what git finds', { skip: unable('git') }, async (t) => {
  const original = copyOf('directory', workshop);
  const work = copyOf('directory', workshop);
  const { stdout } = await shell(workshop, work, commandsOf('directory'));
  t.equal(stdout, await gitDiff(workshop, original, work));
  t.match(await shell(workshop, original, `git apply --check`, { input: stdout }), { status: 0 }, 'git can apply it');
});

function demo(name: string) {
  return shell(workshop, workshop, `"$NODE" "${join(root, 'scripts', `${name}.ts`)}"`);
}

t.test('the demo', { skip: unable('git') }, async (t) => {
  const { status, stdout, stderr } = await demo('demo');
  t.equal(status, 0, `it proves what it says: ${stderr}`);
  for (const part of [
    /^ +=> {2}1\.4\.10 .* chosen$/m,
    /because {6}1\.4\.10 is the highest version of 2 tags that semver:~1\.4 accepts/,
    /changed 1 image field in 1 file; pushed [0-9a-f]{12} to main/,
    /^-.*shop\/web:1\.4\.2 {3}# two blanks more, and they stay\n\+.*shop\/web:1\.4\.10 {3}# two blanks more/m,
    /tk-image: nothing to change/,
    /pull request 1 is new/,
    /^# Update 127\.0\.0\.1:\d+\/shop\/web to 1\.4\.11$/m,
    /\[compare\]\(https:\/\/github\.com\/acme\/web\/compare\/[0-9a-f]{40}\.\.\.[0-9a-f]{40}\)/,
  ])
    t.match(stdout, part);
});

t.test('the demo of a directory', { skip: unable() }, async (t) => {
  const { status, stdout, stderr } = await demo('demo-directory');
  t.equal(status, 0, `it proves what it says: ${stderr}`);
  const diff = expectedOf('directory').get('diff.patch') ?? '';
  t.ok(diff !== '' && stdout.includes(diff), 'it prints the diff, without colours in a pipe');
  for (const part of [/What moved, and why \(10\)/, /What was held, and why \(3\)/, /nothing to change in 9 files/])
    t.match(stdout, part);
});

t.test('under kpt the difference to "cat" is our lines alone', { skip: unable('git', 'kpt') }, async (t) => {
  const metadata = (work: string) =>
    ['images', 'policies'].map((name) => `--metadata ${join(work, 'metadata', `${name}.yaml`)}`).join(' ');
  // A List without a name is refused by kpt, so not the whole of that tree.
  const shop = 'clusters/production/shop';
  const runs = [
    ...['kpt-eval', 'kpt-render', 'set-image'].map((example) => ({
      example,
      below: '',
      commands: () => commandsOf(example),
    })),
    {
      // Here kpt's own doings are many: odd indentation, blank lines, CRLF.
      example: 'directory',
      below: shop,
      commands: (work: string) => `kpt fn eval ${shop} --exec "image-update ${metadata(work)}"`,
    },
  ];
  for (const { example, below, commands } of runs) {
    const [control, work] = [copyOf(example, workshop), copyOf(example, workshop)];
    t.match(await shell(workshop, control, commands(control), { bin: 'cat' }), { status: 0 });
    t.match(await shell(workshop, work, commands(work)), { status: 0 });
    const wanted = (path: string) => path.startsWith(below) && !REPORTS.test(path);
    const ours = changedLines(await gitDiff(workshop, control, work), wanted);
    const expected = changedLines(expectedOf(example).get('diff.patch') ?? '', wanted);
    t.not(expected.length, 0);
    t.same(ours.map(unspaced), expected.map(unspaced), example);
    t.same(
      [...withoutReports(treeOf(work)).keys()],
      [...withoutReports(treeOf(control)).keys()],
      `${example}: the same files`,
    );
  }
});

/** Blanks and line ends are kpt's to change. */
function unspaced(line: string): string {
  return line.replace(/\s/g, '');
}

const badConfig = `\
apiVersion: image-update.dev/v1alpha1
kind: ImageUpdate
metadata: {name: update}
spec: {marker: false}
`;
const failures = [
  {
    name: 'kpt fn eval: a warning under --strict',
    example: 'kpt-eval',
    commands: 'kpt fn eval --exec "image-update --strict" --fn-config update.yaml',
    message: /grafana\/promtail may not be written/,
  },
  {
    name: 'kpt fn eval: bad configuration',
    example: 'kpt-eval',
    commands: 'kpt fn eval --exec image-update --fn-config update.yaml',
    config: badConfig,
    message: /unknown field "marker" in spec; did you mean "markers"\?/,
  },
  {
    name: 'kpt fn eval: set-image without anything to set',
    example: 'set-image',
    commands: 'kpt fn eval --exec image-update -- name=postgres',
    message: /set-image needs newName, newTag or digest/,
  },
  {
    name: 'kpt fn render: bad configuration',
    example: 'kpt-render',
    commands: 'kpt fn render --allow-exec',
    config: badConfig,
    message: /unknown field "marker" in spec; did you mean "markers"\?/,
  },
  {
    name: 'kpt fn source | kpt fn sink: metadata that cannot be read',
    example: 'kpt-source-sink',
    commands: 'kpt fn source resources | image-update --metadata missing.json | kpt fn sink updated',
    message: /missing\.json cannot be read/,
  },
];

t.test('a failing function leaves files untouched, and is heard', { skip: unable('kpt') }, async (t) => {
  for (const { name, example, commands, config, message } of failures) {
    const work = copyOf(example, workshop);
    if (config) writeFileSync(join(work, 'update.yaml'), config);
    const before = treeOf(work);
    const { status, stdout, stderr } = await shell(workshop, work, commands);
    t.not(status, 0, name);
    t.same(treeOf(work), before, `${name}: no file is changed`);
    t.match(stdout + stderr, message, `${name}: the message is shown`);
  }
});

t.test('LOG_TO_STDERR prints the results on stderr', { skip: unable() }, async (t) => {
  const work = copyOf('pipe', workshop);
  const silent = await shell(workshop, work, commandsOf('pipe'));
  const talking = await shell(workshop, work, commandsOf('pipe'), { env: { LOG_TO_STDERR: 'true' } });
  t.equal(silent.stderr, '');
  t.equal(talking.stdout, silent.stdout);
  t.match(
    talking.stderr,
    /shop\/web\.yaml: Deployment shop\/web web: ghcr\.io\/acme\/web:2\.4\.0 -> ghcr\.io\/acme\/web:2\.5\.1@sha256:/,
  );
});

/** What kustomize 5.8.1 sends for the example: for machines without it, and to know when that changes. */
const recorded = fileURLToPath(new URL('fixtures/kustomize-list.yaml', import.meta.url));

t.test('kustomize: what it sends', { skip: unable('kustomize') }, async (t) => {
  const work = copyOf('kustomize', workshop);
  const record = join(workshop, 'recorded.yaml');
  const env = { RECORD: record, LOG_TO_STDERR: 'true' };
  const run = await shell(workshop, work, commandsOf('kustomize'), { bin: 'recorder', env });
  t.match(run.stderr, /web: ghcr\.io\/acme\/web:2\.4\.0 -> ghcr\.io\/acme\/web:2\.4\.7/, 'results are seen on stderr');
  const control = await shell(workshop, work, commandsOf('kustomize'), { bin: 'cat' });
  t.same(linesApart(control.stdout, run.stdout), kustomizeLines, 'the image lines alone differ from a build with cat');
  if (process.env['UPDATE_EXPECTED']) writeFileSync(recorded, readFileSync(record));
  if (!findProgram('kustomize')!.startsWith(toolsDirectory)) t.comment('another kustomize than the recorded one');
  else t.equal(readFileSync(record, 'utf8'), readFileSync(recorded, 'utf8'), 'it is the recorded list');
});

t.test('kustomize: the recorded list', { skip: unable() }, async (t) => {
  const input = readFileSync(recorded, 'utf8');
  const { status, stdout } = await shell(workshop, workshop, 'image-update', { input });
  t.equal(status, 0);
  const items = (list: string) => list.slice(0, list.indexOf('\nfunctionConfig:'));
  t.same(linesApart(items(input), items(stdout)), kustomizeLines, 'ids, annotations and order are kept');
  t.ok(stdout.startsWith(items(stdout) + input.slice(items(input).length)), 'so is all the rest, results come behind');
});

const kustomizeLines = [
  ['- image: envoyproxy/envoy:v1.31.0', '- image: envoyproxy/envoy:v1.32.2'],
  ['- image: ghcr.io/acme/web:2.4.0', '- image: ghcr.io/acme/web:2.4.7'],
];

/** The lines in which two texts of as many lines differ, in order of the alphabet. */
function linesApart(a: string, b: string): string[][] {
  const others = b.split('\n');
  const lines = a.split('\n');
  if (lines.length !== others.length) return [[`${lines.length} lines`, `${others.length} lines`]];
  const apart = lines.flatMap((line, i) => (line === others[i] ? [] : [[line.trim(), others[i]!.trim()]]));
  return apart.toSorted(([x], [y]) => (x! < y! ? -1 : 1));
}
