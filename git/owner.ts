import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, so that another one can tell later whether it still runs: a pid alone may be somebody else's by then. */
export interface Owner {
  host: string;
  pid: number;
  /** When it was started, in the kernel's ticks; empty where /proc does not tell. */
  started: string;
}

export function thisProcess(): Owner {
  return { host: hostname(), pid: process.pid, started: startOf(process.pid) };
}

/** Whether a process runs; undefined if it is on another host (a container has its own name) and nobody here can tell. */
export function isRunning({ host, pid, started }: Owner): boolean | undefined {
  if (host !== hostname()) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return started === '' || startOf(pid) === started;
}

function startOf(pid: number): string {
  try {
    // After the name, which may hold anything but is the last to have a parenthesis: the 20th field.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
