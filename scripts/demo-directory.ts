// Runs the main job on a copy of examples/directory and explains what came of it. `npm run demo:directory`.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { styleText } from 'node:util';
import { parseReference } from '../fn/reference.ts';
import type { Result } from '../fn/result.ts';
import { buildAll, root } from './build.ts';
import { coloured, heading } from './show.ts';

const program = join(root, 'dist', 'image-update.js');
const run = ['clusters', '--metadata', 'metadata/images.yaml', '--metadata', 'metadata/policies.yaml'];

/** What to say of a reason; `{}` stands for the policy. */
const WHY: Record<string, string> = {
  'highest-version': 'the highest version that {} accepts',
  newest: 'the newest build that {} accepts',
  'greatest-number': 'the greatest number, by {}',
  'policy-result': 'the result of {}',
};

if (!existsSync(program)) {
  console.error('demo: building dist/, once');
  await buildAll(join(root, 'dist'));
}
const directory = mkdtempSync(join(tmpdir(), 'image-update-demo-'));
try {
  demonstrate();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function demonstrate(): void {
  cpSync(join(root, 'examples', 'directory'), directory, { recursive: true });
  const before = linesOfFiles();
  heading('A small GitOps tree, in a copy of examples/directory');
  for (const [file, lines] of before) console.log(`  ${file}, ${lines.length - 1} lines`);

  heading(`$ image-update ${run.join(' ')} --diff`);
  const { stdout, stderr } = start([...run, '--diff', '--results', 'results.json']);
  process.stdout.write(stdout.split('\n').map(coloured).join('\n'));
  console.log(styleText('dim', lastLine(stderr)));

  const results = JSON.parse(readFileSync(join(directory, 'results.json'), 'utf8')) as Result[];
  const changes = results.filter(({ severity }) => severity === 'info');
  const held = results.filter(({ severity }) => severity !== 'info');
  heading(`What moved, and why (${changes.length})`);
  for (const change of changes) {
    console.log(`  ${place(change)}\n    ${movement(change)}`);
    console.log(styleText('dim', `    ${reason(change)}`));
  }
  heading(`What was held, and why (${held.length})`);
  for (const result of held) console.log(`  ${place(result)}\n    ${styleText('yellow', result.message)}`);

  heading('Nothing else moved');
  console.log(`  ${prove(before, linesOfFiles(), changes)}`);

  heading(`$ image-update ${run.join(' ')}    # once more`);
  const again = start(run);
  if (again.stdout !== '') throw new Error(`a second run changed something:\n${again.stdout}`);
  console.log(styleText('dim', lastLine(again.stderr)));

  heading('Read on');
  console.log('  examples/directory/README.md   this tree, file by file');
  console.log('  examples/README.md             kpt, kustomize, pipes, the library');
  console.log('  README.md                      what it is, and how to put it on your PATH');
}

function start(args: string[]): { stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: directory,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`image-update ended with status ${status}:\n${stderr}`);
  return { stdout, stderr };
}

/** Every file below clusters/, in lines of bytes: latin1 loses none. */
function linesOfFiles(): Map<string, string[]> {
  const files = readdirSync(join(directory, 'clusters'), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .toSorted();
  return new Map(files.map((file) => [file, readFileSync(join(directory, file), 'latin1').split('\n')]));
}

/** Compares the trees without trusting the program: what differs must be a told value in a told line, and its quotes. */
function prove(before: Map<string, string[]>, after: Map<string, string[]>, changes: Result[]): string {
  let lines = 0;
  let changed = 0;
  if ([...before.keys()].join('\n') !== [...after.keys()].join('\n')) throw new Error('files were added or lost');
  for (const [file, old] of before) {
    const now = after.get(file)!;
    if (old.length !== now.length) throw new Error(`${file}: lines were added or lost`);
    lines += old.length - 1;
    for (const [i, line] of old.entries()) {
      if (line === now[i]) continue;
      const change = changes.find(({ file: at, tags }) => at?.path === file && tags?.['line'] === String(i + 1));
      const { currentValue, proposedValue } = valuesOf(change);
      if (without(line, currentValue) !== without(now[i]!, proposedValue))
        throw new Error(`${file}:${i + 1}: more than the image changed`);
      changed++;
    }
  }
  return [
    `Compared byte by byte: of ${lines} lines in ${before.size} files, ${changed} differ, each in its image and its quotes alone.`,
    'Comments, blank lines, indentation, and the CRLF of report.yaml are as they were.',
  ].join('\n  ');
}

function valuesOf(change: Result | undefined): { currentValue: string; proposedValue: string } {
  const [from, to] = change?.message.split(' -> ') ?? [];
  if (!from || !to) throw new Error('a line changed that no result tells of');
  return {
    currentValue: change?.field?.currentValue ?? parseReference(from)?.tag ?? from,
    proposedValue: change?.field?.proposedValue ?? parseReference(to)?.tag ?? to,
  };
}

/** A line without a value and the quotes around it. */
function without(line: string, value: string): string {
  const [head, ...tail] = line.split(value);
  return `${head!.replace(/["']$/, '')}|${tail.join(value).replace(/^["']/, '')}`;
}

/** `checkout.yaml:24  Deployment shop/checkout, migrate`. */
function place({ file, tags, resourceRef }: Result): string {
  const line = tags?.['line'] ? `:${tags['line']}` : '';
  const owner = resourceRef && `${resourceRef.kind} ${resourceRef.namespace}/${resourceRef.name}`;
  const who = [owner, tags?.['container']].filter(Boolean).join(', ');
  return `${styleText('bold', `${file?.path}${line}`)}  ${who}`;
}

/** `ghcr.io/acme/web: 1.2.3 -> 1.2.10`, with short digests. */
function movement({ message }: Result): string {
  const [from, to] = message.split(' -> ').map((text) => parseReference(text));
  if (!from || !to) return message;
  const [old, now] = [from, to].map(({ tag, digest }) =>
    [tag ?? (digest ? '' : '(no tag)'), digest?.slice(0, 'sha256:'.length + 8)].filter(Boolean).join('@'),
  );
  return `${from.name}: ${styleText('red', old!)} -> ${styleText('green', now!)}`;
}

function reason({ tags }: Result): string {
  const { reason = '', policy = '' } = tags ?? {};
  return (WHY[reason] ?? `${reason}, by {}`).replace('{}', () => policy);
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)!;
}
