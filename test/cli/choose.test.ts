// `tk-image choose`: agrees with the tables of the policies, and as a process says what is wrong with which status.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { choose } from '../../cli/choose.ts';
import type { Io } from '../../fn/io.ts';
import type { Account } from '../../fn/policy/account.ts';
import { root } from '../../scripts/build.ts';
import { metadataOf, patternChoices, policyChoices, type ChoiceCase } from '../fixtures/policy/choices.ts';

/** Runs the command in this process, on files that are texts. */
async function run(argv: string[], files: Record<string, string> = {}) {
  const ran = { status: -1, stdout: '', stderr: '' };
  const io: Io = {
    read(name) {
      const text = files[name];
      if (text === undefined) throw new Error('no such file');
      return Buffer.from(text);
    },
    isTerminal: false,
    output: (text) => (ran.stdout += text),
    error: (line) => (ran.stderr += `${line}\n`),
    environment: {},
  };
  ran.status = await choose(argv, io);
  return ran;
}

function argumentsOf({ rule, current, options }: ChoiceCase): string[] {
  return [
    '--metadata=metadata.json',
    ...(current === undefined ? [] : [`--current=${current === '-' ? '' : current}`]),
    ...(options?.ties ? [`--ties=${options.ties}`] : []),
    ...(options?.unknownCurrent ? [`--unknown-current=${options.unknownCurrent}`] : []),
    ...(typeof rule === 'string' ? ['--', rule] : ['--policy=policy.json']),
  ];
}

function filesOf(row: ChoiceCase): Record<string, string> {
  const kind = { apiVersion: 'image-update.dev/v1alpha1', kind: 'ImageMetadata' };
  const policy = { apiVersion: 'image-update.dev/v1alpha1', kind: 'ImagePolicy', spec: row.rule };
  return {
    'metadata.json': JSON.stringify({ ...kind, ...metadataOf(row) }),
    'policy.json': JSON.stringify(policy),
  };
}

t.test('it agrees with every table of choices', async (t) => {
  // The time of a tag that is gone is known to a policy's status alone.
  const rows = [...patternChoices, ...policyChoices].filter(({ now }) => now?.created === undefined);
  t.ok(rows.length > 100);
  for (const row of rows) {
    const name = `${row.section}: ${row.about}`;
    const json = await run(['-o', 'json', ...argumentsOf(row)], filesOf(row));
    const account = JSON.parse(json.stdout) as Account;
    t.equal(json.status, row.chosen === null ? 3 : 0, `${name}: status`);
    t.equal(json.stderr, '', `${name}: quiet`);
    t.match(account, { chosen: row.chosen, reason: row.reason }, name);
    if (row.order !== undefined) t.equal(account.candidates.join(' '), row.order, `${name}: order`);
    const rejected = Object.fromEntries(account.rejected.map(({ tag, rule }) => [tag, rule]));
    if (row.rejected) t.match(rejected, row.rejected, `${name}: rejected`);
    t.same(
      account.warnings.map(({ reason }) => reason),
      row.warnings ?? [],
      `${name}: warnings`,
    );
    t.equal(
      account.candidates.length + Object.values(account.counts).reduce((a, b) => a + b, 0),
      row.tags.split(' ').filter(Boolean).length,
      `${name}: every tag is accounted for`,
    );
    const text = await run(argumentsOf(row), filesOf(row));
    t.equal(text.stdout, row.chosen === null ? '' : `${row.chosen}\n`, `${name}: stdout`);
    t.ok(text.stderr.startsWith(`${account.message}\n`), `${name}: stderr`);
  }
});

const TAGS = '1.2.0\n1.2.10\r\n\n1.3.0\n1.2.9\nmain\nlatest\n1.2.11-rc.1\n1.2.0\n';
const TWO = JSON.stringify(
  ['a', 'b'].map((name) => ({
    apiVersion: 'image-update.dev/v1alpha1',
    kind: 'ImageMetadata',
    image: `r.test/${name}`,
    tags: ['1', '2'],
  })),
);

t.test('what people and programs read', async (t) => {
  const text = await run(['semver:~1.2', '--tags', '-'], { '-': TAGS });
  t.strictSame(text, {
    status: 0,
    stdout: '1.2.10\n',
    stderr: `1.2.10 is the highest version of 3 tags that semver:~1.2 accepts
next: 1.2.9, 1.2.0
turned away: 4
       1  latest         must be asked for by name: latest
       1  not-a-version  is no version: main
       1  prerelease     is a prerelease, which the range does not ask for: 1.2.11-rc.1
       1  range          is outside of the range: 1.3.0
`,
  });
  const json = await run(['semver:~1.2', '--tags', 'tags.txt', '--current', '1.2.10', '-o', 'json'], {
    'tags.txt': TAGS,
  });
  t.strictSame(JSON.parse(json.stdout), {
    image: 'tags.txt',
    policy: 'semver:~1.2',
    chosen: '1.2.10',
    reason: 'up-to-date',
    message: '1.2.10 is current and the best of 3 tags that semver:~1.2 accepts',
    candidates: ['1.2.10', '1.2.9', '1.2.0'],
    rejected: [
      { tag: 'latest', rule: 'latest' },
      { tag: 'main', rule: 'not-a-version' },
      { tag: '1.2.11-rc.1', rule: 'prerelease', detail: 'semver:~1.2' },
      { tag: '1.3.0', rule: 'range', detail: 'semver:~1.2' },
    ],
    counts: { latest: 1, 'not-a-version': 1, prerelease: 1, range: 1 },
    warnings: [],
  });
  const yaml = await run(['1.*', '--tags', 'tags.json', '--image', 'r.test/b', '-o', 'yaml'], { 'tags.json': TWO });
  t.match(yaml, { status: 3, stdout: /^image: r\.test\/b\npolicy: glob:1\.\*\nchosen: null\nreason: no-match\n/ });
  const many = Array.from({ length: 40 }, (_, i) => `v${i}`).join('\n');
  t.match(await run(['strict-semver:*', '--tags', '-'], { '-': many }), {
    status: 3,
    stderr: /40 {2}not-a-version .*: v0, v1, v10, v11, v12, … \(35 more\)/,
  });
});

interface Refused {
  args: string[];
  files?: Record<string, string>;
  status: number;
  says: RegExp;
}

const POLICY = 'kind: ImagePolicy\nspec: {policy: {semver: {range: "1"}}}\n';
const refused: Refused[] = [
  { args: [], status: 2, says: /by which rule.*semver:~1\.2, or --policy FILE\nSee tk-image choose --help/ },
  { args: ['semver:~1'], status: 2, says: /from what.*--tags/ },
  { args: ['semver:~1', '--tags', '-', '--metadata', 'x'], status: 2, says: /one of/ },
  { args: ['semver:~1', 'x', 'y'], status: 2, says: /"y"/ },
  { args: ['semver:>>', '--tags', '-'], files: { '-': '1' }, status: 2, says: /semver:>>/ },
  { args: ['regexp:(', '--tags', '-'], files: { '-': '1' }, status: 2, says: /regexp:\(/ },
  { args: ['semver:~1', '--tags', '-', '-o', 'xml'], status: 2, says: /xml.*json, yaml/ },
  { args: ['semver:~1', '--tgas', '-'], status: 2, says: /--tgas.*\n?.*--tags/ },
  { args: ['semver:~1', '--tags', '-', '--ties', 'x'], status: 2, says: /compat, version/ },
  { args: ['semver:~1', '--tags', 'none'], status: 1, says: /none cannot be read/ },
  { args: ['semver:~1', '--tags', '-'], files: { '-': 'a b\n' }, status: 1, says: /stdin: "a b" is no tag/ },
  { args: ['semver:~1', '--tags', '-'], files: { '-': '{"kind": "Pod"}' }, status: 1, says: /neither ImageMetadata/ },
  { args: ['semver:~1', '--metadata', 'm'], files: { m: TWO }, status: 2, says: /--image.*r\.test\/a, r\.test\/b/ },
  {
    args: ['semver:~1', '--metadata', 'm', '--image', 'c'],
    files: { m: TWO },
    status: 1,
    says: /no ImageMetadata of c; there is r\.test\/a/,
  },
  {
    args: ['--policy', 'p', '--tags', '-'],
    files: { p: POLICY + '---\n' + POLICY, '-': '' },
    status: 2,
    says: /p holds 2 ImagePolicies/,
  },
  {
    args: ['--policy', 'p', '--tags', '-'],
    files: { p: '{kind: ImagePolicy, spec: {}}', '-': '' },
    status: 2,
    says: /polic/i,
  },
  {
    args: ['--policy', 'p', '--tags', '-'],
    files: { p: 'a: "', '-': '' },
    status: 1,
    says: /p is not readable YAML: line 1/,
  },
  { args: ['semver:1', 'No/Image'], status: 2, says: /"No\/Image" is not an image/ },
];

t.test('what cannot be done is said, with a status', async (t) => {
  for (const { args, files, status, says } of refused) {
    const ran = await run(args, files);
    t.equal(ran.status, status, args.join(' '));
    t.match(ran.stderr, says, args.join(' '));
    t.equal(ran.stdout, '', `${args.join(' ')}: nothing on stdout`);
  }
});

t.test('the program', async (t) => {
  const program = join(root, 'dist/tk-image.js');
  const start = (args: string[], input = '') => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { input, encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  t.match(start(['choose', 'semver:~1.2', '--tags', '-'], TAGS), { status: 0, stdout: '1.2.10\n' });
  t.match(start(['choose', 'x-*', '--tags', '-'], TAGS), { status: 3, stdout: '' });
  t.match(start(['chose']), { status: 2, stdout: '', stderr: /there is no command "chose"; did you mean "choose"\?/ });
  t.match(start([]), { status: 2, stdout: '', stderr: /name a command: list, explain, / });
  t.match(start(['--tags', 'x']), { status: 2, stderr: /--tags stands where a command is expected/ });
});
