import { isUtf8 } from 'node:buffer';
import {
  chmodSync,
  chownSync,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Dirent,
} from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import type { Note } from './note.ts';

/** A YAML file that holds a word that could matter. */
export interface File {
  /** As the user would open it: the operand and the path below it. */
  name: string;
  /** Path below the operand, with slashes, for targets. */
  path: string;
  text: string;
}

/** What was passed over, and why. */
export interface FileNote extends Note {
  name: string;
}

export interface Reading {
  files: File[];
  notes: FileNote[];
  /** How many YAML files were looked at. */
  count: number;
}

/** Is told how many files were begun so far, for whoever waits. */
export type Tick = (count: number) => void;

/** Nothing was written, or everything that was has been put back: the file system must be seen to. */
export class WriteError extends Error {
  override name = 'WriteError';
}

/** A file up to this size is read into one buffer that is used again; a larger one gets its own. */
const BUFFER_BYTES = 1 << 20;
/** A file beyond this is reported, not read. */
const MAX_FILE_BYTES = 256 << 20;

/**
 * Reads the YAML files below a directory (or one file) that hold any of the words. Files are `*.yaml`, `*.yml` and
 * `Kustomization`, hidden directories included, as Flux has it (reference/flux-v1-mode.md §11, flux-v2.md A4); passed over
 * are `.git`, `node_modules`, and the templates of a Helm chart, which are not YAML. No link is followed.
 * @throws the file system's error if the operand itself cannot be read.
 */
export function readFiles(operand: string, words: readonly string[], tick?: Tick): Reading {
  const reading: Reading = { files: [], notes: [], count: 0 };
  const needles = words.map((word) => Buffer.from(word));
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  const root = realpathSync(operand);

  function visitFile(name: string, path: string): void {
    reading.count++;
    tick?.(reading.count);
    try {
      const bytes = readBytes(name, buffer);
      if (typeof bytes === 'string') reading.notes.push({ reason: 'file-too-large', name, message: bytes });
      else if (needles.some((needle) => bytes.includes(needle))) visitBytes(bytes, name, path);
    } catch (error) {
      reading.notes.push({ reason: 'file-unreadable', name, message: `it cannot be read: ${reasonOf(error)}` });
    }
  }

  function visitBytes(bytes: Buffer, name: string, path: string): void {
    const text = decode(bytes);
    if (text !== undefined) reading.files.push({ name, path, text });
    else
      reading.notes.push({
        reason: 'file-not-text',
        name,
        message: 'it is not UTF-8 text, so nothing in it is updated',
      });
  }

  function visitDirectory(name: string, path: string): void {
    let entries: Dirent[];
    try {
      entries = readdirSync(name, { withFileTypes: true });
    } catch (error) {
      if (path === '') throw error;
      reading.notes.push({ reason: 'directory-unreadable', name, message: `it cannot be read: ${reasonOf(error)}` });
      return;
    }
    const chart = entries.some((entry) => entry.name === 'Chart.yaml');
    for (const entry of entries.sort(byName)) {
      const { name: base } = entry;
      const child = name === '.' ? base : `${name}/${base}`;
      const below = path === '' ? base : `${path}/${base}`;
      if (entry.isDirectory()) {
        if (base !== '.git' && base !== 'node_modules' && !(chart && base === 'templates'))
          visitDirectory(child, below);
      } else if (entry.isSymbolicLink()) visitLink(child);
      else if (entry.isFile() && isYamlName(base)) visitFile(child, below);
    }
  }

  /** What a link inside the tree names is visited at its own place; one that leads out is not the tree's to change. */
  function visitLink(name: string): void {
    let target: string | undefined;
    try {
      target = realpathSync(name);
      if (!statSync(target).isDirectory() && !isYamlName(basename(name))) return;
    } catch {
      if (!isYamlName(basename(name))) return;
    }
    if (target !== undefined && (target === root || target.startsWith(root.endsWith(sep) ? root : root + sep))) return;
    reading.notes.push({
      reason: 'link-out-of-tree',
      name,
      message:
        target === undefined
          ? 'it is a link to nothing, and not followed'
          : 'it is a link that leads out of the directory, and not followed; name its target as an operand to update it',
    });
  }

  if (statSync(operand).isDirectory()) visitDirectory(trimSlashes(operand), '');
  else visitFile(operand, basename(operand));
  return reading;
}

/** A file's new text. */
export interface FileChange {
  file: File;
  text: string;
}

/**
 * Writes all changes or none: every new text first goes to a temporary file beside its place, then each is renamed onto
 * it. Mode and owner are kept, the owner where the system lets us.
 * @throws WriteError after everything was put back as it was.
 */
export function writeFiles(changes: readonly FileChange[]): void {
  const prepared: { change: FileChange; temporary: string; place: string }[] = [];
  const replaced: FileChange[] = [];
  let current = '';
  try {
    for (const change of changes) {
      current = change.file.name;
      // An operand may be a link: its target is changed, the link stays.
      const place = lstatSync(current).isSymbolicLink() ? realpathSync(current) : current;
      const temporary = join(dirname(place), `.${basename(place)}.${process.pid}.tmp`);
      prepared.push({ change, temporary, place });
      prepare(change, place, temporary);
    }
    for (const { change, temporary, place } of prepared) {
      current = change.file.name;
      renameSync(temporary, place);
      replaced.push(change);
    }
  } catch (error) {
    const lost = replaced.filter(({ file }) => !restore(file));
    for (const { temporary } of prepared) rmSync(temporary, { force: true });
    const after =
      lost.length === 0
        ? 'nothing was changed'
        : `these were changed already and could not be put back: ${lost.map(({ file }) => file.name).join(', ')}`;
    throw new WriteError(`${current} cannot be written: ${reasonOf(error)}; ${after}`);
  }
}

const umask = process.umask();

function prepare({ file, text }: FileChange, place: string, temporary: string): void {
  const { mode, uid, gid } = statSync(place);
  // Somebody else's edit since we read is not ours to undo.
  if (!readFileSync(file.name).equals(Buffer.from(file.text)))
    throw new Error('it was changed by somebody else meanwhile');
  writeFileSync(temporary, text, { mode: mode & 0o777, flag: 'wx' });
  // What the umask took away, or a write never gives.
  if ((mode & (umask | 0o7000)) !== 0) chmodSync(temporary, mode & 0o7777);
  if (uid !== process.getuid?.() || gid !== process.getgid?.()) keepOwner(temporary, uid, gid);
}

/** Whom the file was. In a directory that others share with us, as CI mounts one, it becomes ours: who may write there may do so. */
function keepOwner(temporary: string, uid: number, gid: number): void {
  try {
    chownSync(temporary, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}

function restore(file: File): boolean {
  try {
    writeFileSync(file.name, file.text);
    return true;
  } catch {
    return false;
  }
}

/** The bytes of a file, or why it is not read. The bytes are valid until the next call. */
function readBytes(name: string, buffer: Buffer): Buffer | string {
  const descriptor = openSync(name, 'r');
  try {
    let length = 0;
    let read: number;
    while (length < buffer.length && (read = readSync(descriptor, buffer, length, buffer.length - length, null)) > 0) {
      length += read;
      // A short read of a regular file is its end; asking again would cost each file a system call.
      if (read < buffer.length) return buffer.subarray(0, length);
    }
    if (length < buffer.length) return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
  const { size } = statSync(name);
  if (size > MAX_FILE_BYTES) return `it has ${size >> 20} MiB, more than the ${MAX_FILE_BYTES >> 20} MiB that are read`;
  return readFileSync(name);
}

/** UTF-8 to text, BOM kept; undefined for anything else. A NUL tells a binary file, as it does to git; YAML has none. */
export function decode(bytes: Buffer): string | undefined {
  return isUtf8(bytes) && !bytes.includes(0) ? bytes.toString('utf8') : undefined;
}

/** Whether a file of this name is read as YAML. */
export function isYamlName(name: string): boolean {
  return name.endsWith('.yaml') || name.endsWith('.yml') || name === 'Kustomization';
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

function trimSlashes(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}

/** An error of the file system in words, without the path, which the caller names. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code && REASONS[code]) ?? message ?? String(error);
}

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  ENOENT: 'it does not exist',
  ENOTDIR: 'it is not a directory',
  EISDIR: 'it is a directory',
  ELOOP: 'its links lead in a circle',
  EMFILE: 'too many files are open',
};
