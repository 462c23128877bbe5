/** What was learnt, on disk: one file a repository, shared by processes. */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, statSync, type Stats } from 'node:fs';
import { mkdir, open, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Note } from '../fn/note.ts';
import { systemClock, type Clock } from './clock.ts';
import {
  emptyKnowledge,
  parseKnowledge,
  printKnowledge,
  pruneKnowledge,
  uniteKnowledge,
  type Knowledge,
} from './knowledge.ts';

/** Keeps knowledge from run to run. What goes wrong is told, and never stops a scan. */
export interface Cache {
  /** What is known of a repository, by its canonical name. */
  load(image: string): Promise<Knowledge>;
  /** Adds to what is known by now. */
  save(knowledge: Knowledge): Promise<void>;
  /** What went wrong since this was asked last, each thing once. */
  notes(): Note[];
}

/** A larger file is not read: it would take more time than the registry. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Writers wait so long for each other; then they write all the same, and the last one's facts stand. */
const LOCK_WAIT_MS = 2_000;
const LOCK_RETRY_MS = 20;
/** A lock so old belongs to a process that is gone. */
const LOCK_STALE_MS = 10_000;

/** The cache below a directory, which is made when something is written. `clock` says what is too old to keep. */
export function diskCache(directory: string, clock: Pick<Clock, 'now'> = systemClock): Cache {
  const notes: Note[] = [];
  const told = new Set<string>();
  /** The version of the file that knowledge was read from or written to: while the file is that, it holds nothing more. */
  const versions = new WeakMap<Knowledge, string>();

  function tell(reason: string, about: string, message: string): void {
    if (told.has(`${reason} ${about}`)) return;
    told.add(`${reason} ${about}`);
    notes.push({ reason, message });
  }

  async function load(image: string): Promise<Knowledge> {
    const file = join(directory, fileName(image));
    try {
      // At once: of a thousand small files the waiting costs ten times the reading.
      const stats = statSync(file);
      const { size } = stats;
      const knowledge =
        size > MAX_BYTES
          ? `it has ${size} bytes, more than ${MAX_BYTES}`
          : parseKnowledge(readFileSync(file, 'utf8'), image);
      if (typeof knowledge !== 'string') {
        versions.set(knowledge, version(stats));
        return knowledge;
      }
      tell('cache-damaged', file, `the cache file ${file} is not used: ${knowledge}; it is written anew`);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR')
        tell('cache-unreadable', directory, `the cache file ${file} cannot be read (${code}); nothing known is used`);
    }
    return emptyKnowledge(image);
  }

  /** Whether there is a file that may hold more than what is known. */
  async function holdsMore(file: string, knowledge: Knowledge): Promise<boolean> {
    const now = await stat(file).then(version, () => undefined);
    return now !== undefined && now !== versions.get(knowledge);
  }

  async function save(knowledge: Knowledge): Promise<void> {
    const file = join(directory, fileName(knowledge.image));
    const lock = `${file}.lock`;
    const temporary = `${file}.${randomUUID()}`;
    try {
      // What repositories one uses is nobody else's business.
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const locked = await takeLock(lock);
      try {
        const more = await holdsMore(file, knowledge);
        const united = more ? uniteKnowledge(await load(knowledge.image), knowledge) : knowledge;
        pruneKnowledge(united, clock.now());
        const handle = await open(temporary, 'wx', 0o600);
        try {
          await handle.writeFile(printKnowledge(united));
        } finally {
          await handle.close();
        }
        await rename(temporary, file);
        if (!more) versions.set(knowledge, version(await stat(file)));
      } finally {
        if (locked) await unlink(lock).catch(() => undefined);
      }
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      const { code } = error as NodeJS.ErrnoException;
      tell(
        'cache-unwritable',
        directory,
        `what was learnt cannot be kept in ${directory} (${code ?? (error as Error).message}), so each run asks again; set IMAGE_UPDATE_CACHE to a directory that can be written`,
      );
    }
  }

  return { load, save, notes: () => notes.splice(0) };
}

/** Each write makes a new file, so that its number changes even within the clock's resolution. */
function version({ ino, mtimeMs, size }: Stats): string {
  return `${ino} ${mtimeMs} ${size}`;
}

/** True if it was taken, false if another has kept it too long. */
async function takeLock(lock: string): Promise<boolean> {
  const start = performance.now();
  for (;;) {
    try {
      await (await open(lock, 'wx', 0o600)).close();
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const age = await stat(lock).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > LOCK_STALE_MS) await unlink(lock).catch(() => undefined);
    // Also after an old one, which may be of another user and stay.
    if (performance.now() - start > LOCK_WAIT_MS) return false;
    await sleep(LOCK_RETRY_MS);
  }
}

/** Readable, and safe on every file system; the hash keeps names apart that differ only in what was replaced or cut. */
function fileName(image: string): string {
  const hash = createHash('sha256').update(image).digest('hex').slice(0, 16);
  return `${image.replaceAll(/[^a-z0-9.-]+/gi, '_').slice(0, 120)}-${hash}.json`;
}
