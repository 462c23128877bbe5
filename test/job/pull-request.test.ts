// The life of pull requests: a real git server, and a forge beside it that remembers.
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { defaultSpec } from '../../fn/config/defaults.ts';
import type { ForgeType } from '../../git/forge/forge.ts';
import { openForge } from '../../git/forge/open.ts';
import { openRepository } from '../../git/open.ts';
import { GivenAnswers } from '../../job/answers.ts';
import { noCache } from '../../job/cache.ts';
import { evaluate } from '../../job/evaluate.ts';
import { explain } from '../../job/pull-request/explain.ts';
import type { PullRequestWishes } from '../../job/pull-request/options.ts';
import { exitStatusOf, runPullRequests, type PullRequestResult } from '../../job/pull-request/run.ts';
import { checkJob } from '../../job/read.ts';
import type { World } from '../../job/run.ts';
import { startForge, type StandIn } from '../git/forge/stand-in.ts';
import { addCommit, git, type Files } from '../git/servers.ts';
import { leaveOutOfQuickRun } from '../quick.ts';
import { deployment, MAIN, metadata, openShop, type Shop } from './places.ts';

leaveOutOfQuickRun();

// Some twenty seconds of work, and of waiting for git.
t.setTimeout(600_000);

interface Place extends Shop {
  forge: StandIn;
  /** Runs the job, in which images have these tags. */
  propose(tags: Record<string, string[]>, wishes?: PullRequestWishes, spec?: object): Promise<Told>;
  /** The files that differ between the base and a branch. */
  diff(branch: string): string[];
}

interface Told {
  results: PullRequestResult[];
  /** Operation and number, of each. */
  brief: string[];
  status: number;
}

const config = { spec: defaultSpec(), setImage: false };

async function openPlace(t: Test, files: Files, type: ForgeType = 'github'): Promise<Place> {
  const shop = await openShop(files);
  const forge = await startForge(type, shop.repository);
  t.teardown(async () => {
    await forge.server.stop();
    await shop.close();
  });
  return {
    ...shop,
    forge,
    async propose(tags, wishes = {}, spec = {}) {
      const job = checkJob(
        {
          apiVersion: 'image-update.dev/v1alpha1',
          kind: 'UpdateJob',
          metadata: { name: 'update' },
          spec: {
            git: { url: shop.url, ref: { branch: 'main' } },
            run: { image: 'image-update' },
            commit: { author: { email: 'bot@example.com' } },
            ...spec,
          },
        },
        'job',
      );
      const text = metadata(tags);
      const given = new GivenAnswers([{ name: 'm.yaml', text, hash: text }]);
      const world: World = {
        open: async () => ({
          repository: await openRepository(
            { url: shop.url, timeout: 60_000 },
            {
              directory: join(shop.home, 'cache'),
              protocols: ['http:'],
              environment: { PATH: process.env['PATH'] },
            },
          ),
        }),
        make: async (repository, commit, only) =>
          evaluate(job, commit, repository, {
            config,
            given,
            lookup: undefined,
            cache: noCache,
            program: '',
            ...(only && { only }),
          }),
        fixed: undefined,
        cache: noCache,
        now: Date.now,
        stop: () => undefined,
      };
      const report = await runPullRequests(job, wishes, {
        world,
        forge: async () =>
          openForge(`${forge.server.origin}/acme/config`, {
            type,
            token: 'x',
            environment: {},
            wait: async () => undefined,
          }),
        facts: async (change) => explain(change, { answers: await given.take(), lookup: undefined }),
        labelsOf: async (_, reference) => ({
          'org.opencontainers.image.source': 'https://github.com/acme/source.git',
          'org.opencontainers.image.revision': `rev-${reference}`,
        }),
      });
      const results = report.pullRequests;
      return {
        results,
        brief: results.map(({ operation, number, failure }) => `${failure?.class ?? operation} ${number ?? '-'}`),
        status: exitStatusOf(report),
      };
    },
    diff: (branch) =>
      git(shop.repository, ['diff', '--name-only', `main...${branch}`])
        .split('\n')
        .filter(Boolean),
  };
}

const ALL = 'image-update/all';
const tree = { 'apps/web.yaml': deployment('web', '1.0.0'), 'apps/api.yaml': deployment('api', '1.0.0') };
const first = { web: ['1.0.0', '1.2.0'], api: ['1.0.0'] };
const second = { web: ['1.0.0', '1.2.0', '1.3.0'], api: ['1.0.0'] };
const both = { web: ['1.2.0'], api: ['1.1.0'] };

/** Somebody commits to a branch, now. */
function commitTo(place: Place, branch: string, files: Files): string {
  return addCommit(place.repository, `refs/heads/${branch}`, files, {
    message: 'mine',
    time: Math.floor(Date.now() / 1000),
  });
}

for (const type of ['github', 'gitlab', 'gitea'] as const)
  t.test(`${type}: opened, left alone, brought up to date, closed`, async (t) => {
    const place = await openPlace(t, tree, type);
    const { forge, repository } = place;
    const base = place.head();
    const wishes: PullRequestWishes = { labels: ['images', 'bot'], reviewers: ['ann'], draft: true, autoMerge: true };

    const dry = await place.propose(first, wishes, { push: { mode: 'DryRun' } });
    t.match(dry.results, [
      { operation: 'none', title: 'Update ghcr.io/acme/web to 1.2.0', body: /\| `ghcr\.io\/acme\/web` \|/ },
    ]);
    t.equal(forge.server.seen.length, 0, 'a dry run does not ask the forge');

    const made = await place.propose(first, wishes);
    t.same([made.brief, made.status], [['created 1'], 0], JSON.stringify(made.results));
    const [pull] = forge.pulls;
    const reviewers = [type === 'gitlab' ? '42' : 'ann'];
    t.match(pull, {
      title: 'Update ghcr.io/acme/web to 1.2.0',
      head: ALL,
      base: 'main',
      draft: true,
      autoMerge: true,
      labels: ['images', 'bot'],
    });
    t.strictSame(pull!.reviewers.filter(Boolean), reviewers);
    t.match(pull!.body, /\[compare\]\(https:\/\/github\.com\/acme\/source\/compare\/rev-1\.0\.0\.\.\.rev-1\.2\.0\)/);
    t.equal(place.head(), base, 'the base stays');
    t.same(place.diff(ALL), ['apps/web.yaml']);
    t.match(made.results[0], { commit: place.head(ALL), url: /\/pull\/1$/ });

    forge.writes.length = 0;
    const head = place.head(ALL);
    t.same((await place.propose(first, wishes)).brief, ['none 1'], 'a second run');
    place.commit({ 'README.md': 'the base moves' });
    t.same((await place.propose(first, wishes)).brief, ['none 1'], 'and one after others have committed elsewhere');
    t.same(forge.writes, [], 'write nothing');
    t.equal(place.head(ALL), head, 'and push nothing');

    pull!.labels.push('of a person');
    pull!.labels.splice(0, 1);
    const newer = await place.propose(second, wishes);
    t.same(newer.brief, ['updated 1']);
    t.match(pull, { title: 'Update ghcr.io/acme/web to 1.3.0', draft: true, labels: ['bot', 'of a person', 'images'] });
    t.equal(forge.pulls.length, 1);
    t.same(git(repository, ['rev-list', '--count', `main..${ALL}`]), '1', 'the branch is made anew');
    t.same(pull!.reviewers.filter(Boolean), reviewers, 'nobody is asked twice');

    t.same((await place.propose(second, { ...wishes, draft: false })).brief, ['updated 1']);
    t.equal(pull!.draft, false, 'a draft of ours is ours to end');
    t.equal(pull!.title, 'Update ghcr.io/acme/web to 1.3.0');

    place.commit({ 'apps/web.yaml': deployment('web', '1.3.0') });
    const closed = await place.propose(second, wishes);
    t.same(closed.brief, ['closed 1']);
    t.match(pull, { state: 'closed', comments: [/^Nothing is left to change: `main` has what was proposed here/] });
    t.equal(git(repository, ['branch', '--list', ALL]), '', 'its branch is gone');
    t.same((await place.propose(second, wishes)).results, [], 'then there is nothing to tell');
    place.commit({ 'apps/web.yaml': deployment('web', '1.0.0') });
    t.same(
      (await place.propose(second, { ...wishes, draft: false })).brief,
      ['created 2'],
      'what we closed may come back',
    );
  });

t.test("a person's commits, titles, refusals", async (t) => {
  const place = await openPlace(t, tree);
  const { forge, repository } = place;
  await place.propose(first);
  const theirs = commitTo(place, ALL, { 'apps/note.txt': 'a fix\n' });
  t.same((await place.propose(first)).brief, ['updated 1']);
  t.match(forge.pulls[0]!.body, new RegExp(`Commit \`${theirs.slice(0, 12)}\` of \`Somebody\` stands on this branch`));
  t.equal(place.head(ALL), theirs, 'nothing is pushed where nothing is new');
  t.same((await place.propose(first)).brief, ['none 1']);
  place.commit({ 'README.md': 'the base moves' });
  t.same((await place.propose(second)).brief, ['updated 1']);
  t.equal(place.head(`${ALL}~1`), theirs, 'what is new stands on top of theirs');
  t.same(place.diff(ALL), ['apps/note.txt', 'apps/web.yaml']);

  commitTo(place, ALL, { 'apps/web.yaml': deployment('web', '1.1.0') });
  const kept = place.head(ALL);
  await place.propose(second);
  t.equal(place.head(ALL), kept, 'what they set back on the branch stays');

  place.commit({ 'apps/web.yaml': deployment('web', '1.3.0') });
  const left = await place.propose(second);
  t.same(left.brief, ['none 1']);
  t.match(left.results[0]?.message, /nothing of ours is left to change, but commit \w{12} of Somebody stands on/);
  t.equal(forge.pulls[0]!.state, 'open', 'a pull request with their work is theirs to close');

  forge.close(forge.pulls[0]!, 'closed');
  const stuck = await place.propose(both);
  t.match(stuck.results, [
    {
      operation: 'none',
      message: /stands on image-update\/all, which has no pull request of ours; merge it, or delete the branch/,
    },
  ]);
  t.equal(place.head(ALL), kept, 'nor is a branch with their work made anew');
  forge.pulls[0]!.state = 'merged';
  t.same((await place.propose(both)).brief, ['created 2'], 'what was merged, squashed say, is not lost');
  t.equal(git(repository, ['merge-base', 'main', ALL]), place.head());

  // Amended: their commit, though it has our author and trailer.
  const message = git(repository, ['log', '-1', '--format=%B', ALL]);
  const amended = addCommit(
    repository,
    `refs/heads/${ALL}`,
    { x: 'y' },
    { message, author: 'image-update <other@example.com>' },
  );
  await place.propose({ ...both, api: ['1.1.5'] });
  t.equal(place.head(`${ALL}~1`), amended);

  const pull = forge.pulls[1]!;
  pull.body = pull.body.replace(/<!--.*-->/, 'my own words');
  const words = pull.body;
  const hands = await place.propose({ ...both, api: ['1.1.6'] });
  t.match(hands.results, [
    { operation: 'none', number: 2, message: /is a person's, who opened it or took the last line out/ },
  ]);
  t.equal(pull.body, words);
});

for (const type of ['github', 'gitlab', 'gitea'] as const)
  t.test(`${type}: renamed, rewritten, pointed elsewhere, closed and opened by a person`, async (t) => {
    const place = await openPlace(t, tree, type);
    const { forge } = place;
    await place.propose(first, { draft: true });
    const pull = forge.pulls[0]!;
    const { body } = pull;
    pull.title = 'Web, at last';
    t.same((await place.propose(first, { draft: true })).brief, ['none 1']);
    t.match(pull, { title: 'Web, at last', draft: true }, 'their title stays with the same changes');
    t.same((await place.propose(first)).brief, ['updated 1']);
    t.match(pull, { title: 'Web, at last', draft: false }, 'whatever else is updated');
    pull.title = 'Web again';
    t.same((await place.propose(second)).brief, ['updated 1']);
    t.equal(pull.title, 'Update ghcr.io/acme/web to 1.3.0', 'other changes have another title');

    pull.body = `Looks good!\n\n${pull.body}`;
    pull.base = 'release';
    t.same((await place.propose(second)).brief, ['updated 1']);
    t.notMatch(pull.body, /Looks good/);
    t.match(pull.body, body.slice(0, 20));
    t.equal(pull.base, 'main');
    pull.draft = true;
    t.same((await place.propose(second)).brief, ['none 1']);
    t.equal(pull.draft, true, 'a draft of theirs is theirs to end');

    forge.close(pull, 'closed');
    t.match((await place.propose(second)).results, [{ operation: 'none', message: /was closed without a merge/ }]);
    pull.state = 'open';
    t.same((await place.propose(second)).brief, ['none 1'], 'it goes on where it is opened again');
    t.equal(forge.pulls.length, 1);

    forge.close(pull, 'merged');
    const theirs = commitTo(place, ALL, { 'apps/note.txt': 'after the merge\n' });
    t.match((await place.propose({ ...second, api: ['1.1.0'] })).results, [
      { operation: 'none', message: /stands on image-update\/all, which has no pull request of ours/ },
    ]);
    t.equal(place.head(ALL), theirs, 'what came after a merge is not in it');
  });

t.test('closed by a person', async (t) => {
  const place = await openPlace(t, tree);
  const { forge } = place;
  await place.propose(first);
  forge.close(forge.pulls[0]!, 'closed');
  forge.writes.length = 0;
  const head = place.head(ALL);
  const again = await place.propose(first);
  t.match(again.results, [{ operation: 'none', number: 1, message: /these very changes was closed without a merge/ }]);
  t.same([forge.writes, place.head(ALL)], [[], head], 'is not opened again');
  t.same((await place.propose(second)).brief, ['created 2'], 'for something newer there is a new one');
  forge.close(forge.pulls[1]!, 'merged');
  git(place.repository, ['update-ref', MAIN, place.head(ALL)]);
  t.same((await place.propose(second)).results, [], 'a merged one is done');
  place.commit({ 'apps/web.yaml': deployment('web', '1.0.0') });
  t.same((await place.propose({ web: ['1.4.0'], api: ['1.0.0'] })).brief, ['created 3']);
});

t.test('groups', async (t) => {
  const place = await openPlace(t, { ...tree, 'other/web.yaml': deployment('web', '1.0.0') });
  const { forge } = place;
  const branches = () => git(place.repository, ['for-each-ref', '--format=%(refname:short)', 'refs/heads']).split('\n');
  const wishes: PullRequestWishes = {
    groupBy: 'image',
    title: '{{#changes}}{{image}} {{newTag}} {{/changes}}',
    labels: ['x'],
  };
  const made = await place.propose(both, wishes);
  t.same(made.brief, ['created 1', 'created 2']);
  const [api, web] = branches();
  t.match([api, web], [/^image-update\/ghcr-io-acme-api-[0-9a-f]{8}$/, /^image-update\/ghcr-io-acme-web-[0-9a-f]{8}$/]);
  t.same([place.diff(api!), place.diff(web!)], [['apps/api.yaml'], ['apps/web.yaml', 'other/web.yaml']]);
  t.same(
    forge.pulls.map(({ title, head }) => [title, head]),
    [
      ['ghcr.io/acme/api 1.1.0', api],
      ['ghcr.io/acme/web 1.2.0 ghcr.io/acme/web 1.2.0', web],
    ],
  );
  forge.writes.length = 0;
  t.same((await place.propose(both, wishes)).brief, ['none 1', 'none 2']);
  t.same(forge.writes, []);
  t.same((await place.propose({ ...both, api: ['1.1.1'] }, wishes)).brief, ['updated 1', 'none 2'], 'each by itself');

  place.commit({ 'apps/api.yaml': deployment('api', '1.1.1') });
  t.same(
    (await place.propose({ ...both, api: ['1.1.1'] }, wishes)).brief,
    ['closed 1', 'none 2'],
    'a group that is gone',
  );
  t.same(branches(), [web, 'main']);
  const byDirectory = await place.propose(both, { groupBy: 'directory' });
  t.same(
    byDirectory.brief,
    ['closed 2', 'created 3', 'created 4'],
    'another grouping closes what it does not go on with',
  );
  t.same(
    forge.pulls.slice(2).map(({ title }) => title),
    ['Update ghcr.io/acme/web to 1.2.0', 'Update ghcr.io/acme/web to 1.2.0'],
  );
  t.same((await place.propose(both)).brief, ['closed 3', 'closed 4', 'created 5'], 'so does none');

  const other = { git: { url: place.url, ref: { branch: 'main' }, paths: ['other'] } };
  const strangers = await place.propose(both, {}, other);
  t.match(strangers.results, [
    { operation: 'none', number: 5, message: /belongs to another job, by its name or paths/ },
  ]);
  t.same((await place.propose(both, { branch: 'mine' }, other)).brief, ['created 6']);

  // One text for two workloads: it moves for both, whichever is asked for.
  const anchored = deployment('web', '1.0.0').replace('image: ', 'image: &image ').replace(' # keep me', '');
  const alias = deployment('web', '1.0.0')
    .replace(/image: .*/, 'image: *image')
    .replace('name: web', 'name: second');
  const list = `apiVersion: v1\nkind: List\nitems:\n${[anchored, alias]
    .map((text) =>
      text
        .replace(/^#.*\n/, '')
        .replaceAll(/^/gm, '  ')
        .replace('  ', '- ')
        .trimEnd(),
    )
    .join('\n')}\n`;
  place.commit({ 'apps/web.yaml': null, 'apps/api.yaml': null, 'other/web.yaml': null, 'list.yaml': list });
  const shared = await place.propose(both, { groupBy: 'workload', branch: 'anchor' });
  t.same(shared.brief, ['created 7', 'created 8'], JSON.stringify(shared.results));
  for (const { branch } of shared.results)
    t.match(place.show(branch, 'list.yaml'), /&image ghcr\.io\/acme\/web:1\.2\.0/);
});

t.test('two at once, refusals, races', async (t) => {
  const place = await openPlace(t, tree);
  const { forge } = place;
  // Both have looked before either opens one.
  const waiting: (() => void)[] = [];
  forge.before = ({ method, path }, response) => {
    if (method !== 'GET' || !path.endsWith('/pulls') || waiting.length === 2) return false;
    waiting.push(() => response.writeHead(200, { 'content-type': 'application/json' }).end('[]'));
    if (waiting.length === 2) for (const go of waiting) go();
    return true;
  };
  const two = await Promise.all([place.propose(first), place.propose(first)]);
  t.equal(forge.pulls.length, 1, JSON.stringify(two.map(({ results }) => results)));
  t.equal(two.filter(({ brief }) => brief[0] === 'created 1').length, 1, 'one opens it, the other finds it');

  forge.before = ({ method }, response) => {
    if (method === 'GET') return false;
    response
      .writeHead(403, { 'content-type': 'application/json' })
      .end('{"message": "Resource not accessible by integration"}');
    return true;
  };
  const refused = await place.propose(both, { groupBy: 'image', branch: 'groups' });
  t.same([refused.brief, refused.status], [['GitAuth -'], 20], 'one refusal is enough');
  t.match(refused.results[0]?.failure?.message, /`permissions: pull-requests: write`/);
  forge.before = ({ path }, response) => {
    if (!/labels|requested_reviewers|graphql/.test(path)) return false;
    response
      .writeHead(422, { 'content-type': 'application/json' })
      .end('{"message": "Auto merge is not allowed for this repository"}');
    return true;
  };
  const part = await place.propose(both, { branch: 'part', labels: ['a'], reviewers: ['b'], autoMerge: true });
  t.same(part.brief, ['created 2']);
  t.equal(part.results[0]?.warnings.length, 3, 'what is refused beside it is a warning');
  t.equal(part.status, 0);

  // Somebody pushes between the look and the push.
  forge.before = () => false;
  let once = true;
  place.server.fault = ({ method, url }) => {
    if (once && method === 'POST' && url?.endsWith('receive-pack')) {
      once = false;
      commitTo(place, 'part', { x: 'mine\n' });
    }
    return undefined;
  };
  const raced = await place.propose({ ...both, api: ['1.1.9'] }, { branch: 'part' });
  t.same([raced.brief, raced.status], [['Race 2'], 30]);
  t.equal(place.show('part', 'x'), 'mine\n', 'their commit is there');

  const files = { 'm.yaml': metadata(first) };
  const args = ['--metadata', 'm.yaml', '--pull-request'];
  const dry = await place.run({}, { files, args: [...args, '--dry-run'] });
  t.match(
    dry.stdout,
    /^--- a\/apps\/web\.yaml\n[^]*\n--- image-update\/all: Update ghcr\.io\/acme\/web to 1\.2\.0\n\nUpdates 1 image in 1 place\./,
    'tk-image run tells it',
  );
  t.match(dry.stderr, /tk-image: would be proposed on image-update\/all: Update/);
  t.equal(dry.status, 0);
  const lost = await place.run({}, { files, args: [...args, '--forge', 'gitea'] });
  t.match(lost.stderr, /tk-image: RefNotFound: .*names no repository of gitea/);
  t.equal(lost.status, 23);

  for (const [wishes, problem, spec] of [
    [{ branch: 'main' }, /--branch main is the branch that the pull request goes into/],
    [{ branch: 'a..b' }, /--branch "a\.\.b": it may not hold/],
    [{ title: '{{imag}}' }, /--title: \{\{imag\}\}.*did you mean \{\{image\}\}/],
    [{ body: '{{> x}}' }, /--body: .*no partials/],
    [{ labels: ['a,b'] }, /--add-labels: "a,b" holds a comma/],
    [{ groupBy: 'image' }, /--group-by image needs the image-update image/, { run: { image: 'alpine' } }],
    [{}, /git\.ref must be a branch/, { git: { url: place.url, ref: { tag: 'v1' } }, push: { branch: 'x' } }],
  ] as [PullRequestWishes, RegExp, object?][])
    await t.rejects(place.propose(first, wishes, spec), { name: 'UsageError', message: problem });
});
