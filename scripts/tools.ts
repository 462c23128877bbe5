// Gets the hosts that the examples run in, as far as they can be had here, and says what is there. `npm run tools`.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { findExecutable } from '../git/executable.ts';
import { root } from './build.ts';

/** A program built by the Go module proxy: its package, its version, and how it says which it is. */
interface GoTool {
  name: string;
  module: string;
  version: string;
  ask: string[];
}

const goTools: GoTool[] = [
  { name: 'kustomize', module: 'sigs.k8s.io/kustomize/kustomize/v5', version: 'v5.8.1', ask: ['version'] },
  // Pages, and knows OCI's types well; Debian's docker-registry 2.8 does neither.
  {
    name: 'distribution-registry',
    module: 'github.com/distribution/distribution/v3/cmd/registry',
    version: 'v3.1.2',
    ask: ['--version'],
  },
];

/** Where built tools go; before PATH, so that a pinned version wins over the machine's. */
export const toolsDirectory = join(root, '.cache', 'bin');

/** The absolute path of a program: a tool built here, else the first on PATH; undefined if there is none. */
export function findProgram(name: string): string | undefined {
  const directories = [toolsDirectory, ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean)];
  return findExecutable(name, directories);
}

/** Each host, how it tells its version, and what to do without it. */
const hosts = [
  {
    name: 'kustomize',
    version: ['version'],
    otherwise: 'install Go and run this again, or put kustomize v5.8.1 on PATH',
  },
  { name: 'kpt', version: ['version'], otherwise: 'put kpt on PATH (https://kpt.dev/installation)' },
  { name: 'kubectl', version: ['version', '--client'], otherwise: 'no example needs it' },
  { name: 'distribution-registry', version: ['--version'], otherwise: 'install Go and run this again' },
  { name: 'docker-registry', version: ['--version'], otherwise: 'run: apt-get install docker-registry' },
  { name: 'git', version: ['--version'], otherwise: 'put git on PATH' },
  { name: 'sshd', version: ['-V'], otherwise: 'install openssh-server, for the tests of git over ssh' },
  { name: 'dockerd', version: ['--version'], otherwise: 'install docker.io, for the tests of the image' },
];

/** Where servers are, which PATH often leaves out. */
const SERVERS = ['/usr/sbin', '/usr/local/sbin'];

/** The absolute path of a server; undefined if it is not installed. */
export function findServer(name: string): string | undefined {
  return findProgram(name) ?? findExecutable(name, SERVERS);
}

/** Installs a server where that disturbs nobody: in a container of Debian's, where the package starts no service. */
function installServer(name: string, debianPackage: string): void {
  if (!findServer(name) && !existsSync('/run/systemd/system')) installPackage(debianPackage);
}

/** Tries once to get Debian's registry, which the tests of `registry/` talk to; without it they are skipped and say so. */
export function installDockerRegistry(): void {
  if (!findProgram('docker-registry')) installPackage('docker-registry');
}

/** Installs a package of Debian's, if this is root's machine and has apt-get. */
function installPackage(name: string): void {
  const apt = findProgram('apt-get');
  if (!apt || process.getuid?.() !== 0) return;
  console.log(`${name}: installing it with apt-get, for the tests that use it`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const get = (...args: string[]) => spawnSync(apt, args, { env, stdio: 'ignore', timeout: 300_000 }).status === 0;
  const install = ['install', '-y', '--no-install-recommends', name];
  // The lists of packages may be old, or not there at all.
  if (get(...install) || (get('update') && get(...install))) return;
  console.error(`${name}: apt-get could not install it; the tests that need it are skipped`);
}

/** Builds a pinned program by the Go module proxy, some minutes at most; true if it is there afterwards. */
function installGoTool({ name, module, version, ask }: GoTool): boolean {
  const built = join(toolsDirectory, name);
  // What `go install` built has no version in it that all of them print; the stamp says which this is.
  const stamp = join(toolsDirectory, `.${name}-version`);
  if (
    findExecutable(name, [toolsDirectory]) !== undefined &&
    (run(built, ask) === version || readIfThere(stamp) === version)
  )
    return true;
  const go = findProgram('go');
  if (!go) return false;
  console.log(`${name}: building ${version} with Go, which takes some minutes`);
  mkdirSync(toolsDirectory, { recursive: true });
  // Built beside, since the program's own name need not be the one that it has here.
  const scratch = mkdtempSync(join(toolsDirectory, '.build-'));
  try {
    const { status, error } = spawnSync(go, ['install', `${module}@${version}`], {
      env: { ...process.env, GOBIN: scratch, CGO_ENABLED: '0' },
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 600_000,
    });
    const [program] = readdirSync(scratch);
    if (status !== 0 || program === undefined) {
      console.error(`${name}: go install failed (${error?.message ?? `exit status ${status}`}); see its message above`);
      return false;
    }
    renameSync(join(scratch, program), built);
    writeFileSync(stamp, version);
    return true;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function run(program: string, args: string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 });
  return status === 0 ? stdout.trim().split('\n')[0] || undefined : undefined;
}

if (import.meta.main) {
  // Every one is tried, whatever became of the one before.
  const installed = goTools.map(installGoTool).every(Boolean);
  installDockerRegistry();
  installServer('sshd', 'openssh-server');
  installServer('dockerd', 'docker.io');
  for (const { name, version, otherwise } of hosts) {
    const program = findServer(name);
    console.log(
      program
        ? `${name}: ${run(program, version) ?? 'its version is not known'} (${program})`
        : `${name}: missing; ${otherwise}`,
    );
  }
  // Without Go there is nothing to build with, and the tests say what they skip; a build that failed is an error.
  if (!installed && findProgram('go')) process.exitCode = 1;
}
