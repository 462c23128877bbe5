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
  /** The module of the package, where that is one whose parts are published as modules of their own: `go install` refuses it. */
  staged?: string;
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
  // The judge of our CustomResourceDefinitions. Kubernetes v1.N.P has its parts as v0.N.P.
  {
    name: 'kube-apiserver',
    module: 'k8s.io/kubernetes/cmd/kube-apiserver',
    version: 'v1.37.2',
    ask: ['--version'],
    staged: 'k8s.io/kubernetes',
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
  { name: 'kube-apiserver', version: ['--version'], otherwise: 'install Go and run this again' },
  { name: 'etcd', version: ['--version'], otherwise: 'install etcd-server, for the tests of config/crd' },
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
function installGoTool(tool: GoTool): boolean {
  const { name, version, ask } = tool;
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
    const problem = build(go, tool, scratch);
    const program = readdirSync(join(scratch, 'bin'))[0];
    if (problem !== undefined || program === undefined) {
      console.error(`${name}: Go could not build it (${problem ?? 'there is no program'}); see its message above`);
      return false;
    }
    renameSync(join(scratch, 'bin', program), built);
    writeFileSync(stamp, version);
    return true;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The largest of them takes ten minutes on two cores that have nothing else to do. */
const BUILD_TIMEOUT = 1_800_000;

/** Builds a program into `bin` of a scratch directory; what went wrong, undefined if nothing did. */
function build(go: string, { module, version, staged }: GoTool, scratch: string): string | undefined {
  const bin = join(scratch, 'bin');
  mkdirSync(bin);
  if (staged !== undefined) writeFileSync(join(scratch, 'go.mod'), stagedModule(go, staged, version));
  const args =
    staged === undefined
      ? ['install', `${module}@${version}`]
      : [
          'install',
          '-mod=mod',
          '-trimpath',
          '-ldflags',
          `-s -w -X k8s.io/component-base/version.gitVersion=${version}`,
          module,
        ];
  const { status, error } = spawnSync(go, args, {
    cwd: scratch,
    env: { ...process.env, GOBIN: bin, CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: BUILD_TIMEOUT,
  });
  return status === 0 ? undefined : (error?.message ?? `exit status ${status}`);
}

/**
 * The go.mod to build a program of a module with, whose parts lie beside it in its repository: the module's own, with the
 * published modules in place of the directories.
 */
function stagedModule(go: string, module: string, version: string): string {
  const answer = run(go, ['mod', 'download', '-json', `${module}@${version}`], Infinity);
  const { GoMod } = JSON.parse(answer ?? '{}') as { GoMod?: string };
  const part = version.replace(/^v1/, 'v0');
  return `${readIfThere(GoMod ?? '') ?? ''}\nrequire ${module} ${version}\n`
    .replace(/^module .*$/m, 'module build')
    .replaceAll(/ => \.\/staging\/src\/(\S+)/g, ` => $1 ${part}`);
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function run(program: string, args: string[], lines = 1): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: 300_000 });
  return status === 0 ? stdout.trim().split('\n').slice(0, lines).join('\n') || undefined : undefined;
}

if (import.meta.main) {
  // Every one is tried, whatever became of the one before.
  const installed = goTools.map(installGoTool).every(Boolean);
  installDockerRegistry();
  installServer('sshd', 'openssh-server');
  installServer('etcd', 'etcd-server');
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
