// The Action as it is built, run as a runner runs it: each mode on real git and a GitHub that remembers, and all that it tells.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createRepository, git, startHttp, type HttpServer } from '../git/servers.ts';
import { deployment, metadata } from '../job/places.ts';
import { leaveOutOfQuickRun } from '../quick.ts';
import { answer } from '../registry/scripted.ts';
import { startGitHub, type GitHub } from './github.ts';
import { JOB_TOKEN, program, runStep, type Step, type Stepped } from './step.ts';

leaveOutOfQuickRun();
if (!existsSync(program)) t.bailout('dist/action.js is not there; run: npm run build');

const WEB = deployment('web', '1.0.0');
const ANSWERS = metadata({ web: ['1.0.0', '1.1.0', '2.0.0'], api: ['3.0.0'] });
const OFFLINE = { offline: 'true', metadata: ANSWERS };

/** A GitHub with one repository, which has `apps/web.yaml` and `apps/api.yaml` on main. */
interface Hub {
  git: HttpServer;
  api: GitHub;
  repository: string;
  step(step: Step): Promise<Stepped>;
  show(ref: string, path?: string): string;
}

async function openHub(t: Test, files: Record<string, string> = { 'apps/web.yaml': WEB }): Promise<Hub> {
  const home = mkdtempSync(join(tmpdir(), 'image-update-hub-'));
  const repository = join(home, 'acme/config');
  mkdirSync(join(home, 'acme'));
  createRepository(repository, files);
  const server = await startHttp({ root: home, users: { 'x-access-token': JOB_TOKEN, bot: 'other' } });
  const api = await startGitHub(repository);
  t.teardown(async () => {
    await server.close();
    await api.stop();
    rmSync(home, { recursive: true, force: true });
  });
  return {
    git: server,
    api,
    repository,
    step: async (step) => runStep({ serverUrl: server.url, apiUrl: api.origin, ...step }),
    show: (ref, path = 'apps/web.yaml') => `${git(repository, ['show', `${ref}:${path}`])}\n`,
  };
}

const annotationsOf = ({ commands }: Stepped) => commands.filter(({ name }) => /^(?:error|warning|notice)$/.test(name));
const errorsOf = (ran: Stepped) => ran.commands.filter(({ name }) => name === 'error').map(({ message }) => message);

t.test('files: the workspace is edited, and every way of telling tells it', async (t) => {
  const ran = await runStep({ with: { mode: 'files', ...OFFLINE }, files: { 'apps/web.yaml': WEB } });
  t.equal(ran.status, 0, ran.raw);
  t.equal(readFileSync(join(ran.workspace, 'apps/web.yaml'), 'utf8'), WEB.replace('1.0.0', '1.1.0'));
  const { changes, results, ...outputs } = ran.outputs;
  t.strictSame(JSON.parse(changes!), [
    {
      file: 'apps/web.yaml',
      line: 15,
      workload: 'shop:deployment/web',
      container: 'app',
      field: 'spec.template.spec.containers[0].image',
      image: 'ghcr.io/acme/web',
      from: 'ghcr.io/acme/web:1.0.0',
      to: 'ghcr.io/acme/web:1.1.0',
      policy: 'semver:~1',
    },
  ]);
  t.strictSame(outputs, {
    changed: 'true',
    'changed-files': '["apps/web.yaml"]',
    images: '["ghcr.io/acme/web:1.1.0"]',
    held: '[]',
    'commit-sha': '',
    branch: '',
    'pull-request-number': '',
    'pull-request-url': '',
    'pull-request-operation': '',
    'pull-requests': '[]',
    'registry-requests': '',
  });
  t.equal(results, join(ran.temporary, 'image-update-results__acme_image-update.json'));
  t.match(JSON.parse(readFileSync(results, 'utf8')), [{ severity: 'info', file: { path: 'apps/web.yaml' } }]);
  t.strictSame(annotationsOf(ran), [
    {
      name: 'notice',
      properties: { title: 'Image updated: app', file: 'apps/web.yaml', line: '15' },
      message: 'ghcr.io/acme/web:1.0.0 -> ghcr.io/acme/web:1.1.0',
    },
  ]);
  t.match(
    ran.summary,
    /^### image-update: 1 image field in 1 file changed, in the workspace\n\n\| workload .*\n.*\n\| `shop:deployment\/web` \| `app` \|/,
  );
});

/** What a step comes to that edits nothing: its status, the output `changed`, the first error. */
const failOn: [failOn: string, files: Record<string, string>, status: number, changed: string, error?: RegExp][] = [
  ['', { 'apps/web.yaml': WEB }, 0, 'true'],
  ['error', { 'apps/web.yaml': WEB }, 0, 'true'],
  [
    'available-update',
    { 'apps/web.yaml': WEB },
    1,
    'true',
    /^1 image field has an update, and fail-on is available-update$/,
  ],
  ['never', { 'apps/web.yaml': WEB }, 0, 'true'],
  ['available-update', { 'apps/web.yaml': deployment('web', '1.1.0') }, 0, 'false'],
  ['error', { 'apps/web.yaml': WEB, 'strict.yaml': strict(2) }, 0, 'true'],
  [
    'error',
    { 'apps/web.yaml': deployment('web', 'x', 'y: {'), 'strict.yaml': strict(2) },
    1,
    'false',
    /nothing was written/,
  ],
  ['never', { 'apps/web.yaml': deployment('web', 'x', 'y: {'), 'strict.yaml': strict(2) }, 0, 'false'],
  [
    'available-update',
    { 'apps/web.yaml': deployment('web', 'x', 'y: {'), 'strict.yaml': strict(2) },
    1,
    'false',
    /nothing was written/,
  ],
];

function strict(maxChanges: number): string {
  return `apiVersion: image-update.dev/v1alpha1\nkind: ImageUpdate\nspec: {strict: true, maxChanges: ${maxChanges}}\n`;
}

t.test('check: nothing is edited, and fail-on says what fails', async (t) => {
  for (const [value, files, status, changed, error] of failOn) {
    const about = `fail-on ${value || 'left out'}, ${Object.keys(files).join()}`;
    const config = 'strict.yaml' in files ? { 'config-file': './strict.yaml' } : {};
    const ran = await runStep({
      with: { mode: 'check', path: 'apps', 'fail-on': value, ...config, ...OFFLINE },
      files,
    });
    t.equal(ran.status, status, `${about}: ${ran.raw}`);
    t.equal(ran.outputs['changed'], changed, about);
    t.equal(readFileSync(join(ran.workspace, 'apps/web.yaml'), 'utf8'), files['apps/web.yaml'], `${about}: as it was`);
    if (error) t.match(errorsOf(ran)[0], error, about);
    else if (status === 0 && value !== 'never') t.same(errorsOf(ran), [], about);
  }
});

t.test('commit: pushed to the base branch without a checkout, once', async (t) => {
  const hub = await openHub(t, {
    'apps/web.yaml': WEB,
    'apps/api.yaml': deployment('api', '1.0.0'),
    'ci/update.yaml': 'apiVersion: image-update.dev/v1alpha1\nkind: ImageUpdate\nspec: {deny: [ghcr.io/acme/api]}\n',
  });
  const base = hub.show('main', '').trim() && git(hub.repository, ['rev-parse', 'main']);
  const answers = { offline: 'true', metadata: metadata({ web: ['1.1.0'], api: ['1.2.0'] }) };
  const inputs = { mode: 'commit', path: './apps/', 'config-file': 'ci/update.yaml', ...answers };
  const dry = await hub.step({ with: { ...inputs, 'dry-run': 'true' } });
  t.equal(dry.status, 0, dry.raw);
  t.match(dry.outputs, { changed: 'true', 'commit-sha': '' });
  t.match(dry.summary, /would change; nothing was written/);
  t.equal(git(hub.repository, ['rev-parse', 'main']), base, 'a dry run pushes nothing');

  const ran = await hub.step({
    with: { ...inputs, 'commit-message': 'Take {{image}}', author: 'Grace Hopper <grace@example.com>' },
  });
  t.equal(ran.status, 0, ran.raw);
  const head = git(hub.repository, ['rev-parse', 'main']);
  t.match(ran.outputs, { changed: 'true', 'commit-sha': head, branch: 'main', 'pull-request-number': '' });
  t.equal(
    git(hub.repository, ['diff', '--numstat', base, 'main']),
    '1\t1\tapps/web.yaml',
    'one line, as deny has the other',
  );
  t.equal(
    git(hub.repository, ['log', '-1', '--format=%an <%ae>: %s', 'main']),
    'Grace Hopper <grace@example.com>: Take ghcr.io/acme/web:1.1.0',
  );
  t.match(JSON.parse(ran.outputs['held']!), [{ file: 'apps/api.yaml', reason: 'denied' }]);
  t.match(ran.lines.at(-1), /^image-update: 1 image field in 1 file changed, pushed to main, 1 held back/);

  const again = await hub.step({ with: inputs });
  t.match(again, { status: 0, outputs: { changed: 'false', 'commit-sha': '' } });
  t.equal(git(hub.repository, ['rev-parse', 'main']), head);
  t.match(await hub.step({ with: { ...inputs, summary: 'on-change' } }), { status: 0, summary: '' });
});

t.test('pull-request: opened, left alone, brought up to date, closed', async (t) => {
  const hub = await openHub(t);
  const inputs = {
    labels: 'images, dependencies',
    reviewers: 'ada',
    draft: 'true',
    title: 'Images: {{image}}',
    offline: 'true',
  };
  const tags = (...names: string[]) => ({ metadata: metadata({ web: names }) });
  const opened = await hub.step({ with: { ...inputs, ...tags('1.1.0') } });
  t.equal(opened.status, 0, opened.raw);
  const url = 'https://github.example.com/acme/config/pull/1';
  const branch = 'image-update/all';
  t.match(opened.outputs, {
    changed: 'true',
    branch,
    'commit-sha': git(hub.repository, ['rev-parse', branch]),
    'pull-request-number': '1',
    'pull-request-url': url,
    'pull-request-operation': 'created',
    'pull-requests': JSON.stringify([{ number: 1, url, branch, operation: 'created' }]),
  });
  t.match(hub.api.pulls, [
    {
      title: 'Images: ghcr.io/acme/web:1.1.0',
      head: branch,
      base: 'main',
      draft: true,
      labels: ['images', 'dependencies'],
      reviewers: ['ada'],
    },
  ]);
  t.match(hub.show(branch), 'web:1.1.0');
  t.match(hub.show('main'), 'web:1.0.0', 'the base stays');
  t.match(opened.summary, `Pull request 1 of \`${branch}\`: created, <${url}>`);
  t.match(
    annotationsOf(opened).filter(({ name }) => name === 'warning'),
    [{ message: /job token, whose pushes and pull requests start no other workflows/ }],
    'what the job token means is said',
  );

  const again = await hub.step({ with: { ...inputs, ...tags('1.1.0') } });
  t.match(again, { status: 0, outputs: { 'pull-request-number': '1', 'pull-request-operation': 'none' } }, again.raw);
  t.notMatch(again.raw, /job token/, 'nothing was made by it');
  const newer = await hub.step({ with: { ...inputs, ...tags('1.2.0'), token: 'other', 'branch-token': JOB_TOKEN } });
  t.match(newer, { status: 0, outputs: { 'pull-request-operation': 'updated' } }, newer.raw);
  t.notMatch(newer.raw, /job token/, 'another token');
  t.equal(hub.api.authorizations.at(-1), 'token other');
  t.match(hub.show(branch), 'web:1.2.0');
  const gone = await hub.step({ with: { ...inputs, ...tags('1.0.0') } });
  t.match(gone, { status: 0, outputs: { changed: 'false', 'pull-request-operation': 'closed' } }, gone.raw);
  t.equal(hub.api.pulls[0]!.state, 'closed');
  t.equal(hub.api.pulls.length, 1);
});

t.test('commits and pull requests by image; some images alone', async (t) => {
  const files = { 'web.yaml': WEB, 'api.yaml': deployment('api', '1.0.0'), 'db.yaml': deployment('db', '1.0.0') };
  const answers = { offline: 'true', metadata: metadata({ web: ['1.1.0'], api: ['1.1.0'], db: ['1.1.0'] }) };
  const images = { images: 'ghcr.io/acme/web:1.1.0\nghcr.io/*/api' };
  const pulls = await openHub(t, files);
  const dry = await pulls.step({ with: { 'group-by': 'image', ...images, ...answers, 'dry-run': 'True' } });
  t.match(dry, { status: 0, outputs: { changed: 'true', 'pull-requests': '[]' } }, dry.raw);
  t.same([pulls.api.seen, git(pulls.repository, ['branch', '--format=%(refname:short)'])], [[], 'main']);
  const ran = await pulls.step({ with: { 'group-by': 'image', ...images, ...answers } });
  t.equal(ran.status, 0, ran.raw);
  t.same(pulls.api.pulls.map(({ title }) => title).toSorted(), [
    'Update ghcr.io/acme/api to 1.1.0',
    'Update ghcr.io/acme/web to 1.1.0',
  ]);
  t.same(JSON.parse(ran.outputs['held']!), [], 'the third is passed over in silence');

  const commits = await openHub(t, files);
  const pushed = await commits.step({ with: { mode: 'commit', 'group-by': 'image', ...images, ...answers } });
  t.equal(pushed.status, 0, pushed.raw);
  t.equal(git(commits.repository, ['rev-list', '--count', 'main']), '3');
  t.match(commits.show('main', 'db.yaml'), 'db:1.0.0');
});
