// The Action as it is built, run as a runner runs it: each mode on real git and a GitHub that remembers, and all that it tells.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createRepository, git, startHttp, type HttpServer } from '../git/servers.ts';
import { deployment, metadata } from '../job/places.ts';
import { leaveOutOfQuickRun } from '../quick.ts';
import { answer, startScripted } from '../registry/scripted.ts';
import { startForge, type StandIn } from '../git/forge/stand-in.ts';
import { JOB_TOKEN, program, runStep, type Step, type Stepped } from './step.ts';

leaveOutOfQuickRun();
if (!existsSync(program)) t.bailout('dist/action.js is not there; run: npm run build');

const WEB = deployment('web', '1.0.0');
const ANSWERS = metadata({ web: ['1.0.0', '1.1.0', '2.0.0'], api: ['3.0.0'] });
const OFFLINE = { offline: 'true', metadata: ANSWERS };

/** A GitHub with one repository, which has `apps/web.yaml` and `apps/api.yaml` on main. */
interface Hub {
  git: HttpServer;
  api: StandIn;
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
  const api = await startForge('github', repository);
  api.owners[JOB_TOKEN] = 'github-actions[bot]';
  t.teardown(async () => {
    await server.close();
    await api.server.stop();
    rmSync(home, { recursive: true, force: true });
  });
  return {
    git: server,
    api,
    repository,
    step: async (step) => runStep({ serverUrl: server.url, apiUrl: api.server.origin, ...step }),
    show: (ref, path = 'apps/web.yaml') => `${git(repository, ['show', `${ref}:${path}`])}\n`,
  };
}

const annotationsOf = ({ commands }: Stepped) => commands.filter(({ name }) => /^(?:error|warning|notice)$/.test(name));
const errorsOf = (ran: Stepped) => ran.commands.filter(({ name }) => name === 'error').map(({ message }) => message);

t.test('files: the workspace is edited, and every way of telling tells it', async (t) => {
  const ran = await runStep({ with: { mode: 'files', ...OFFLINE }, files: { 'apps/web.yaml': WEB } });
  t.equal(ran.status, 0, ran.raw);
  t.equal(readFileSync(join(ran.workspace, 'apps/web.yaml'), 'utf8'), WEB.replace('1.0.0', '1.1.0'));
  const { changes = '', results = '', ...outputs } = ran.outputs;
  t.strictSame(JSON.parse(changes), [
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
  const url = `${hub.api.server.origin}/pull/1`;
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
    [{ message: /opened with the job's own token, for which no other workflow starts/ }],
    'what the job token means is said',
  );

  const again = await hub.step({ with: { ...inputs, ...tags('1.1.0') } });
  t.match(again, { status: 0, outputs: { 'pull-request-number': '1', 'pull-request-operation': 'none' } }, again.raw);
  t.notMatch(again.raw, /own token/, 'nothing was made by it');
  const newer = await hub.step({ with: { ...inputs, ...tags('1.2.0'), token: 'other', 'branch-token': JOB_TOKEN } });
  t.match(newer, { status: 0, outputs: { 'pull-request-operation': 'updated' } }, newer.raw);
  t.equal(hub.api.server.authorizations.at(-1), 'token other');
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
  t.same([pulls.api.server.seen, git(pulls.repository, ['branch', '--format=%(refname:short)'])], [[], 'main']);
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

t.test('an event that names no branch, and a registry that is asked', async (t) => {
  const hub = await openHub(t);
  const event = { repository: { default_branch: 'main' } };
  const ran = await hub.step({ with: { mode: 'commit', ...OFFLINE }, ref: 'refs/pull/3/merge', event });
  t.match(ran, { status: 0, outputs: { branch: 'main' } }, ran.raw);
  const lost = await hub.step({ with: { mode: 'commit', ...OFFLINE }, ref: 'refs/tags/v1' });
  t.match([lost.status, errorsOf(lost)], [1, [/^base: the workflow runs on no branch, .*say which branch to update/]]);

  const registry = await startScripted((request, response) => {
    if (request.authorization === undefined)
      return answer(response, 401, {}, { 'www-authenticate': 'Basic realm="x"' });
    t.equal(request.authorization, `Basic ${Buffer.from('robot:canary-of-docker').toString('base64')}`);
    return answer(response, 200, { name: 'acme/web', tags: ['1.0.0', '1.3.0'] });
  });
  t.teardown(registry.stop);
  const text = WEB.replace('ghcr.io/', `${registry.host}/`);
  const auth = Buffer.from('robot:canary-of-docker').toString('base64');
  const looked = await runStep({
    with: { mode: 'files', 'registry-config': 'login.json' },
    files: { 'web.yaml': text, 'login.json': JSON.stringify({ auths: { [registry.host]: { auth } } }) },
    env: { REGISTRY_INSECURE: registry.host },
  });
  t.equal(looked.status, 0, looked.raw);
  t.match(readFileSync(join(looked.workspace, 'web.yaml'), 'utf8'), 'acme/web:1.3.0');
  t.equal(looked.outputs['registry-requests'], String(registry.seen.length));
  t.notMatch(told(looked), /canary/, 'and its password is told nowhere');
  for (const form of ['canary-of-docker', auth.replace(/=+$/, '')]) t.ok(maskedBy(looked).includes(form), form);
});

/** Whatever a person or a later step could see: all but the commands by which the runner learns what to hide. */
function told(ran: Stepped): string {
  const seen = ran.commands.filter(({ name }) => name !== 'add-mask').map((command) => JSON.stringify(command));
  const results = ran.outputs['results'] ? readFileSync(ran.outputs['results'], 'utf8') : '';
  return [...ran.lines, ...seen, JSON.stringify(ran.outputs), ran.summary, results].join('\n');
}

function maskedBy({ commands }: Stepped): string[] {
  return commands.filter(({ name }) => name === 'add-mask').map(({ message }) => message);
}

t.test('secrets: masked in each form, before anything else is said, and told nowhere', async (t) => {
  // A person who has written a token into a manifest must not read it in the summary of a public repository.
  const token = 'github_pat_canary+/0123456789';
  const hub = await openHub(t, { 'web.yaml': WEB.replace('# keep me', `# ${token}`) });
  const env = {
    GIT_PASSWORD: 'canary of another',
    REGISTRY_HOST: 'r.test',
    REGISTRY_USERNAME: 'u',
    REGISTRY_PASSWORD: 'canary-registry',
  };
  const ran = await hub.step({
    with: { mode: 'commit', token, 'branch-token': JOB_TOKEN, 'dry-run': 'true', ...OFFLINE },
    env,
  });
  t.equal(ran.status, 0, ran.raw);
  t.notMatch(told(ran), /canary/i);
  t.match(told(ran), '[redacted]');
  const forms = (secret: string) => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ];
  const masks = new Set(maskedBy(ran));
  for (const secret of [token, JOB_TOKEN, `x-access-token:${JOB_TOKEN}`, 'canary of another', 'canary-registry'])
    for (const form of forms(secret)) t.ok(masks.has(form), form);
  const first = ran.commands.findIndex(({ name }) => name !== 'add-mask');
  t.ok(
    ran.commands.slice(first).every(({ name }) => name !== 'add-mask'),
    'no mask comes late',
  );
  t.match(ran.raw, /^::add-mask::/);

  const wrong = await hub.step({ with: { mode: 'commit', token: 'ghp_canaryWrong', ...OFFLINE } });
  t.match([wrong.status, errorsOf(wrong)], [1, [/^GitAuth: /]], wrong.raw);
  t.notMatch(told(wrong), /canary/i);
});

t.test('what is refused, and who cannot be reached: told with who must act', async (t) => {
  const hub = await openHub(t);
  hub.api.before = ({ method }, response) => {
    if (method !== 'POST') return false;
    answer(response, 403, { message: 'Resource not accessible by integration' });
    return true;
  };
  const refused = await hub.step({ with: OFFLINE });
  t.match([refused.status, errorsOf(refused)], [1, [/pull-requests: write/]], refused.raw);
  t.match(refused.outputs, { changed: 'true', 'pull-request-number': '' });
  t.match(refused.summary, /### image-update: failed[^]*pull-requests: write[^]*web:1\.1\.0/);
  const never = await hub.step({ with: { 'fail-on': 'never', ...OFFLINE } });
  t.match([never.status, errorsOf(never)], [0, []], never.raw);
  t.match(annotationsOf(never)[0], { name: 'warning', message: /pull-requests: write/ }, 'and still it is told');

  hub.git.fault = ({ url }) => (/git-receive-pack/.test(url ?? '') ? 403 : undefined);
  const push = await hub.step({ with: { mode: 'commit', ...OFFLINE } });
  t.match([push.status, errorsOf(push)], [1, [/^GitAuth: /]], push.raw);
  const nobody = await runStep({ with: { mode: 'commit', ...OFFLINE }, serverUrl: 'http://127.0.0.1:1' });
  t.match([nobody.status, errorsOf(nobody)], [1, [/^GitUnavailable: /]], nobody.raw);
  const registry = await runStep({
    with: { mode: 'check' },
    files: { 'web.yaml': WEB.replace('ghcr.io/', '127.0.0.1:1/') },
    env: { REGISTRY_INSECURE: '127.0.0.1:1' },
  });
  t.equal(registry.status, 0, 'a registry that is not there holds its images back, as everywhere');
  t.match(JSON.parse(registry.outputs['held']!), [{ file: 'web.yaml', line: 15, message: /127\.0\.0\.1:1/ }]);
});

/** Inputs that are wrong, and everything that is said of them. */
const wrong: [about: string, step: Step, says: RegExp[]][] = [
  [
    'an unknown word',
    { with: { mode: 'pull-requests' } },
    [/^mode: "pull-requests" is none of pull-request, commit, files, check; did you mean pull-request\?$/],
  ],
  [
    'several at once',
    {
      with: {
        mode: 'files',
        'dry-run': 'yes',
        'max-changes': '-1',
        path: '../x',
        author: 'nobody',
        branch: 'a..b',
        labels: 'x',
      },
    },
    [
      /dry-run: "yes" is neither true nor false\n/,
      /max-changes: "-1" is no whole number\n/,
      /path: "\.\.\/x" has a segment "\.\."/,
      /author: "nobody" is no author/,
      /branch: "a\.\.b": it may not hold "\.\."/,
      /labels: it is for the mode pull-request, and the mode is files/,
    ],
  ],
  ['a path out of the repository', { with: { path: '/etc' } }, [/^path: "\/etc" has an empty segment/]],
  ['a file that git obeys', { with: { 'config-file': '.git/config' } }, [/config-file: .*git could take for \.git/]],
  ['a branch that is the base', { with: { base: 'x', branch: 'x' } }, [/^branch: it is the base, "x"/]],
  ['a token with a line end', { with: { token: 'canary\nx: y' } }, [/^token: it is no token: it holds white space/]],
  [
    'a bad template',
    { with: { 'commit-message': '{{imige}}', ...OFFLINE } },
    [/^the inputs: commit-message: .*did you mean \{\{image\}\}\?|commit-message: .*did you mean/],
  ],
  ['a bad title', { with: { title: '{{>x}}', ...OFFLINE } }, [/title: \{\{> x\}\}: there are no partials/]],
  [
    'a bad config file',
    {
      with: { mode: 'check', 'config-file': 'c.yaml' },
      files: { 'c.yaml': 'apiVersion: image-update.dev/v1alpha1\nkind: ImageUpdate\nspec: {denny: []}\n' },
    },
    [/denny.*deny/],
  ],
  ['no token', { with: { token: '', ...OFFLINE } }, [/^token: there is none/]],
  [
    'no token of ours for pull requests, and others that happen to be there',
    {
      with: { token: '', 'branch-token': 'abcd', ...OFFLINE },
      env: { FORGE_TOKEN: 'x', GITHUB_TOKEN: 'x', GIT_TOKEN: 'x' },
    },
    [/^token: there is none/],
  ],
  [
    'a place where no results can be written',
    { with: { mode: 'files', 'results-file': 'none/there.json', ...OFFLINE }, files: { 'web.yaml': WEB } },
    [/^results-file: none\/there\.json cannot be written: it does not exist$/],
  ],
  [
    'no workflow',
    { with: { mode: 'check' }, env: { GITHUB_REPOSITORY: '' } },
    [/^GITHUB_REPOSITORY is not set: .*elsewhere use tk-image/],
  ],
];

t.test('wrong inputs fail the step, all in one message, whatever fail-on says', async (t) => {
  const hub = await openHub(t);
  const runs = await Promise.all(
    wrong.map(async ([, step]) => hub.step({ ...step, with: { 'fail-on': 'never', ...step.with } })),
  );
  for (const [i, [about, , says]] of wrong.entries()) {
    const ran = runs[i]!;
    t.equal(ran.status, 1, `${about}: ${ran.raw}`);
    t.equal(errorsOf(ran).length, 1, `${about}: one message`);
    for (const part of says) t.match(errorsOf(ran)[0], part, about);
    t.notMatch(told(ran), /canary|\n +at /, about);
  }
  const typo = await runStep({
    with: { mode: 'check', 'dry-rum': 'true', foo: 'x', ...OFFLINE },
    files: { 'web.yaml': WEB },
  });
  t.equal(typo.status, 0, typo.raw);
  t.match(annotationsOf(typo).slice(0, 2), [
    { name: 'warning', message: 'there is no input "dry-rum"; did you mean dry-run?' },
    { name: 'warning', message: 'there is no input "foo"; leave it out' },
  ]);
});

t.test('what users and their files bring about in the workspace', async (t) => {
  const empty = await runStep({ with: { mode: 'check', ...OFFLINE } });
  t.match([empty.status, errorsOf(empty)], [1, [/the workspace is empty: put a step with actions\/checkout before/]]);
  const nowhere = await runStep({ with: { mode: 'check', path: 'nowhere', ...OFFLINE }, files: { 'web.yaml': WEB } });
  t.match([nowhere.status, errorsOf(nowhere)], [1, [/nowhere cannot be read: it does not exist/]]);
  const missing = await runStep({
    with: { mode: 'check', offline: 'true', metadata: 'none.yaml' },
    files: { 'web.yaml': WEB },
  });
  t.match([missing.status, errorsOf(missing)], [1, [/none\.yaml cannot be read/]]);
  const files = { 'web.yaml': WEB, 'images.yaml': ANSWERS };
  const given = await runStep({
    with: { mode: 'files', metadata: 'images.yaml', offline: 'true', 'results-file': 'out.json', annotations: 'false' },
    files,
  });
  t.match(given, { status: 0, outputs: { results: 'out.json' } }, given.raw);
  t.match(JSON.parse(readFileSync(join(given.workspace, 'out.json'), 'utf8')), [{ severity: 'info' }]);
  t.same(annotationsOf(given), []);
  const few = await runStep({ with: { mode: 'files', 'max-changes': '0', ...OFFLINE }, files });
  t.equal(few.status, 0, 'no limit');
  const many = { 'a.yaml': WEB, 'b.yaml': WEB };
  const limited = await runStep({ with: { mode: 'files', 'max-changes': '1', ...OFFLINE }, files: many });
  t.match([limited.status, limited.outputs['changed']], [1, 'false']);
  t.equal(readFileSync(join(limited.workspace, 'a.yaml'), 'utf8'), WEB, 'more than that, and nothing is written');
});

t.test('more than the runner takes: the rest is counted, and a file has all', async (t) => {
  const documents = (name: string, count: number, more: string) =>
    Array.from({ length: count }, (_, i) =>
      deployment('web', '1.0.0').replace('name: web', `name: ${name}-${i}`).replace('semver:~1', more),
    ).join('---\n');
  const ran = await runStep({
    with: { mode: 'check', ...OFFLINE },
    files: { 'moved.yaml': documents('moved', 4000, 'semver:~1'), 'held.yaml': documents('held', 12, 'semver:~9') },
  });
  t.equal(ran.status, 0, ran.raw.slice(-2000));
  const counts = Object.groupBy(annotationsOf(ran), ({ name }) => name);
  t.equal(counts['notice']?.length, 10);
  t.equal(counts['warning']?.length, 10);
  t.match(
    counts['warning']?.[0],
    { message: /^the output changes is cut, .*results/ },
    'what is about the run goes first',
  );
  t.ok(Buffer.byteLength(ran.summary) < 1 << 20, 'the summary fits');
  t.match(ran.summary, /^3993 more annotations than a step may have are left out/m);
  t.match(
    ran.summary,
    /\n\n… \d+ rows more did not fit in here; the file that the output `results` names has all\.\n$/,
    'cut at a row',
  );
  t.ok(JSON.parse(ran.outputs['changes']!).length > 100);
  t.ok(Object.values(ran.outputs).every((value) => Buffer.byteLength(value) < 128 << 10));
  t.equal((JSON.parse(readFileSync(ran.outputs['results']!, 'utf8')) as unknown[]).length, 4012);
});

t.test('manifests of a stranger: no command, no Markdown, no HTML', async (t) => {
  const evil = '::error::x ##[add-mask]y <img src=x> | `b` [a](javascript:x) @ada #1';
  const quoted = JSON.stringify(`${evil}\n::set-output name=changed::evil\n##[error]z`);
  const text = WEB.replace('name: web', `name: ${quoted}`).replace(
    '"true"',
    '"true"\n    fluxcd.io/locked: "true"\n    fluxcd.io/locked_msg: ' + quoted,
  );
  const ran = await runStep({
    with: { mode: 'check', ...OFFLINE },
    files: { '::warning::f##[group]<b>.yaml': text, 'plain.yaml': WEB.replace('# keep me', `# ${evil}`) },
  });
  t.equal(ran.status, 0, ran.raw);
  const ours = new Set(['add-mask', 'group', 'endgroup', 'warning', 'notice']);
  t.same(
    ran.commands.filter(({ name }) => !ours.has(name)),
    [],
    ran.raw,
  );
  t.equal(ran.commands.filter(({ name }) => name === 'group').length, 2, 'two groups, both ours');
  t.equal(ran.outputs['changed'], 'true');
  t.match(annotationsOf(ran), [
    { name: 'warning', properties: { file: '::warning::f##[group]<b>.yaml' } },
    { name: 'notice' },
  ]);
  t.notMatch(
    ran.summary.replaceAll(/`[^`]*`|^(`{3,})diff$[^]*?^\1$/gm, ''),
    /::|##\[|<(?!\/?(?:details|summary)>)|@|javascript/,
  );
});
