import { rmSync } from 'node:fs';
import { GitError } from './error.ts';
import { pathProblem } from './path.ts';
import type { Git } from './program.ts';
import { ancestors, listTree, readCommit } from './read.ts';
import type { FileChange, Identity, NewCommit, TreeEntry } from './repository.ts';
import type { Scratch } from './scratch.ts';
import { sign } from './sign.ts';

/** A longer message is not one that anybody reads (reference/controllers.md A2). */
const MAX_MESSAGE_BYTES = 64 << 10;
const NEW_FILE = '100644';
const NOTHING = '0'.repeat(40);

let indexes = 0;

/**
 * Writes a commit by plumbing alone and returns its id: no work tree, an index of its own, no filter, no hook. What it does
 * not change stays as the parent has it. The same input gives the same commit, its signature included
 * (reference/controllers.md B5); its time is one second after its parent's if that is later.
 */
export async function writeCommit(git: Git, scratch: Scratch, commit: NewCommit): Promise<string> {
  const { parent, changes, message, author, signing } = commit;
  checkText('the commit message', message, /\0/);
  if (Buffer.byteLength(message) > MAX_MESSAGE_BYTES)
    throw new GitError(
      'TooLarge',
      `the commit message has more than ${MAX_MESSAGE_BYTES >> 10} KiB; shorten its template`,
    );
  const base = await readCommit(git, parent);
  const tree = changes.length === 0 ? base.tree : await writeTree(git, scratch, parent, changes);
  const time = Math.max(Math.floor(commit.time), base.time + 1);
  const who = `${identity(author)} ${time} +0000`;
  const head = `tree ${tree}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n`;
  const body = `\n${message.trimEnd()}\n`;
  const signature = signing && (await sign(Buffer.from(head + body), signing, time, scratch));
  const signed = signature === undefined ? '' : `gpgsig ${signature.trimEnd().replaceAll('\n', '\n ')}\n`;
  const args = ['hash-object', '-t', 'commit', '-w', '--stdin'];
  return (await git.run(args, { what: 'writing the commit', input: head + signed + body })).toString().trim();
}

function identity({ name, email }: Identity): string {
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  const forbidden = /[\u0000-\u001F\u007F<>]/;
  checkText("the author's name", name, forbidden);
  checkText("the author's address", email, forbidden);
  return `${name.trim()} <${email.trim()}>`;
}

function checkText(what: string, text: string, forbidden: RegExp): void {
  if (text.trim() === '') throw new GitError('Internal', `${what} is empty`);
  if (forbidden.test(text) || !text.isWellFormed())
    throw new GitError(
      'Internal',
      `${what} ${JSON.stringify(text.slice(0, 100))} holds a character that no commit may hold there`,
    );
}

async function writeTree(git: Git, scratch: Scratch, parent: string, changes: readonly FileChange[]): Promise<string> {
  const lines = await indexLines(git, scratch, await listTree(git, parent), changes);
  const index = `${scratch.path}/index-${indexes++}`;
  const options = { what: 'writing the tree', env: { GIT_INDEX_FILE: index } };
  try {
    await git.run(['read-tree', parent], options);
    await git.run(['update-index', '-z', '--index-info'], { ...options, input: lines });
    // Blobs that were never fetched are the remote's to have.
    return (await git.run(['write-tree', '--missing-ok'], options)).toString().trim();
  } finally {
    rmSync(index, { force: true });
  }
}

async function indexLines(
  git: Git,
  scratch: Scratch,
  tree: TreeEntry[],
  changes: readonly FileChange[],
): Promise<string> {
  const modes = new Map(tree.map(({ path, mode }) => [path, mode]));
  checkChanges(modes, changes);
  const written = changes.filter((change) => change.content !== null);
  const oids = await writeBlobs(git, scratch, written);
  return changes
    .map(({ path, content }) => {
      if (content === null) return `0 ${NOTHING} 0\t${path}\0`;
      return `${modes.get(path) ?? NEW_FILE} ${oids.get(path)} 0\t${path}\0`;
    })
    .join('');
}

function checkChanges(modes: Map<string, string>, changes: readonly FileChange[]): void {
  const seen = new Set<string>();
  // Made at the first new file.
  let directories: Set<string> | undefined;
  for (const { path, content } of changes) {
    const refuse = (why: string) =>
      new GitError('Internal', `the path ${JSON.stringify(path)} ${why}; it is not committed`);
    const problem = pathProblem(path);
    if (problem !== undefined) throw refuse(problem);
    if (seen.has(path)) throw refuse('is changed twice in one commit');
    seen.add(path);
    const mode = modes.get(path);
    if (mode === '120000' || mode === '160000') throw refuse(mode === '120000' ? 'is a link' : 'is a submodule');
    if (mode !== undefined) continue;
    if (content === null) throw refuse('is to be removed and does not exist');
    directories ??= new Set([...modes.keys()].flatMap((file) => ancestors(file).slice(0, -1)));
    if (directories.has(path)) throw refuse('is a directory');
    // Git would take the file away to make room for the directory.
    const file = ancestors(path)
      .slice(0, -1)
      .find((above) => modes.has(above) || seen.has(above));
    if (file !== undefined) throw refuse(`is below "${file}", which is a file`);
  }
}

/** Writes contents as blobs, all by one process, and returns their ids by path. */
async function writeBlobs(git: Git, scratch: Scratch, changes: readonly FileChange[]): Promise<Map<string, string>> {
  if (changes.length === 0) return new Map();
  const files = changes.map(({ content }, i) => scratch.write(`blob-${i}`, content ?? ''));
  try {
    const args = ['hash-object', '-w', '--no-filters', '--stdin-paths'];
    const out = await git.run(args, { what: 'writing files', input: `${files.join('\n')}\n` });
    const oids = out.toString().trim().split('\n');
    return new Map(changes.map(({ path }, i) => [path, oids[i] ?? '']));
  } finally {
    for (const file of files) rmSync(file, { force: true });
  }
}
