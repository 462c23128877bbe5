import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, thisProcess } from './owner.ts';

/** A directory that only we can read, for keys and what a run makes. */
export interface Scratch {
  path: string;
  /** Writes a file that only we can read and returns its path. */
  write(name: string, content: string | Buffer, mode?: number): string;
  /** @throws the file system's error if another user has put something into it. */
  remove(): void;
}

const PREFIX = 'image-update-git-';
const NAME = /^image-update-git-([0-9a-f]{8})-(\d+)-(\d*)-\w{6}$/;

/** A host's name may be long, and the path of a socket in such a directory (gpg's) must not be. */
function shortName(host: string): string {
  return createHash('sha256').update(host).digest('hex').slice(0, 8);
}

/** Those that are not removed yet: a process that ends without doing so takes them away at its exit. */
const open = new Set<string>();

function removeOpen(): void {
  for (const path of open)
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // Who could not remove it has told so.
    }
}

/** Makes a private directory, and takes away those that killed runs have left. */
export function openScratch(parent: string = tmpdir()): Scratch {
  removeAbandoned(parent);
  const { host, pid, started } = thisProcess();
  // mkdtemp gives it mode 0700.
  const path = mkdtempSync(join(parent, `${PREFIX}${shortName(host)}-${pid}-${started}-`));
  if (open.size === 0) process.once('exit', removeOpen);
  open.add(path);
  return {
    path,
    write(name, content, mode = 0o600) {
      const file = join(path, name);
      writeFileSync(file, content, { mode });
      return file;
    },
    remove() {
      rmSync(path, { recursive: true, force: true });
      open.delete(path);
      if (open.size === 0) process.off('exit', removeOpen);
    },
  };
}

function removeAbandoned(parent: string): void {
  const here = hostname();
  const ours = shortName(here);
  for (const name of readdirSync(parent)) {
    const [, host, pid, started] = NAME.exec(name) ?? [];
    if (host !== ours || started === undefined) continue;
    const path = join(parent, name);
    try {
      const status = lstatSync(path);
      if (!status.isDirectory() || status.uid !== process.getuid?.()) continue;
      if (isRunning({ host: here, pid: Number(pid), started }) === false)
        rmSync(path, { recursive: true, force: true });
    } catch {
      // Another run takes it away just now.
    }
  }
}
