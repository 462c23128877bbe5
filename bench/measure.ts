/** Child processes, timed from spawn to exit, and figures that compare them. */
import { spawnSync, type SpawnSyncOptions } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface Program {
  args: string[];
  /** Whatever it reads. */
  stdin?: string;
  /** Reads from a pipe and writes to one, with `cat` at both ends, as under an orchestrator; else a file and /dev/null. */
  piped?: boolean;
}

/** Milliseconds from spawn to exit of this Node with the program's arguments. @throws if it does not exit with 0. */
export function time(program: Program): number {
  const stdin = program.stdin === undefined || program.piped ? undefined : openSync(program.stdin, 'r');
  const [command, args] = commandOf(program);
  const options: SpawnSyncOptions = { stdio: [stdin ?? 'ignore', 'ignore', 'ignore'] };
  const start = process.hrtime.bigint();
  const { status } = spawnSync(command, args, options);
  const end = process.hrtime.bigint();
  if (stdin !== undefined) closeSync(stdin);
  if (status !== 0) throw new Error(`${describe(program)} ended with status ${status}`);
  return Number(end - start) / 1e6;
}

function commandOf({ args, stdin, piped }: Program): [string, string[]] {
  if (!piped || stdin === undefined) return [process.execPath, args];
  return [
    '/bin/sh',
    ['-c', 'input=$1; shift; cat "$input" | "$@" | cat >/dev/null', 'sh', stdin, process.execPath, ...args],
  ];
}

/** One run that is not timed. Returns its output and its peak memory in bytes. @throws with its stderr if it fails. */
export function rehearse({ args, stdin }: Program, scratch: string): { stdout: Buffer; memory: number } {
  const file = join(scratch, 'memory');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['-r', join(import.meta.dirname, 'probe.cjs'), ...args],
    {
      stdio: [stdin === undefined ? 'ignore' : openSync(stdin, 'r'), 'pipe', 'pipe'],
      env: { ...process.env, BENCH_MEMORY_FILE: file },
      maxBuffer: 1 << 30,
    },
  );
  if (status !== 0)
    throw new Error(`${args.join(' ')} ended with status ${status}:\n${stderr.toString().slice(-2000)}`);
  const memory = Number(readFileSync(file, 'utf8'));
  rmSync(file);
  return { stdout, memory };
}

function describe({ args, stdin }: Program): string {
  return `node ${args.join(' ')}${stdin === undefined ? '' : ` < ${stdin}`}`;
}

/** Times of several programs, one run of each a round; the order turns from round to round. */
export function interleave<K extends string>(rounds: number, runs: Record<K, () => number>): Record<K, number[]> {
  const names = Object.keys(runs) as K[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) times[name].push(runs[name]());
  }
  return times;
}

/** Ratios of paired runs. `least` compares the fastest run of each: what is left when the machine is quiet. */
export interface Ratio {
  median: number;
  least: number;
  /** Median milliseconds of each. */
  subject: number;
  baseline: number;
}

export function ratio(subject: readonly number[], baseline: readonly number[]): Ratio {
  return {
    median: median(subject.map((time, round) => time / (baseline[round] as number))),
    least: Math.min(...subject) / Math.min(...baseline),
    subject: median(subject),
    baseline: median(baseline),
  };
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}
