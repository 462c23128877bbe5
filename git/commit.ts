import { rmSync } from 'node:fs';
import { GitError } from './error.ts';
import { objectId, type ObjectType } from './object.ts';
import { ancestors, pathProblem } from './path.ts';
import type { Git } from './program.ts';
import { parseCommit, readObjects } from './read.ts';
import { checkOid } from './ref.ts';
import type { FileChange, Identity, NewCommit } from './repository.ts';
import type { Scratch } from './scratch.ts';
import { sign } from './sign.ts';
import { DIRECTORY, nameOf, parseDirectory, sealDirectories, splitPath, type Directory } from './tree.ts';

/** A longer message is not one that anybody reads (reference/controllers.md A2). */
const MAX_MESSAGE_BYTES = 64 << 10;
const NEW_FILE = '100644';

/**
 * Writes a commit by plumbing alone and returns its id: no work tree, no index, no filter, no hook. What it does
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
  const base = await readBase(git, parent, changes);
  const tree = changes.length === 0 ? base.tree : await writeTree(git, scratch, base.directories, commit);
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

/** What a commit stands on: of its tree the directories above the changes, by their paths. */
interface Base {
  tree: string;
  /** Seconds since 1970. */
  time: number;
  directories: Map<string, Directory>;
}

async function readBase(git: Git, parent: string, changes: readonly FileChange[]): Promise<Base> {
  checkOid(parent);
  checkPaths(changes);
  const above = new Set(changes.flatMap(({ path }) => ['', ...ancestors(path).slice(0, -1)]));
  const names = [parent, ...[...above].map((path) => `${parent}:${path}`)];
  let commit: Buffer | undefined;
  const directories = new Map<string, Directory>();
  for await (const { name, type, content } of readObjects(git, names, `reading the commit ${parent}`)) {
    if (type === 'commit' && name === parent) commit = content;
    if (type === 'tree') directories.set(name.slice(parent.length + 1), parseDirectory(content, parent.length));
  }
  if (!commit) throw new GitError('Internal', `the commit ${parent} is not in the repository`);
  return { ...parseCommit(commit), directories };
}

/** Writes the changed files, and the directories above them as they become, and returns the root's id. */
async function writeTree(
  git: Git,
  scratch: Scratch,
  directories: Map<string, Directory>,
  { parent, changes }: NewCommit,
): Promise<string> {
  const blobs: Buffer[] = [];
  for (const { path, content } of changes) {
    const mode = checkChange(path, content, directories);
    const [above, name] = splitPath(path);
    const directory = directories.get(above)!;
    if (content === null) {
      directory.delete(nameOf(name));
      continue;
    }
    directory.set(nameOf(name), { mode, oid: objectId('blob', content, parent.length) });
    blobs.push(content);
  }
  const trees = sealDirectories(directories, parent.length);
  await Promise.all([writeObjects(git, scratch, 'blob', blobs), writeObjects(git, scratch, 'tree', trees)]);
  return objectId('tree', trees.at(-1)!, parent.length);
}

function refusal(path: string, why: string): GitError {
  return new GitError('Internal', `the path ${JSON.stringify(path)} ${why}; it is not committed`);
}

function checkPaths(changes: readonly FileChange[]): void {
  const seen = new Set<string>();
  for (const { path } of changes) {
    const problem = pathProblem(path);
    if (problem !== undefined) throw refusal(path, problem);
    if (seen.has(path)) throw refusal(path, 'is changed twice in one commit');
    seen.add(path);
  }
  for (const path of seen) {
    const file = ancestors(path)
      .slice(0, -1)
      .find((above) => seen.has(above));
    if (file !== undefined) throw refusal(path, `is below "${file}", which is a file`);
  }
}

/** Whether a change fits what is there. Makes room for it, and returns the mode that the file has or gets. */
function checkChange(path: string, content: Buffer | null, directories: Map<string, Directory>): string {
  for (const above of ancestors(path).slice(0, -1)) {
    if (directories.has(above)) continue;
    if (content === null) throw refusal(path, 'is to be removed and does not exist');
    const [outer, name] = splitPath(above);
    if (directories.get(outer)!.has(nameOf(name))) throw refusal(path, `is below "${above}", which is a file`);
    directories.set(above, new Map());
  }
  const [above, name] = splitPath(path);
  const mode = directories.get(above)!.get(nameOf(name))?.mode;
  if (mode === '120000' || mode === '160000') throw refusal(path, mode === '120000' ? 'is a link' : 'is a submodule');
  if (content === null && (mode === undefined || mode === DIRECTORY))
    throw refusal(path, 'is to be removed and does not exist');
  if (mode === DIRECTORY) throw refusal(path, 'is a directory');
  return mode ?? NEW_FILE;
}

/** Writes objects, all by one process, which checks their form; they must get the ids that we think they have. */
async function writeObjects(git: Git, scratch: Scratch, type: ObjectType, contents: readonly Buffer[]): Promise<void> {
  if (contents.length === 0) return;
  const files = contents.map((content, i) => scratch.write(`${type}-${i}`, content));
  try {
    const args = ['hash-object', '-t', type, '-w', '--no-filters', '--stdin-paths'];
    const out = await git.run(args, { what: `writing a ${type}`, input: `${files.join('\n')}\n` });
    const oids = out.toString().trim().split('\n');
    if (oids.some((oid, i) => oid !== objectId(type, contents[i]!, oid.length)))
      throw new GitError('Internal', `git names a ${type} otherwise than it should be named`);
  } finally {
    for (const file of files) rmSync(file, { force: true });
  }
}
