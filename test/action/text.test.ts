// What the Action says: that action.yml and the code agree, and that nobody's words become commands or markup.
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import t from 'tap';
import { functionConfigOf } from '../../action/config.ts';
import { inputNames, readInputs, type Inputs } from '../../action/inputs.ts';
import { harmless } from '../../action/log.ts';
import type { Outcome } from '../../action/outcome.ts';
import { outputNames } from '../../action/outputs.ts';
import { summaryOf } from '../../action/summary.ts';
import { readAction } from '../../scripts/action.ts';
import { parseCommand } from './step.ts';

const RUNS = process.env['QUICK'] ? 25 : 300;

t.test('action.yml has the inputs and outputs that the code knows, each described', async (t) => {
  const { inputs, outputs, runs } = await readAction();
  t.same(Object.keys(inputs), inputNames, 'inputs, in their order');
  t.same(Object.keys(outputs), outputNames, 'outputs, in their order');
  for (const [name, { description }] of Object.entries({ ...inputs, ...outputs }))
    t.match(description, /^[`A-Z].*[.:`]$|^JSON, /s, name);
  t.same(runs, { using: 'node24', main: 'dist/action.js' });
  const defaults = Object.entries(inputs).filter(([, { default: value }]) => value !== undefined);
  t.same(
    defaults.map(([name]) => name),
    ['token'],
    'a default that the config file could not override',
  );
});

/** Inputs as they are written, and as they are read. */
const readings: [given: Partial<Record<keyof Inputs, string>>, read: Inputs][] = [
  [{}, {}],
  [
    { mode: ' check ', path: '.' },
    { mode: 'check', path: [''] },
  ],
  [{ path: './apps/, infra\n\n./\n' }, { path: ['apps', 'infra', ''] }],
  [
    { images: 'nginx:1.27, ghcr.io/a/b@sha256:' + 'a'.repeat(64) + '\n*/web-*' },
    { images: ['nginx', 'ghcr.io/a/b', '*/web-*'] },
  ],
  [
    { draft: 'TRUE', 'auto-merge': 'False' },
    { draft: true, 'auto-merge': false },
  ],
  [{ metadata: 'a.yaml,b.yaml' }, { metadata: { files: ['a.yaml', 'b.yaml'] } }],
  [{ metadata: 'kind: ImagePolicy\n' }, { metadata: { files: [], inline: 'kind: ImagePolicy' } }],
  [{ metadata: '{"kind": "ImagePolicy"}' }, { metadata: { files: [], inline: '{"kind": "ImagePolicy"}' } }],
  [{ author: 'Ada L. <ada@example.com>' }, { author: { name: 'Ada L.', email: 'ada@example.com' } }],
  [{ reviewers: 'ada,acme/platform' }, { reviewers: ['ada', 'acme/platform'] }],
];

t.test('inputs as they are read', async (t) => {
  for (const [given, read] of readings)
    t.same(
      readInputs((name) => given[name] ?? ''),
      read,
      JSON.stringify(given),
    );
});

const IMAGE_UPDATE = { apiVersion: 'image-update.dev/v1alpha1', kind: 'ImageUpdate' };

/** Inputs, a config file, and the functionConfig that they come to. */
const configs: [inputs: Inputs, file: unknown, wanted: unknown][] = [
  [{}, undefined, { ...IMAGE_UPDATE, spec: { lookup: 'registry' } }],
  [{ offline: true, 'max-changes': 3 }, undefined, { ...IMAGE_UPDATE, spec: { lookup: 'none', maxChanges: 3 } }],
  [{}, { ...IMAGE_UPDATE, spec: { lookup: 'none' } }, { ...IMAGE_UPDATE, spec: { lookup: 'none' } }],
  [
    { offline: false },
    { ...IMAGE_UPDATE, spec: { lookup: 'none' } },
    { ...IMAGE_UPDATE, spec: { lookup: 'registry' } },
  ],
  [
    {},
    { kind: 'ConfigMap', data: { strict: 'true' } },
    { kind: 'ConfigMap', data: { strict: 'true', lookup: 'registry' } },
  ],
  [{ offline: true }, { kind: 'SetImage', image: {} }, { kind: 'SetImage', image: {} }],
  [{}, ['no map'], ['no map']],
  [{}, { ...IMAGE_UPDATE, spec: 'x' }, { ...IMAGE_UPDATE, spec: 'x' }],
];

t.test('inputs go before the config file, that before what is built in', async (t) => {
  for (const [inputs, file, wanted] of configs)
    t.same(functionConfigOf(inputs, file), wanted, JSON.stringify([inputs, file]));
});

/** Texts with what commands, Markdown and HTML are made of. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '::',
        '##[',
        ']',
        '\n',
        '\r',
        '\u2028',
        '\u0085',
        '\u200B',
        '\uFEFF',
        ' ',
        '%0A',
        'error',
        '`',
        '```',
        '|',
        '<b>',
        '&lt;',
        '](',
        '@ada',
        '\\',
        ',',
      ),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

t.test('no line of the log is a command', async () => {
  fc.assert(
    fc.property(hostile, (text) =>
      harmless(text)
        .split(/\r\n|[\r\n]/)
        .every((line) => parseCommand(line) === undefined),
    ),
    { numRuns: RUNS },
  );
});

const outcome: fc.Arbitrary<Outcome> = fc
  .record({
    file: hostile,
    container: hostile,
    from: hostile,
    to: hostile,
    policy: hostile,
    message: hostile,
    diff: hostile,
    failure: hostile,
    branch: hostile,
  })
  .map(({ file, container, from, to, policy, message, diff, failure, branch }) => ({
    moved: [{ file, object: 'apps/Deployment//x', container, field: 'spec', image: from, from, to, policy }],
    files: [file],
    told: [{ message, severity: 'warning', file: { path: file }, tags: { container } }],
    results: [],
    failure,
    diff: diff.trim() === '' ? '' : diff,
    pulled: [{ number: 1, url: `https://x.test/${branch}`, branch, operation: 'created' }],
  }));

t.test('each annotation is one command, and says what it was given', async (t) => {
  const outcomes = fc.sample(outcome, RUNS);
  // In a process of its own, as commands go to its output.
  const script = `
    import { readFileSync } from 'node:fs';
    import { annotate } from ${JSON.stringify(import.meta.resolve('../../action/annotate.ts'))};
    for (const outcome of JSON.parse(readFileSync(0, 'utf8')))
      annotate(outcome, { reason: outcome.failure, warnings: [], places: true });`;
  const options = { input: JSON.stringify(outcomes), encoding: 'utf8', maxBuffer: 1 << 28 } as const;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], options);
  const said = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => parseCommand(line)?.message);
  const wanted = outcomes.flatMap(({ failure, told, moved }) => [
    failure,
    told[0]!.message,
    `${moved[0]!.from} -> ${moved[0]!.to}`,
  ]);
  t.strictSame(said, wanted, stderr);
});

t.test('the summary: what others wrote is code and nothing else, and tables keep their columns', async () => {
  fc.assert(
    fc.property(outcome, (outcome) => {
      const page = summaryOf(outcome, 0);
      const outside = page
        .replaceAll(/^(`{3,})diff\n[^]*?\n\1$/gm, '')
        .replaceAll(/`[^`\n]*`/g, '·')
        .replaceAll(/<https:[\w.:/-]*>/g, '');
      const rows = outside.split('\n').filter((line) => line.startsWith('|'));
      return (
        !/[`@]|::|##\[|<(?!\/?(?:details|summary)>)/.test(outside) &&
        rows.length === 6 &&
        rows.every((row) => [7, 6].includes(row.split('|').length - 1))
      );
    }),
    { numRuns: RUNS },
  );
});

t.test('the summary of a diff that is full of fences', async (t) => {
  const diff = '` '.repeat(300_000) + '`````';
  const page = summaryOf({ moved: [], files: [], told: [], results: [], diff, pulled: [] }, 0);
  t.match(page, /^### image-update: nothing to change\n/);
  t.notMatch(page, '`````', 'what has no room is left out');
  const short = summaryOf({ moved: [], files: [], told: [], results: [], diff: '`````', pulled: [] }, 0);
  t.match(short, '``````diff\n`````\n``````\n');
});
