// A container engine for the tests: one that runs here, or Debian's dockerd, started in a directory of its own without a
// network. No registry is asked: base images are made of this machine's programs.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram, findServer } from '../scripts/tools.ts';

export interface Answer {
  /** -1 if it was ended. */
  status: number;
  stdout: string;
  stderr: string;
}

export interface Engine {
  /** What a program needs to find it, and `docker`, first of all: `PATH`, `DOCKER_HOST` where it is ours, `DOCKER_CONFIG`. */
  environment: Record<string, string>;
  /** Asks it; two minutes at most. */
  docker(args: readonly string[], input?: string | Buffer): Answer;
  /** Makes an image of programs of this machine, by the paths that they have in it. */
  importPrograms(image: string, programs: Record<string, string>): void;
  /** Ends it if it is ours, and takes away what was imported. */
  close(): Promise<void>;
}

const READY_MS = 20_000;
const STOP_MS = 20_000;
const ANSWER_MS = 120_000;

/** An engine, or why there is none. */
export async function openEngine(): Promise<Engine | string> {
  const docker = findProgram('docker');
  const home = mkdtempSync(join(tmpdir(), 'image-update-engine-'));
  const config = { DOCKER_CONFIG: join(home, 'config') };
  if (docker !== undefined) {
    const { PATH = '', DOCKER_HOST } = process.env;
    const running = engineOf({ PATH, ...(DOCKER_HOST !== undefined && { DOCKER_HOST }), ...config }, home);
    if (running.docker(['info']).status === 0) return running;
  }
  const engine = await startEngine(home, config);
  if (typeof engine === 'string') rmSync(home, { recursive: true, force: true });
  return engine;
}

async function startEngine(home: string, config: Record<string, string>): Promise<Engine | string> {
  const dockerd = findServer('dockerd');
  if (dockerd === undefined) return 'needs a container engine: none runs, and dockerd is missing; npm run tools says more';
  if (process.getuid?.() !== 0) return 'needs a container engine: none runs, and only root may start one';
  // The client that came with it: another one on PATH may be too new for it.
  const bin = join(home, 'bin');
  mkdirSync(bin);
  symlinkSync('/usr/bin/docker', join(bin, 'docker'));
  const socket = `unix://${join(home, 'socket')}`;
  const options = {
    host: socket,
    'data-root': join(home, 'data'),
    'exec-root': join(home, 'exec'),
    pidfile: join(home, 'pid'),
    bridge: 'none',
    iptables: 'false',
    ip6tables: 'false',
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  // It ends with us, even where we are killed.
  const daemon = spawn('setpriv', ['--pdeathsig', 'TERM', dockerd, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  daemon.stderr.setEncoding('utf8').on('data', (chunk: string) => (log = (log + chunk).slice(-4000)));
  const environment = { PATH: [bin, process.env['PATH']].join(delimiter), DOCKER_HOST: socket, ...config };
  const engine = engineOf(environment, home, daemon);
  const deadline = Date.now() + READY_MS;
  while (daemon.exitCode === null && Date.now() < deadline) {
    if (existsSync(join(home, 'socket')) && engine.docker(['info']).status === 0) return engine;
    await sleep(100);
  }
  await engine.close();
  return `needs a container engine: dockerd does not start here: ${log.trim().split('\n').at(-1)}`;
}

/** `daemon`: the engine itself, if it is ours. */
function engineOf(environment: Record<string, string>, home: string, daemon?: ChildProcess): Engine {
  const imported: string[] = [];
  function docker(args: readonly string[], input?: string | Buffer): Answer {
    // No shell, and no output that a person would see grow.
    const options = { env: environment, input: input ?? '', timeout: ANSWER_MS, maxBuffer: 64 << 20 };
    const { status, stdout, stderr, error } = spawnSync('docker', args, options);
    return { status: status ?? -1, stdout: String(stdout ?? ''), stderr: String(stderr ?? error?.message) };
  }
  return {
    environment,
    docker,
    importPrograms(image, programs) {
      const root = join(home, 'root');
      layOut(root, programs);
      const tar = spawnSync('tar', ['-c', '-C', root, '.'], { maxBuffer: 1 << 30 });
      const { status, stderr } = docker(['import', '-', image], tar.stdout);
      rmSync(root, { recursive: true });
      if (status !== 0) throw new Error(`docker import: ${stderr}`);
      imported.push(image);
    },
    async close() {
      if (daemon) await end(daemon, home);
      else for (const image of imported) docker(['rmi', image]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function end(daemon: ChildProcess, home: string): Promise<void> {
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  if (daemon.exitCode === null) {
    daemon.kill('SIGTERM');
    if ((await Promise.race([ended.then(() => true), sleep(STOP_MS, false, { ref: false })])) === false) {
      daemon.kill('SIGKILL');
      await ended;
    }
  }
  // What a killed one has left, the innermost first.
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((path) => path.startsWith(`${home}/`)).toReversed()) spawnSync('umount', [mount]);
}

/** A root file system as Debian lays one out: programs, what they link to, and the little that they ask of /etc. */
function layOut(root: string, programs: Record<string, string>): void {
  for (const directory of ['bin', 'lib', 'lib64']) {
    mkdirSync(join(root, 'usr', directory), { recursive: true });
    symlinkSync(`usr/${directory}`, join(root, directory));
  }
  const copy = (from: string, to: string) => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(realpathSync(from), join(root, to));
  };
  for (const [to, from] of Object.entries(programs)) copy(from, to);
  const { stdout } = spawnSync('ldd', Object.values(programs), { encoding: 'utf8' });
  for (const [, library = ''] of stdout.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm)) copy(library, library);
  mkdirSync(join(root, 'etc'), { recursive: true });
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  mkdirSync(join(root, 'tmp'));
  chmodSync(join(root, 'tmp'), 0o1777);
}
