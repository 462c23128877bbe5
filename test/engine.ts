// A container engine for the tests: the one that runs here, or Debian's dockerd, started in a directory of its own and without
// a network. No registry is asked: base images are made of this machine's programs.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { findExecutable } from '../git/executable.ts';
import { execute } from '../git/process.ts';
import { findProgram, findServer } from '../scripts/tools.ts';

/** How a program ended. */
export interface Answer {
  status: number;
  stdout: string;
  stderr: string;
}

export interface Engine {
  /** What a program needs to find it: a `PATH` with `docker`, `DOCKER_CONFIG`, and `DOCKER_HOST` where it is not the usual one. */
  environment: Record<string, string>;
  /** Asks it. */
  docker(args: readonly string[], input?: string): Promise<Answer>;
  /** Makes an image of files of this machine, by the paths that they have in it, and of what the programs among them link to. */
  importFiles(image: string, files: Record<string, string>): Promise<void>;
}

interface OpenEngine extends Engine {
  /** Ends it if it is ours, and takes away what was made. */
  close(): Promise<void>;
}

const READY_MS = 20_000;
const STOP_MS = 20_000;
const ANSWER_MS = 120_000;
const MAX_ANSWER_BYTES = 64 << 20;

/** An engine for a whole test file, which is skipped, visibly, where there is none. Called before its first test. */
export async function needEngine(): Promise<Engine> {
  const engine = await openEngine();
  if (typeof engine === 'string') {
    t.plan(0, `needs a container engine: ${engine}`);
    process.exit();
  }
  t.teardown(engine.close);
  return engine;
}

/** The one that runs here, else our own, else why there is none. */
async function openEngine(): Promise<OpenEngine | string> {
  const home = mkdtempSync(join(tmpdir(), 'image-update-engine-'));
  // Nobody's login, and no builder that was set up by somebody.
  const DOCKER_CONFIG = join(home, 'config');
  const { PATH = '', DOCKER_HOST } = process.env;
  if (findExecutable('docker', PATH.split(delimiter)) !== undefined) {
    const running = engineAt({ PATH, DOCKER_CONFIG, ...(DOCKER_HOST !== undefined && { DOCKER_HOST }) }, home);
    if ((await running.docker(['info'])).status === 0) return running;
  }
  const engine = await startEngine(home, DOCKER_CONFIG);
  if (typeof engine === 'string') rmSync(home, { recursive: true, force: true });
  return engine;
}

async function startEngine(home: string, DOCKER_CONFIG: string): Promise<OpenEngine | string> {
  const dockerd = findServer('dockerd');
  // The client that came with it: another one may be too new to talk to it.
  const client = dockerd && findExecutable('docker', ['/usr/bin', '/usr/local/bin']);
  if (dockerd === undefined || client === undefined)
    return 'none runs, and dockerd is missing; npm run tools says how to get it';
  const setpriv = findProgram('setpriv');
  if (setpriv === undefined) return 'none runs, and setpriv, which starts one, is missing: it is part of util-linux';
  if (process.getuid?.() !== 0) return 'none runs, and only root can start one';
  const bin = join(home, 'bin');
  mkdirSync(bin);
  symlinkSync(client, join(bin, 'docker'));
  const DOCKER_HOST = `unix://${join(home, 'socket')}`;
  const options = {
    host: DOCKER_HOST,
    'data-root': join(home, 'data'),
    'exec-root': join(home, 'exec'),
    pidfile: join(home, 'pid'),
    bridge: 'none',
    iptables: 'false',
    ip6tables: 'false',
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  // It is asked to end when we end, even where we are killed.
  const daemon = spawn(setpriv, ['--pdeathsig', 'TERM', dockerd, ...args], {
    // It starts runc and containerd.
    env: { ...process.env, PATH: [process.env['PATH'], '/usr/sbin'].join(delimiter) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  daemon.stderr.setEncoding('utf8').on('data', (chunk: string) => (log = (log + chunk).slice(-4000)));
  const PATH = [bin, process.env['PATH']].join(delimiter);
  const engine = engineAt({ PATH, DOCKER_CONFIG, DOCKER_HOST }, home, daemon);
  const deadline = Date.now() + READY_MS;
  while (daemon.exitCode === null && Date.now() < deadline) {
    if ((await engine.docker(['info'])).status === 0) return engine;
    await sleep(100);
  }
  await engine.close();
  return `dockerd does not start here: ${log.trim().split('\n').at(-1)}`;
}

/** `home`: a directory of its own; `daemon`: the engine itself, if it is ours. */
function engineAt(environment: Record<string, string>, home: string, daemon?: ChildProcess): OpenEngine {
  const program = findExecutable('docker', environment['PATH']!.split(delimiter))!;
  const made: string[] = [];
  async function docker(args: readonly string[], input: string | Buffer = ''): Promise<Answer> {
    const command = { program, args, env: environment, input, timeout: ANSWER_MS };
    const { status, stdout, stderr } = await execute(command, MAX_ANSWER_BYTES);
    made.push(...args.flatMap((arg) => (args[0] === 'build' && arg.startsWith('--tag=') ? [arg.slice(6)] : [])));
    return { status, stdout: stdout.toString(), stderr };
  }
  return {
    environment,
    docker,
    async importFiles(image, files) {
      const root = mkdtempSync(join(home, 'root-'));
      layOut(root, files);
      const archive = `${root}.tar`;
      // Whatever our umask is.
      spawnSync('tar', ['-c', '-f', archive, '--mode=a+rX', '-C', root, '.']);
      const { status, stderr } = await docker(['import', archive, image]);
      rmSync(root, { recursive: true });
      rmSync(archive);
      if (status !== 0) throw new Error(`docker import: ${stderr}`);
      made.push(image);
    },
    async close() {
      if (daemon) await end(daemon, home);
      else if (made.length > 0) await docker(['rmi', '--force', ...made]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function end(daemon: ChildProcess, home: string): Promise<void> {
  const ended = new Promise((resolve) => daemon.once('exit', () => resolve(true)));
  if (daemon.exitCode === null && daemon.signalCode === null) {
    daemon.kill('SIGTERM');
    const isEnded = await Promise.race([ended, sleep(STOP_MS, false, { ref: false })]);
    if (!isEnded) daemon.kill('SIGKILL');
    await ended;
  }
  // What a killed one has left, the innermost first.
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${home}/`));
  for (const mount of mounts.toReversed()) spawnSync('umount', [mount]);
}

/** A root file system as Debian lays one out, with the little that programs ask of /etc. */
function layOut(root: string, files: Record<string, string>): void {
  for (const directory of ['bin', 'lib', 'lib64']) {
    mkdirSync(join(root, 'usr', directory), { recursive: true });
    symlinkSync(`usr/${directory}`, join(root, directory));
  }
  for (const directory of ['etc', 'tmp']) mkdirSync(join(root, directory));
  chmodSync(join(root, 'tmp'), 0o1777);
  const { stdout } = spawnSync('ldd', Object.values(files), { encoding: 'utf8' });
  const libraries = [...stdout.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm)].map(
    ([, path = '']) => [path, path] as const,
  );
  for (const [to, from] of [...Object.entries(files), ...libraries]) {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(from, join(root, to));
  }
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
}

/** Programs of this machine, by the paths that they have in an image. */
export function programs(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`/usr/bin/${name}`, findProgram(name)!]));
}
