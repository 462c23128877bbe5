// Gets the hosts that the examples run in, as far as they can be had here, and says what is there. `npm run tools`.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
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
];

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
  return status === 0 ? stdout.trim().split('\n')[0] : undefined;
}

if (import.meta.main) {
  const installed = installKustomize();
  for (const { name, version, otherwise } of hosts) {
    const program = findProgram(name);
    console.log(
      program
        ? `${name}: ${run(program, version) ?? 'its version is not known'} (${program})`
        : `${name}: missing; ${otherwise}`,
    );
  }
  // Without Go there is nothing to build with, and the tests say what they skip; a build that failed is an error.
  if (!installed && findProgram('go')) process.exitCode = 1;
}
