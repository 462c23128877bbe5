// The release of the Action: a commit whose files are all that a runner needs. It is made of the build that is there, in an object
// directory that nobody keeps, and run from a checkout of it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readAction } from '../../scripts/action.ts';
import { root } from '../../scripts/build.ts';
import { asideIn, git, releaseCommit } from '../../scripts/release.ts';
import { deployment, metadata } from '../job/places.ts';
import { leaveOutOfQuickRun } from '../quick.ts';
import { program, runStep } from './step.ts';

leaveOutOfQuickRun();
if (!existsSync(program)) t.bailout('dist/action.js is not there; run: npm run build');

t.test('the release commit, checked out, is an action that runs', async (t) => {
  // Away from here, where no node_modules of ours is above it.
  const home = mkdtempSync(join(tmpdir(), 'image-update-release-'));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, 'objects'));
  const aside = asideIn(join(home, 'objects'));
  const before = git(['status', '--porcelain']);
  const head = git(['rev-parse', 'HEAD']);
  const commit = releaseCommit(join(root, 'dist'), 'v1.2.3', aside);
  t.equal(releaseCommit(join(root, 'dist'), 'v1.2.3', aside), commit, 'the same sources, the same commit');
  t.equal(git(['rev-parse', 'HEAD']), head);
  t.equal(git(['status', '--porcelain']), before, 'nothing here has moved');
  t.throws(() => git(['cat-file', '-e', commit]), 'nor was anything added');

  t.equal(git(['rev-parse', `${commit}^`], aside), head, 'it stands on HEAD');
  const added = git(['diff', '--name-status', head, commit], aside).split('\n');
  t.ok(added.length > 4 && added.every((line) => line.startsWith('A\tdist/')), 'and adds files of dist alone');

  const checkout = join(home, 'checkout');
  mkdirSync(checkout);
  const archive = spawnSync('git', ['archive', '--format=tar', commit], {
    cwd: root,
    env: { ...process.env, ...aside },
    maxBuffer: 1 << 28,
  });
  t.equal(spawnSync('tar', ['-xf', '-', '-C', checkout], { input: archive.stdout }).status, 0);
  const { runs } = await readAction();
  t.ok(existsSync(join(checkout, 'action.yml')));
  const ran = await runStep({
    program: join(checkout, runs.main),
    with: { mode: 'check', offline: 'true', metadata: metadata({ web: ['1.1.0'] }) },
    files: { 'web.yaml': deployment('web', '1.0.0') },
  });
  t.match(ran, { status: 0, outputs: { changed: 'true' } }, ran.raw);

  // An SDK that stands beside the program: where there is no login of the cloud, it says so, and not that it is missing.
  const text = deployment('web', '1.0.0').replace('ghcr.io/acme', '123456789012.dkr.ecr.eu-west-1.amazonaws.com');
  const cloud = await runStep({
    program: join(checkout, runs.main),
    with: { mode: 'check' },
    files: { 'web.yaml': text },
    env: {
      REGISTRY_AMBIENT: 'aws',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: '',
      HTTPS_PROXY: 'http://127.0.0.1:1',
    },
  });
  t.equal(cloud.status, 0, cloud.raw);
  t.notMatch(cloud.raw, /Cannot find module|this is a bug/i);
  t.match(JSON.parse(cloud.outputs['held']!), [{ image: /amazonaws/ }], cloud.raw);
});
