// Gets the hosts that the examples run in, as far as they can be had here, and says what is there. `npm run tools`.
import { spawnSync, type SpawnSyncOptions } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root } from './build.ts';

const KUSTOMIZE = 'v5.8.1';

/** Where built tools go; before PATH, so that a pinned version wins over the machine's. */
export const toolsDirectory = join(root, '.cache', 'bin');

/** The absolute path of a program: a tool built here, else the first on PATH; undefined if there is none. */
export function findProgram(name: string): string | undefined {
  const directories = [toolsDirectory, ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean)];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Each host, how it tells its version, and what to do without it. */
const hosts = [
  {
    name: 'kustomize',
    version: ['version'],
    otherwise: `install Go and run this again, or put kustomize ${KUSTOMIZE} on PATH`,
  },
  { name: 'kpt', version: ['version'], otherwise: 'put kpt on PATH (https://kpt.dev/installation)' },
  { name: 'kubectl', version: ['version', '--client'], otherwise: 'no example needs it' },
  { name: 'git', version: ['--version'], otherwise: 'put git on PATH' },
  { name: 'sshd', version: ['-V'], otherwise: 'install openssh-server, for the tests of git over ssh' },
];

/** Where servers are, which PATH often leaves out. */
const SERVERS = ['/usr/sbin', '/usr/local/sbin'];

/** The absolute path of a server; undefined if it is not installed. */
export function findServer(name: string): string | undefined {
  return findProgram(name) ?? SERVERS.map((directory) => join(directory, name)).find(isExecutable);
}

/** Installs sshd where that disturbs nobody: in a container of Debian's, where the package starts no service. */
function installSshd(): void {
  const apt = findProgram('apt-get');
  if (findServer('sshd') || !apt || process.getuid?.() !== 0 || existsSync('/run/systemd/system')) return;
  console.log('sshd: installing openssh-server');
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 300_000,
  } satisfies SpawnSyncOptions;
  const install = () =>
    spawnSync(apt, ['install', '-y', '--no-install-recommends', 'openssh-server'], options).status === 0;
  // The lists of packages may be old, or not there at all.
  if (!install() && !(spawnSync(apt, ['update'], options).status === 0 && install()))
    console.error('sshd: it could not be installed; see the message above');
}

/** Builds the pinned kustomize by the Go module proxy, a minute or two; true if it is there afterwards. */
function installKustomize(): boolean {
  const built = join(toolsDirectory, 'kustomize');
  if (isExecutable(built) && run(built, ['version']) === KUSTOMIZE) return true;
  const go = findProgram('go');
  if (!go) return false;
  console.log(`kustomize: building ${KUSTOMIZE} with Go, which takes a minute or two`);
  mkdirSync(toolsDirectory, { recursive: true });
  const { status, error } = spawnSync(go, ['install', `sigs.k8s.io/kustomize/kustomize/v5@${KUSTOMIZE}`], {
    env: { ...process.env, GOBIN: toolsDirectory },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 600_000,
  });
  if (status === 0) return true;
  console.error(`kustomize: go install failed (${error?.message ?? `exit status ${status}`}); see its message above`);
  return false;
}

function run(program: string, args: string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 });
  return status === 0 ? stdout.trim().split('\n')[0] || undefined : undefined;
}

if (import.meta.main) {
  const installed = installKustomize();
  installSshd();
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
