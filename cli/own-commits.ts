import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf, writeFiles, type File, type FileChange } from '../fn/directory.ts';
import type { Io } from '../fn/io.ts';
import { InputError } from '../fn/run.ts';
import type { Outcome } from '../fn/update.ts';
import { GitError } from '../git/error.ts';
import { openWorktree, type Worktree } from '../git/worktree.ts';
import type { Part } from '../job/made.ts';
import { compileTemplate, renderMessage } from '../job/message.ts';
import { derivedUid, type JobMetadata } from '../job/read.ts';
import type { UpdateOptions } from './update.ts';
import { stopOnSignals } from './world.ts';

/** A commit that was made. */
export interface Committed {
  id: string;
  message: string;
  /** Below the root of the work tree. */
  files: string[];
}

/** Commits in the user's own work tree. */
export interface Own {
  /** Where the commits go. */
  branch: string;
  /** Where they were pushed. */
  pushed?: string;
  /** @throws InputError for what could not be committed. Nothing is written yet. */
  check(outcome: Outcome): Promise<void>;
  /**
   * Writes and commits part after part. If one fails, its files are put back.
   * @throws GitError that says what stands.
   */
  commit(parts: readonly Part[], files: ReadonlyMap<string, File>): Promise<Committed[]>;
  push(): Promise<void>;
}

/**
 * Opens the one work tree that operands are in.
 * @throws InputError or GitError where nothing could be committed or pushed, whatever changes.
 */
export async function openOwn(operands: readonly string[], options: UpdateOptions, io: Io): Promise<Own> {
  const tree = await treeOf(operands, io);
  const branch = options.branch ?? tree.branch;
  if (branch === undefined)
    throw new InputError(
      `no branch is checked out in ${tree.root}, so a commit would be on none; say --branch NAME, or git switch to one first`,
    );
  const upstream = options.push ? await tree.upstream(branch) : undefined;
  const template = compileTemplate(options.message, '--message');
  const { author, sign } = options;
  const own: Own = {
    branch,
    async check({ edits }) {
      const problem = await tree.problem([...edits.keys()].map(({ path }) => pathIn(tree, path!)));
      if (problem !== undefined) throw new InputError(`nothing was written: ${problem}`);
    },
    async commit(parts, files) {
      const undo = branch === tree.branch ? undefined : await tree.switchTo(branch);
      const metadata = metadataOf(tree, parts);
      return commitEach(
        parts,
        files,
        async ({ changes, files }) => {
          const paths = files.map(({ path }) => pathIn(tree, path));
          const own = changes.map((change) => ({ ...change, file: pathIn(tree, change.file) }));
          const message = renderMessage(template, { changes: own, files: paths, branch }, metadata);
          const commit = {
            paths,
            message,
            ...(author !== undefined && { author }),
            ...(sign !== undefined && { sign }),
          };
          return { id: await tree.commit(commit), message, files: paths };
        },
        undo,
      );
    },
    async push() {
      const { remote, ref } = upstream!;
      try {
        await tree.push(upstream!);
      } catch (error) {
        if (!(error instanceof GitError)) throw error;
        const advice =
          error.class === 'Race' ? `git pull --rebase ${remote}, then git push` : 'push them when that is mended';
        throw new GitError(error.class, `${error.message}; the commits are on ${branch} here: ${advice}`);
      }
      own.pushed = `${ref.replace('refs/heads/', '')} of ${remote}`;
    },
  };
  return own;
}

/** The one work tree that operands are in. @throws InputError or GitError if there is none, or more than one. */
export async function treeOf(operands: readonly string[], io: Io): Promise<Worktree> {
  const trees = await Promise.all(operands.map(async (operand) => openWorktree(directoryOf(operand), io.environment)));
  const [tree, ...others] = trees as [Worktree, ...Worktree[]];
  const other = others.find(({ root }) => root !== tree.root);
  if (!other) return tree;
  throw new InputError(`${tree.root} and ${other.root} are two work trees; one can be updated at a time`);
}

function directoryOf(operand: string): string {
  try {
    return statSync(operand).isDirectory() ? operand : dirname(operand);
  } catch (error) {
    throw new InputError(`${operand} cannot be read: ${reasonOf(error)}`);
  }
}

export function pathIn(tree: Worktree, file: string): string {
  const path = tree.pathOf(file);
  if (path === undefined)
    throw new InputError(`nothing was written: ${file} is outside of the work tree ${tree.root}; leave it out`);
  return path;
}

/** By it a controller that comes later knows the commits, and what a person moved back from them. */
function metadataOf({ head }: Worktree, parts: readonly Part[]): JobMetadata {
  const contents = parts.flatMap(({ files }) => files.map(({ path, content }) => [path, content?.toString()]));
  const uid = derivedUid(JSON.stringify([head, contents]));
  return { name: 'update', namespace: 'default', uid, unique: false, annotations: {} };
}

async function commitEach(
  parts: readonly Part[],
  files: ReadonlyMap<string, File>,
  commit: (part: Part) => Promise<Committed>,
  undo: (() => Promise<void>) | undefined,
): Promise<Committed[]> {
  const now = new Map<string, string>();
  const done: Committed[] = [];
  // Whoever ends us at the terminal ends git as well: what it was at fails, and is put back.
  const stop = stopOnSignals();
  try {
    for (const part of parts) {
      const changes = part.files.map(({ path, content }): FileChange => {
        const file = files.get(path)!;
        return { file: { ...file, text: now.get(path) ?? file.text }, text: content!.toString() };
      });
      try {
        if (stop.controller.signal.aborted) throw new GitError('Timeout', 'it was stopped');
        writeFiles(changes);
        done.push(await commit(part));
      } catch (error) {
        throw await failedCommit(error, changes, done, parts.length, undo);
      }
      for (const { file, text } of changes) now.set(file.name, text);
    }
  } finally {
    stop.forget();
  }
  return done;
}

/** Puts the files of a commit that failed back, and says what stands. */
async function failedCommit(
  error: unknown,
  changes: readonly FileChange[],
  done: readonly Committed[],
  all: number,
  undo: (() => Promise<void>) | undefined,
): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  const written = changes.filter(({ file, text }) => error.name !== 'WriteError' && file.text !== text);
  const problem = await problemOf(async () => {
    writeFiles(written.map(({ file, text }) => ({ file: { ...file, text }, text: file.text })));
    if (done.length === 0) await undo?.();
  });
  const last = done.at(-1);
  const stands = last
    ? `${done.length} of ${all} commits were made, ${last.id.slice(0, 12)} the last`
    : 'nothing was committed';
  const after = problem === undefined ? 'the other files are as they were' : `and it could not be undone: ${problem}`;
  const failure = error instanceof GitError ? error.class : 'Internal';
  return new GitError(
    failure,
    `${error.message}\n${stands}; ${last || problem !== undefined ? after : 'the files are as they were'}`,
  );
}

async function problemOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
