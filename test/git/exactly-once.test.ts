// A commit exactly once, whatever happens to the push: races, lost answers, branches that go away, runs killed at each step.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { GitError, type GitErrorClass } from '../../git/error.ts';
import { publish, type Publication, type Published } from '../../git/exactly-once.ts';
import { openRepository } from '../../git/open.ts';
import type { Remote, Repository } from '../../git/repository.ts';
import { addCommit, addHook, createRepository, git, onPush, startHttp, type Files } from './servers.ts';
import { leaveOutOfQuickRun } from '../quick.ts';

leaveOutOfQuickRun();

const base = mkdtempSync(join(tmpdir(), 'image-update-test-'));
t.teardown(() => rmSync(base, { recursive: true, force: true }));
// Eight writers on two busy cores take their time.
t.setTimeout(160_000);

const MAIN = 'refs/heads/main';
const SINCE = 1_750_000_000;
const files: Files = { 'README.md': '# config\n', 'a.yaml': 'image: a:0\n', 'b.yaml': 'image: b:0\n' };
/** No waiting between tries. */
const AT_ONCE = { wait: () => Promise.resolve(), random: () => 0 };

let count = 0;
async function served(t: Test) {
  const root = join(base, `root-${count++}`);
  const directory = join(root, 'config.git');
  const commit = createRepository(directory, files);
  const server = await startHttp({ root });
  t.teardown(() => server.close());
  const remote: Remote = { url: `${server.url}/config.git`, timeout: 30_000 };
  return { directory, commit, server, remote };
}

async function opened(t: Test, remote: Remote, directory = join(base, `cache-${count++}`)) {
  const repository = await openRepository(remote, { directory, protocols: ['http:'] });
  t.teardown(() => repository.close());
  return repository;
}

/** What a run of one job publishes: `content` in one file. */
function publication(base: string, job: string, path = 'a.yaml', content = `image: a:${job}\n`): Publication {
  const message = `Auto-release ${job}\n\nUpdate-Job: ns/${job}/1\n`;
  const author = { name: 'image-update', email: 'bot@example.com' };
  return {
    ref: MAIN,
    base,
    commits: [{ changes: [{ path, content: Buffer.from(content) }], message, author, time: SINCE }],
    trailer: { key: 'Update-Job', value: `ns/${job}/1` },
    since: SINCE,
    maxRaceRetries: 3,
  };
}

/** A whole run: fetch, publish. */
async function run(repository: Repository, job: string, path?: string, maxRaceRetries = 3): Promise<Published> {
  return publish(repository, { ...publication(await repository.fetch(MAIN), job, path), maxRaceRetries }, AT_ONCE);
}

function trailersOf(directory: string, ref = MAIN): string[] {
  return git(directory, ['log', '--format=%(trailers:key=Update-Job,valueonly,separator=%x2C)', ref])
    .split('\n')
    .filter(Boolean);
}

async function classOf(work: Promise<unknown>): Promise<GitErrorClass | 'none'> {
  return work.then(
    () => 'none' as const,
    (error: unknown) => {
      if (error instanceof GitError) return error.class;
      throw error;
    },
  );
}

/** Does something once, just before a push. */
function beforePush(repository: Repository, act: (tries: number) => void): Repository {
  let tries = 0;
  return new Proxy(repository, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (name === 'push') act(++tries);
        return member.apply(target, args) as unknown;
      };
    },
  });
}

t.test('twice the same run is one commit', async (t) => {
  const { directory, remote, server } = await served(t);
  const first = await run(await opened(t, remote), '1');
  t.equal(first.tries, 1);
  t.equal(git(directory, ['rev-parse', MAIN]), first.commit);
  const again = await run(await opened(t, remote), '1');
  t.strictSame(again, { commit: first.commit, tries: 0 });
  const other = addCommit(directory, MAIN, { c: '1' }, { time: SINCE + 100 });
  t.strictSame(await run(await opened(t, remote), '1'), { commit: first.commit, tries: 0 }, 'below another commit too');
  t.equal(git(directory, ['rev-parse', MAIN]), other);
  const second = await run(await opened(t, remote), '2', 'b.yaml');
  t.equal(git(directory, ['rev-parse', `${second.commit}^`]), other);
  t.strictSame(trailersOf(directory), ['ns/2/1', 'ns/1/1']);
  t.equal(server.requests.filter((line) => line.includes('POST') && line.includes('receive-pack')).length, 2);
});

t.test('several commits of one run', async (t) => {
  const { directory, commit, remote } = await served(t);
  const repository = await opened(t, remote);
  await repository.fetch(MAIN);
  const [one, two] = [publication(commit, '1', 'a.yaml'), publication(commit, '1', 'b.yaml')];
  const moving = beforePush(repository, (tries) => tries === 1 && addCommit(directory, MAIN, { c: '1' }));
  const { tries } = await publish(moving, { ...one, commits: [...one.commits, ...two.commits] }, AT_ONCE);
  t.equal(tries, 2);
  t.equal(git(directory, ['diff', '--name-only', commit, MAIN]), 'a.yaml\nb.yaml\nc');
  t.equal(git(directory, ['rev-list', '--count', MAIN]), '4');
});

t.test('races', async (t) => {
  const { directory, remote } = await served(t);
  const repository = await opened(t, remote);
  const elsewhere = await run(
    beforePush(repository, (tries) => tries <= 3 && addCommit(directory, MAIN, { c: String(tries) })),
    '1',
  );
  t.equal(elsewhere.tries, 4, 'others touch other paths: done again on theirs');
  t.equal(git(directory, ['show', `${MAIN}:c`]), '3', 'no update is lost');
  t.equal(git(directory, ['show', `${MAIN}:a.yaml`]), 'image: a:1');
  t.equal(git(directory, ['rev-list', '--count', '--merges', MAIN]), '0');

  const tooMany = run(
    beforePush(repository, (tries) => addCommit(directory, MAIN, { c: `x${tries}` })),
    '2',
    'b.yaml',
    2,
  );
  t.equal(await classOf(tooMany), 'Race', 'too often');
  for (const theirs of ['image: a:theirs\n', null])
    t.equal(
      await classOf(
        run(
          beforePush(repository, () => addCommit(directory, MAIN, { 'a.yaml': theirs })),
          '3',
        ),
      ),
      'Race',
      'the same path',
    );
  addCommit(directory, MAIN, { 'a.yaml': 'image: a:0\n' });
  t.equal(
    await classOf(
      run(
        beforePush(repository, (tries) => tries === 1 && addCommit(directory, MAIN, { 'new.yaml': 'theirs' })),
        '4',
        'new.yaml',
      ),
    ),
    'Race',
    'the same new path',
  );
  t.strictSame(trailersOf(directory), ['ns/1/1'], 'nothing of those is there');
});

t.test('a branch that goes away or is forced meanwhile', async (t) => {
  const { directory, commit, remote } = await served(t);
  const repository = await opened(t, remote);
  addCommit(directory, MAIN, { c: '1' });
  t.equal(
    await classOf(
      run(
        beforePush(repository, () => git(directory, ['update-ref', '-d', MAIN])),
        '1',
      ),
    ),
    'RefNotFound',
  );
  t.equal(git(directory, ['for-each-ref']), '', 'it does not come back');

  git(directory, ['update-ref', MAIN, commit]);
  const next = addCommit(directory, MAIN, { secret: 'to be taken away' });
  t.equal(await repository.fetch(MAIN), next);
  const forced = await run(
    beforePush(repository, (tries) => tries === 1 && git(directory, ['update-ref', MAIN, commit])),
    '2',
  );
  t.equal(forced.tries, 2);
  t.equal(git(directory, ['rev-parse', `${MAIN}^`]), commit, 'what was taken away stays away');

  const unrelated = beforePush(repository, (tries) => {
    if (tries > 1) return;
    git(directory, ['update-ref', '-d', MAIN]);
    addCommit(directory, MAIN, { ...files, 'b.yaml': 'image: b:2\n' });
  });
  t.equal((await run(unrelated, '3', 'README.md')).tries, 2, 'another history with the same file');
  t.equal(git(directory, ['show', `${MAIN}:b.yaml`]), 'image: b:2');
});

t.test('rebuilt branches', async (t) => {
  const { directory, commit, remote } = await served(t);
  const repository = await opened(t, remote);
  await repository.fetch(MAIN);
  const ref = 'refs/heads/update';
  const made = await publish(repository, { ...publication(commit, '1'), ref, lease: null }, AT_ONCE);
  t.equal(git(directory, ['rev-parse', ref]), made.commit);
  t.equal(
    await classOf(publish(repository, { ...publication(commit, '2'), ref, lease: null }, AT_ONCE)),
    'Race',
    'it exists',
  );
  const rebuilt = await publish(repository, { ...publication(commit, '3'), ref, lease: made.commit }, AT_ONCE);
  t.equal(git(directory, ['rev-parse', ref]), rebuilt.commit);
  const same = await publish(repository, { ...publication(commit, '3'), ref, lease: rebuilt.commit }, AT_ONCE);
  t.strictSame(same, { commit: rebuilt.commit, tries: 0 });
  const foreign = addCommit(directory, ref, { d: '1' });
  t.equal(
    await classOf(publish(repository, { ...publication(commit, '4'), ref, lease: rebuilt.commit }, AT_ONCE)),
    'Race',
  );
  t.equal(git(directory, ['rev-parse', ref]), foreign, 'a foreign commit is not lost');
});

t.test('answers that are lost, servers that fail', async (t) => {
  const { directory, server, remote } = await served(t);
  const repository = await opened(t, remote);
  server.fault = onPush('drop-answer');
  const lost = await run(repository, '1');
  t.equal(git(directory, ['rev-parse', MAIN]), lost.commit, 'the push was applied');

  // The same, and another one, whose clock is slow, pushes on top before we look.
  server.fault = onPush('drop-answer');
  addHook(
    directory,
    'post-receive',
    'test -f once && exit; touch once; printf "commit refs/heads/main\\ncommitter a <a@b> 1749999900 +0000\\ndata 1\\nx\\nfrom refs/heads/main^0\\nM 644 inline top\\ndata 1\\n1\\n" | git fast-import --quiet',
  );
  const below = await run(repository, '2', 'b.yaml');
  t.equal(git(directory, ['rev-parse', `${MAIN}^`]), below.commit, 'found below the foreign commit');
  t.strictSame(trailersOf(directory), ['ns/2/1', 'ns/1/1']);

  server.fault = onPush(500);
  t.equal(await classOf(run(repository, '3')), 'GitUnavailable');
  server.fault = onPush(403);
  t.equal(await classOf(run(repository, '3')), 'GitAuth');
  server.fault = () => undefined;
  addHook(directory, 'pre-receive', 'echo RULE 7; exit 1');
  t.equal(await classOf(run(repository, '3')), 'PushRefused');
  rmSync(join(directory, 'hooks/pre-receive'));
  t.strictSame(trailersOf(directory), ['ns/2/1', 'ns/1/1']);
  t.equal((await run(repository, '3', 'README.md')).tries, 1);
});

t.test('eight at once', { timeout: 120_000 }, async (t) => {
  const { directory, commit, remote } = await served(t);
  const writers = 8;
  const tries = await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const repository = await opened(t, remote);
      const from = await repository.fetch(MAIN);
      const job = { ...publication(from, `${writer}`, `w${writer}.yaml`), maxRaceRetries: 60 };
      return (await publish(repository, job)).tries;
    }),
  );
  const trailers = trailersOf(directory);
  t.equal(trailers.length, writers);
  t.equal(new Set(trailers).size, writers, 'each trailer exactly once');
  t.equal(git(directory, ['rev-list', '--count', '--merges', MAIN]), '0', 'linear');
  t.equal(git(directory, ['rev-list', '--count', MAIN]), String(writers + 1));
  for (let writer = 0; writer < writers; writer++)
    t.equal(git(directory, ['show', `${MAIN}:w${writer}.yaml`]), `image: a:${writer}`, 'no update is lost');
  t.equal(git(directory, ['diff', '--name-only', commit, MAIN]).split('\n').length, writers, 'nothing else changed');
  t.comment(
    `tries a commit: ${(tries.reduce((sum, n) => sum + n, 0) / tries.length).toFixed(1)} mean, ${Math.max(...tries)} most`,
  );
});

/** Between the end of one step and the beginning of the next nothing happens that another process could see. */
const STEPS = ['fetch', 'fetched', 'committed', 'pushed'];

t.test('killed at each step, then run again', async (t) => {
  const source = (name: string) => JSON.stringify(join(import.meta.dirname, '../../git', name));
  const { directory, remote } = await served(t);
  const cache = join(base, `cache-${count++}`);
  for (const [i, step] of STEPS.entries()) {
    // A run that kills itself where it is told to.
    const program = `
      import { openRepository } from ${source('open.ts')};
      import { publish } from ${source('exactly-once.ts')};
      const step = (name) => name === ${JSON.stringify(step)} && process.kill(process.pid, 'SIGKILL');
      const real = await openRepository(${JSON.stringify(remote)}, { directory: ${JSON.stringify(cache)}, protocols: ['http:'] });
      const repository = {
        fetch: async (...a) => { step('fetch'); const r = await real.fetch(...a); step('fetched'); return r; },
        commit: async (...a) => { const r = await real.commit(...a); step('committed'); return r; },
        push: async (...a) => { await real.push(...a); step('pushed'); },
        log: (...a) => real.log(...a), list: (...a) => real.list(...a), remoteHead: (...a) => real.remoteHead(...a),
      };
      const job = ${JSON.stringify(publication('', `k${i}`))};
      job.commits[0].changes[0].content = Buffer.from('image: a:k${i}\\n');
      await publish(repository, { ...job, base: await repository.fetch(${JSON.stringify(MAIN)}) });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const signal = await new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)));
    t.equal(signal, 'SIGKILL', `killed at: ${step}`);
    const repository = await opened(t, remote, cache);
    const { tries } = await run(repository, `k${i}`);
    t.equal(tries, step === 'pushed' ? 0 : 1, `then run again: ${tries} pushes`);
    repository.close();
    t.equal(git(directory, ['show', `${MAIN}:a.yaml`]), `image: a:k${i}`);
  }
  t.strictSame(
    trailersOf(directory).toReversed(),
    STEPS.map((_, i) => `ns/k${i}/1`),
    'each exactly once',
  );
  t.equal(git(directory, ['rev-list', '--count', MAIN]), String(STEPS.length + 1));
});
