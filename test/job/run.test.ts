// `tk-image run` in-process, on a real git server on loopback: what is pushed, what nothing new costs, faults, reverts.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { addCommit, addHook, git, makeKey, onPush } from '../git/servers.ts';
import { deployment, MAIN, metadata, openShop, type RunOptions } from './places.ts';
import { leaveOutOfQuickRun } from '../quick.ts';

leaveOutOfQuickRun();

// Some fifteen seconds on two idle cores.
t.setTimeout(150_000);

const web = { 'm.yaml': metadata({ web: ['1.0.0', '1.2.0'], api: ['1.0.0'] }) };
const both = { 'm.yaml': metadata({ web: ['1.0.0', '1.2.0'], api: ['1.0.0', '1.1.0'] }) };
const withMetadata = (files: Record<string, string>, more: RunOptions = {}): RunOptions => ({
  ...more,
  files: { ...files, ...more.files },
  args: ['--metadata', 'm.yaml', ...(more.args ?? [])],
});
const tree = {
  'apps/web.yaml': deployment('web', '1.0.0'),
  'apps/api.yaml': deployment('api', '1.0.0'),
  'README.md': 'x\n',
};

/** Pushes that a server has seen. */
const pushes = (requests: readonly string[]) =>
  requests.filter((request) => request.startsWith('POST') && request.endsWith('receive-pack')).length;

t.test('a commit of one line; then nothing to change, for one question', async (t) => {
  const shop = await openShop(tree);
  t.teardown(shop.close);
  const before = shop.head();

  const dry = await shop.run({}, withMetadata(web, { args: ['--dry-run'] }));
  t.equal(dry.status, 0, dry.stderr);
  t.match(
    dry.stdout,
    /^--- a\/apps\/web\.yaml\n[^]*\n-        image: ghcr\.io\/acme\/web:1\.0\.0 # keep me\n\+        image: ghcr\.io\/acme\/web:1\.2\.0 # keep me\n$/,
  );
  t.match(dry.stderr, /would change 1 image field in 1 file; nothing was pushed/);
  t.equal(shop.head(), before, 'a dry run pushes nothing');
  t.match((await shop.run({ push: { mode: 'DryRun' } }, withMetadata(web))).stdout, /^--- a/, 'nor does mode: DryRun');
  t.equal(pushes(shop.server.requests), 0);

  const ran = await shop.run({}, withMetadata(web));
  t.equal(ran.status, 0, ran.stderr);
  t.equal(ran.stdout, 'apps/web.yaml: shop:deployment/web app: ghcr.io/acme/web:1.0.0 -> ghcr.io/acme/web:1.2.0\n');
  t.match(ran.stderr, new RegExp(`pushed ${shop.head().slice(0, 12)} to main`));
  const diff = git(shop.repository, ['diff', '--unified=0', before, MAIN]);
  t.equal(diff.split('\n').filter((line) => /^[-+][^-+]/.test(line)).length, 2, 'one line differs');
  t.equal(shop.show(MAIN, 'apps/web.yaml'), deployment('web', '1.2.0'), 'in its image alone');
  const message = git(shop.repository, ['log', '-1', '--format=%an <%ae>%n%B', MAIN]);
  t.match(
    message,
    /^image-update <bot@example\.com>\nAuto-release ghcr\.io\/acme\/web:1\.2\.0\n\nUpdate-Job: default\/update\/[0-9a-f-]{36}$/,
  );

  shop.server.requests.length = 0;
  const again = await shop.run({}, withMetadata(web));
  t.equal(again.status, 0);
  t.match(again.stderr, /^tk-image: nothing to change\n$/);
  t.same(
    shop.server.requests,
    ['GET /config.git/info/refs?service=git-upload-pack', 'POST /config.git/git-upload-pack'],
    'one ls-remote',
  );
  const elsewhere = await shop.run({}, withMetadata(web, { cache: 'other', args: ['-o', 'json'] }));
  t.match(JSON.parse(elsewhere.stdout), {
    kind: 'UpdateJob',
    metadata: { name: 'update', namespace: 'default' },
    status: { phase: 'Succeeded', result: { outcome: 'NothingToChange', baseCommit: shop.head(), branch: 'main' } },
  });

  const newer = await shop.run({}, withMetadata({ 'm.yaml': metadata({ web: ['1.3.0'] }) }));
  t.match(newer.stdout, /web:1\.2\.0 -> ghcr\.io\/acme\/web:1\.3\.0/, 'other answers are asked for anew');
  shop.commit({ 'apps/new.yaml': deployment('web', '1.0.0') });
  const added = await shop.run({}, withMetadata({ 'm.yaml': metadata({ web: ['1.3.0'] }) }));
  t.match(
    added.stdout,
    /^apps\/new\.yaml: [^\n]*1\.3\.0\n$/,
    'so is a new head, of which only what is new is looked at',
  );
  t.match(added.stderr, /api app: no metadata of ghcr\.io\/acme\/api/, 'and what was said of the rest is said again');
});

t.test('answers in the repository, explicit updates, strict', async (t) => {
  const marked = deployment('web', '1.0.0').replace(' # keep me', ' # {"$imagepolicy": "flux:web"}');
  const policy = (tag: string) =>
    `apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImagePolicy\nmetadata: {name: web, namespace: flux}\nspec: {}\nstatus:\n  latestRef: {name: ghcr.io/acme/web, tag: ${tag}}\n  conditions: [{type: Ready, status: "True"}]\n`;
  const shop = await openShop({
    'web.yaml': marked,
    'policy.yaml': policy('1.1.0'),
    'api.yaml': deployment('api', '1.0.0'),
  });
  t.teardown(shop.close);
  const functionConfig = (spec: Record<string, unknown>) => ({
    run: {
      image: 'x/image-update:v1',
      contract: 'Function',
      functionConfig: { apiVersion: 'image-update.dev/v1alpha1', kind: 'ImageUpdate', spec },
    },
  });
  const markers = functionConfig({ annotations: false });
  t.match((await shop.run(markers)).stdout, /1\.0\.0 -> ghcr\.io\/acme\/web:1\.1\.0/);
  shop.commit({ 'policy.yaml': policy('1.2.0') });
  t.match(
    (await shop.run(markers)).stdout,
    /1\.1\.0 -> ghcr\.io\/acme\/web:1\.2\.0/,
    'a new answer in the repository counts, though the file it is about is as it was',
  );
  const set = functionConfig({
    annotations: false,
    markers: false,
    updates: [{ image: 'ghcr.io/acme/api', to: { tag: '2.0.0' } }],
  });
  t.match((await shop.run(set)).stdout, /api:1\.0\.0 -> ghcr\.io\/acme\/api:2\.0\.0/);
  shop.commit({ 'README.md': 'new head' });
  t.equal(
    (await shop.run(set)).stderr,
    'tk-image: nothing to change\n',
    'an update that is done is not called unmatched',
  );
  const strict = await shop.run(functionConfig({ strict: true }));
  t.equal(strict.status, 40);
  t.match(
    strict.stderr,
    /^tk-image: FunctionFailed: nothing was committed: api\.yaml:\d+: error: Deployment shop\/api app: no metadata/,
  );
  const wrong = await shop.run(functionConfig({ strickt: true }));
  t.equal(wrong.status, 2);
  t.match(wrong.stderr, /unknown field "strickt" in spec; did you mean "strict"/);
});

t.test('grouping: a commit each, one push', async (t) => {
  for (const [grouping, messages] of [
    ['Run', ['Auto-release multiple (2) images']],
    ['Image', ['Auto-release ghcr.io/acme/api:1.1.0', 'Auto-release ghcr.io/acme/web:1.2.0']],
    ['Workload', ['Auto-release ghcr.io/acme/api:1.1.0', 'Auto-release ghcr.io/acme/web:1.2.0']],
    ['Directory', ['Auto-release multiple (2) images', 'Auto-release ghcr.io/acme/web:1.2.0']],
  ] as const) {
    // Both images in one file: a part of its changes is a commit.
    const one = `${deployment('web', '1.0.0')}---\n${deployment('api', '1.0.0')}`;
    const files = {
      'apps/all.yaml': one,
      ...(grouping === 'Directory' && { 'other/web.yaml': deployment('web', '1.0.0') }),
    };
    const shop = await openShop(files);
    const base = shop.head();
    const messageTemplate =
      '{{#single}}Auto-release {{image}}{{/single}}{{#multiple}}Auto-release multiple ({{imageCount}}) images{{/multiple}}\n\n{{fileCount}}: {{#files}}{{.}} {{/files}}';
    // What belongs to another commit is no warning, and so no error.
    const strict = {
      run: {
        image: 'x/image-update:v1',
        contract: 'Function',
        functionConfig: { apiVersion: 'image-update.dev/v1alpha1', kind: 'ImageUpdate', spec: { strict: true } },
      },
    };
    const commit = { author: { email: 'a@b' }, grouping, messageTemplate };
    const ran = await shop.run({ ...strict, commit }, withMetadata(both));
    t.equal(ran.status, 0, ran.stderr);
    for (const commit of git(shop.repository, ['rev-list', `${base}..${MAIN}`]).split('\n')) {
      const files = git(shop.repository, ['diff', '--name-only', `${commit}^`, commit]).split('\n');
      const told = git(shop.repository, ['log', '-1', '--format=%b', commit]);
      t.match(told, `${files.length}: ${files.join(' ')}\n`, 'a message tells of the files of its commit alone');
    }
    const subjects = git(shop.repository, ['log', '--reverse', '--format=%s', `${base}..${MAIN}`]).split('\n');
    t.same(subjects, messages, grouping);
    t.equal(
      shop.show(MAIN, 'apps/all.yaml'),
      one.replaceAll('web:1.0.0', 'web:1.2.0').replaceAll('api:1.0.0', 'api:1.1.0'),
    );
    if (grouping === 'Image')
      t.equal(
        shop.show(`${MAIN}~1`, 'apps/all.yaml'),
        one.replaceAll('api:1.0.0', 'api:1.1.0'),
        'the first has its image alone',
      );
    t.equal(pushes(shop.server.requests), 1, 'pushed once');
    await shop.close();
  }
});

t.test('where it goes', async (t) => {
  const shop = await openShop(tree);
  t.teardown(shop.close);
  const base = shop.head();
  git(shop.repository, ['-c', 'user.name=x', '-c', 'user.email=x@x', 'tag', '-a', '-m', 'x', 'v1', base]);

  const branch = { push: { branch: 'updates' } };
  const first = await shop.run(branch, withMetadata(web));
  t.equal(first.status, 0, first.stderr);
  t.equal(shop.head(), base, 'main stays');
  t.equal(shop.head('updates~1'), base, 'a new branch begins at the source');
  await shop.run(branch, withMetadata(both));
  t.equal(shop.head('updates~2'), base, 'and is added to');
  t.match((await shop.run(branch, withMetadata(both))).stderr, /nothing to change/);

  const rebuild = { push: { branch: 'rebuilt', branchStrategy: 'Rebuild' } };
  await shop.run(rebuild, withMetadata(web));
  const built = shop.head('rebuilt');
  t.match(
    (await shop.run(rebuild, withMetadata(web, { cache: 'fresh' }))).stderr,
    /nothing to change/,
    'a branch that is as it would be made stays',
  );
  t.equal(shop.head('rebuilt'), built);
  const later = shop.commit({ 'README.md': 'later' });
  await shop.run(rebuild, withMetadata(both));
  t.equal(shop.head('rebuilt~1'), later, 'made anew from the new head');
  shop.server.fault = ({ method, url }) => {
    if (method === 'POST' && url?.endsWith('receive-pack') && shop.head('rebuilt') !== base)
      git(shop.repository, ['update-ref', 'refs/heads/rebuilt', base]);
    return undefined;
  };
  const foreign = await shop.run(rebuild, withMetadata({ 'm.yaml': metadata({ web: ['1.4.0'] }) }));
  shop.server.fault = () => undefined;
  t.equal(foreign.status, 30, 'a branch that moved meanwhile is not overwritten');
  t.equal(shop.head('rebuilt'), base);

  t.equal(
    (await shop.run({ git: { url: shop.url, ref: { tag: 'v1' } }, push: { branch: 'of-tag' } }, withMetadata(web)))
      .status,
    0,
  );
  t.equal(shop.head('of-tag~1'), base, 'from a tag');
  const fromCommit = await shop.run(
    { git: { url: shop.url, ref: { commit: base } }, push: { mode: 'DryRun' } },
    withMetadata(web),
  );
  t.match(fromCommit.stdout, /^--- a\/apps\/web\.yaml/, 'from a commit, to nowhere');

  const narrow = await shop.run(
    { git: { url: shop.url, ref: { branch: 'main' }, paths: ['other'] } },
    withMetadata(web),
  );
  t.match(narrow.stderr, /nothing to change/, 'nothing is seen outside of the paths');
  t.match(narrow.stderr, /warning: git\.paths: there is nothing at other/, 'and a path of nothing is told');
  const few = await shop.run({ run: { image: 'image-update', allow: { maxFiles: 1 } } }, withMetadata(both));
  t.equal(few.status, 41);
  t.match(few.stderr, /ForbiddenChange: 2 files changed, .*more than run\.allow\.maxFiles \(1\)/);
  const odd = { 'caf\\x2d.yaml': deployment('web', '1.0.0'), 'plain.yaml': deployment('web', '1.0.0') };
  shop.commit(odd);
  const named = await shop.run({}, withMetadata(web));
  t.match(named.stdout, /^plain\.yaml: /m, 'a file whose name may not be committed keeps no other back');
  t.match(named.stderr, /caf\\x2d\.yaml: warning: its path holds a backslash, so nothing in it is updated/);
});

t.test('others push meanwhile', async (t) => {
  const shop = await openShop(tree);
  t.teardown(shop.close);
  /** Lets somebody else push just before our first push arrives. */
  const overtake = (files: Record<string, string>) => {
    let once = true;
    shop.server.fault = ({ method, url }) => {
      if (once && method === 'POST' && url?.endsWith('receive-pack')) {
        once = false;
        shop.commit(files, 'meanwhile');
      }
      return undefined;
    };
  };
  let isNew = true;
  shop.server.fault = ({ method, url }) => {
    if (isNew && method === 'POST' && url?.endsWith('receive-pack')) {
      isNew = false;
      git(shop.repository, ['update-ref', 'refs/heads/made', MAIN]);
    }
    return undefined;
  };
  const made = await shop.run({ push: { branch: 'made' } }, withMetadata(web, { args: ['-o', 'json'] }));
  t.equal(made.status, 0, made.stderr);
  t.match(JSON.parse(made.stdout), { status: { attempt: 2, result: { outcome: 'Pushed', branch: 'made' } } });
  t.equal(git(shop.repository, ['rev-parse', 'made~1']), shop.head(), 'a branch that somebody makes first is added to');

  overtake({ 'README.md': 'meanwhile\n' });
  const other = await shop.run({}, withMetadata(web));
  t.equal(other.status, 0, other.stderr);
  t.equal(git(shop.repository, ['log', '-1', '--format=%s', `${MAIN}~1`]), 'meanwhile', 'ours stands on theirs');
  t.equal(shop.show(MAIN, 'README.md'), 'meanwhile\n');

  overtake({ 'apps/web.yaml': `${deployment('web', '1.2.0')}# more\n` });
  const same = await shop.run({}, withMetadata({ 'm.yaml': metadata({ web: ['1.3.0'] }) }, { args: ['-o', 'json'] }));
  t.equal(same.status, 0, same.stderr);
  t.match(
    JSON.parse(same.stdout),
    { status: { attempt: 2, result: { outcome: 'Pushed' } } },
    'the same file: made anew',
  );
  t.equal(shop.show(MAIN, 'apps/web.yaml'), `${deployment('web', '1.3.0')}# more\n`, 'no update is lost');

  overtake({ 'apps/web.yaml': deployment('web', '1.4.0') });
  const done = await shop.run({}, withMetadata({ 'm.yaml': metadata({ web: ['1.4.0'] }) }));
  t.match(done.stderr, /nothing to change/, 'somebody did it already');
  overtake({ 'apps/web.yaml': deployment('web', '1.4.1') });
  const never = await shop.run({ backoffLimit: 0 }, withMetadata({ 'm.yaml': metadata({ web: ['1.5.0'] }) }));
  t.equal(never.status, 30, 'as often as backoffLimit says');
  t.match(never.stderr, /^tk-image: Race: /);
});

t.test('faults', async (t) => {
  const shop = await openShop(tree, { robot: 'canary-of-the-password' });
  t.teardown(shop.close);
  const environment = { GIT_USERNAME: 'robot', GIT_PASSWORD: 'canary-of-the-password' };
  const run = (spec: Record<string, unknown> = {}, more: RunOptions = {}) =>
    shop.run(spec, withMetadata(web, { environment, ...more }));
  const all: string[] = [];
  const fails = async (
    about: string,
    status: number,
    said: RegExp,
    ran: Promise<{ status: number; stdout: string; stderr: string }>,
  ) => {
    const { stderr, stdout, ...rest } = await ran;
    all.push(stderr, stdout);
    t.equal(rest.status, status, about, { stderr });
    t.match(stderr, said, about);
  };
  const base = shop.head();
  await fails('no credentials', 20, /^tk-image: GitAuth: /, run({}, { environment: {} }));
  await fails('wrong credentials', 20, /GitAuth/, run({}, { environment: { ...environment, GIT_PASSWORD: 'wrong' } }));
  await fails(
    'a password and no user',
    20,
    /GIT_PASSWORD is set and GIT_USERNAME is not/,
    run({}, { environment: { GIT_PASSWORD: 'x' } }),
  );
  await fails('no such branch', 23, /RefNotFound/, run({ git: { url: shop.url, ref: { branch: 'nowhere' } } }));
  await fails(
    'no such server',
    22,
    /GitUnavailable/,
    run({ git: { url: 'http://127.0.0.1:9/x', ref: { branch: 'main' } } }),
  );
  shop.server.fault = () => 'hang';
  await fails(
    'a deadline',
    43,
    /Timeout: it has run for longer than activeDeadline \(1s\)/,
    run({ activeDeadline: '1s' }),
  );
  shop.server.fault = () => 503;
  await fails('a broken server', 22, /GitUnavailable/, run());
  shop.server.fault = () => undefined;
  addHook(shop.repository, 'pre-receive', 'echo "the freeze lasts until Monday" >&2; exit 1');
  await fails('a hook that refuses', 31, /PushRefused: .*the freeze lasts until Monday/, run());
  addHook(shop.repository, 'pre-receive', 'exit 0');
  await fails(
    'a template that is none',
    2,
    /messageTemplate/,
    run({ commit: { author: { email: 'a@b' }, messageTemplate: '{{#images}}' } }),
  );
  await fails('a suspended job', 2, /spec\.suspend is true/, run({ suspend: true }));
  await fails('an option that is none', 2, /unknown option/, run({}, { args: ['--dry'] }));
  t.equal(shop.head(), base, 'nothing was pushed by any');

  shop.server.fault = onPush('drop-answer');
  await fails('an answer that is lost', 0, /pushed/, run());
  t.equal(shop.head(`${MAIN}~1`), base, 'what arrived is a success, once');
  const secret = `apiVersion: v1\nkind: Secret\nmetadata: {name: git}\nstringData: {username: robot, password: canary-of-the-password}\n`;
  const withSecret = { files: { 's.yaml': secret }, args: ['--secret', 's.yaml'], environment: {} };
  const spec = { git: { url: shop.url, ref: { branch: 'main' }, secretRef: { name: 'git' } } };
  await fails('a Secret', 0, /nothing to change/, run(spec, withSecret));
  const elsewhere = secret.replace('{name: git}', '{name: git, annotations: {image-update.dev/host: git.example.com}}');
  await fails(
    'a Secret of another host',
    20,
    /is for the host git\.example\.com, not for 127\.0\.0\.1/,
    run(spec, { ...withSecret, files: { 's.yaml': elsewhere } }),
  );
  await fails(
    'a Secret that cannot be read',
    2,
    /is no Secret/,
    run(spec, { ...withSecret, files: { 's.yaml': 'kind: x\n' } }),
  );

  const kept = readdirSync(join(shop.home, 'cache'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  t.ok(kept.length > 5, 'the cache holds something');
  for (const { parentPath, name } of kept) all.push(readFileSync(join(parentPath, name), 'latin1'));
  for (const canary of ['canary-of-the-password', Buffer.from('robot:canary-of-the-password').toString('base64')])
    t.notOk(
      all.some((text) => text.includes(canary)),
      'no credential in any output or file',
    );
  const http = await shop.run({}, { ...withMetadata(web), args: [] });
  t.notMatch(http.stderr, /--allow-http/, 'http was allowed in all this');
});

t.test("people's reverts hold", async (t) => {
  const shop = await openShop(tree);
  t.teardown(shop.close);
  await shop.run({}, withMetadata(both));
  const ours = shop.head();
  const theirs = shop.commit({ 'apps/web.yaml': deployment('web', '1.0.0') }, 'Revert "Auto-release"');
  shop.commit({ 'README.md': 'later\n' });

  const held = await shop.run({}, withMetadata(both, { cache: 'elsewhere' }));
  t.equal(held.status, 0);
  t.match(
    held.stderr,
    new RegExp(
      `web app: it stays at ghcr\\.io/acme/web:1\\.0\\.0 .*our commit ${ours.slice(0, 12)} had set .*1\\.2\\.0, and commit ${theirs.slice(0, 12)} moved it away`,
    ),
  );
  t.match(held.stderr, /nothing to change/);
  t.match(
    (await shop.run({}, withMetadata(both, { cache: 'elsewhere' }))).stderr,
    /it stays at/,
    'said again, though nothing is looked at again',
  );

  const partly = await shop.run({}, withMetadata({ 'm.yaml': metadata({ web: ['1.2.0'], api: ['1.5.0'] }) }));
  t.match(partly.stdout, /^apps\/api\.yaml: [^\n]*1\.5\.0\n$/, 'others move');
  const newer = await shop.run({}, withMetadata({ 'm.yaml': metadata({ web: ['1.2.1'], api: ['1.5.0'] }) }));
  t.match(newer.stdout, /web:1\.0\.0 -> ghcr\.io\/acme\/web:1\.2\.1/, 'a newer version ends it');

  shop.commit({ 'apps/web.yaml': deployment('web', '1.1.0') });
  const later = { 'm.yaml': metadata({ web: ['1.2.1'], api: ['1.5.0'] }) };
  t.match(
    (await shop.run({}, withMetadata(later))).stderr,
    /it stays at ghcr\.io\/acme\/web:1\.1\.0/,
    'moved elsewhere',
  );
  t.match(
    (await shop.run({}, withMetadata(later, { args: ['--release', 'ghcr.io/acme/api'] }))).stderr,
    /it stays/,
    'another is released',
  );
  const annotations = { 'image-update.dev/release': 'ghcr.io/acme/web' };
  t.match(
    (await shop.run({}, withMetadata(later, { metadata: { annotations } }))).stdout,
    /1\.1\.0 -> ghcr\.io\/acme\/web:1\.2\.1/,
    'released',
  );
});

t.test('a job of a cluster, run again and again', async (t) => {
  const shop = await openShop(tree);
  t.teardown(shop.close);
  const base = shop.head();
  const { key, publicKey } = makeKey(shop.home, 'signing', 'secret words');
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'signing' },
    data: { identity: Buffer.from(key).toString('base64'), password: Buffer.from('secret words').toString('base64') },
  };
  const spec = {
    commit: { author: { email: 'bot@example.com' }, signing: { type: 'ssh', secretRef: { name: 'signing' } } },
  };
  const options = (cache: string) =>
    withMetadata(web, {
      cache,
      files: { 's.json': JSON.stringify(secret) },
      args: ['--secret', 's.json', '-o', 'json'],
      metadata: { namespace: 'team', uid: 'c0ffee-1', creationTimestamp: '2026-11-22T10:00:00Z' },
    });
  const first = await shop.run(spec, options('one'));
  t.equal(first.status, 0, first.stderr);
  const commit = shop.head();
  t.match(
    git(shop.repository, ['log', '-1', '--format=%B%ct', MAIN]),
    /Update-Job: team\/update\/c0ffee-1\n+1795341600$/,
    'it is as old as the job',
  );
  const signers = join(shop.home, 'signers');
  writeFileSync(signers, `bot@example.com ${publicKey}`);
  t.equal(
    git(shop.repository, ['-c', `gpg.ssh.allowedSignersFile=${signers}`, 'log', '-1', '--format=%G?', MAIN]),
    'G',
    'and signed',
  );

  const again = await shop.run(spec, options('two'));
  t.match(
    JSON.parse(again.stdout),
    { status: { result: { outcome: 'Pushed', commit } } },
    'a run whose forerunner was not heard of reports its commit',
  );
  t.equal(shop.head(), commit);
  git(shop.repository, ['update-ref', MAIN, base]);
  await shop.run(spec, options('three'));
  t.equal(shop.head(), commit, 'same base, same change, same commit');
  addCommit(shop.repository, MAIN, { 'README.md': 'y' });
});
