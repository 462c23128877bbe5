import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** The first program of a name in directories; undefined if none of them has one. */
export function findExecutable(name: string, directories: readonly string[]): string | undefined {
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
