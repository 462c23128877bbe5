import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { objectId } from '../git/object.ts';
import { pathProblem } from '../git/path.ts';
import type { TreeEntry } from '../git/repository.ts';
import { MAX_FILE_BYTES, type Proposal } from './check.ts';
import { JobError } from './failure.ts';

/** More files than this are not given to an image, and not looked at afterwards (reference/controllers.md F4). */
const MAX_FILES = 100_000;

/** A file that was there is looked at up to this size, to see that it did not change. */
const MAX_PRESENT_BYTES = 64 << 20;

/** The files of a tree that an image may see: no links, no submodules, nothing that git would obey. */
export function visibleFiles(entries: readonly TreeEntry[]): TreeEntry[] {
  const files = entries.filter(({ path, mode }) => mode.startsWith('100') && pathProblem(path) === undefined);
  if (files.length > MAX_FILES)
    throw new JobError(
      'TooLarge',
      `there are ${files.length} files, more than the ${MAX_FILES} that are given to an image; narrow git.paths`,
    );
  return files;
}

/** Makes a directory in which anybody may write, and nobody but the container sees: it runs as nobody. */
export function makeOpen(directory: string): void {
  mkdirSync(directory);
  chmodSync(directory, 0o777);
}

/** Writes a file into such a directory. */
export function writeInto(root: string, { path, mode }: TreeEntry, content: Buffer): void {
  const file = join(root, path);
  makeDirectory(root, dirname(path));
  writeFileSync(file, content, { flag: 'wx' });
  chmodSync(file, mode === '100755' ? 0o777 : 0o666);
}

function makeDirectory(root: string, path: string): void {
  const directory = join(root, path);
  if (lstatSync(directory, { throwIfNoEntry: false })) return;
  makeDirectory(root, dirname(path));
  makeOpen(directory);
}

/**
 * What became of the files: walked without following a link, each file's bytes compared by the id that git would give them, as
 * times can be forged. Nothing in there is run, and git never looks at it.
 * @throws JobError for what cannot be read, or is too much.
 */
export function readBack(root: string, files: readonly TreeEntry[]): Proposal[] {
  const left = new Map(files.map((entry) => [entry.path, entry]));
  const proposals: Proposal[] = [];
  let count = 0;

  function visit(directory: string): void {
    for (const name of read(directory, () => readdirSync(join(root, directory)))) {
      if (++count > 2 * MAX_FILES) throw new JobError('TooLarge', `the image left more than ${2 * MAX_FILES} files`);
      const path = directory === '' ? name : `${directory}/${name}`;
      const status = lstatSync(join(root, path));
      if (status.isDirectory()) {
        // Before it is gone into: a nested repository is named by its own name.
        if (pathProblem(path) === undefined) visit(path);
        else proposals.push({ path, now: { kind: 'other' } });
        continue;
      }
      const before = left.get(path);
      left.delete(path);
      if (!status.isFile()) proposals.push({ path, now: { kind: status.isSymbolicLink() ? 'link' : 'other' } });
      else {
        if (status.size > MAX_FILE_BYTES && !(before && status.size <= MAX_PRESENT_BYTES))
          throw new JobError(
            'TooLarge',
            `${path}: it has ${status.size} bytes, more than the ${MAX_FILE_BYTES} that a changed file may have`,
          );
        const content = read(path, () => readRegular(join(root, path)));
        const executable = (status.mode & 0o111) !== 0;
        const same =
          before &&
          objectId('blob', content, before.oid.length) === before.oid &&
          executable === (before.mode === '100755');
        if (!same) proposals.push({ path, now: { kind: 'file', executable, content } });
      }
    }
  }
  visit('');
  for (const path of left.keys()) proposals.push({ path, now: null });
  return proposals.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function read<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new JobError(
      'ForbiddenChange',
      `${path || 'the directory'}: it cannot be read: ${(error as Error).message}; nothing was committed`,
      'Unreadable',
    );
  }
}

function readRegular(file: string): Buffer {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
