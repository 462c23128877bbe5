import { objectId } from './object.ts';
import { ancestors } from './path.ts';

/** A directory, as git's tree object has it: what there is, by its name. */
export type Directory = Map<string, Entry>;

export interface Entry {
  /** `40000` is a directory. */
  mode: string;
  oid: string;
}

export const DIRECTORY = '40000';

/** Names are bytes, and whatever we do not touch stays as it is: a character here is a byte there. */
export function nameOf(segment: string): string {
  return Buffer.from(segment).toString('latin1');
}

/** Reads a tree object, by the length of the ids of its repository. */
export function parseDirectory(content: Buffer, idLength: number): Directory {
  const directory: Directory = new Map();
  for (let at = 0; at < content.length;) {
    const end = content.indexOf(0, at);
    const [, mode = '', name = ''] = /^0*(\d+) (.*)$/s.exec(content.toString('latin1', at, end)) ?? [];
    at = end + 1 + idLength / 2;
    directory.set(name, { mode, oid: content.toString('hex', end + 1, at) });
  }
  return directory;
}

/** Writes a tree object: by name, where that of a directory counts as if it ended with a slash. */
function printDirectory(directory: Directory): Buffer {
  const sorted = [...directory]
    .map(([name, entry]) => ({ ...entry, name, key: entry.mode === DIRECTORY ? `${name}/` : name }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return Buffer.concat(
    sorted.flatMap(({ mode, name, oid }) => [Buffer.from(`${mode} ${name}\0`, 'latin1'), Buffer.from(oid, 'hex')]),
  );
}

/**
 * Names changed directories by their contents, from the innermost to the root (`''`), each in the one above it; one in which
 * nothing is left goes. Takes all that lie above a change, by their paths. Returns the trees to be written, the root last.
 */
export function sealDirectories(directories: ReadonlyMap<string, Directory>, idLength: number): Buffer[] {
  const byDepth = [...directories].toSorted(([a], [b]) => depth(b) - depth(a));
  const trees: Buffer[] = [];
  for (const [path, directory] of byDepth) {
    const content = printDirectory(directory);
    const [above, name] = splitPath(path);
    if (path !== '' && directory.size === 0) directories.get(above)!.delete(nameOf(name));
    else trees.push(content);
    if (path !== '' && directory.size > 0)
      directories.get(above)!.set(nameOf(name), { mode: DIRECTORY, oid: objectId('tree', content, idLength) });
  }
  return trees;
}

function depth(path: string): number {
  return path === '' ? 0 : ancestors(path).length;
}

/** The path of the directory that a path is in, and its name there. */
export function splitPath(path: string): [directory: string, name: string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
}
