// Everything that can be said of the sources and the build without running a test. `npm run check`; it runs all steps
// and fails if one did.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { programHelp } from '../cli/help.ts';
import { buildAll, bundles, root, type Bundle } from './build.ts';
import { outdatedCrds } from './crds.ts';
import { outdated } from './docs.ts';
import { NOTICES } from './notices.ts';
import { asideIn, releaseCommit } from './release.ts';

/** A step's problems, none if it passed. */
type Step = () => string[] | Promise<string[]>;

const steps: Record<string, Step> = {
  types: () => program('tsc', '-p', root),
  lint: () => program('oxlint', '--type-aware', '--deny-warnings'),
  format: () => program('oxfmt', '--check'),
  'dead code': () => program('knip', '--no-progress'),
  docs: () => [...outdated().keys()].map((page) => `${page} is out of date; run: npm run docs`),
  crds: () => [...outdatedCrds().keys()].map((file) => `${file} is not what would be written; run: npm run crds`),
  dist: checkDist,
  'lock file': checkLock,
  paths: checkPaths,
};

function program(name: string, ...args: string[]): string[] {
  const { status, stdout, stderr, error } = spawnSync(join(root, 'node_modules/.bin', name), args, {
    cwd: root,
    encoding: 'utf8',
  });
  return status === 0 ? [] : [error?.message ?? '', stdout, stderr].filter((text) => text.trim() !== '');
}

/** Largest size of each bundle in bytes. A bundle that grows past it must be looked at: start-up is a feature. */
const SIZES: Record<Bundle, number> = {
  'image-update': 1_150_000,
  'tk-image': 20_000,
  action: 2_500_000,
  index: 950_000,
  kpt: 950_000,
};

/** What a bundle may load beside Node itself: the SDK must be the caller's own copy, as it tells errors by class. */
const EXTERNALS: Record<string, RegExp> = { kpt: /^kpt-functions(?:\/|$)/ };

/** Builds twice, apart from the tree, and holds the package to what its users rely on. */
async function checkDist(): Promise<string[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'image-update-check-'));
  try {
    const [first, second] = [join(scratch, 'first'), join(scratch, 'second')];
    await buildAll(join(first, 'dist'));
    await buildAll(join(second, 'dist'));
    return [
      ...differences(join(first, 'dist'), join(second, 'dist')),
      ...releaseProblems([first, second], scratch),
      ...besideProblems(join(first, 'dist')),
      ...bundles.flatMap((name) => bundleProblems(name, join(first, 'dist', `${name}.js`))),
      ...noticeProblems(join(first, 'dist', NOTICES)),
      ...behaviour(join(first, 'dist')),
      ...(await packageProblems(first)),
    ];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function differences(first: string, second: string): string[] {
  const files = filesBelow(first);
  if (files.join() !== filesBelow(second).join()) return ['two builds gave different files'];
  return files
    .filter((file) => !readFileSync(join(first, file)).equals(readFileSync(join(second, file))))
    .map((file) => `two builds gave different bytes of dist/${file}`);
}

/** The Action's release is made of both builds, where nobody keeps it. */
function releaseProblems(builds: readonly string[], scratch: string): string[] {
  const objects = join(scratch, 'objects');
  mkdirSync(objects);
  const commits = builds.map((build) => releaseCommit(join(build, 'dist'), 'check', asideIn(objects)));
  return new Set(commits).size === 1 ? [] : [`two releases of the same sources differ: ${commits.join(', ')}`];
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(directory, file)).isFile())
    .toSorted();
}

function bundleProblems(name: Bundle, file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const label = `dist/${name}.js`;
  const problems: string[] = [];
  const limit = SIZES[name];
  const size = Buffer.byteLength(text);
  if (size > limit) problems.push(`${label} has ${size} bytes, more than ${limit}; what made it grow?`);
  // The lazy modules of a program stand in it as JSON texts.
  for (const [, , wanted = ''] of text.replaceAll('\\"', '"').matchAll(/\b(?:require|import)\((["'`])(.*?)\1\)/g))
    if (!isBuiltin(wanted) && !isInside(text, wanted) && !EXTERNALS[name]?.test(wanted))
      problems.push(`${label} loads ${wanted}`);
  if (/^(?:import|export)[ {*]/m.test(text)) problems.push(`${label} is an ES module; CommonJS is wanted`);
  if (name in bin && !text.startsWith('#!/usr/bin/env node\n'))
    problems.push(`${label} has no #! line, so it cannot be run`);
  if (text.includes(root)) problems.push(`${label} holds the path of this checkout`);
  for (const api of NEWER) if (text.includes(api)) problems.push(`${label} uses ${api}, which Node 22.19 has not`);
  return problems;
}

/** What the SDKs try to load, and do without. */
const OPTIONAL = /^@aws-sdk\/signature-v4-crt$/;

/** The files beside the programs may be large, but must be whole, and the same on every machine. */
function besideProblems(dist: string): string[] {
  const programs = ['tk-image', 'image-update', 'action']
    .map((name) => readFileSync(join(dist, `${name}.js`), 'utf8'))
    .join('\n');
  return filesBelow(dist)
    .filter((file) => /^(?:clouds|tk-image)\//.test(file))
    .flatMap((file) => {
      const text = readFileSync(join(dist, file), 'utf8');
      const loaded = [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, wanted = '']) => wanted);
      const missing = loaded.filter((id) => !isBuiltin(id) && !OPTIONAL.test(id) && !isInside(programs, id));
      return [
        ...missing.map((id) => `dist/${file} loads ${id}`),
        ...(text.includes(root) ? [`dist/${file} holds the path of this checkout`] : []),
        ...NEWER.filter((api) => text.includes(api)).map((api) => `dist/${file} uses ${api}, which Node 22.19 has not`),
      ];
    });
}

/** Whether a module that is loaded late is in the program, or in a file beside it (scripts/lazy.ts). */
/** Each package that the bundles hold, and that is not the caller's own, must be there with its licence. */
function noticeProblems(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return Object.keys(dependencies)
    .filter((name) => !Object.values(EXTERNALS).some((external) => external.test(name)))
    .filter((name) => !text.includes(`\n${name} `))
    .map((name) => `dist/${NOTICES} has no licence of ${name}`);
}

/** Whether a module that is loaded late is in the program (scripts/lazy.ts). */
function isInside(text: string, id: string): boolean {
  return id.startsWith('lazy:') && (text.includes(`\n${JSON.stringify(id)}:`) || text.includes(`"${id}":"./`));
}

/** The bundles that are programs, and the packages that they use. */
const { bin, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  bin: Record<string, string>;
  dependencies: Record<string, string>;
};

/** Parts of Node's own API that 22.19 lacks; what the language lacks, `lib` of tsconfig.json keeps out. */
const NEWER = ['mkdtempDisposable', 'import.meta.main', 'URLPattern', 'Utf8Stream'];

const EMPTY = 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n';

function behaviour(dist: string): string[] {
  const problems: string[] = [];
  const expect = (bundle: Bundle, what: string, args: string[], input: string, wanted: string) => {
    const options = { input, encoding: 'utf8' } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(dist, `${bundle}.js`), ...args], options);
    if (status === 0 && stdout === wanted && stderr === '') return;
    problems.push(`dist/${bundle}.js, ${what}: exit ${status}, stderr "${stderr}", or stdout is not as expected`);
  };
  expect('image-update', '--help', ['--help'], '', readFileSync(join(root, 'docs/function.md'), 'utf8'));
  expect('image-update', 'an empty ResourceList', [], EMPTY, EMPTY);
  expect('tk-image', '--help', ['--help'], '', programHelp('tk-image'));
  return problems;
}

async function packageProblems(directory: string): Promise<string[]> {
  for (const file of ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE'])
    cpSync(join(root, file), join(directory, file));
  const { messages, pkg } = await publint({ pkgDir: directory, pack: false });
  return messages.map((message) => `package.json: ${formatMessage(message, pkg, { color: false }) ?? message.code}`);
}

/** A lock file with hosts in it installs from those hosts, whatever registry its user has. */
function checkLock(): string[] {
  const hosts = new Set(readFileSync(join(root, 'package-lock.json'), 'utf8').match(/"resolved": "https?:\/\/[^/"]+/g));
  return [...hosts].map((host) => `package-lock.json names a registry (${host}"); .npmrc says to omit it`);
}

/** Committed files must mean the same on every machine. */
function checkPaths(): string[] {
  const { stdout, status, stderr } = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
  if (status !== 0) return [`git ls-files failed: ${stderr}`];
  const machine = [root, ...(homedir().length > 6 ? [homedir()] : [])].map((path) => `${path}/`);
  const files = stdout.split('\0').filter((file) => file !== '' && statSync(join(root, file)).isFile());
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'latin1');
    const found = machine.find((path) => text.includes(path)) ?? /\/(?:home|Users)\/[a-z]\w*\//.exec(text)?.[0];
    return found === undefined ? [] : [`${file} holds the path of a machine: ${found}`];
  });
}

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  const start = performance.now();
  const problems = await step();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(10)} ${seconds.padStart(5)} s`);
  for (const problem of problems) console.log(problem.trimEnd().replaceAll(/^/gm, '     '));
  if (problems.length > 0) failed++;
}
console.log(failed === 0 ? 'check: all steps passed' : `check: ${failed} of ${Object.keys(steps).length} steps failed`);
process.exitCode = failed === 0 ? 0 : 1;
