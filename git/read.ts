import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GitError } from './error.ts';
import { ancestors } from './path.ts';
import { checkOid } from './ref.ts';
import type { Git } from './program.ts';
import type { LogEntry, TreeEntry } from './repository.ts';
import { isoTime } from './fetch.ts';

/** More bytes of paths than this do not go into arguments. */
const MAX_ARGUMENT_BYTES = 100_000;
/** A larger file is no manifest. */
const MAX_BLOB_BYTES = 64 << 20;

/** The blobs of a commit's tree, in git's order; below or at the paths, if any are given. */
export async function listTree(git: Git, commit: string, paths: readonly string[] = []): Promise<TreeEntry[]> {
  checkOid(commit);
  const wanted = paths.map((path) => path.replace(/\/+$/, ''));
  const isAll = wanted.length === 0 || wanted.some((path) => path === '' || path === '.');
  const asArguments = !isAll && wanted.join('\0').length <= MAX_ARGUMENT_BYTES;
  const args = ['ls-tree', '-r', '-z', '--full-tree', '--end-of-options', commit, ...(asArguments ? wanted : [])];
  const entries = parseTree(await git.run(args, { what: `reading the tree of ${commit}` }));
  if (isAll || asArguments) return entries;
  const exact = new Set(wanted);
  return entries.filter(({ path }) => ancestors(path).some((ancestor) => exact.has(ancestor)));
}

function parseTree(output: Buffer): TreeEntry[] {
  return output
    .toString()
    .split('\0')
    .slice(0, -1)
    .map((line) => {
      // `100644 blob ID<tab>PATH`
      const tab = line.indexOf('\t');
      return {
        path: line.slice(tab + 1),
        mode: line.slice(0, 6),
        oid: line.slice(line.lastIndexOf(' ', tab) + 1, tab),
      };
    });
}

/** To look for more objects than this one by one takes longer than to list all: git looks twice for what is missing. */
const MANY = 1000;

/** Those of the blobs that are not here. */
export async function missingBlobs(git: Git, oids: readonly string[]): Promise<string[]> {
  for (const oid of oids) checkOid(oid);
  if (oids.length > MANY) {
    const all = ['cat-file', '--batch-all-objects', '--unordered', '--batch-check=%(objectname)'];
    const here = new Set((await git.run(all, { what: 'looking for files' })).toString().split('\n'));
    return [...new Set(oids)].filter((oid) => !here.has(oid));
  }
  const input = `${oids.join('\n')}\n`;
  const out = await git.run(['cat-file', '--batch-check', '--buffer'], { what: 'looking for files', input });
  const missing = out
    .toString()
    .split('\n')
    .filter((line) => line.endsWith(' missing'));
  return [...new Set(missing.map((line) => line.slice(0, -' missing'.length)))];
}

/** The contents of blobs, in the order asked for, up to the first that is not here. */
export async function* readBlobs(git: Git, oids: readonly string[]): AsyncGenerator<{ oid: string; content: Buffer }> {
  for (const oid of oids) checkOid(oid);
  for await (const { oid, type, content } of readObjects(git, oids, 'reading files')) {
    if (type !== 'blob') return;
    yield { oid, content };
  }
}

/** What is found under a name: an id, or `commit:path`. */
export interface Found {
  name: string;
  /** `missing` if it is not here. */
  type: string;
  oid: string;
  content: Buffer;
}

/** Objects by names without line feeds, in the order asked for, by one process. */
export async function* readObjects(git: Git, names: readonly string[], what: string): AsyncGenerator<Found> {
  const { running, check } = git.stream(['cat-file', '--batch', '--buffer'], { what, input: `${names.join('\n')}\n` });
  try {
    const { line, bytes } = takeFrom(running.stdout);
    for (const name of names) {
      const head = await line();
      // It ended early: how it ended says why.
      if (head === undefined) break;
      if (head === `${name} missing`) {
        yield { name, type: 'missing', oid: '', content: Buffer.alloc(0) };
        continue;
      }
      const [oid = '', type = '', size] = head.split(' ');
      if (Number(size) > MAX_BLOB_BYTES)
        throw new GitError(
          'TooLarge',
          `the file with the id ${oid} has ${size} bytes, more than the ${MAX_BLOB_BYTES} that are read`,
        );
      const content = await bytes(Number(size) + 1);
      yield { name, type, oid, content: content.subarray(0, -1) };
    }
    check(await running.ended);
  } finally {
    running.stop('aborted');
  }
}

/** Takes lines and counted bytes off a stream. */
function takeFrom(stream: AsyncIterable<Buffer>) {
  const chunks = stream[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);

  async function line(): Promise<string | undefined> {
    for (;;) {
      const end = rest.indexOf(10);
      if (end >= 0) {
        const text = rest.toString('utf8', 0, end);
        rest = rest.subarray(end + 1);
        return text;
      }
      const { value, done } = await chunks.next();
      if (done) return undefined;
      rest = Buffer.concat([rest, value]);
    }
  }
  async function bytes(count: number): Promise<Buffer> {
    const parts = [rest];
    let length = rest.length;
    while (length < count) {
      const { value, done } = await chunks.next();
      if (done) throw new GitError('Internal', 'reading files failed: git ended in the middle of one');
      parts.push(value);
      length += value.length;
    }
    const all = parts.length === 1 ? rest : Buffer.concat(parts);
    rest = all.subarray(count);
    return all.subarray(0, count);
  }
  return { line, bytes };
}

/** The tree of a commit, and its committer's time in seconds since 1970; undefined if it is not here. */
export async function readCommit(git: Git, oid: string): Promise<{ tree: string; time: number } | undefined> {
  checkOid(oid);
  for await (const { type, content } of readObjects(git, [oid], `reading the commit ${oid}`))
    return type === 'commit' ? parseCommit(content) : undefined;
  return undefined;
}

/** As `readCommit`, of a commit's content. */
export function parseCommit(content: Buffer): { tree: string; time: number } {
  const text = content.toString();
  const head = text.slice(0, text.indexOf('\n\n'));
  return {
    tree: /^tree (\w+)$/m.exec(head)?.[1] ?? '',
    time: Number(/^committer .*> (\d+) [+-]\d+$/m.exec(head)?.[1] ?? 0),
  };
}

export interface LogRange {
  max: number;
  since?: number;
  paths?: readonly string[];
}

/** Commits that reach back from one as far as they are here, newest first. */
export async function readLog(git: Git, from: string, { max, since, paths = [] }: LogRange): Promise<LogEntry[]> {
  const format = '--format=tformat:%H%n%P%n%ct%n%an%n%ae%n%cn%n%ce%n%B';
  const plain = [
    '--no-notes',
    '--no-mailmap',
    '--no-decorate',
    '--no-color',
    '--no-patch',
    '--no-renames',
    '--full-history',
  ];
  const range = [`--max-count=${max}`, ...(since === undefined ? [] : [`--since=${isoTime(since)}`])];
  const args = ['log', '-z', format, '--encoding=UTF-8', ...plain, ...range, '--end-of-options', from, '--', ...paths];
  const out = await git.run(args, { what: `reading the history of ${from}` });
  const entries = out
    .toString()
    .split('\0')
    .filter((record) => record !== '')
    .map(parseLogEntry);
  if (paths.length === 0) return entries;
  // Where history was cut off, a commit seems to have made all that is in its tree.
  const cut = boundary(git);
  return entries.filter(({ oid }) => !cut.has(oid));
}

/** The commits whose parents were not fetched. */
function boundary(git: Git): Set<string> {
  try {
    return new Set(readFileSync(join(git.directory, 'shallow'), 'utf8').split('\n'));
  } catch {
    return new Set();
  }
}

function parseLogEntry(record: string): LogEntry {
  const [oid = '', parents = '', time = '', ...rest] = record.split('\n');
  const [name = '', email = '', committerName = '', committerEmail = '', ...message] = rest;
  return {
    oid,
    parents: parents.split(' ').filter((parent) => parent !== ''),
    time: Number(time),
    author: { name, email },
    committer: { name: committerName, email: committerEmail },
    message: message.join('\n'),
  };
}
