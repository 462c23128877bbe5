// The repository over the real git and a real git server: reading, commits, pushes, credentials, faults, a hostile repository.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { GitErrorClass } from '../../git/error.ts';
import { openRepository, repositoryDirectory, type OpenOptions, type OpenRepository } from '../../git/open.ts';
import type { FileChange, NewCommit, Remote, Repository } from '../../git/repository.ts';
import { badPaths } from '../fixtures/git/text.ts';
import {
  addCommit,
  addHook,
  createRepository,
  git,
  makeCertificate,
  onPush,
  startHttp,
  type Files,
  type HttpServer,
} from './servers.ts';
import { leaveOutOfQuickRun } from '../quick.ts';
import { rejecting } from './rejects.ts';

leaveOutOfQuickRun();

const base = mkdtempSync(join(tmpdir(), 'image-update-test-'));
t.teardown(() => rmSync(base, { recursive: true, force: true }));

// Servers and programs take their time on a busy machine.
t.setTimeout(160_000);

const CANARY = 'canary-5e1f0c7a';
const MAIN = 'refs/heads/main';
const bot = { name: 'image-update', email: 'bot@example.com' };

let count = 0;
/** A server with one repository of the files, and the remote that reaches it. */
async function served(t: Test, files: Files, config: Record<string, string> = {}) {
  const root = join(base, `root-${count++}`);
  const directory = join(root, 'config.git');
  const commit = createRepository(directory, files, config);
  const server = await startHttp({ root, users: { bot: CANARY }, bearer: CANARY });
  t.teardown(() => server.close());
  const url = `${server.url}/config.git`;
  const remote: Remote = { url, timeout: 20_000, credentials: { kind: 'basic', username: 'bot', password: CANARY } };
  return { directory, commit, server, remote };
}

async function opened(t: Test, remote: Remote, options: Partial<OpenOptions> = {}): Promise<OpenRepository> {
  const directory = options.directory ?? join(base, `cache-${count++}`);
  const repository = await openRepository(remote, { directory, protocols: ['http:', 'https:', 'file:'], ...options });
  t.teardown(() => repository.close());
  return repository;
}

async function contents(repository: Repository, oids: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { content } of repository.blobs(oids)) found.push(content.toString());
  return found;
}

const rejects = rejecting(CANARY);

function newCommit(parent: string, changes: Record<string, string | null>, more: Partial<NewCommit> = {}): NewCommit {
  const list: FileChange[] = Object.entries(changes).map(([path, content]) => ({
    path,
    content: content === null ? null : Buffer.from(content),
  }));
  return {
    parent,
    changes: list,
    message: 'Auto-release app\n\nUpdate-Job: ns/a/1',
    author: bot,
    time: 1_800_000_000,
    ...more,
  };
}

const tree = {
  'README.md': '# config\n',
  'clusters/prod/app.yaml': 'image: app:1\n',
  'clusters/prod/run.sh': { mode: '100755', content: '#!/bin/sh\n' },
  'clusters/stage/app.yaml': 'image: app:1\n',
  'clusters-old/a.yaml': 'x: 1\n',
  'ü/日本 x.yaml': 'y: 1\n',
  'link.yaml': { mode: '120000', content: 'clusters/prod/app.yaml' },
} satisfies Files;

t.test('reading', async (t) => {
  const { directory, commit, server, remote } = await served(t, tree);
  const repository = await opened(t, remote);
  t.equal(await repository.remoteHead(MAIN), commit);
  t.equal(server.requests.length, 2, 'one ls-remote and no more');
  t.equal(await repository.remoteHead('refs/heads/mai'), undefined);
  t.equal(await repository.fetch(MAIN), commit);
  const all = await repository.list(commit);
  t.strictSame(
    all.map(({ mode, path }) => [mode, path]),
    git(directory, ['ls-tree', '-r', '-z', MAIN])
      .split('\0')
      .filter(Boolean)
      .map((line) => [line.slice(0, 6), line.slice(line.indexOf('\t') + 1)]),
    'in the order of git',
  );
  const below = async (...paths: string[]) => (await repository.list(commit, paths)).map(({ path }) => path);
  t.strictSame(await below('clusters'), ['clusters/prod/app.yaml', 'clusters/prod/run.sh', 'clusters/stage/app.yaml']);
  t.strictSame(await below('clusters/stage/', 'README.md'), ['README.md', 'clusters/stage/app.yaml']);
  t.strictSame(await below('*'), [], 'a path is no pattern');
  t.strictSame(await below('--name-only', ':(top)README.md'), [], 'and no option');
  t.equal((await below('.')).length, all.length);
  const many = Array.from({ length: 20_000 }, (_, i) => `no/such/${i}`);
  t.strictSame(await below(...many, 'clusters/stage'), ['clusters/stage/app.yaml'], 'more paths than arguments hold');

  const before = server.requests.length;
  const oids = all.map(({ oid }) => oid);
  const read = await contents(repository, [...oids, ...oids.toReversed()]);
  t.equal(
    read[all.findIndex(({ path }) => path === 'link.yaml')],
    'clusters/prod/app.yaml',
    "a link's content is where it leads",
  );
  t.strictSame(read.slice(oids.length).toReversed(), read.slice(0, oids.length), 'in the order asked for, twice if so');
  const posts = server.requests.slice(before).filter((line) => line.startsWith('POST')).length;
  t.ok(posts <= 2, `blobs come in one fetch, not one each: ${posts} requests`);
  const after = server.requests.length;
  await contents(repository, oids);
  t.equal(await repository.fetch(commit), commit);
  t.equal(server.requests.length, after, 'and are kept');
  for await (const { oid } of repository.blobs(oids)) {
    t.equal(oid, oids[0]);
    break;
  }
  await rejects(
    t,
    () => contents(repository, ['f'.repeat(40)]),
    'RefNotFound',
    /no file with the id/,
    'a blob that is not there',
  );
  await rejects(t, () => repository.list('--help'), 'Internal', /not the id/, 'an option for a commit');
});

t.test('what was fetched is kept for the next run', async (t) => {
  const long = randomBytes(20_000).toString('hex');
  const { directory, commit, server, remote } = await served(t, { ...tree, long });
  const cache = repositoryDirectory(base, remote.url);
  const first = await opened(t, remote, { directory: cache });
  const few = await first.list(await first.fetch(MAIN), ['clusters']);
  await contents(
    first,
    few.map(({ oid }) => oid),
  );
  first.close();
  const next = addCommit(directory, MAIN, { 'README.md': '# new\n' });
  const second = await opened(t, remote, { directory: cache });
  t.equal(await second.fetch(MAIN), next);
  t.equal(await second.fetch(commit), commit);
  const before = server.requests.length;
  const [readme] = await second.list(next, ['README.md']);
  t.strictSame(await contents(second, [readme!.oid]), ['# new\n']);
  t.equal(server.requests.length, before, 'small new files come with their commit');

  // This one the server sends as its difference to a file that was never fetched.
  const last = addCommit(directory, MAIN, { long: `${long}x` });
  t.equal(await second.fetch(MAIN), last);
  const all = await second.list(last);
  const read = await contents(
    second,
    all.map(({ oid }) => oid),
  );
  t.equal(read[all.findIndex(({ path }) => path === 'long')], `${long}x`);
  second.close();

  writeFileSync(join(cache, 'url'), 'https://elsewhere.example.com/config');
  const third = await opened(t, remote, { directory: cache });
  const packs = readdirSync(join(cache, 'trees.git/objects/pack'));
  t.strictSame(packs, [], 'what is of another URL is not');
  third.close();
});

t.test('refs: branches, tags, commits, what is not there', async (t) => {
  const { directory, commit, remote } = await served(t, tree);
  git(directory, ['-c', 'user.name=a', '-c', 'user.email=a@b', 'tag', '-a', '-m', 'x', 'v1', commit]);
  git(directory, ['update-ref', 'refs/heads/--upload-pack=id', commit]);
  git(directory, ['update-ref', 'refs/heads/a/b', commit]);
  const tip = addCommit(directory, MAIN, { a: '1' });
  const repository = await opened(t, remote);
  t.equal(await repository.fetch('refs/tags/v1'), commit, 'an annotated tag');
  t.equal(await repository.remoteHead('refs/tags/v1'), commit);
  t.equal(await repository.fetch('refs/heads/--upload-pack=id'), commit, 'a ref that looks like an option');
  t.equal(await repository.fetch('refs/heads/a/b'), commit);
  git(directory, ['update-ref', '-d', 'refs/heads/a/b']);
  git(directory, ['update-ref', 'refs/heads/a', tip]);
  t.equal(await repository.fetch('refs/heads/a'), tip, 'a directory that became a branch');
  t.equal(await repository.fetch(commit), commit, 'a commit that no branch has at its tip');
  await rejects(t, () => repository.fetch('refs/heads/none'), 'RefNotFound', /no such ref/, 'no such branch');
  await rejects(t, () => repository.fetch('f'.repeat(40)), 'RefNotFound', /commit/, 'no such commit');
  await rejects(t, () => repository.fetch('main'), 'RefNotFound', /not a full one/, 'a short name');
  await rejects(t, () => repository.remoteHead('--upload-pack=id'), 'RefNotFound', /not a full one/, 'an option');
});

t.test('servers that can do less', async (t) => {
  const plain = await served(t, tree, { 'uploadpack.allowFilter': 'false' });
  const repository = await opened(t, plain.remote);
  const commit = await repository.fetch(MAIN);
  const oids = (await repository.list(commit)).map(({ oid }) => oid);
  const before = plain.server.requests.length;
  t.equal((await contents(repository, oids)).length, oids.length, 'no filters: blobs come with the commit');
  t.equal(plain.server.requests.length, before);

  const root = join(base, `root-${count++}`);
  const past = createRepository(join(root, 'config.git'), tree);
  const tip = addCommit(join(root, 'config.git'), MAIN, { 'README.md': '# new\n' });
  const server = await startHttp({ root, isOld: true });
  t.teardown(() => server.close());
  const old = await opened(t, { url: `${server.url}/config.git`, timeout: 20_000 });
  t.equal(await old.fetch(MAIN), tip);
  t.equal((await contents(old, oids.slice(1))).length, oids.length - 1, 'blobs that cannot be had by id');
  t.equal(await old.fetch(past), past, 'a commit that cannot be had by id');
  t.equal((await contents(old, oids)).length, oids.length, 'and its blobs');
  for await (const { oid } of old.log(tip, { max: 1 })) t.equal(oid, tip);

  // A dumb server: files over HTTP, no depth, no filter, nothing by id.
  git(plain.directory, ['update-server-info']);
  const files = createServer((request, response) => {
    const path = join(
      plain.directory,
      decodeURIComponent(new URL(request.url!, 'http://h').pathname).replace('/config.git', ''),
    );
    if (existsSync(path) && statSync(path).isFile()) response.end(readFileSync(path));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
  t.teardown(() => files.close());
  const dumb = await opened(t, {
    url: `http://127.0.0.1:${(files.address() as AddressInfo).port}/config.git`,
    timeout: 20_000,
  });
  t.equal(await dumb.fetch(MAIN), plain.commit);
  t.equal((await contents(dumb, oids)).length, oids.length, 'a dumb server');

  const local = await opened(t, { url: `file://${plain.directory}`, timeout: 20_000 });
  t.equal(await local.fetch(MAIN), plain.commit, 'file://');
});

t.test('history without blobs', async (t) => {
  const { directory, remote } = await served(t, tree);
  const times = [1_700_001_000, 1_700_002_000, 1_700_003_000, 1_700_004_000];
  const commits = times.map((time, i) =>
    addCommit(
      directory,
      MAIN,
      { [i % 2 ? 'odd' : 'even']: String(i) },
      { time, message: `change ${i}\n\nbody\n`, author: 'Zoë <z@example.com>' },
    ),
  );
  const repository = await opened(t, remote);
  const log = async (range: Parameters<Repository['log']>[1]) => {
    const found: string[] = [];
    for await (const { oid } of repository.log(commits[3]!, range)) found.push(oid);
    return found;
  };
  t.strictSame(await log({ max: 3 }), commits.toReversed().slice(0, 3));
  t.strictSame((await log({ max: 100 })).length, 5);
  t.strictSame(await log({ max: 100, since: times[2]! }), [commits[3], commits[2]], 'since a time, that time included');
  t.strictSame(await log({ max: 100, since: times[3]! + 1 }), [], 'nothing since');
  t.strictSame(await log({ max: 100, paths: ['odd'] }), [commits[3], commits[1]]);
  t.strictSame(await log({ max: 1, paths: ['even', '*'] }), [], 'not by the commit that was looked at');
  t.strictSame(await log({ max: 100, since: times[1]!, paths: ['odd', 'README.md'] }), [commits[3], commits[1]]);
  t.strictSame(
    await log({ max: 100, since: times[2]!, paths: ['README.md', 'clusters'] }),
    [],
    'where history is cut off nothing was made',
  );
  t.equal((await repository.list(commits[0]!, ['even'])).length, 1, 'the trees of what was seen can be listed');
  for await (const entry of repository.log(commits[1]!, { max: 1 }))
    t.match(entry, {
      oid: commits[1],
      time: times[1],
      author: { name: 'Zoë', email: 'z@example.com' },
      message: 'change 1\n\nbody\n',
    });
  t.equal(await repository.fetch(MAIN), commits[3]);
  t.equal((await repository.list(commits[3]!)).length, Object.keys(tree).length + 2, 'trees are whole after it');
});

t.test('commits', async (t) => {
  const { directory, commit, remote } = await served(t, tree);
  const repository = await opened(t, remote);
  await repository.fetch(MAIN);
  const changes = {
    'clusters/prod/app.yaml': 'image: app:2\r\n',
    'clusters/prod/run.sh': 'x',
    'new/dir/a.yaml': 'n',
    'README.md': null,
  };
  const made = await repository.commit(newCommit(commit, changes));
  t.equal(await repository.commit(newCommit(commit, changes)), made, 'the same input gives the same commit');
  const other = await opened(t, remote);
  await other.fetch(MAIN);
  t.equal(await other.commit(newCommit(commit, changes)), made, 'in another repository too');
  await repository.push({ commit: made, ref: MAIN });
  t.equal(git(directory, ['rev-parse', MAIN]), made);
  t.equal(
    git(directory, ['diff', '--raw', '--no-abbrev', '--no-renames', commit, made]).replaceAll(/ [0-9a-f]{40}/g, ''),
    [
      ':100644 000000 D\tREADME.md',
      ':100644 100644 M\tclusters/prod/app.yaml',
      ':100755 100755 M\tclusters/prod/run.sh',
      ':000000 100644 A\tnew/dir/a.yaml',
    ].join('\n'),
    'modes stay',
  );
  t.equal(git(directory, ['cat-file', '-s', `${made}:clusters/prod/app.yaml`]), '14', 'no filter touches a byte');
  t.equal(
    git(directory, ['log', '-1', '--format=%an %ae %at %cn %ce %ct', made]),
    `image-update bot@example.com 1800000000 image-update bot@example.com 1800000000`,
  );
  git(directory, ['fsck', '--strict']);

  const early = await repository.commit(newCommit(made, { a: '1' }, { time: 5 }));
  await repository.push({ commit: early, ref: MAIN });
  t.equal(git(directory, ['log', '-1', '--format=%ct', early]), '1800000001', 'never older than its parent');

  for (const [path, why] of badPaths)
    await rejects(
      t,
      () => repository.commit(newCommit(commit, { [path]: 'x' })),
      'Internal',
      /path|commit/,
      `${JSON.stringify(path.slice(0, 30))} (${why})`,
    );
  const refused: [Record<string, string | null>, RegExp][] = [
    [{ 'link.yaml': 'x' }, /is a link/],
    [{ 'README.md/x': 'x' }, /below "README.md", which is a file/],
    [{ clusters: 'x' }, /is a directory/],
    [{ 'n/a': 'x', 'n/a/b': 'x' }, /below "n\/a"/],
    [{ none: null }, /does not exist/],
  ];
  for (const [changes, why] of refused)
    await rejects(t, () => repository.commit(newCommit(commit, changes)), 'Internal', why, Object.keys(changes).join());
  for (const more of [
    { message: ' ' },
    { message: 'a\0b' },
    { author: { name: 'a\nb', email: 'x' } },
    { author: { name: 'a', email: 'x>\ngpgsig' } },
    { author: { name: '', email: 'x' } },
  ])
    await rejects(
      t,
      () => repository.commit(newCommit(commit, { a: '1' }, more)),
      'Internal',
      /holds a character|is empty/,
      JSON.stringify(more),
    );
  await rejects(
    t,
    () => repository.commit(newCommit(commit, { a: '1' }, { message: 'x'.repeat(70_000) })),
    'TooLarge',
    /64 KiB/,
    'a long message',
  );
});

t.test('trees are as git makes them', async (t) => {
  // Names that a directory is sorted among otherwise than a file is.
  const names = ['a', 'a-', 'a.b', 'a/x', 'a0/y', 'a-/z', 'b/a/a', 'b/a.b', 'b/a/a-', 'b/a0', 'ü/a', 'Z'];
  const fits = (name: string, chosen: readonly string[]) =>
    chosen.every((one) => !one.startsWith(`${name}/`) && !name.startsWith(`${one}/`));
  const choose = (seed: number) => {
    const chosen: string[] = [];
    for (const [i, name] of names.entries())
      if ((seed * 7919 + i * 104_729) % 11 < 6 && fits(name, chosen)) chosen.push(name);
    return chosen;
  };
  const { directory, remote } = await served(t, { keep: 'k', 'b/keep': 'k' });
  // One whose name is no UTF-8, beside what changes.
  const odd = Buffer.concat([
    Buffer.from(git(directory, ['ls-tree', '-z', MAIN])),
    Buffer.from(`100755 blob ${git(directory, ['rev-parse', `${MAIN}:keep`])}\t\xff\xfe\0`, 'latin1'),
  ]);
  const tree = git(directory, ['mktree', '-z'], odd);
  const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  git(directory, ['update-ref', MAIN, git(directory, [...who, 'commit-tree', '-p', MAIN, '-m', 'odd', tree])]);
  const repository = await opened(t, remote);
  for (let seed = 0; seed < 12; seed++) {
    const before = choose(seed);
    const base = addCommit(directory, 'refs/heads/base', {
      ...Object.fromEntries(names.map((name) => [name, null])),
      ...Object.fromEntries(before.map((name) => [name, `${name} ${seed}`])),
    });
    const gone = before.filter((_, i) => i % 2 === 0);
    const left = before.filter((name) => !gone.includes(name));
    const added = choose(seed + 100).filter((name) => fits(name, before));
    const changes = Object.fromEntries([
      ...gone.map((name) => [name, null] as const),
      ...[...left, ...added.filter((name) => !gone.includes(name))].map((name) => [name, `new ${name}`] as const),
    ]);
    await repository.fetch('refs/heads/base');
    const made = await repository.commit(newCommit(base, changes));
    await repository.push({ commit: made, ref: `refs/heads/made-${seed}`, lease: null });
    const theirs = addCommit(directory, 'refs/heads/base', changes);
    t.equal(
      git(directory, ['rev-parse', `${made}^{tree}`]),
      git(directory, ['rev-parse', `${theirs}^{tree}`]),
      Object.keys(changes).join(),
    );
  }
  const emptied = await repository.commit(newCommit(await repository.fetch(MAIN), { 'b/keep': null, new: 'n' }));
  await repository.push({ commit: emptied, ref: MAIN });
  t.equal(
    git(directory, ['ls-tree', '--name-only', MAIN]),
    ['keep', 'new', '"\\377\\376"'].join('\n'),
    'what is not touched stays, a directory with nothing in it goes',
  );
});

t.test('pushes', async (t) => {
  const { directory, commit, server, remote } = await served(t, tree, { 'receive.advertisePushOptions': 'true' });
  addHook(
    directory,
    'pre-receive',
    'echo "options: $GIT_PUSH_OPTION_COUNT $GIT_PUSH_OPTION_0" > options; grep -q forbidden message 2>/dev/null && { echo "RULE 7: no"; exit 1; }; exit 0',
  );
  const repository = await opened(t, remote);
  await repository.fetch(MAIN);
  const one = await repository.commit(newCommit(commit, { a: '1' }));
  const two = await repository.commit(newCommit(one, { a: '2' }));
  await repository.push({ commit: two, ref: MAIN, options: { 'merge_request.create': '', x: 'y' } });
  t.equal(git(directory, ['rev-list', '--count', MAIN]), '3', 'a chain goes in one push');
  t.equal(readFileSync(join(directory, 'options'), 'utf8'), 'options: 2 merge_request.create\n');
  await repository.push({ commit: two, ref: MAIN });
  await rejects(
    t,
    () => repository.push({ commit: two, ref: MAIN, options: { x: 'a\nb' } }),
    'PushRefused',
    /printable/,
    'an option with a line feed',
  );
  await rejects(t, () => repository.push({ commit: two, ref: 'main' }), 'RefNotFound', /full/, 'a short ref');

  const late = await repository.commit(newCommit(commit, { b: '1' }));
  await rejects(t, () => repository.push({ commit: late, ref: MAIN }), 'Race', /moved meanwhile/, 'never forced');
  t.equal(git(directory, ['rev-parse', MAIN]), two);
  git(directory, ['update-ref', MAIN, commit]);
  const three = await repository.commit(newCommit(two, { a: '3' }));
  await rejects(
    t,
    () => repository.push({ commit: three, ref: MAIN }),
    'Race',
    /moved meanwhile/,
    'commits that somebody took away do not come back',
  );

  const pr = 'refs/heads/update/prod';
  await repository.push({ commit: one, ref: pr, lease: null });
  await rejects(
    t,
    () => repository.push({ commit: late, ref: pr, lease: null }),
    'Race',
    /stale info|already exists/,
    'must not exist, and does',
  );
  await repository.push({ commit: late, ref: pr, lease: one });
  t.equal(git(directory, ['rev-parse', pr]), late, 'a rebuilt branch replaces what it was');
  await rejects(
    t,
    () => repository.push({ commit: one, ref: pr, lease: one }),
    'Race',
    /stale info/,
    'a lease that does not hold',
  );
  git(directory, ['update-ref', '-d', pr]);
  await rejects(
    t,
    () => repository.push({ commit: one, ref: pr, lease: late }),
    'Race',
    /stale info/,
    'a branch that was deleted',
  );

  writeFileSync(join(directory, 'message'), 'forbidden');
  const next = await repository.commit(newCommit(commit, { c: '1' }));
  await rejects(
    t,
    () => repository.push({ commit: next, ref: MAIN }),
    'PushRefused',
    /pre-receive hook declined.*RULE 7/,
    'a hook that refuses',
  );
  writeFileSync(join(directory, 'message'), '');
  server.fault = onPush('drop-answer');
  await repository.push({ commit: next, ref: MAIN });
  t.equal(git(directory, ['rev-parse', MAIN]), next, 'the answer was lost, the push was not');
});

t.test('a new branch, whose source moves on before the push', async (t) => {
  const { directory, commit, remote } = await served(t, tree);
  const repository = await opened(t, remote);
  await repository.fetch(MAIN);
  const ours = await repository.commit(newCommit(commit, { a: '1' }));
  addCommit(directory, MAIN, { 'clusters/prod/app.yaml': 'image: app:2\n' });
  await repository.push({ commit: ours, ref: 'refs/heads/update/prod', lease: null });
  t.equal(git(directory, ['rev-parse', 'refs/heads/update/prod']), ours);
});

t.test('a server that fails', async (t) => {
  const { commit, server, remote } = await served(t, tree);
  const cases: [HttpServer['fault'], GitErrorClass, RegExp][] = [
    [() => 401, 'GitAuth', /credentials/],
    [() => 403, 'GitAuth', /credentials/],
    [() => 404, 'RefNotFound', /no such repository/],
    [() => 500, 'GitUnavailable', /did not answer/],
    [() => 503, 'GitUnavailable', /did not answer/],
    [() => 429, 'GitUnavailable', /did not answer/],
    [() => ({ redirect: 'http://127.0.0.1:1' }), 'RefNotFound', /redirects/],
  ];
  for (const [fault, wanted, words] of cases) {
    const repository = await opened(t, remote);
    server.fault = fault;
    await rejects(t, () => repository.fetch(MAIN), wanted, words, String(fault));
    await rejects(t, () => repository.remoteHead(MAIN), wanted, words, `ls-remote, ${String(fault)}`);
    repository.close();
  }
  server.fault = () => undefined;
  for (const credentials of [
    undefined,
    { kind: 'basic', username: 'bot', password: 'wrong' },
    { kind: 'bearer', token: 'wrong' },
  ] as const) {
    const { url, timeout } = remote;
    const repository = await opened(t, { url, timeout, ...(credentials && { credentials }) });
    await rejects(t, () => repository.fetch(MAIN), 'GitAuth', /credentials/, JSON.stringify(credentials));
  }
  const bearer = await opened(t, { ...remote, credentials: { kind: 'bearer', token: CANARY } });
  t.equal(await bearer.fetch(MAIN), commit);
  for (const token of ['a\nX-Evil: 1', 'a b', 'ü'])
    await rejects(
      t,
      () => opened(t, { ...remote, credentials: { kind: 'bearer', token } }),
      'GitAuth',
      /header/,
      `token ${JSON.stringify(token)}`,
    );

  const slow = await opened(t, { ...remote, timeout: 700 });
  server.fault = () => 'hang';
  await rejects(t, () => slow.fetch(MAIN), 'GitUnavailable', /given up after 0.7 s/, 'no answer');
  const controller = new AbortController();
  const stopped = await opened(t, remote, { signal: controller.signal });
  setTimeout(() => controller.abort(), 200);
  await rejects(t, () => stopped.fetch(MAIN), 'Timeout', /stopped/, 'stopped by the caller');
  t.strictSame(orphansOf(base), [], 'nothing goes on');
  const gone = await opened(t, { url: 'http://127.0.0.1:1/config.git', timeout: 20_000 });
  await rejects(t, () => gone.fetch(MAIN), 'GitUnavailable', /did not answer/, 'nobody listens');
  for (const url of ['ext::id', 'http://u:p@h/r', '--upload-pack=id'])
    await rejects(t, () => opened(t, { url, timeout: 1 }), 'Internal', /URL/, url);
  await rejects(
    t,
    () => openRepository(remote, { directory: join(base, 'x') }),
    'Internal',
    /protocol/,
    'http:// must be allowed',
  );
});

t.test('TLS of a private authority', async (t) => {
  const root = join(base, `root-${count++}`);
  const commit = createRepository(join(root, 'config.git'), tree);
  const tls = makeCertificate(join(root, 'tls'));
  const server = await startHttp({ root, bearer: CANARY, tls });
  t.teardown(() => server.close());
  const remote: Remote = {
    url: `${server.url}/config.git`,
    timeout: 20_000,
    credentials: { kind: 'bearer', token: CANARY },
  };
  const trusting = await opened(t, { ...remote, ca: tls.cert });
  t.equal(await trusting.fetch(MAIN), commit);
  const before = server.requests.length;
  const strict = await opened(t, remote);
  await rejects(t, () => strict.fetch(MAIN), 'HostKey', /certificate is not trusted/, 'an authority that nobody gave');
  t.equal(server.requests.length, before, 'and it was told nothing');
});

t.test('credentials go to their host alone, and nowhere else', async (t) => {
  const { commit, server, remote } = await served(t, tree);
  const thief = createServer((_, response) => void response.writeHead(500).end());
  await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
  t.teardown(() => thief.close());
  let stolen = 0;
  thief.on('request', () => stolen++);
  const directory = join(base, `cache-${count++}`);
  const repository = await opened(t, remote, { directory });
  server.fault = () => ({ redirect: `http://127.0.0.1:${(thief.address() as AddressInfo).port}` });
  await rejects(t, () => repository.fetch(MAIN), 'RefNotFound', /redirects/, 'a redirect');
  t.equal(stolen, 0, 'it was not followed');
  server.fault = () => undefined;

  const seen = new Set<string>();
  const sampler = setInterval(() => sampleArguments(seen), 5);
  await repository.fetch(MAIN);
  const made = await repository.commit(newCommit(commit, { a: CANARY.slice(0, 6) }));
  await repository.push({ commit: made, ref: MAIN });
  clearInterval(sampler);
  t.ok(
    [...seen].some((line) => line.includes('push')),
    'the sampler saw git at work',
  );
  t.notMatch([...seen].join('\n'), CANARY, 'no argument holds it');
  const forms = [CANARY, Buffer.from(`bot:${CANARY}`).toString('base64')];
  const found = grep(directory, forms);
  t.strictSame(found, [], 'no file of the repository holds it');
  t.strictSame(git(join(directory, 'trees.git'), ['config', '--local', '--list']).split('\n'), [
    'core.repositoryformatversion=0',
    'core.bare=true',
  ]);
  repository.close();
  t.strictSame(
    readdirSync(tmpdir()).filter(
      (name) =>
        name.includes(`-${process.pid}-`) &&
        name.startsWith('image-update-git-') &&
        grep(join(tmpdir(), name), forms).length > 0,
    ),
    [],
  );
});

function sampleArguments(seen: Set<string>): void {
  for (const pid of readdirSync('/proc'))
    if (/^\d+$/.test(pid))
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
      } catch {
        // It has ended.
      }
}

/** The files below a directory that hold any of the texts. */
function grep(directory: string, texts: readonly string[]): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(directory, name);
    return statSync(path).isFile() && texts.some((text) => readFileSync(path).includes(text));
  });
}

t.test('a hostile repository: nothing of it runs', async (t) => {
  const proof = join(base, 'ran');
  const run = `touch ${proof}`;
  const evil: Files = {
    'app.yaml': 'image: app:1\n',
    '.gitattributes': '* filter=evil text eol=crlf\n*.yaml filter=evil ident export-subst\n',
    '.gitmodules': `[submodule "a"]\n\tpath = a\n\turl = ext::sh -c ${run.replace(' ', '% ')}\n`,
    '.gitconfig': `[core]\n\tfsmonitor = "${run}"\n`,
    config: `[core]\n\tfsmonitor = "${run}"\n\thooksPath = hooks\n[filter "evil"]\n\tclean = ${run}\n\tsmudge = ${run}\n`,
    'hooks/pre-push': { mode: '100755', content: `#!/bin/sh\n${run}\n` },
    'hooks/reference-transaction': { mode: '100755', content: `#!/bin/sh\n${run}\n` },
    HEAD: 'ref: refs/heads/main\n',
    '.mailmap': 'Evil <evil@example.com> <somebody@example.com>\n',
    a: { mode: '160000', content: '1'.repeat(40) },
    up: { mode: '120000', content: '../../../../etc/passwd' },
    dir: { mode: '120000', content: '/etc' },
    '--upload-pack=id': 'x',
    '-rf': 'x',
    'a b;$(id)`id`': 'x',
    'tab\there\nline': 'x',
    'bidi\u202Elmay.exe': 'x',
    é: 'x',
    'e\u0301': 'x',
  };
  const { directory, commit, remote } = await served(t, evil);
  for (const ref of ['refs/heads/--upload-pack=id', 'refs/heads/-x', 'refs/heads/$(id)', 'refs/tags/--help'])
    git(directory, ['update-ref', ref, commit]);
  const cache = join(base, `cache-${count++}`);
  const repository = await opened(t, remote, { directory: cache });
  t.equal(await repository.fetch(MAIN), commit);
  t.equal(await repository.fetch('refs/tags/--help'), commit);
  const entries = await repository.list(commit);
  t.equal(entries.length, Object.keys(evil).length);
  const files = entries.filter(({ mode }) => mode !== '160000');
  t.equal(
    (
      await contents(
        repository,
        files.map(({ oid }) => oid),
      )
    ).length,
    files.length,
  );
  const made = await repository.commit(
    newCommit(commit, { 'app.yaml': 'image: app:2\n', '-rf': 'y', 'a b;$(id)`id`': 'z' }),
  );
  await repository.push({ commit: made, ref: MAIN });
  t.equal(
    git(directory, ['diff', '--name-only', '-z', commit, made]).split('\0').filter(Boolean).join('|'),
    '-rf|a b;$(id)`id`|app.yaml',
  );
  t.equal(git(directory, ['show', `${made}:app.yaml`]), 'image: app:2');
  for await (const { author } of repository.log(commit, { max: 1 })) t.equal(author.name, 'Somebody');
  for (const path of [
    'a',
    'up',
    'dir/passwd',
    'tab\there\nline',
    'bidi\u202Elmay.exe',
    '.gitattributes',
    '.gitmodules',
  ])
    await rejects(
      t,
      () => repository.commit(newCommit(commit, { [path]: 'x' })),
      'Internal',
      /not committed/,
      JSON.stringify(path),
    );
  t.notOk(existsSync(proof), 'no command of it ran');
  repository.close();

  // A tree that holds a `.git`, as no git of good will would make it.
  const blob = git(directory, ['hash-object', '-w', '--stdin'], `[core]\n\tfsmonitor = ${run}\n`);
  const inner = git(directory, ['mktree'], `100644 blob ${blob}\tconfig\n`);
  for (const name of ['.git', '.GIT', '.g\u200Cit', 'git~1']) {
    const nested = git(directory, ['mktree'], `040000 tree ${inner}\t${name}\n`);
    const at = git(directory, ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit-tree', '-m', 'x', nested]);
    git(directory, ['update-ref', 'refs/heads/nested', at]);
    const wary = await opened(t, remote);
    await rejects(
      t,
      () => wary.fetch('refs/heads/nested'),
      'Internal',
      /damaged or hostile/,
      `a nested ${JSON.stringify(name)}`,
    );
  }
  t.notOk(existsSync(proof));

  const odd = `tree ${git(directory, ['rev-parse', `${commit}^{tree}`])}\nauthor a <a@b> 1700000000 +051800\ncommitter a <a@b>1700000000 +0000\n\nx\n`;
  const old = git(directory, ['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'], odd);
  git(directory, ['update-ref', 'refs/heads/old', old]);
  const lenient = await opened(t, remote);
  t.equal(await lenient.fetch('refs/heads/old'), old, 'what old tools got wrong is not hostile');
});

t.test('one run a directory, and what a killed one leaves', async (t) => {
  const { directory: serverDirectory, commit, server, remote } = await served(t, tree);
  const directory = join(base, `cache-${count++}`);
  const first = await opened(t, remote, { directory });
  await rejects(
    t,
    () => opened(t, { ...remote, timeout: 300 }, { directory }),
    'Timeout',
    /in use/,
    'a second one waits, in vain',
  );
  await rejects(
    t,
    () => opened(t, remote, { directory, signal: AbortSignal.timeout(100) }),
    'Timeout',
    /was stopped, as the whole run was/,
    'or until it is stopped',
  );
  const waiting = opened(t, remote, { directory });
  setTimeout(() => first.close(), 200);
  (await waiting).close();

  // Killed while git fetches: its lock, its git at work, its key files and git's own lock files stay.
  const options = { directory, protocols: ['http:'] };
  const program = `
    import { openRepository } from ${JSON.stringify(join(import.meta.dirname, '../../git/open.ts'))};
    const repository = await openRepository(${JSON.stringify({ ...remote, ca: 'x' })}, ${JSON.stringify(options)});
    console.log('open');
    await repository.fetch('refs/heads/main');`;
  server.fault = () => 'hang';
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { pid } = child;
  await new Promise((resolve) => child.stdout.once('data', resolve));
  for (let tries = 0; orphansOf(directory).length === 0 && tries < 100; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  t.ok(orphansOf(directory).length > 0, 'its git is still there');
  const left = () =>
    readdirSync(tmpdir()).filter((name) => name.startsWith('image-update-git-') && name.includes(`-${pid}-`));
  t.equal(left().length, 1, 'and its private directory');
  writeFileSync(join(directory, 'trees.git/shallow.lock'), '');
  writeFileSync(join(directory, 'trees.git/config.lock'), '');
  mkdirSync(join(directory, 'trees.git/refs/fetched'), { recursive: true });
  writeFileSync(join(directory, 'trees.git/objects/pack/tmp_pack_x'), 'x');
  server.fault = () => undefined;
  const next = await opened(t, remote, { directory });
  t.strictSame(left(), [], 'private directories of the dead are taken away');
  t.strictSame(orphansOf(directory), [], 'and what git did for them is ended');
  t.equal(await next.fetch(MAIN), commit);
  t.notOk(existsSync(join(directory, 'trees.git/objects/pack/tmp_pack_x')));
  const made = await next.commit(newCommit(commit, { a: '1' }));
  await next.push({ commit: made, ref: MAIN });
  t.equal(git(serverDirectory, ['rev-parse', MAIN]), made);
  next.close();
  // One that forgets to close, but ends by itself.
  const forgetful = program.replace("console.log('open');", 'process.exit(3);');
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', forgetful]);
  t.equal(ended.status, 3);
  t.strictSame(
    readdirSync(tmpdir()).filter((name) => name.startsWith('image-update-git-') && name.includes(`-${ended.pid}-`)),
    [],
    'takes its keys away at its exit',
  );
  writeFileSync(join(directory, 'lock'), 'half a lo');
  await rejects(
    t,
    () => opened(t, { ...remote, timeout: 300 }, { directory }),
    'Timeout',
    /in use/,
    'a lock that nobody can read is left alone',
  );
  rmSync(join(directory, 'lock'));
});

function orphansOf(directory: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`GIT_DIR=${directory}/`);
    } catch {
      return false;
    }
  });
}

t.test('the git program, and what surrounds it', async (t) => {
  const { commit, remote } = await served(t, tree);
  const bin = join(base, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'git'), '#!/bin/sh\necho git version 2.30.2\n', { mode: 0o755 });
  await rejects(
    t,
    () => opened(t, remote, { environment: { PATH: bin } }),
    'Internal',
    /git 2.39 or newer.*2.30.2/,
    'an old git',
  );
  await rejects(
    t,
    () => opened(t, remote, { environment: { PATH: '/nonexistent' } }),
    'Internal',
    /not on PATH/,
    'no git',
  );

  const trace = join(base, 'trace');
  const home = join(base, 'home');
  mkdirSync(home);
  writeFileSync(
    join(home, '.gitconfig'),
    `[url "http://127.0.0.1:1/"]\n\tinsteadOf = ${new URL(remote.url).origin}/\n`,
  );
  writeFileSync(join(home, '.netrc'), 'machine 127.0.0.1 login x password y\n');
  const environment = {
    PATH: process.env['PATH'],
    HOME: home,
    XDG_CONFIG_HOME: home,
    GIT_TRACE: trace,
    GIT_TRACE_CURL: trace,
    GIT_DIR: '/nonexistent',
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_CONFIG_PARAMETERS: "'core.bare=false'",
    GIT_SSH_COMMAND: 'false',
    GIT_EXEC_PATH: '/nonexistent',
  };
  const repository = await opened(t, remote, { environment });
  t.equal(await repository.fetch(MAIN), commit, 'nothing of it reaches git');
  t.notOk(existsSync(trace), 'no trace, which would hold headers');
});

t.test('bounds', async (t) => {
  const big = randomBytes(3 << 20);
  const { remote } = await served(t, { 'app.yaml': 'x', big });
  const directory = join(base, `cache-${count++}`);
  const small = await opened(t, remote, { directory, maxBytes: 1 << 20 });
  const oids = (await small.list(await small.fetch(MAIN))).map(({ oid }) => oid);
  await rejects(t, () => contents(small, oids), 'TooLarge', /1 MiB/, 'a repository that is too large');
  small.close();
  const again = await opened(t, remote, { directory, maxBytes: 1 << 20 });
  t.strictSame(readdirSync(join(directory, 'trees.git/objects/pack')), [], 'and it is not kept');
  again.close();
});

const mounted = join(base, 'full');
mkdirSync(mounted);
const canMount =
  process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', mounted]).status === 0;
t.test('a full disk', { skip: canMount ? false : 'no tmpfs can be mounted here' }, async (t) => {
  t.teardown(() => spawnSync('umount', [mounted]));
  const big = randomBytes(3 << 20);
  const { commit, remote } = await served(t, { ...tree, big });
  const directory = join(mounted, 'cache');
  const repository = await opened(t, remote, { directory });
  await repository.fetch(MAIN);
  const oids = (await repository.list(commit)).map(({ oid }) => oid);
  await rejects(t, () => contents(repository, oids), 'DiskFull', /disk is full/, 'fetching');
  repository.close();
  t.notOk(existsSync(join(directory, 'trees.git')), 'what is half there is given back');
  writeFileSync(join(mounted, 'fill'), Buffer.alloc(1 << 20));
  spawnSync('dd', ['if=/dev/zero', `of=${join(mounted, 'rest')}`, 'bs=4096']);
  await rejects(t, () => opened(t, remote, { directory }), 'DiskFull', /disk is full/, 'opening');
  rmSync(join(mounted, 'fill'));
  rmSync(join(mounted, 'rest'));
  const again = await opened(t, remote, { directory });
  await again.fetch(MAIN);
  const made = await again.commit(newCommit(commit, { 'clusters/prod/app.yaml': 'image: app:2\n' }));
  await again.push({ commit: made, ref: MAIN });
  t.equal(await again.remoteHead(MAIN), made, 'with room it goes on');
  again.close();
});
