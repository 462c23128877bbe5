// Runs the examples as their READMEs say, each on a fresh copy. Used by hosts.test.ts.
import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative, sep } from 'node:path';
import { root } from '../scripts/build.ts';
import { toolsDirectory } from '../scripts/tools.ts';

const examples = join(root, 'examples');
export const program = join(root, 'dist', 'image-update.js');

/** Paths, with slashes, and bytes; `.expected` is not part of it. */
export type Tree = Map<string, string>;

export interface Run {
  status: number;
  stdout: string;
  stderr: string;
}

/** The names of all examples. */
export function exampleNames(): string[] {
  return readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** What an example's README tells people to type: its `sh` blocks. */
export function commandsOf(example: string): string {
  const readme = readFileSync(join(examples, example, 'README.md'), 'utf8');
  return [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block).join('');
}

/** A fresh copy of an example in a directory of its own, where the package can be imported as an installed one. */
export function copyOf(example: string, parent: string): string {
  const directory = mkdtempSync(join(parent, `${example}-`));
  cpSync(join(examples, example), directory, { recursive: true });
  return directory;
}

/**
 * A directory for copies, with a home for the programs that want one, and with `image-update` and `tk-image` as PATH finds them.
 * The caller removes it.
 */
export function makeWorkshop(): string {
  const workshop = mkdtempSync(join(tmpdir(), 'image-update-examples-'));
  mkdirSync(join(workshop, 'home'));
  mkdirSync(join(workshop, 'node_modules'));
  symlinkSync(root, join(workshop, 'node_modules', 'image-update'));
  mkdirSync(join(workshop, 'bin'));
  symlinkSync(program, join(workshop, 'bin', 'image-update'));
  symlinkSync(join(dirname(program), 'tk-image.js'), join(workshop, 'bin', 'tk-image'));
  return workshop;
}

/** Puts a stand-in for `image-update` into a directory of the workshop: a line of shell that knows `$NODE` and `$PROGRAM`. */
export function installProgram(workshop: string, bin: string, line: string): void {
  const file = join(workshop, bin, 'image-update');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${line}\n`);
  chmodSync(file, 0o755);
}

/** Runs shell commands in a directory of the workshop. Never throws: the exit status says how it went. */
export function shell(
  workshop: string,
  directory: string,
  commands: string,
  { bin = 'bin', input = '', env = {} }: { bin?: string; input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Run> {
  const path = [join(workshop, bin), dirname(process.execPath), toolsDirectory, process.env['PATH'] ?? ''];
  const child = {
    ...process.env,
    HOME: join(workshop, 'home'),
    PATH: path.join(delimiter),
    NODE: process.execPath,
    PROGRAM: program,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    // What tap tells its test files is not for the programs that they start.
    NODE_OPTIONS: '',
    LOG_TO_STDERR: '',
    ...env,
  };
  return new Promise((resolve) => {
    const options = { cwd: directory, env: child, encoding: 'utf8', timeout: 60_000, maxBuffer: 64 << 20 } as const;
    const running = execFile('bash', ['-euo', 'pipefail', '-c', commands], options, (error, stdout, stderr) => {
      const status = error ? (typeof error.code === 'number' ? error.code : -1) : 0;
      resolve({ status, stdout, stderr });
    });
    running.stdin?.on('error', () => undefined).end(input);
  });
}

/** All files below a directory. Bytes as latin1 text, so that nothing is lost and differences are still readable. */
export function treeOf(directory: string): Tree {
  const tree: Tree = new Map();
  if (!existsSync(directory)) return tree;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const file = join(entry.parentPath, entry.name);
    const path = relative(directory, file).split(sep).join('/');
    if (entry.isFile() && !path.startsWith('.expected/')) tree.set(path, readFileSync(file, 'latin1'));
  }
  return new Map([...tree].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is expected of an example: the files of its `.expected`. */
export function expectedOf(example: string): Tree {
  return treeOf(join(examples, example, '.expected'));
}

/** Writes what came of an example as what is expected. */
export function saveExpected(example: string, outcome: Tree): void {
  for (const [path, bytes] of outcome) {
    const file = join(examples, example, '.expected', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes, 'latin1');
  }
}

/** What git says of the files that both directories of a workshop have, without the lines that depend on its version. */
export async function gitDiff(workshop: string, before: string, after: string): Promise<string> {
  const [a, b] = [relative(workshop, before), relative(workshop, after)];
  const { stdout } = await shell(
    workshop,
    workshop,
    `git diff --no-index --no-color --no-prefix --diff-filter=M ${a} ${b} || test $? = 1`,
  );
  return stdout
    .split('\n')
    .filter((line) => !/^(?:diff|index) /.test(line))
    .map((line) =>
      line
        .replace(/^(@@ \S+ \S+ @@).*/, '$1')
        .replace(`--- ${a}/`, '--- a/')
        .replace(`+++ ${b}/`, '+++ b/'),
    )
    .join('\n');
}

/** The changed lines of a diff, `-` and `+`, of the files that are asked for. */
export function changedLines(diff: string, wanted: (path: string) => boolean): string[] {
  return diff
    .split(/^--- a\/(?=.*\n\+\+\+ )/m)
    .slice(1)
    .filter((section) => wanted(section.slice(0, section.indexOf('\n'))))
    .flatMap((section) => section.split('\n').slice(2))
    .filter((line) => /^[-+]/.test(line));
}
