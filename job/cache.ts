import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Texts that are kept between runs, by a kind and a key. A cache: whatever is lost or damaged is found out again. */
export interface Cache {
  read(kind: string, key: string): string | undefined;
  write(kind: string, key: string, text: string): void;
}

/** Keeps nothing. */
export const noCache: Cache = { read: () => undefined, write: () => undefined };

/** The longest unused are removed beyond this. */
const MAX_FILES = 64;
const MAX_FILE_BYTES = 64 << 20;

/** A cache in a directory, which need not exist. What cannot be read or written is not there. */
export function diskCache(directory: string): Cache {
  const fileOf = (kind: string, key: string) => join(directory, `${kind}-${hashOf(key).slice(0, 32)}`);
  return {
    read(kind, key) {
      const file = fileOf(kind, key);
      try {
        if (statSync(file).size > MAX_FILE_BYTES) return undefined;
        const text = readFileSync(file, 'utf8');
        const now = new Date();
        utimesSync(file, now, now);
        return text;
      } catch {
        return undefined;
      }
    },
    write(kind, key, text) {
      const file = fileOf(kind, key);
      const temporary = `${file}.${process.pid}.tmp`;
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        writeFileSync(temporary, text, { mode: 0o600 });
        renameSync(temporary, file);
        prune(directory);
      } catch {
        rmSync(temporary, { force: true });
      }
    },
  };
}

function prune(directory: string): void {
  const files = readdirSync(directory).map((name) => join(directory, name));
  if (files.length <= MAX_FILES) return;
  const byAge = files
    .map((file) => ({ file, used: statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .toSorted((a, b) => b.used - a.used);
  for (const { file } of byAge.slice(MAX_FILES)) rmSync(file, { force: true });
}

/** A short name for a long text. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
