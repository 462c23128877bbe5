// `tk-image update` in-process: on files, in a user's own work tree with real git, and on a git server on loopback.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { update } from '../../cli/update.ts';
import { processIo, type Io } from '../../fn/io.ts';
import { root } from '../../scripts/build.ts';
import { startForge } from '../git/forge/stand-in.ts';
import { addHook, createRepository, git as serverGit, onPush, startHttp } from '../git/servers.ts';
import { deployment, MAIN, metadata, openShop, type Ran } from '../job/places.ts';
import { leaveOutOfQuickRun } from '../quick.ts';

leaveOutOfQuickRun();
t.setTimeout(300_000);

const ANSWERS = metadata({ web: ['1.0.0', '1.1.0', '1.2.0'], api: ['1.0.0', '1.1.0'] });
const built = (answers: string) =>
  answers.replaceAll('name: "1.1.0"', 'name: "1.1.0", created: "2026-01-02T03:04:05Z"');
const FILES = {
  'apps/web.yaml': deployment('web', '1.0.0'),
  'apps/api.yaml': deployment('api', '1.0.0'),
  'jobs/web.yaml': deployment('web', '1.1.0').replace('name: web\n', 'name: report\n'),
  'README.md': 'x\n',
};
const TABLE = `WORKLOAD                CONTAINER  UPDATE                           POLICY
shop:deployment/api     app        ghcr.io/acme/api:1.0.0 -> 1.1.0  semver:~1
shop:deployment/web     app        ghcr.io/acme/web:1.0.0 -> 1.2.0  semver:~1
shop:deployment/report  app        ghcr.io/acme/web:1.1.0 -> 1.2.0  semver:~1
`;

/** A directory of files, with a place beside it for answers, homes and hooks. */
interface Place {
  directory: string;
  beside: string;
  environment: NodeJS.ProcessEnv;
  /** Runs `tk-image update` on the directory, with the answers at hand. */
  run(...args: string[]): Promise<Ran>;
  /** Runs the user's git there. */
  git(...args: string[]): string;
  read(name: string): string;
}

async function runUpdate(args: readonly string[], io: Partial<Io> = {}): Promise<Ran> {
  const ran: Ran = { status: -1, stdout: '', stderr: '' };
  ran.status = await update([...args], {
    read: processIo.read,
    isTerminal: false,
    output: (text) => (ran.stdout += text),
    error: (line) => (ran.stderr += `${line}\n`),
    environment: {},
    ...io,
  });
  return ran;
}

function place(t: Test, files: Record<string, string> = FILES): Place {
  const top = t.testdir({ home: {}, work: {} });
  const [directory, beside] = [join(top, 'work'), join(top, 'home')];
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  writeFileSync(join(beside, 'answers.yaml'), ANSWERS);
  writeFileSync(
    join(beside, 'gitconfig'),
    '[user]\nname = Ada\nemail = ada@example.com\n[init]\ndefaultBranch = main\n',
  );
  const environment = {
    PATH: process.env['PATH'],
    HOME: beside,
    IMAGE_UPDATE_CACHE: join(beside, 'cache'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(beside, 'gitconfig'),
    // The tests lie in a work tree themselves.
    GIT_CEILING_DIRECTORIES: top,
  };
  return {
    directory,
    beside,
    environment,
    run: async (...args) =>
      runUpdate([directory, '--metadata', join(beside, 'answers.yaml'), '--offline', ...args], { environment }),
    git(...args) {
      const { status, stdout, stderr } = spawnSync('git', args, { cwd: directory, env: environment, encoding: 'utf8' });
      if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
      return stdout.trimEnd();
    },
    read: (name) => readFileSync(join(directory, name), 'utf8'),
  };
}

/** The same as a git work tree, all committed. */
function worktree(t: Test, files: Record<string, string> = FILES): Place {
  const made = place(t, files);
  made.git('init', '--quiet');
  made.git('add', '--all');
  made.git('commit', '--quiet', '--message=first');
  return made;
}

const subjects = ({ git }: Place) => git('log', '--reverse', '--format=%s').split('\n');

// --- files -----------------------------------------------------------------------------------------------------------

t.test('edits files, all that change, and says so in a table', async (t) => {
  const { run, read, directory } = place(t);
  const dry = await run('--dry-run');
  t.match(dry, { status: 0, stdout: TABLE, stderr: /would change 3 fields in 3 files of 3, 0 warnings/ });
  t.equal(read('apps/web.yaml'), FILES['apps/web.yaml'], 'a dry run writes nothing');

  const diff = await run('--dry-run', '--diff');
  t.equal(diff.stdout.match(/^-[^-].*\n\+[^+].*$/gm)?.length, 3, 'three lines');
  t.match(diff.stdout, `--- a${directory}/apps/api.yaml\n`);

  const results = join(directory, '..', 'results.json');
  t.match(await run('--results', results), { status: 0, stdout: TABLE });
  t.equal(read('apps/web.yaml'), deployment('web', '1.2.0'), 'no other byte');
  t.match(JSON.parse(readFileSync(results, 'utf8')), [{ severity: 'info' }, {}, {}]);
  t.match(await run(), { status: 0, stdout: '', stderr: /nothing to change in 3 files/ });
});

t.test('narrowed, only that is done and told', async (t) => {
  const locked = FILES['apps/api.yaml'].replace('annotations:\n', 'annotations:\n    fluxcd.io/locked: "true"\n');
  const { run } = place(t, { ...FILES, 'apps/api.yaml': locked });
  const narrowed: [args: string[], workloads: string[], stderr: RegExp][] = [
    [[], ['web', 'report'], /warning: .*it is locked/],
    [
      ['--image', 'ghcr.io/acme/web', '--strict'],
      ['web', 'report'],
      /would change 2 fields in 2 files of 3, 0 warnings/,
    ],
    [['--image', '*/api'], [], /locked/],
    [['-w', 'report', '--strict'], ['report'], /would change 1 field in/],
    [['-w', 'deploy/web', '-w', 'shop:deployment/report'], ['web', 'report'], /would change 2/],
    [['-n', 'shop', '--image', '*/web'], ['web', 'report'], /0 warnings/],
    [['-w', 'web', '--image', '*/api'], [], /nothing is to be done at shop:deployment\/web/],
    [['-w', 'wed'], [], /there is no workload "wed"; did you mean shop:deployment\/web\?/],
    [['-n', 'shops'], [], /there is no workload in the namespace "shops"/],
    [['--strict'], [], /error: .*it is locked/],
    [['--max-changes', '1'], [], /2 fields would change, more than maxChanges \(1\)/],
  ];
  for (const [args, workloads, stderr] of narrowed) {
    const ran = await run('--dry-run', ...args);
    const told = ran.stdout.split('\n').slice(1, -1);
    t.same(
      told.map((line) => /deployment\/(\w+)/.exec(line)?.[1]),
      workloads,
      args.join(' '),
    );
    t.match(ran.stderr, stderr, args.join(' '));
  }
});

t.test('for programs', async (t) => {
  const { run } = place(t);
  const dry = await run('--dry-run', '-o', 'json');
  const { outcome, changes, files } = JSON.parse(dry.stdout);
  t.match(
    { outcome, changes, files: files.length },
    {
      outcome: 'DryRun',
      changes: [{ container: 'app', to: 'ghcr.io/acme/api:1.1.0', policy: 'semver:~1' }, {}, {}],
      files: 3,
    },
  );
  t.match((await run('-o', 'yaml')).stdout, /^outcome: Written$/m);
  t.match(JSON.parse((await run('-o', 'json')).stdout), { outcome: 'NothingToChange', changes: [], files: [] });
  t.match(JSON.parse((await place(t).run('--max-changes', '1', '-o', 'json')).stdout), {
    outcome: 'Failed',
    changes: [],
  });
});

t.test('registries are asked for what has no metadata, and a network that is not there is told', async (t) => {
  const { run, directory, environment } = place(t, {
    'web.yaml': FILES['apps/web.yaml'].replace('ghcr.io/acme', '127.0.0.1:1'),
  });
  const ran = await runUpdate([directory, '--insecure', '127.0.0.1:1', '--no-cache'], { environment });
  t.match(ran, { status: 0, stdout: '', stderr: /warning: .*127\.0\.0\.1:1/ });
  t.match((await run()).stderr, /no metadata of 127\.0\.0\.1:1\/web was given/, '--offline asks nobody');
});

const misused: [args: string[], says: RegExp][] = [
  [['--dryrun'], /unknown option '--dryrun'; did you mean --dry-run\?\nSee tk-image update --help/],
  [['--push'], /--push is about commits; say --commit too/],
  [['--branch', 'x'], /--branch is about commits/],
  [['--group-by', 'image'], /--group-by is about commits/],
  [['--group-by', 'images', '--commit'], /Allowed choices are run, image, workload, directory/],
  [['--no-sign'], /--no-sign is about commits/],
  [['--interactive'], /--interactive asks on a terminal, and stdin is none/],
  [['--path', 'x'], /--path is for a repository; name it with --git URL/],
  [['--signing-key', 'x'], /--signing-key is for a repository/],
  [['--commit', '--branch', '-x'], /--branch "-x": it may not begin with "-"/],
  [['--commit', '--author', 'Ada'], /--author "Ada": write it as 'Name <email>'/],
  [['--commit', '--message', '{{imge}}'], /--message: \{\{imge\}\} is no name it knows; did you mean \{\{image\}\}/],
  [['--max-changes', 'all'], /--max-changes all: it takes a whole number/],
  [['--git', 'https://example.com/x', '--commit'], /--commit is for files that are edited here, and not for --git/],
  [['--git', 'https://example.com/x', '--interactive'], /--interactive is for files that are edited here/],
  [['--pull-request', '--commit'], /--commit is for files that are edited here, and not for --git and --pull-request/],
  [['--git', 'https://example.com/x', '--draft'], /--draft is about pull requests; say --pull-request too/],
  [['--git', 'https://example.com/x', '--add-labels', 'a'], /--add-labels is about pull requests/],
  [['--git', 'https://example.com/x', 'apps'], /"apps" is one word too many/],
  [['--git', 'https://me:secret@example.com/x'], /--git https:\/\/example\.com\/x: it holds a password/],
  [['--git', 'http://example.com/x'], /say --allow-http/],
  [['--git', 'example'], /--git example: it is not a URL/],
  [['--git', 'https://example.com/x', '--ref', 'a..b'], /--ref "a\.\.b": it may not hold/],
  [
    ['--git', 'https://example.com/x', '--ref', 'a', '--path', '../b'],
    /git\.paths\[0\]: "\.\.\/b": it has a segment "\.\."/,
  ],
  [['--git', 'https://example.com/x', '--signing-type', 'ssh'], /give that too/],
];

t.test('what does not go together is told before anything runs', async (t) => {
  for (const [args, says] of misused) {
    const { status, stdout, stderr } = await runUpdate(args);
    t.match({ status, stdout }, { status: 2, stdout: '' }, args.join(' '));
    t.match(stderr, says, args.join(' '));
    t.notMatch(stderr, /secret/);
  }
});

t.test('directories that are not as they should be', async (t) => {
  const empty = place(t, {});
  t.match(await empty.run(), { status: 0, stdout: '', stderr: /nothing to change in 0 files/ });
  t.match(await runUpdate([join(empty.directory, 'none')]), {
    status: 1,
    stderr: /none cannot be read: it does not exist/,
  });
});

t.test('a directory that may not be written', async (t) => {
  const { run, read, directory, beside, environment, git } = worktree(t);
  chmodSync(join(directory, 'jobs'), 0o555);
  const args = [directory, '--metadata', join(beside, 'answers.yaml'), '--offline'];
  let ran: Ran;
  if (process.getuid?.() === 0) {
    // To root every directory is open.
    for (const name of ['', 'apps', 'apps/web.yaml', 'apps/api.yaml', 'jobs', 'jobs/web.yaml'])
      chownSync(join(directory, name), 65534, 65534);
    const child = spawnSync(process.execPath, [join(root, 'cli/tk-image.ts'), 'update', ...args], {
      uid: 65534,
      gid: 65534,
      env: environment,
      encoding: 'utf8',
    });
    ran = { status: child.status!, stdout: child.stdout, stderr: child.stderr };
  } else ran = await run();
  t.match(ran, {
    status: 1,
    stdout: '',
    stderr: /jobs\/web\.yaml cannot be written: permission denied; nothing was changed/,
  });
  t.equal(read('apps/web.yaml'), FILES['apps/web.yaml']);
  chmodSync(join(directory, 'jobs'), 0o755);
  t.equal(git('-c', 'safe.directory=*', 'status', '--porcelain'), '', 'nothing is left behind');
});

// --- commits ---------------------------------------------------------------------------------------------------------

t.test('a commit as the user would make it, of what was edited alone', async (t) => {
  const user = worktree(t);
  writeFileSync(join(user.directory, 'README.md'), 'staged\n');
  user.git('add', 'README.md');
  writeFileSync(join(user.directory, 'untracked.txt'), '');
  const ran = await user.run('--commit', '-w', 'web');
  t.match(ran, { status: 0, stderr: /committed [0-9a-f]{12} on main: Auto-release ghcr\.io\/acme\/web:1\.2\.0/ });
  t.equal(user.git('show', '--format=%an <%ae>|%cn', '--name-only'), 'Ada <ada@example.com>|Ada\n\napps/web.yaml');
  t.match(user.git('log', '-1', '--format=%B'), /^Auto-release [^\n]*\n\nUpdate-Job: default\/update\/[0-9a-f-]{36}$/);
  t.equal(user.git('status', '--porcelain'), 'M  README.md\n?? untracked.txt', 'what was staged still is');

  const again = await user.run(
    '--commit',
    '--author',
    'Bot <bot@example.com>',
    '--message',
    'Images: {{workloads.length}}{{imageCount}} # on {{branch}}',
  );
  t.match(again, { status: 2, stderr: /--message: \{\{workloads\.length\}\}/ });
  await user.run('--commit', '--author', 'Bot <bot@example.com>', '--message', '# {{imageCount}} on {{branch}}');
  t.equal(user.git('log', '-1', '--format=%an|%cn|%s'), 'Bot|Ada|# 2 on main');
  const none = await user.run('--commit');
  t.match(none, { status: 0, stderr: /nothing to change/ });
  t.equal(subjects(user).length, 3, 'nothing to change is no commit');
});

t.test('a commit for each group, with its edits alone', async (t) => {
  const both = `${deployment('web', '1.0.0')}---\n${deployment('api', '1.0.0')}`;
  const files = { ...FILES, 'apps/both.yaml': both.replaceAll(/name: (web|api)\n/g, 'name: $1-2\n') };
  const groupings: [grouping: string, subjects: string[], touched: string[]][] = [
    ['run', ['Auto-release multiple (2) images'], ['apps/api.yaml apps/both.yaml apps/web.yaml jobs/web.yaml']],
    [
      'image',
      ['Auto-release ghcr.io/acme/api:1.1.0', 'Auto-release ghcr.io/acme/web:1.2.0'],
      ['apps/api.yaml apps/both.yaml', 'apps/both.yaml apps/web.yaml jobs/web.yaml'],
    ],
    [
      'workload',
      [1, 1, 2, 2, 2].map((n) => `Auto-release ghcr.io/acme/${['api:1.1.0', 'web:1.2.0'][n - 1]}`),
      ['apps/api.yaml', 'apps/both.yaml', 'jobs/web.yaml', 'apps/web.yaml', 'apps/both.yaml'],
    ],
    [
      'directory',
      ['Auto-release multiple (2) images', 'Auto-release ghcr.io/acme/web:1.2.0'],
      ['apps/api.yaml apps/both.yaml apps/web.yaml', 'jobs/web.yaml'],
    ],
  ];
  const whole = worktree(t, files);
  await whole.run();
  for (const [grouping, wanted, touched] of groupings)
    await t.test(grouping, async (t) => {
      const user = worktree(t, files);
      const ran = await user.run('--commit', '--group-by', grouping, '-o', 'json');
      t.equal(ran.status, 0, ran.stderr);
      t.same(subjects(user).slice(1), wanted);
      const commits = user.git('rev-list', '--reverse', 'HEAD').split('\n').slice(1);
      t.same(
        commits.map((id) => user.git('show', '--format=', '--name-only', id).split('\n').join(' ')),
        touched,
      );
      for (const [i, id] of commits.entries()) {
        const images = user.git('show', '--format=', '--unified=0', id).matchAll(/^\+.*acme\/(\w+:[\d.]+)/gm);
        const own = new Set([...images].map(([, image]) => image));
        t.equal(own.size, wanted[i]!.includes('multiple') ? 2 : 1, 'its images alone');
      }
      for (const name of Object.keys(files))
        t.equal(user.read(name), whole.read(name), `${name}: together they are all`);
      t.equal(user.git('status', '--porcelain'), '');
      t.match(JSON.parse(ran.stdout), { outcome: 'Committed', branch: 'main', commits: commits.map((id) => ({ id })) });
    });
});

/** What is refused, with nothing written. */
const refused: [name: string, prepare: (user: Place) => void, says: RegExp, args?: string[]][] = [
  [
    'a file with changes',
    ({ directory }) => writeFileSync(join(directory, 'apps/web.yaml'), `${FILES['apps/web.yaml']}# mine\n`),
    /nothing was written: apps\/web\.yaml has changes that are not committed/,
  ],
  [
    'a file with staged changes',
    ({ directory, git }) => {
      writeFileSync(join(directory, 'apps/web.yaml'), `${FILES['apps/web.yaml']}# mine\n`);
      git('add', '--all');
    },
    /apps\/web\.yaml has changes/,
  ],
  [
    'a file that is not tracked',
    ({ directory }) => writeFileSync(join(directory, 'new.yaml'), deployment('web', '1.0.0')),
    /new\.yaml is not tracked by git/,
  ],
  [
    'a file of a submodule',
    ({ directory, git }) => {
      git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', directory, 'libs/sub');
      git('commit', '--quiet', '--message=sub');
    },
    /libs\/sub\/apps\/\S+ is in the submodule libs\/sub, which has commits of its own/,
  ],
  [
    'an ignored file',
    ({ directory, git }) => {
      writeFileSync(join(directory, '.gitignore'), 'new.yaml\n');
      git('add', '.gitignore');
      git('commit', '--quiet', '--message=ignore');
      writeFileSync(join(directory, 'new.yaml'), deployment('web', '1.0.0'));
    },
    /new\.yaml is not tracked by git/,
  ],
  [
    'a merge that is not finished',
    ({ git }) => {
      git('switch', '--quiet', '--create', 'side');
      git('commit', '--quiet', '--allow-empty', '--message=side');
      git('switch', '--quiet', 'main');
      git('merge', '--quiet', '--no-ff', '--no-commit', 'side');
    },
    /a merge is not finished in .*; finish it, or give it up, first/,
  ],
  ['no branch', ({ git }) => git('switch', '--quiet', '--detach'), /no branch is checked out .* say --branch NAME/],
  [
    'a branch that is elsewhere',
    ({ git }) => {
      git('switch', '--quiet', '--create', 'side');
      git('commit', '--quiet', '--allow-empty', '--message=side');
      git('switch', '--quiet', 'main');
    },
    /the branch side is there already, and not where main is; git switch side first/,
    ['--branch', 'side'],
  ],
  ['no remote', () => undefined, /has no remote to push to/, ['--push']],
  [
    'an identity that git does not know',
    ({ beside }) => writeFileSync(join(beside, 'gitconfig'), '[user]\nuseConfigOnly = true\n'),
    /the commit failed: [^]*Please tell me who you are[^]*nothing was committed; the files are as they were/,
  ],
  [
    'a hook that says no',
    ({ directory }) => addHook(join(directory, '.git'), 'pre-commit', 'echo "images are frozen" >&2; exit 1'),
    /the commit failed: images are frozen\nnothing was committed; the files are as they were/,
  ],
  [
    'a hook that says no, on a new branch',
    ({ directory }) => addHook(join(directory, '.git'), 'commit-msg', 'exit 1'),
    /nothing was committed; the files are as they were/,
    ['--branch', 'new'],
  ],
  [
    'a template that comes to nothing',
    () => undefined,
    /--message: the message that it makes is empty\nnothing was/,
    ['--message', '{{#other}}x{{/other}}'],
  ],
];

t.test('what cannot be committed is refused, and nothing is written', async (t) => {
  for (const [name, prepare, says, args = []] of refused)
    await t.test(name, async (t) => {
      const user = worktree(t);
      prepare(user);
      const look = () => [
        user.git('status', '--porcelain'),
        user.git('diff', 'HEAD'),
        user.git('for-each-ref', '--format=%(HEAD)%(refname)%(objectname)'),
      ];
      const before = look();
      const ran = await user.run('--commit', ...args);
      t.not(ran.status, 0);
      t.match(ran.stderr, says);
      t.same(look(), before);
    });
});

t.test('places where nothing can be committed', async (t) => {
  const none = place(t);
  t.match(await none.run('--commit'), {
    status: 1,
    stderr: /^tk-image: [^:]+ is in no git work tree that can be used: fatal: not a git/,
  });
  none.git('init', '--quiet');
  t.match(await none.run('--commit'), { status: 1, stderr: /nothing was written: .* has no commit yet/ });
  t.equal(none.read('apps/web.yaml'), FILES['apps/web.yaml']);

  const user = worktree(t);
  const outside = join(user.beside, 'web.yaml');
  writeFileSync(outside, FILES['apps/web.yaml']);
  symlinkSync(outside, join(user.directory, 'link.yaml'));
  const args = ['--metadata', join(user.beside, 'answers.yaml'), '--offline', '--commit'];
  t.match(await runUpdate([join(user.directory, 'link.yaml'), ...args], { environment: user.environment }), {
    status: 1,
    stderr: /link\.yaml is outside of the work tree/,
  });
  const other = join(user.directory, 'other');
  mkdirSync(other);
  user.git('init', '--quiet', 'other');
  t.match(await runUpdate([user.directory, other, ...args], { environment: user.environment }), {
    status: 1,
    stderr: /are two work trees/,
  });
});

t.test('a hook that says no to the second commit leaves the first', async (t) => {
  const user = worktree(t);
  addHook(join(user.directory, '.git'), 'commit-msg', '! grep -q acme/web "$1"');
  const ran = await user.run('--commit', '--group-by', 'image');
  t.match(ran, {
    status: 1,
    stdout: '',
    stderr: /1 of 2 commits were made, [0-9a-f]{12} the last; the other files are as they were/,
  });
  t.same(subjects(user), ['first', 'Auto-release ghcr.io/acme/api:1.1.0']);
  t.equal(user.git('status', '--porcelain'), '');
  t.equal(user.read('apps/web.yaml'), FILES['apps/web.yaml']);
});

t.test('line ends that git converts', async (t) => {
  const crlf = (text: string) => text.replaceAll('\n', '\r\n');
  const user = place(t, { 'web.yaml': crlf(FILES['apps/web.yaml']) });
  user.git('init', '--quiet');
  user.git('config', 'core.autocrlf', 'true');
  user.git('add', '--all');
  user.git('commit', '--quiet', '--message=first');
  t.match(await user.run('--commit'), { status: 0 });
  t.equal(user.read('web.yaml'), crlf(deployment('web', '1.2.0')), 'the file keeps its own');
  t.equal(
    `${user.git('show', 'HEAD:web.yaml')}\n`,
    deployment('web', '1.2.0'),
    'the commit has what git makes of them',
  );
  t.equal(user.git('show', '--format=', '--numstat'), '1\t1\tweb.yaml', 'one line differs');
});

t.test('names that git could take for patterns', async (t) => {
  const user = worktree(t, {
    '*.yaml': deployment('web', '1.0.0'),
    'other.yaml': 'a: 1\n',
    ':(top)x ü.yaml': deployment('api', '1.0.0'),
  });
  t.match(await user.run('--commit'), { status: 0 });
  t.equal(user.git('-c', 'core.quotePath=false', 'show', '--format=', '--name-only'), '*.yaml\n:(top)x ü.yaml');
});

t.test('branches and pushes', async (t) => {
  const user = worktree(t);
  const remote = join(user.beside, 'remote.git');
  user.git('clone', '--quiet', '--bare', '.', remote);
  user.git('remote', 'add', 'origin', remote);
  user.git('fetch', '--quiet');
  user.git('branch', '--quiet', '--set-upstream-to=origin/main');
  const heads = () => serverGit(remote, ['for-each-ref', '--format=%(refname:short) %(subject)']);

  const branched = await user.run('--commit', '--push', '--branch', 'images', '--image', '*/api');
  t.match(branched, { status: 0, stderr: /committed [0-9a-f]{12} on images[^]*pushed to images of origin/ });
  t.equal(user.git('branch', '--show-current'), 'images', 'the user is on it');
  t.equal(user.git('rev-parse', '--abbrev-ref', 'images@{upstream}'), 'origin/images');
  t.equal(heads(), 'images Auto-release ghcr.io/acme/api:1.1.0\nmain first');

  user.git('switch', '--quiet', 'main');
  const other = join(user.beside, 'other');
  user.git('clone', '--quiet', remote, other);
  user.git('-C', other, 'commit', '--quiet', '--allow-empty', '--message=meanwhile');
  user.git('-C', other, 'push', '--quiet');
  const late = await user.run('--commit', '--push');
  t.equal(late.status, 30, 'as a job that came too late');
  t.match(late.stdout, TABLE, 'what was committed is told');
  t.match(
    late.stderr,
    /committed [0-9a-f]{12} on main[^]*Race: the push to main of origin came too late[^]*the commits are on main here: git pull --rebase origin, then git push/,
  );
  t.equal(heads(), 'images Auto-release ghcr.io/acme/api:1.1.0\nmain meanwhile');
  t.equal(subjects(user).length, 2);

  user.git('pull', '--quiet', '--rebase');
  const refusing = 'exit 1';
  addHook(remote, 'pre-receive', `echo "no images on fridays"; ${refusing}`);
  user.git('reset', '--quiet', '--hard', 'HEAD~1');
  t.match(await user.run('--commit', '--push'), { status: 31, stderr: /PushRefused: .*no images on fridays/ });
});

t.test('a commit on a branch where none was checked out', async (t) => {
  const user = worktree(t);
  user.git('switch', '--quiet', '--detach');
  t.match(await user.run('--commit', '--branch', 'images'), { status: 0, stderr: /on images/ });
  t.equal(user.git('branch', '--show-current'), 'images');
});

// --- a repository without a work tree --------------------------------------------------------------------------------

t.test('a repository is updated without a work tree', async (t) => {
  const shop = await openShop(FILES);
  t.teardown(shop.close);
  const answers = join(shop.home, 'answers.yaml');
  writeFileSync(answers, ANSWERS);
  writeFileSync(join(shop.home, 'gitconfig'), '[user]\nname = Ada\nemail = ada@example.com\n');
  const environment = {
    PATH: process.env['PATH'],
    HOME: shop.home,
    IMAGE_UPDATE_CACHE: join(shop.home, 'cache'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(shop.home, 'gitconfig'),
  };
  const run = async (...args: string[]) =>
    runUpdate(['--git', shop.url, '--allow-http', '--metadata', answers, '--offline', ...args], { environment });
  const before = shop.head();

  const dry = await run();
  t.match(dry, {
    status: 0,
    stdout: TABLE,
    stderr: /would change 3 image fields in 3 files; nothing was pushed[^]*nothing is pushed without --push/,
  });
  t.match((await run('--dry-run', '--push', '--diff')).stdout, /^--- a\/apps\/api\.yaml\n/);
  t.equal(shop.head(), before, 'nothing was pushed');

  const ours = await run('--push', '--path', './apps/', '--image', '*/web', '-o', 'json');
  t.equal(ours.status, 0, ours.stderr);
  t.match(JSON.parse(ours.stdout), {
    kind: 'UpdateJob',
    spec: { git: { ref: { branch: 'main' }, paths: ['apps'] }, commit: { author: { name: 'Ada' } } },
    status: { result: { outcome: 'Pushed', changesCount: 1, commit: shop.head() } },
  });
  t.equal(
    serverGit(shop.repository, ['log', '-1', '--format=%an|%s', MAIN]),
    'Ada|Auto-release ghcr.io/acme/web:1.2.0',
  );

  const rest = await run(
    '--push',
    '--group-by',
    'image',
    '--author',
    'Bot <bot@example.com>',
    '--message',
    '{{image}} on {{branch}}',
  );
  t.match(rest, { status: 0, stderr: /pushed [0-9a-f]{12} to main/ });
  t.equal(
    serverGit(shop.repository, ['log', '-2', '--format=%an|%s', MAIN]),
    'Bot|ghcr.io/acme/web:1.2.0 on main\nBot|ghcr.io/acme/api:1.1.0 on main',
  );
  const head = shop.head();
  t.match(await run('--push'), { status: 0, stdout: '', stderr: /^tk-image: nothing to change\n$/ }, 'again: nothing');
  t.equal(shop.head(), head);

  shop.commit({ 'apps/web.yaml': deployment('web', '1.1.0') });
  const branched = await run('--push', '--branch', 'images', '--release', 'true');
  t.match(branched, { status: 0, stderr: /pushed [0-9a-f]{12} to images/ });
  t.equal(shop.show('refs/heads/images', 'apps/web.yaml'), deployment('web', '1.2.0'));
  t.equal(shop.show(MAIN, 'apps/web.yaml'), deployment('web', '1.1.0'), 'main stays');

  shop.server.fault = onPush(403);
  t.match(await run('--push', '--release', 'true'), { status: 20, stderr: /GitAuth/ });
  shop.server.fault = () => 500;
  t.match(await run(), { status: 22, stderr: /^tk-image: GitUnavailable: / }, 'before there is a job');
  shop.server.fault = () => undefined;
  t.match(await run('--ref', 'none'), { status: 23, stderr: /RefNotFound/ });
  t.match(
    await run('--strict', '--max-changes', '1', '--ref', 'main', '--push', '--release', 'true', '--image', '*/none'),
    { status: 0 },
  );
  serverGit(shop.repository, ['symbolic-ref', 'HEAD', 'refs/heads/empty']);
  t.match(await run(), { status: 23, stderr: /say which branch with --ref/ });
});

t.test('the changes of a repository are proposed', async (t) => {
  const home = t.testdir();
  const served = join(home, 'served');
  const repository = join(served, 'acme/config.git');
  createRepository(repository, FILES);
  const server = await startHttp({ root: served });
  const forge = await startForge('gitea', repository);
  t.teardown(async () => {
    await forge.server.stop();
    await server.close();
  });
  const answers = join(home, 'answers.yaml');
  writeFileSync(answers, built(ANSWERS));
  const environment = {
    PATH: process.env['PATH'],
    HOME: home,
    IMAGE_UPDATE_CACHE: join(home, 'cache'),
    GIT_CONFIG_NOSYSTEM: '1',
    FORGE_TOKEN: 'x',
  };
  const common = ['--git', `${server.url}/acme/config.git`, '--allow-http', '--metadata', answers, '--offline'];
  const place = ['--forge', 'gitea', '--forge-url', forge.server.origin];
  const run = async (...args: string[]) => runUpdate([...common, '--pull-request', ...place, ...args], { environment });
  const branches = () => serverGit(repository, ['for-each-ref', '--format=%(refname:short)']).split('\n');

  const dry = await run('--dry-run', '--body', 'Look: {{report}}');
  t.match(dry, { status: 0, stderr: /would be proposed on image-update\/all: Update 2 images/ });
  t.ok(dry.stdout.startsWith(`${TABLE}\n--- image-update/all: Update 2 images\n\nLook: Updates 2 images in 3 places.`));
  t.match(dry.stdout, /since|built|2026-01-02/, 'what is known of the tag is told');
  t.same([forge.pulls, branches()], [[], ['main']]);

  const made = await run(
    '--add-labels',
    'images,bot',
    '--add-labels',
    'prod',
    '--title',
    'Images: {{imageCount}}',
    '-o',
    'json',
  );
  t.equal(made.status, 0, made.stderr);
  t.match(JSON.parse(made.stdout), {
    kind: 'UpdateJob',
    status: { result: { outcome: 'DryRun', changesCount: 3 } },
    pullRequests: [{ operation: 'created', number: 1, branch: 'image-update/all' }],
  });
  t.match(forge.pulls, [
    { title: 'Images: 2', labels: ['images', 'bot', 'prod'], head: 'image-update/all', base: 'main' },
  ]);
  t.match(await run('--title', 'Images: {{imageCount}}'), { status: 0, stderr: /pull request 1 is up to date/ });

  const each = await run('--group-by', 'image');
  t.match(each, { status: 0, stderr: /closed pull request 1[^]*pull request 2 is new[^]*pull request 3 is new/ });
  t.equal(branches().length, 3, 'main, and one for each image');
  const nobody = await runUpdate([...common, '--pull-request', ...place], {
    environment: { ...environment, FORGE_TOKEN: '' },
  });
  t.match(nobody, { status: 20, stderr: /GitAuth: there is no token to open pull requests in acme\/config with/ });

  await t.test('of the directory that one stands in', async (t) => {
    const work = join(home, 'work');
    const git = (...args: string[]) => serverGit(work, args);
    // Not by the server, which lives in this process.
    serverGit(home, ['clone', '--quiet', repository, 'work']);
    git('remote', 'set-url', 'origin', `${server.url}/acme/config.git`);
    const [, , ...options] = common;
    const propose = async (...args: string[]) =>
      runUpdate([join(work, 'apps'), ...options, '--pull-request', ...place, ...args], { environment });
    const before = git('rev-parse', 'HEAD');
    t.match(await propose(), { status: 0, stderr: /pull request \d+ is new/ });
    t.equal(forge.pulls.at(-1)?.base, 'main');
    t.same([git('rev-parse', 'HEAD'), git('status', '--porcelain')], [before, ''], 'nothing here is touched');

    writeFileSync(join(work, 'apps/web.yaml'), '# mine\n');
    t.match(await propose(), {
      status: 1,
      stderr: /apps\/web\.yaml has changes that are not on origin; commit and push/,
    });
    git('-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '--quiet', '--all', '--message=Mine');
    t.match(await propose(), { status: 1, stderr: /1 commits on main are not on origin; git push them first/ });
    git('switch', '--quiet', '--create', 'new');
    t.match(await propose(), { status: 1, stderr: /the branch new is not on origin yet; git push it first/ });
    git('switch', '--quiet', '--detach');
    t.match(await propose(), { status: 1, stderr: /no branch is checked out/ });
  });
});

// --- a person at the terminal ----------------------------------------------------------------------------------------

const dialogues: [name: string, typed: string, web: string, api: string, report: string, says?: RegExp][] = [
  [
    'yes, no and yes',
    'n\ny\ny\n',
    '1.2.0',
    '1.0.0',
    '1.2.0',
    /\(1 of 3\) shop:deployment\/api app[^]*api:1\.0\.0 -> 1\.1\.0.*built 2026-01-02, \d+ days? ago/,
  ],
  ['all the rest', 'n\na\n', '1.2.0', '1.0.0', '1.2.0'],
  ['stop', 'y\nq\n', '1.0.0', '1.1.0', '1.1.0'],
  ['the end of what is typed', 'y\n', '1.0.0', '1.1.0', '1.1.0'],
  [
    'help, and what is no answer',
    '?\nwhat\nn\nn\nn\n',
    '1.0.0',
    '1.0.0',
    '1.1.0',
    /take another tag[^]*nothing to change/,
  ],
  [
    'another tag',
    'n\nt\n2\nn\n',
    '1.1.0',
    '1.0.0',
    '1.1.0',
    /1 {2}1\.2\.0[^]*2 {2}1\.1\.0[^]*update of ghcr\.io\/acme\/web/,
  ],
  ['another tag, not after all', 'n\nt\n\nn\nn\n', '1.0.0', '1.0.0', '1.1.0'],
  ['Ctrl-C', 'y\n\u0003', '1.0.0', '1.0.0', '1.1.0'],
];

t.test('asks for each field on a terminal', async (t) => {
  for (const [name, typed, web, api, report, says = /Take it\?/] of dialogues)
    await t.test(name, async (t) => {
      const { directory, beside, environment, read } = place(t);
      writeFileSync(join(beside, 'answers.yaml'), built(ANSWERS));
      const program = [process.execPath, join(root, 'cli/tk-image.ts'), 'update', directory];
      const options = ['--interactive', '--offline', '--metadata', join(beside, 'answers.yaml')];
      const command = [...program, ...options].map((word) => `'${word}'`).join(' ');
      const terminal = spawnSync('script', ['-qec', command, '/dev/null'], {
        input: typed,
        env: { ...environment, SHELL: '/bin/sh', TERM: 'xterm' },
        timeout: 30_000,
        encoding: 'utf8',
      });
      if (terminal.error || !existsSync('/dev/ptmx') || terminal.stdout === '')
        return t.pass(name, { skip: 'the program "script" is not there, or has other options' });
      t.match(terminal.stdout, says);
      t.equal(read('apps/web.yaml'), deployment('web', web));
      t.equal(read('apps/api.yaml'), deployment('api', api));
      t.match(read('jobs/web.yaml'), `web:${report}`);
      return undefined;
    });
});
