import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, thisProcess } from './owner.ts';

/** A directory that only we can read, for keys and what a run makes. */
export interface Scratch {
  path: string;
  /** Writes a file that only we can read and returns its path. */
  write(name: string, content: string | Buffer, mode?: number): string;
  remove(): void;
}

const PREFIX = 'image-update-git-';
const NAME = /^image-update-git-([\w.-]+)-(\d+)-(\d*)-\w{6}$/;

/** Makes a private directory, and takes away those that killed runs have left. */
export function openScratch(parent: string = tmpdir()): Scratch {
  removeAbandoned(parent);
  const { host, pid, started } = thisProcess();
  // mkdtemp gives it mode 0700.
  const path = mkdtempSync(join(parent, `${PREFIX}${host.replaceAll(/[^\w.-]/g, '_')}-${pid}-${started}-`));
  return {
    path,
    write(name, content, mode = 0o600) {
      const file = join(path, name);
      writeFileSync(file, content, { mode });
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, host, pid, started] = NAME.exec(name) ?? [];
    if (host === undefined || started === undefined) continue;
    const path = join(parent, name);
    try {
      const status = lstatSync(path);
      if (!status.isDirectory() || status.uid !== process.getuid?.()) continue;
      if (isRunning({ host, pid: Number(pid), started }) === false) rmSync(path, { recursive: true, force: true });
    } catch {
      // Another run takes it away just now.
    }
  }
}
