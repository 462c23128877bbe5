import { randomBytes } from 'node:crypto';
import { delimiter } from 'node:path';
import { canonicalName, parseReference, type Reference } from '../fn/reference.ts';
import { findExecutable } from '../git/executable.ts';
import { execute, type Executed } from '../git/process.ts';
import { milliseconds } from '../api/duration.ts';
import { JobError } from './failure.ts';
import type { JobSpec } from './schema.ts';

/** A program that runs containers, in one thin object. */
export interface ContainerProgram {
  /** `docker`, `podman` or `nerdctl`. */
  name: string;
  run(args: readonly string[], options: RunOptions): Promise<Executed>;
}

interface RunOptions {
  input?: Buffer;
  /** Milliseconds. */
  timeout: number;
  maxOutput?: number;
  /** Runs to its end even where the whole run was stopped: what takes away what was started. */
  always?: boolean;
}

/** What a container came to. */
export interface Ran {
  stdout: Buffer;
  /** Digest of the image; undefined for one that was never in a registry. */
  digest?: string;
}

/** In the order in which they are looked for. */
const PROGRAMS = ['docker', 'podman', 'nerdctl'];
const QUESTION_MS = 20_000;
const PULL_MS = 10 * 60_000;
const MAX_ANSWER_BYTES = 1 << 20;
/** What a function may print: a ResourceList of all that it was given. */
const MAX_STDOUT_BYTES = 256 << 20;
/** As much of what it said goes into a message. */
const MAX_SAID = 2000;
const DEFAULT_MEMORY = '512m';
const MAX_PROCESSES = 256;
/** nobody. */
const USER = '65534:65534';
/** Exit status of what the kernel has killed. */
const KILLED = 137;

/** The first of the programs on PATH that can run containers. @throws JobError of class ImagePull that says what to do. */
export async function findProgram(environment: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<ContainerProgram> {
  const tried: string[] = [];
  for (const name of PROGRAMS) {
    const path = findExecutable(name, (environment['PATH'] ?? '').split(delimiter));
    if (path === undefined) continue;
    const program = programAt(name, path, environment, signal);
    const { status, stderr } = await program.run(['info'], { timeout: QUESTION_MS });
    if (status === 0) return program;
    tried.push(`${name} says: ${said(stderr).slice(0, 300)}`);
  }
  const why = tried.length > 0 ? tried.join('; ') : `none of ${PROGRAMS.join(', ')} is on PATH`;
  throw new JobError(
    'ImagePull',
    `no program runs containers here (${why}); install or start one, or use the image-update image, which needs none`,
    'NoContainers',
  );
}

function programAt(name: string, path: string, environment: NodeJS.ProcessEnv, signal?: AbortSignal): ContainerProgram {
  // It needs to know where its daemon and its login are; our own secrets are none of its business.
  const env = Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !/^(?:GIT|REGISTRY)_/.test(entry[0]),
    ),
  );
  return {
    name,
    run: (args, { input, timeout, maxOutput = MAX_ANSWER_BYTES, always }) =>
      execute(
        { program: path, args, env, ...(input && { input }), timeout, signal: always ? undefined : signal },
        maxOutput,
      ),
  };
}

/**
 * Runs an image to its end: no network unless asked, no credentials, read-only root, nobody's user, no capabilities, with
 * limits and a time-out. `directory` is what it sees as `/workspace`; without one it has its stdin alone.
 * @throws JobError of class ImagePull, FunctionFailed, OutOfMemory, Timeout or TooLarge.
 */
export async function runContainer(
  program: ContainerProgram,
  run: JobSpec['run'],
  { directory, input }: { directory?: string; input?: Buffer },
): Promise<Ran> {
  const { id, digest } = await pull(program, run.image);
  const name = `image-update-${randomBytes(8).toString('hex')}`;
  try {
    const args = runArguments(program.name, run, { name, id, ...(directory !== undefined && { directory }) });
    const ended = await program.run(args, {
      ...(input && { input }),
      timeout: milliseconds(run.timeout),
      maxOutput: MAX_STDOUT_BYTES,
    });
    if (ended.stopped || ended.status !== 0) throw await failed(program, name, run, ended);
    return { stdout: ended.stdout, ...(digest !== undefined && { digest }) };
  } finally {
    // Also ends it, where it is we who gave up.
    await program.run(['rm', '--force', '--volumes', name], { timeout: QUESTION_MS, always: true });
  }
}

/** The image as it is here, and its digest. A tag is asked for anew; an image that is here alone is taken as it is. */
async function pull(program: ContainerProgram, image: string): Promise<{ id: string; digest?: string }> {
  const here = () =>
    program.run(['image', 'inspect', '--format', '{{.Id}} {{json .RepoDigests}}', image], { timeout: QUESTION_MS });
  const reference = parseReference(image);
  const pinned = reference?.digest !== undefined && (await here()).status === 0;
  const pulled = pinned ? undefined : await program.run(['pull', '--quiet', image], { timeout: PULL_MS });
  const inspected = await here();
  if (inspected.status !== 0) {
    const why = said(pulled?.stderr || inspected.stderr);
    throw new JobError('ImagePull', `${program.name} cannot get the image ${image}: ${why}`);
  }
  const [, id, known = ''] = /^(\S+) (.*)$/.exec(inspected.stdout.toString().trim()) ?? [];
  if (id === undefined) throw new JobError('ImagePull', `${program.name} tells no id of the image ${image}`);
  // The same image may have come from other repositories as well, where its manifest can be another.
  const name = canonicalName(reference?.name ?? image);
  const digest = reference?.digest ?? references(known).find((other) => canonicalName(other.name) === name)?.digest;
  return { id, ...(digest !== undefined && { digest }) };
}

/** The references in a list that a program prints as JSON: `null` is an empty one. */
function references(text: string): Reference[] {
  const names = text.match(/[^"\s,[\]]+@[^"\s,[\]]+/g) ?? [];
  return names.map(parseReference).filter((reference) => reference !== undefined);
}

/** The arguments that run an image. Each is one word of an array; nothing is read by a shell. */
export function runArguments(
  program: string,
  { command, args, env, network, resources }: JobSpec['run'],
  { name, id, directory }: { name: string; id: string; directory?: string },
): string[] {
  const memory = bytesOf(resources?.limits?.memory) ?? DEFAULT_MEMORY;
  const cpus = cpusOf(resources?.limits?.cpu);
  const [entrypoint, ...before] = command ?? [];
  return [
    'run',
    `--name=${name}`,
    '--pull=never',
    '--interactive',
    ...(network ? [] : ['--network=none']),
    '--read-only',
    '--tmpfs=/tmp:rw,nosuid,nodev,size=64m',
    `--user=${USER}`,
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
    `--pids-limit=${MAX_PROCESSES}`,
    `--memory=${memory}`,
    `--memory-swap=${memory}`,
    // What it prints is read here; kept as a log as well, it could fill the disk. nerdctl has no such driver.
    ...(program === 'nerdctl' ? [] : ['--log-driver=none']),
    ...(cpus === undefined ? [] : [`--cpus=${cpus}`]),
    '--env=HOME=/tmp',
    ...env.map(({ name, value }) => `--env=${name}=${value}`),
    ...(directory === undefined ? [] : [`--mount=${mount(program, directory)}`, '--workdir=/workspace']),
    ...(entrypoint === undefined ? [] : [`--entrypoint=${entrypoint}`]),
    id,
    ...before,
    ...args,
  ];
}

/** Fields with commas between them, in quotes where they hold one. SELinux lets a container see what is labelled for it. */
function mount(program: string, directory: string): string {
  const source = `source=${directory}`;
  const quoted = /[",]/.test(source) ? `"${source.replaceAll('"', '""')}"` : source;
  return ['type=bind', quoted, 'target=/workspace', ...(program === 'podman' ? ['relabel=private'] : [])].join(',');
}

const UNITS: Record<string, number> = {
  k: 1e3,
  Ki: 2 ** 10,
  M: 1e6,
  Mi: 2 ** 20,
  G: 1e9,
  Gi: 2 ** 30,
  T: 1e12,
  Ti: 2 ** 40,
  P: 1e15,
  Pi: 2 ** 50,
  E: 1e18,
  Ei: 2 ** 60,
};

/** A quantity of Kubernetes in bytes. */
function bytesOf(quantity: string | undefined): string | undefined {
  const [, count, unit = ''] = /^([\d.]+)([A-Za-z]*)$/.exec(quantity ?? '') ?? [];
  return count === undefined ? undefined : String(Math.round(Number(count) * (UNITS[unit] ?? 1)));
}

function cpusOf(quantity: string | undefined): string | undefined {
  return quantity?.endsWith('m') ? String(Number(quantity.slice(0, -1)) / 1000) : quantity;
}

async function failed(
  program: ContainerProgram,
  name: string,
  run: JobSpec['run'],
  ended: Executed,
): Promise<JobError> {
  const { status, stopped, stderr } = ended;
  const end = said(stderr) || 'it said nothing';
  if (stopped === 'timeout')
    return new JobError(
      'Timeout',
      `${run.image} has run for longer than run.timeout (${run.timeout}); the end of what it said: ${end}`,
    );
  if (stopped === 'output')
    return new JobError('TooLarge', `${run.image} printed more than ${MAX_STDOUT_BYTES >> 20} MiB`);
  if (stopped === 'aborted') return new JobError('Timeout', `${run.image} was stopped, as the whole run was`);
  if (status === KILLED) {
    const { stdout } = await program.run(['inspect', '--format', '{{.State.OOMKilled}}', name], {
      timeout: QUESTION_MS,
    });
    if (stdout.toString().trim() === 'true')
      return new JobError(
        'OutOfMemory',
        `${run.image} used more memory than ${run.resources?.limits?.memory ?? DEFAULT_MEMORY}; raise run.resources.limits.memory`,
      );
  }
  return new JobError('FunctionFailed', `${run.image} ended with status ${status}: ${end}`);
}

/** The end of what a program said, in one line that can be shown. */
function said(stderr: string): string {
  return stderr
    .replaceAll(/[^\P{Cc}\n]/gu, ' ')
    .trim()
    .replaceAll(/\s*\n\s*/g, '; ')
    .slice(-MAX_SAID);
}
