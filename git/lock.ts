import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GitError } from './error.ts';
import { isRunning, thisProcess, type Owner } from './owner.ts';

/** A lock of a process that nobody here can ask for is given up after this: no run lasts as long (activeDeadline). */
const FOREIGN_MS = 60 * 60_000;
const POLL_MS = 100;

/**
 * Takes a directory for this process alone; waits for another one that has it. A lock whose process has died is taken
 * over, and what git was doing for it is ended. Returns what gives it back.
 * @throws GitError of class `Timeout` if it is not free in time, or the run is stopped meanwhile.
 */
export async function lockDirectory(directory: string, timeout: number, signal?: AbortSignal): Promise<() => void> {
  const lock = join(directory, 'lock');
  const nonce = randomBytes(8).toString('hex');
  const mine = `${lock}.${nonce}`;
  const content = JSON.stringify({ ...thisProcess(), nonce });
  const deadline = performance.now() + timeout;
  for (;;) {
    // A link appears with its content or not at all, and fails if the name is taken.
    try {
      writeFileSync(mine, content);
      linkSync(mine, lock);
      return () => {
        if (read(lock) === content) rmSync(lock, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(mine, { force: true });
    }
    const held = read(lock);
    if (held === undefined) continue;
    if (isAbandoned(lock, held)) takeAway(lock, held, mine);
    else if (signal?.aborted)
      throw new GitError('Timeout', `waiting for ${directory} was stopped, as the whole run was`);
    else if (performance.now() > deadline)
      throw new GitError('Timeout', `${directory} is in use by the process that ${lock} names; wait for it to end`);
    else await sleep(POLL_MS);
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function isAbandoned(lock: string, content: string): boolean {
  const running = isRunning(ownerOf(content));
  if (running !== undefined) return !running;
  const status = statSync(lock, { throwIfNoEntry: false });
  return status !== undefined && Date.now() - status.mtimeMs > FOREIGN_MS;
}

function ownerOf(content: string): Owner {
  try {
    const { host, pid, started } = JSON.parse(content) as Partial<Owner>;
    if (typeof host === 'string' && typeof pid === 'number' && typeof started === 'string')
      return { host, pid, started };
  } catch {
    // The disk was full, or it is not ours.
  }
  return { host: '', pid: 0, started: '' };
}

/** Several may find the same abandoned lock; renaming it lets one of them take it away, and none a newer one. */
function takeAway(lock: string, held: string, aside: string): void {
  try {
    renameSync(lock, aside);
    if (read(aside) !== held) linkSync(aside, lock);
  } catch {
    // Another one was first.
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Ends the git processes that a killed run of ours has left at work in repositories, as far as /proc shows them. */
export function endOrphans(gitDirectories: readonly string[]): void {
  if (gitDirectories.length === 0) return;
  const marks = gitDirectories.map((directory) => `\0GIT_DIR=${directory}\0`);
  for (const pid of processes()) {
    if (pid === process.pid) continue;
    // No file of an environment is ours to read but of processes of our user.
    const environment = read(`/proc/${pid}/environ`);
    if (environment === undefined || !marks.some((mark) => `\0${environment}`.includes(mark))) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}

function processes(): number[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}

/** Takes away the lock files and half-written packs of git processes that have ended; call it while nobody else is there. */
export function removeLeftovers(gitDirectory: string): void {
  for (const path of readdirSync(gitDirectory, { recursive: true, encoding: 'utf8' }))
    if (/\.lock$|(?:^|\/)tmp_[^/]*$|\/incoming-[^/]*$/.test(path))
      rmSync(join(gitDirectory, path), { recursive: true, force: true });
}
