// The executable as a process: streams, files, exit statuses, and what is left behind when things go wrong.
import { spawnSync, type SpawnSyncOptions } from 'node:child_process';
import {
  lstatSync,
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { cloudFile } from '../../scripts/build.ts';
import { bundleLazily } from '../../scripts/lazy.ts';
import { lists } from '../fixtures/lists.ts';
import { leaveOutOfQuickRun } from '../quick.ts';

leaveOutOfQuickRun();

const root = join(import.meta.dirname, '../..');
const help = readFileSync(join(root, 'docs/function.md'), 'utf8');
const base = mkdtempSync(join(tmpdir(), 'image-update-'));
t.teardown(() => rmSync(base, { recursive: true, force: true }));
// Another user shall get at it.
chmodSync(base, 0o755);
const program = join(base, 'image-update.cjs');
const bundled = await bundleLazily(
  root,
  'fn/main.ts',
  {
    platform: 'node',
    target: 'node22.19',
    logLevel: 'warning',
    define: { __HELP__: JSON.stringify(help) },
  },
  cloudFile,
);
writeFileSync(program, bundled.program);

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

function run(args: string[], { input = '', ...options }: SpawnSyncOptions = {}): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    input,
    maxBuffer: 1 << 28,
    timeout: 30_000,
    ...options,
  });
  return { status, stdout: String(stdout), stderr: String(stderr) };
}

/** Makes a directory of files; they are old, so that any write shows. */
function tree(files: Record<string, string | Buffer>): string {
  const directory = mkdtempSync(join(base, 'tree-'));
  for (const [name, content] of Object.entries(files)) {
    const file = join(directory, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    utimesSync(file, 1000, 1000);
  }
  return directory;
}

/** Every name below a directory with the content of files and their time of change, in seconds. */
function look(directory: string): [name: string, content: string, time: number][] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry): [string, string, number] => {
      const file = join(entry.parentPath, entry.name);
      return [file.slice(directory.length + 1), readFileSync(file, 'utf8'), statSync(file).mtimeMs / 1000];
    })
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function pod(image: string, ...annotations: string[]): string {
  const notes = ["fluxcd.io/automated: 'true'", 'fluxcd.io/tag.app: semver:~1', ...annotations];
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
${notes.map((note) => `    ${note}\n`).join('')}spec:
  template:
    spec:
      containers:
      - name: app
        image: ${image} # kept
`;
}

const metadata = `apiVersion: image-update.dev/v1alpha1
kind: ImageMetadata
metadata: {name: app}
image: ghcr.io/org/app
tags: [{name: 1.0.0}, {name: 1.2.0}]
`;
const OLD = 'ghcr.io/org/app:1.0.0';
const NEW = 'ghcr.io/org/app:1.2.0';
const answers = join(base, 'answers.yaml');
writeFileSync(answers, metadata);
const list = lists[0]!.text;
const config = join(base, 'config.yaml');
writeFileSync(
  config,
  `apiVersion: image-update.dev/v1alpha1
kind: ImageUpdate
spec: {updates: [{image: nginx, to: {tag: "2"}}]}
`,
);
const badConfig = join(base, 'bad-config.yaml');
writeFileSync(badConfig, 'apiVersion: image-update.dev/v1alpha1\nkind: ImageUpdate\nspec: {stricct: true}\n');
const twoConfigs = join(base, 'two-configs.yaml');
writeFileSync(twoConfigs, 'kind: ImageUpdate\n---\nkind: ImageUpdate\n');
const binary = join(base, 'binary.yaml');
writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00, 0x80]));
const missing = join(base, 'none', 'none.yaml');
const locked = join(base, 'locked');
mkdirSync(locked);
writeFileSync(join(locked, 'web.yaml'), pod(OLD, "fluxcd.io/locked: 'true'"));

interface Refused {
  name: string;
  args?: string[];
  input?: string;
  status: number;
  says: RegExp;
}

const refused: Refused[] = [
  { name: 'empty stdin', status: 1, says: /stdin is empty/ },
  {
    name: 'truncated JSON',
    input: '{"kind":"ResourceList","items":[{"ki',
    status: 1,
    says: /not readable YAML at line 1/,
  },
  { name: 'truncated YAML', input: 'kind: ResourceList\nfunctionConfig: {a: "b', status: 1, says: /not readable YAML/ },
  { name: 'a list that is cut off', input: `${list}- kind: Po\n  me`, status: 1, says: /not readable YAML at line/ },
  { name: 'two documents', input: `${list}---\n${list}`, status: 1, says: /document/ },
  { name: 'a Pod', input: pod(OLD), status: 1, says: /holds a Deployment.*image-update DIR/ },
  { name: 'stdin is not text', args: ['--input', binary], status: 1, says: /binary\.yaml is not UTF-8 text/ },
  { name: 'an input that is not there', args: ['--input', missing], status: 1, says: /none\.yaml cannot be read/ },
  { name: 'an output that cannot be', args: ['--output', missing], input: list, status: 1, says: /cannot be written/ },
  { name: 'mistyped option', args: ['--dry-rnu'], status: 2, says: /--dry-rnu.*\n?.*--dry-run/ },
  { name: 'option without its value', args: ['--metadata'], status: 2, says: /--metadata.*argument missing/ },
  { name: '--diff of a list', args: ['--diff'], input: list, status: 2, says: /--diff is for directories/ },
  { name: '--output of a directory', args: [locked, '--output', 'x'], status: 2, says: /edited in place/ },
  { name: 'operand that is not there', args: [missing], status: 1, says: /none\.yaml cannot be read/ },
  { name: '--fn-config that is not there', args: ['--fn-config', missing], input: list, status: 1, says: /none\.yaml/ },
  { name: '--fn-config that is wrong', args: [locked, '--fn-config', badConfig], status: 2, says: /stricct.*strict/ },
  { name: '--fn-config of two documents', args: [locked, '--fn-config', twoConfigs], status: 1, says: /2 documents/ },
  { name: '--metadata that is not there', args: [locked, '--metadata', missing], status: 1, says: /none\.yaml cannot/ },
  { name: '--metadata that is not text', args: [locked, '--metadata', binary], status: 1, says: /not UTF-8/ },
  { name: '--results nowhere', args: [locked, '--results', missing], status: 1, says: /none\.yaml cannot be written/ },
  {
    name: '--strict',
    args: [locked, '--strict', '--metadata', answers],
    status: 1,
    says: /locked[^]*nothing was written/,
  },
];

t.test('what cannot be done is said, by a line and an exit status', async (t) => {
  const before = look(locked);
  for (const { name, args = [], input = '', status, says } of refused) {
    const result = run(args, { input });
    t.equal(result.status, status, `${name}: ${result.stderr}`);
    t.match(result.stderr, says, name);
    t.notMatch(result.stderr, /this is a bug|^ +at /m, `${name}: no stack`);
    t.ok(result.stdout === '' || result.stdout === input, `${name}: nothing on stdout`);
  }
  t.strictSame(look(locked), before);
});

t.test('--help prints the page of the function', async (t) => {
  for (const option of ['--help', '-h']) t.strictSame(run([option]), { status: 0, stdout: help, stderr: '' });
});

t.test('a list through the pipe', async (t) => {
  const done = run(['--fn-config', config], { input: list });
  t.equal(done.status, 0);
  t.ok(done.stdout.startsWith(list.replace('nginx:1', 'nginx:2')));
  t.equal(done.stderr, '', 'quiet');
  const loud = run(['--fn-config', config], { input: list, env: { LOG_TO_STDERR: 'true' } });
  t.match(loud, { status: 0, stdout: done.stdout, stderr: /nginx:1 -> nginx:2/ });
  const dry = run(['--fn-config', config, '--dry-run'], { input: list });
  t.ok(dry.status === 0 && dry.stdout.startsWith(list), 'dry run: results alone');
  t.strictSame(run(['--fn-config', config, '--input', '-', '--output', '-'], { input: list, cwd: base }), done);
  t.notOk(existsSync(join(base, '-')), 'no file of that name');
  const results = join(base, 'results.json');
  const output = join(base, 'output.yaml');
  t.match(run(['--fn-config', config, '--results', results, '--output', output], { input: list }), {
    status: 0,
    stdout: '',
  });
  t.equal(readFileSync(output, 'utf8'), done.stdout);
  t.match(JSON.parse(readFileSync(results, 'utf8')), [{ severity: 'info', message: 'nginx:1 -> nginx:2' }]);
});

t.test('a failed run gives the list back whole, with the reason', async (t) => {
  const config = 'functionConfig: {apiVersion: image-update.dev/v1alpha1, kind: ImageUpdate, spec: {';
  const update = 'updates: [{image: nginx, to: {tag: "2"}}]';
  const twice = list + list.slice(list.indexOf('- apiVersion'));
  for (const [name, text, status, reason] of [
    ['wrong configuration', `${list}${config}none: 1}}\n`, 2, 'config'],
    ['too many changes', `${twice}${config}maxChanges: 1, ${update}}}\n`, 1, 'too-many-changes'],
    ['strict', `${list}${config}strict: true, updates: [{image: none, to: {tag: "2"}}]}}\n`, 1, 'update-unmatched'],
  ] as const) {
    const { status: actual, stdout, stderr } = run([], { input: text });
    t.equal(actual, status, name);
    t.ok(stdout.startsWith(text), `${name}: items as they were`);
    t.match(stdout.slice(text.length), new RegExp(`"severity":"error".*"${reason}"`), name);
    t.match(stderr, /\w/, `${name}: told`);
  }
});

t.test('a large list, and a reader who leaves', async (t) => {
  const secret = 'A'.repeat(64 << 20);
  const large = `${list}- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: large}\n  binaryData:\n    a: ${secret}\n`;
  const started = performance.now();
  const { status, stdout } = run(['--fn-config', config], { input: large });
  t.equal(status, 0);
  t.ok(stdout.startsWith(large.replace('nginx:1', 'nginx:2')), 'all of it came out');
  t.ok(performance.now() - started < 10_000, 'in bounded time');
  writeFileSync(join(base, 'large.yaml'), large);
  const left = spawnSync(
    'sh',
    ['-c', '("$0" "$1" <large.yaml; echo "status $?" >&2) | head -c 4', process.execPath, program],
    {
      cwd: base,
      encoding: 'utf8',
    },
  );
  t.match(left, { stdout: list.slice(0, 4), stderr: 'status 0\n' });
});

t.test('a directory: what changes, what stays', async (t) => {
  const files = {
    'a/web.yaml': pod(OLD),
    'b.yml': `# top\r\n---\r\n${pod(OLD).replaceAll('\n', '\r\n')}`,
    'far.yaml': `${pod(OLD)}${'# far\n'.repeat(30)}---\n${pod(OLD)}`.trimEnd(),
    'other.yaml': 'a: b\n',
    'done.yaml': pod(NEW),
    'text.txt': pod(OLD),
    'with blank.yaml': pod(OLD),
    'binary.yaml': Buffer.concat([Buffer.from('fluxcd.io/automated'), Buffer.from([0xff, 0x00])]),
  };
  const directory = tree(files);
  chmodSync(join(directory, 'a/web.yaml'), 0o640);
  const before = look(directory);
  const args = ['.', '--metadata', answers];

  const dry = run([...args, '--dry-run', '--diff'], { cwd: directory });
  t.match(dry, { status: 0, stdout: /^--- a\/a\/web\.yaml\n/, stderr: /would change/ });
  t.strictSame(look(directory), before, 'a dry run writes nothing');
  const patched = tree(files);
  const apply = spawnSync('git', ['apply', '-'], { cwd: patched, input: dry.stdout, encoding: 'utf8' });
  t.equal(apply.stderr, '');

  const results = join(base, 'directory.json');
  const { status, stdout, stderr } = run([...args, '--results', results], { cwd: directory });
  t.equal(status, 0);
  t.match(stdout, `${OLD} -> ${NEW}`);
  t.match(stderr, /binary\.yaml.*not UTF-8 text/);
  t.match(JSON.parse(readFileSync(results, 'utf8')), { length: 6 });
  const after = look(directory);
  t.strictSame(
    after.map(([name, content]) => [name, content]),
    before.map(([name, content]) => [name, name.endsWith('txt') ? content : content.replaceAll(OLD, NEW)]),
  );
  t.strictSame(
    after.filter(([, , time]) => time === 1000).map(([name]) => name),
    ['binary.yaml', 'done.yaml', 'other.yaml', 'text.txt'],
    'files that did not change were not written',
  );
  t.equal(statSync(join(directory, 'a/web.yaml')).mode & 0o777, 0o640, 'mode');
  t.strictSame(
    look(patched).map(([name, content]) => [name, content]),
    after.map(([name, content]) => [name, content]),
    'git apply of the diff does the same',
  );
  const second = run(args, { cwd: directory });
  t.match(second, { status: 0, stdout: '', stderr: /nothing to change/ });
  t.strictSame(look(directory), after);
});

t.test('results that cannot be written stop the run before it changes a file', async (t) => {
  const directory = tree({ 'web.yaml': pod(OLD) });
  const before = look(directory);
  for (const results of [missing, '/dev/full', directory]) {
    const { status, stderr } = run([directory, '--metadata', answers, '--results', results]);
    t.equal(status, 1, results);
    t.ok(stderr.includes(`${results} cannot be written`), stderr);
    t.strictSame(look(directory), before, `${results}: the directory is as it was`);
  }
});

t.test('links are not followed out of the tree', async (t) => {
  const outside = tree({ 'web.yaml': pod(OLD), 'below/web.yaml': pod(OLD) });
  const before = look(outside);
  const directory = tree({ 'in/web.yaml': pod(OLD) });
  symlinkSync(join(outside, 'web.yaml'), join(directory, 'file.yaml'));
  symlinkSync(join(outside, 'below'), join(directory, 'below'));
  symlinkSync(join(outside, 'none'), join(directory, 'dangling.yaml'));
  symlinkSync('in/web.yaml', join(directory, 'inside.yaml'));
  symlinkSync('.', join(directory, 'circle'));
  const { status, stderr } = run([directory, '--metadata', answers]);
  t.equal(status, 0);
  for (const name of ['file.yaml', 'below']) t.match(stderr, new RegExp(`${name}.*link that leads out`));
  t.match(stderr, /dangling\.yaml.*link to nothing/);
  t.notMatch(stderr, /inside|circle/);
  t.strictSame(look(outside), before);
  t.equal(readFileSync(join(directory, 'in/web.yaml'), 'utf8'), pod(NEW));
});

t.test('an operand that is a link stays one, and its target is updated', async (t) => {
  const directory = tree({ 'real/web.yaml': pod(OLD) });
  chmodSync(join(directory, 'real/web.yaml'), 0o600);
  symlinkSync('real/web.yaml', join(directory, 'link.yaml'));
  t.equal(run([join(directory, 'link.yaml'), '--metadata', answers]).status, 0);
  t.ok(lstatSync(join(directory, 'link.yaml')).isSymbolicLink());
  t.equal(readFileSync(join(directory, 'real/web.yaml'), 'utf8'), pod(NEW));
  t.equal(statSync(join(directory, 'real/web.yaml')).mode & 0o777, 0o600);
});

t.test('operands that overlap update each file once', async (t) => {
  const directory = tree({ 'real/web.yaml': pod(OLD) });
  const { status, stdout } = run([directory, join(directory, 'real'), '--metadata', answers]);
  t.equal(status, 0);
  t.equal(stdout.trimEnd().split('\n').length, 1);
  t.equal(readFileSync(join(directory, 'real/web.yaml'), 'utf8'), pod(NEW));
});

t.test('an --output that is also the input is written whole or not at all', async (t) => {
  const directory = tree({ 'list.yaml': list });
  const file = join(directory, 'list.yaml');
  t.equal(run(['--input', file, '--output', file, '--fn-config', config]).status, 0);
  t.strictSame(readdirSync(directory), ['list.yaml'], 'no temporary file stays');
  t.match(readFileSync(file, 'utf8'), /^results:/m);
});

t.test('a directory that cannot be written stays as it was', async (t) => {
  const directory = tree({ 'a/web.yaml': pod(OLD), 'b/web.yaml': pod(OLD) });
  const before = look(directory);
  chmodSync(join(directory, 'b'), 0o555);
  chmodSync(directory, 0o755);
  // To root every directory is open.
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  if (nobody.uid)
    for (const name of ['', 'a', 'a/web.yaml', 'b', 'b/web.yaml'])
      chownSync(join(directory, name), nobody.uid, nobody.gid);
  const reports = tree({});
  const results = join(reports, 'results.json');
  if (nobody.uid) chownSync(reports, nobody.uid, nobody.gid);
  const { status, stdout, stderr } = run([directory, '--metadata', answers, '--results', results], nobody);
  t.equal(status, 1);
  t.equal(readFileSync(results, 'utf8'), '[]\n', 'no change is told');
  t.match(stderr, /b\/web\.yaml cannot be written: permission denied; nothing was changed/);
  t.equal(stdout, '');
  t.strictSame(look(directory), before, 'nothing written, nothing left behind');
});

t.test('files of others, in a directory that is open to all', async (t) => {
  if (process.getuid?.() !== 0) {
    t.pass('needs root, to be another user', { skip: true });
    return;
  }
  const directory = tree({ 'a/web.yaml': pod(OLD) });
  for (const [name, mode] of [
    ['', 0o755],
    ['a', 0o777],
    ['a/web.yaml', 0o666],
  ] as const)
    chmodSync(join(directory, name), mode);
  const file = join(directory, 'a/web.yaml');
  t.equal(run([directory, '--metadata', answers], { uid: 65534, gid: 65534 }).status, 0);
  t.equal(readFileSync(file, 'utf8'), pod(NEW));
  t.match(statSync(file), { uid: 65534, mode: 0o100666 }, 'is whose edit it is, and as open as it was');
  chownSync(file, 1234, 1234);
  writeFileSync(file, pod(OLD));
  t.equal(run([directory, '--metadata', answers]).status, 0);
  t.match(statSync(file), { uid: 1234, gid: 1234 }, 'root keeps the owner');
});

t.test('a terminal on stdin', async (t) => {
  const terminal = spawnSync('script', ['-qec', `"${process.execPath}" "${program}"`, '/dev/null'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
    encoding: 'utf8',
  });
  if (terminal.error || !terminal.stdout.includes('image-update')) {
    t.pass('a terminal', { skip: 'the program "script" is not there, or has other options' });
    return;
  }
  t.equal(terminal.status, 2);
  t.match(
    terminal.stdout,
    /nothing on stdin, which is a terminal; pipe a ResourceList in, or name a directory to edit/,
  );
});

t.test('what may not be read', async (t) => {
  const directory = tree({
    'web.yaml': pod(OLD),
    'secret.yaml': pod(OLD),
    'closed/web.yaml': pod(OLD),
    'config.yaml': '',
  });
  // To root every file is open.
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  chmodSync(directory, 0o755);
  const closed = ['secret.yaml', 'closed', 'config.yaml'].map((name) => join(directory, name));
  for (const name of closed) chmodSync(name, 0);
  t.teardown(() => closed.forEach((name) => chmodSync(name, 0o755)));
  const [secret, below, config] = closed as [string, string, string];
  const done = run([directory, '--metadata', answers, '--dry-run'], nobody);
  t.match(done, { status: 0, stdout: `${OLD} -> ${NEW}` }, 'the others go on');
  t.match(done.stderr, /secret\.yaml: warning: it cannot be read: permission denied/);
  t.match(done.stderr, /closed: warning: it cannot be read: permission denied/);
  for (const args of [
    [below],
    ['--input', secret],
    [directory, '--metadata', secret],
    [directory, '--fn-config', config],
  ])
    t.match(run(args, nobody), { status: 1, stdout: '', stderr: /cannot be read: permission denied/ }, args.join(' '));
});

/** In milliseconds: all of them take less than two seconds on a machine that has nothing else to do. */
const BOUND = 15_000;
/** As much memory as a small runner gives. */
const SMALL = { ...process.env, NODE_OPTIONS: '--max-old-space-size=384' };

const keys = Array.from({ length: 20_000 }, (_, i) => `    key-${i}: "${i}"\n`).join('');
const levels = `a: ${'['.repeat(5000)}${']'.repeat(5000)}\n`;
const bomb = Array.from(
  { length: 40 },
  (_, i) => `a${i}: &a${i} [${i > 0 ? Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ') : 'x'}]\n`,
).join('');
const indented = (text: string) => text.replaceAll(/^(?=.)/gm, '  ');

/** Files that stand beside one that is to be updated, and what is said of them. */
const hostile: [name: string, text: string | Buffer, says?: RegExp | undefined, changes?: true][] = [
  ['20,000 keys in one map', pod(OLD).replace('annotations:\n', `annotations:\n${keys}`), undefined, true],
  [
    '20,000 keys in one map, for the thorough reader',
    pod(OLD).replace('annotations:\n', `annotations:\n${keys}    x: !!str y\n`),
    undefined,
    true,
  ],
  [
    '20,000 keys in one map, one of them twice',
    `${pod(OLD)}data:\n${keys}    key-7: x\n`,
    /the key "key-7" stands twice/,
  ],
  ['5,000 levels', pod(OLD) + levels, /nested (?:too deeply|deeper)/],
  [
    '5,000 levels of maps',
    pod(OLD) + levels.replaceAll('[', '{a: ').replaceAll(']', '}'),
    /nested (?:too deeply|deeper)/,
  ],
  ['an alias bomb', pod(OLD) + bomb, undefined, true],
  [
    'an alias bomb in values',
    `${pod(OLD).replace('Deployment', 'HelmRelease')}  values:\n${indented(indented(bomb))}`,
    /no image was found/,
  ],
  [
    'an ImagePolicy that is an alias bomb',
    `apiVersion: image-update.dev/v1alpha1\nkind: ImagePolicy\nmetadata: {name: p}\n${bomb}`,
  ],
  ['a MiB of brackets', `${pod(OLD)}a: ${']'.repeat(1 << 20)}\n`, /not valid YAML/],
  ['a MiB of commas', `${pod(OLD)}a: [${','.repeat(1 << 20)}\n`, /too large for a thorough reading/],
  [
    'a ConfigMap of 64 MB',
    `kind: ConfigMap\nmetadata: {name: large}\ndata:\n  note: fluxcd.io/automated\n  a: ${'A'.repeat(64 << 20)}\n`,
  ],
  ['a binary file', Buffer.concat([Buffer.from('fluxcd.io/automated'), Buffer.alloc(1 << 20, 0xfe)]), /not UTF-8 text/],
  ['a file of zeros', Buffer.concat([Buffer.from('fluxcd.io/automated'), Buffer.alloc(1 << 20)]), /not UTF-8 text/],
  ['a NUL in an annotated Deployment', `${pod(OLD)}a: "\0"\n`, /not UTF-8 text/],
];

t.test('bad input in a directory: bounded time and memory, and all others go on', async (t) => {
  for (const [name, text, says, changes] of hostile) {
    const directory = tree({ 'bad.yaml': text, 'web.yaml': pod(OLD) });
    const started = performance.now();
    const { status, stderr } = run([directory, '--metadata', answers], { env: SMALL });
    t.ok(performance.now() - started < BOUND, `${name}: in bounded time`);
    t.equal(status, 0, `${name}: ${stderr.slice(0, 300)}`);
    if (says) t.match(stderr, says, name);
    else t.notMatch(stderr, /warning:/, `${name}: nothing is said`);
    const [bad, web] = look(directory);
    t.equal(web?.[1], pod(NEW), `${name}: the other file`);
    t.ok(bad?.[1] === String(text).replace(OLD, changes ? NEW : OLD), `${name}: the file itself`);
    rmSync(directory, { recursive: true });
  }
});

t.test('bad input elsewhere: bounded time and memory, and nothing half written', async (t) => {
  const bad = join(base, 'bomb.yaml');
  writeFileSync(bad, `apiVersion: image-update.dev/v1alpha1\nkind: ImageUpdate\nspec: {}\n${bomb}`);
  const functionConfig = `functionConfig:\n  kind: ImageUpdate\n${indented(bomb)}`;
  const item = `- kind: Pod\n${indented(bomb)}`;
  for (const [name, args, input, status, says] of [
    ['--fn-config', ['--fn-config', bad], list, 1, /aliases repeat|nested deeper/],
    ['--metadata', ['--metadata', bad, '--fn-config', config], list, 0, /^$/],
    [
      'functionConfig',
      [],
      list + functionConfig,
      1,
      /functionConfig is not readable: .*(?:aliases repeat|nested deeper)/,
    ],
    ['an item', ['--fn-config', config], list + item, 0, /^$/],
    ['5,000 levels', ['--fn-config', config], `${list}- ${levels}`, 0, /^$/],
  ] as const) {
    const started = performance.now();
    const { status: actual, stdout, stderr } = run([...args], { input, env: SMALL });
    t.ok(performance.now() - started < BOUND, `${name}: in bounded time`);
    t.equal(actual, status, `${name}: ${stderr}`);
    t.match(stderr, says, name);
    t.notMatch(stderr, /this is a bug/, name);
    t.ok(
      status === 0 ? stdout.startsWith(input.replace('nginx:1', 'nginx:2')) : stdout === '',
      `${name}: all or nothing`,
    );
  }
});

t.test('a full disk', async (t) => {
  const full = run(['--fn-config', config, '--output', '/dev/full'], { input: list });
  t.match(full, { status: 1, stderr: /full cannot be written/ });
  const nowhere = openSync('/dev/full', 'w');
  t.teardown(() => closeSync(nowhere));
  const deaf = run([], { input: list, stdio: ['pipe', nowhere, 'pipe'] });
  t.match(deaf, { status: 1, stderr: /^image-update: stdout cannot be written: ENOSPC.*\n$/ });
  const mute = run(['--fn-config', config], {
    input: list,
    env: { LOG_TO_STDERR: '1' },
    stdio: ['pipe', 'pipe', nowhere],
  });
  t.match(mute, { status: 0, stdout: 'nginx:2' });
  const disk = join(base, 'disk');
  mkdirSync(disk);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', disk]);
  if (mounted.status !== 0) {
    t.pass('a file system to fill', { skip: 'none can be mounted here' });
    return;
  }
  t.teardown(() => spawnSync('umount', [disk]));
  const page = '# a line of text\n'.repeat(400);
  for (const name of ['a.yaml', 'b.yaml', 'c.yaml']) writeFileSync(join(disk, name), pod(OLD) + page);
  const before = look(disk);
  const { status, stderr } = run([disk, '--metadata', answers]);
  t.equal(status, 1);
  t.match(stderr, /cannot be written: no space left on the device; nothing was changed/);
  t.strictSame(look(disk), before, 'nothing written, nothing left behind');
});
