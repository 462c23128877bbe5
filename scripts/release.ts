// Makes the commit that a release tag of the Action points to: HEAD, and on top of it the built files that a runner needs, which
// no branch has. Work tree, index and refs stay as they are, and nothing is pushed. `npm run release`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAll, root } from './build.ts';
import { NOTICES } from './notices.ts';

/** What action.yml runs, what that loads, and the licences that go with both; of the rest of `dist/` a runner needs nothing. */
const FILES = ['action.js', 'package.json', NOTICES];
const DIRECTORIES = ['clouds'];

/** Variables that git runs with, such as a place for objects that nobody keeps. */
type Variables = Record<string, string>;

/**
 * Writes the commit with the files of a build on top of HEAD and returns its id. Who and when are those of HEAD: the same sources
 * give the same commit.
 */
export function releaseCommit(dist: string, version: string, variables: Variables = {}): string {
  const scratch = mkdtempSync(join(tmpdir(), 'image-update-release-'));
  try {
    const env = { ...variables, GIT_INDEX_FILE: join(scratch, 'index') };
    const head = git(['rev-parse', '--verify', 'HEAD'], env);
    git(['read-tree', head], env);
    const entries = filesIn(dist).map((file) => {
      const oid = git(['hash-object', '-w', '--no-filters', '--', join(dist, file)], env);
      return `100644 ${oid}\tdist/${file}\n`;
    });
    git(['update-index', '--add', '--index-info'], env, entries.join(''));
    const tree = git(['write-tree'], env);
    const [name = '', email = '', date = ''] = git(['log', '-1', '--format=%cn%n%ce%n%cI', head], env).split('\n');
    const who: Variables = {};
    for (const role of ['AUTHOR', 'COMMITTER'])
      Object.assign(who, { [`GIT_${role}_NAME`]: name, [`GIT_${role}_EMAIL`]: email, [`GIT_${role}_DATE`]: date });
    const message = `Release ${version}: the built Action, of ${head}\n`;
    return git(['commit-tree', '--no-gpg-sign', '-p', head, tree], { ...env, ...who }, message);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Has git write its objects into a directory instead of the repository. */
export function asideIn(directory: string): Variables {
  const objects = join(git(['rev-parse', '--path-format=absolute', '--git-common-dir']), 'objects');
  return { GIT_OBJECT_DIRECTORY: directory, GIT_ALTERNATE_OBJECT_DIRECTORIES: objects };
}

function filesIn(dist: string): string[] {
  const below = DIRECTORIES.flatMap((name) => readdirSync(join(dist, name)).map((file) => `${name}/${file}`));
  return [...FILES, ...below].toSorted();
}

/** Runs git in this repository and returns what it prints. */
export function git(args: readonly string[], variables: Variables = {}, input = ''): string {
  const env = { ...process.env, ...variables };
  const { status, stdout, stderr, error } = spawnSync('git', args, { cwd: root, env, input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${args[0]}: ${error?.message ?? stderr}`);
  return stdout.trimEnd();
}

/** Why this tree is not to be released as it stands; undefined if it is. */
function problem(version: string): string | undefined {
  if (git(['status', '--porcelain']) !== '')
    return 'the work tree has changes that are not committed, and the build would hold them; commit them or put them away';
  const changes = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split('\n');
  const isDated = (line: string) => line.startsWith(`## ${version}, `) && /, \d{4}-\d\d-\d\d$/.test(line);
  if (!changes.some(isDated)) return `CHANGELOG.md has no section "## ${version}, YYYY-MM-DD"; date what is new`;
  return undefined;
}

async function release(): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const wrong = problem(version);
  if (wrong !== undefined) {
    console.error(`release: ${wrong}`);
    process.exitCode = 1;
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'image-update-build-'));
  try {
    await buildAll(join(scratch, 'dist'));
    const commit = releaseCommit(join(scratch, 'dist'), `v${version}`);
    const major = `v${version.split('.')[0]}`;
    console.log(`release: v${version} is ${commit}, with the tree ${git(['rev-parse', `${commit}^{tree}`])}

Nothing was tagged and nothing pushed. Do both, the major tag being the one that moves:

git tag -a v${version} -m 'image-update ${version}' ${commit}
git tag -f ${major} ${commit}
git push origin v${version}
git push -f origin ${major}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (import.meta.main) await release();
