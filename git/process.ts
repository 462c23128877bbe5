import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { GitError } from './error.ts';

/** One run of a program: no shell, and an environment that holds what is named here and nothing else. */
export interface Command {
  program: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** What it reads on stdin; without it, nothing. */
  input?: string | Buffer;
  /** It belongs to the user in front of the terminal: in our process group, as it may ask for a password there. */
  isAttached?: boolean;
  /** Milliseconds until the program and all that it started are ended. */
  timeout: number;
  /** Ends it likewise. */
  signal?: AbortSignal | undefined;
}

/** Why we ended a program before it was done. */
export type Stop = 'timeout' | 'aborted' | 'output';

export interface Ended {
  /** -1 if a signal ended it. */
  status: number;
  /** The end of it, bounded. */
  stderr: string;
  stopped?: Stop;
}

export interface Running {
  stdout: Readable;
  /** Settles when the program has ended and its output was closed. */
  ended: Promise<Ended>;
  stop(why: Stop): void;
}

/** How much of stderr is kept. What went wrong is said last. */
const MAX_STDERR_BYTES = 16 << 10;
/** A timer for longer than this (24 days) goes off at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** What is asked to end is given this long to take its own lock files away. */
const GRACE_MS = 2000;

/** Starts a program in a process group of its own, so that ending it ends its helpers (ssh, git-remote-https) too. */
export function start({ program, args, env, input, isAttached = false, timeout, signal }: Command): Running {
  const end = (how: NodeJS.Signals) => (isAttached ? child.kill(how) : killGroup(child.pid, how));
  const child = spawn(program, args, { env, detached: !isAttached, stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = Buffer.alloc(0);
  let stopped: Stop | undefined;
  let killer: NodeJS.Timeout | undefined;

  function stop(why: Stop): void {
    if (stopped || child.exitCode !== null) return;
    stopped = why;
    end('SIGTERM');
    killer = setTimeout(() => {
      end('SIGKILL');
      // A helper that left the group must not keep us waiting.
      child.stdout.destroy();
      child.stderr.destroy();
    }, GRACE_MS);
  }

  const abort = () => stop('aborted');
  const timer = setTimeout(() => stop('timeout'), Math.min(timeout, LONGEST_TIMER_MS));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]);
    if (stderr.length > MAX_STDERR_BYTES) stderr = stderr.subarray(-MAX_STDERR_BYTES);
  });
  // A program that ends before it has read its input says why on stderr.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) reject(cannotStart(program, error));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      clearTimeout(killer);
      signal?.removeEventListener('abort', abort);
      resolve({ status: code ?? -1, stderr: stderr.toString(), ...(stopped && { stopped }) });
    });
  });
  // Whoever reads stdout may find the end of it before asking for this.
  ended.catch(() => clearTimeout(timer));
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  return { stdout: child.stdout, ended, stop };
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function cannotStart(program: string, { code, message }: NodeJS.ErrnoException): GitError {
  const why = code === 'ENOENT' ? 'it is not on PATH; install it' : message;
  return new GitError('Internal', `${program} cannot be started: ${why}`);
}

export interface Executed extends Ended {
  stdout: Buffer;
}

/** Runs a program to its end. Output beyond `maxOutput` bytes ends it. */
export async function execute(command: Command, maxOutput: number): Promise<Executed> {
  const running = start(command);
  const chunks: Buffer[] = [];
  let length = 0;
  running.stdout.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxOutput) running.stop('output');
    else chunks.push(chunk);
  });
  const ended = await running.ended;
  return { ...ended, stdout: Buffer.concat(chunks) };
}
