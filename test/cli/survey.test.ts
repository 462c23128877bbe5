// `tk-image list` and `tk-image explain`: on tables of directories, on the example of a directory, and without a network.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters, styleText } from 'node:util';
import t, { type Test } from 'tap';
import { explain } from '../../cli/explain.ts';
import type { Explanation } from '../../cli/explanation.ts';
import { list } from '../../cli/list.ts';
import type { ContainerListing } from '../../cli/listing.ts';
import { processIo, type Io } from '../../fn/io.ts';
import { filledIn, remedies } from '../../fn/remedies.ts';
import { root } from '../../scripts/build.ts';
import { explanations, lists, type SurveyCase } from '../fixtures/cli/surveys.ts';
import { deployment, metadata } from '../fixtures/update.ts';

const commands = { list, explain };
type Name = keyof typeof commands;

interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

async function run(name: Name, argv: string[], environment: NodeJS.ProcessEnv = { NO_COLOR: '1' }): Promise<Ran> {
  const ran = { status: -1, stdout: '', stderr: '' };
  const io: Io = {
    ...processIo,
    output: (text) => (ran.stdout += text),
    error: (line) => (ran.stderr += `${line}\n`),
    environment,
  };
  ran.status = await commands[name](argv, io);
  return ran;
}

function directoryOf(t: Test, { files }: Pick<SurveyCase, 'files'>): string {
  const directory = t.testdir();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

function squeezed(text: string): string[] {
  return text.split('\n').map((line) => line.trim().replaceAll(/ +/g, ' '));
}

const tables: Record<Name, SurveyCase[]> = { list: lists, explain: explanations };

for (const [name, cases] of Object.entries(tables) as [Name, SurveyCase[]][])
  for (const row of cases)
    t.test(`${name}: ${row.name}`, async (t) => {
      const directory = directoryOf(t, row);
      const here = (text: string) => text.replaceAll('@', directory);
      const { status, stdout, stderr } = await run(name, row.args.map(here));
      t.equal(status, row.status, 'status', { stdout, stderr });
      const lines = squeezed(stdout);
      let from = 0;
      for (const wanted of (row.out ?? []).map(here)) {
        const at = lines.findIndex((line, i) => i >= from && line.startsWith(wanted));
        t.ok(at >= 0, wanted, { lines });
        from = at + 1;
      }
      if (row.not) t.notMatch(stdout.replaceAll(directory, '@'), row.not);
      if (row.err) t.match(stderr, row.err);
      else t.equal(stderr, '');
    });

// As people name it: paths stand in what is printed.
process.chdir(root);
const example = 'examples/directory';
const expected = join(root, 'test/fixtures/cli');

t.test('the example of a directory', async (t) => {
  const files = ['images', 'policies'].flatMap((name) => ['--metadata', join(example, `metadata/${name}.yaml`)]);
  const outputs: [Name, file: string, args: string[]][] = [
    ['list', 'list.txt', []],
    ['list', 'list.json', ['-o', 'json']],
    ['explain', 'explain.txt', []],
    ['explain', 'explain.json', ['-o', 'json']],
  ];
  for (const [name, file, args] of outputs) {
    const { status, stdout } = await run(name, [join(example, 'clusters'), '--offline', ...files, ...args]);
    t.equal(status, 0, file);
    if (process.env['UPDATE_EXPECTED']) writeFileSync(join(expected, file), stdout);
    t.equal(stdout, readFileSync(join(expected, file), 'utf8'), file);
  }
});

t.test('YAML says what JSON says', async (t) => {
  const directory = directoryOf(t, lists[0]!);
  const args = [directory, '--offline', '--metadata', join(directory, 'images.json'), '-o', 'yaml'];
  t.match((await run('list', args)).stdout, /^- workload: default:deployment\/web\n/);
  t.match((await run('explain', args)).stdout, /^fields:\n/);
});

t.test('list -o json has all tags, and with a limit as many', async (t) => {
  const { files } = lists.find(({ name }) => name.startsWith('a thousand'))!;
  const directory = directoryOf(t, { files });
  const args = [directory, '--offline', '--metadata', join(directory, 'images.json'), '-o', 'json'];
  const [all] = JSON.parse((await run('list', args)).stdout) as ContainerListing[];
  t.match(all, { chosen: '1.0.999', counts: { available: 1000, newer: 994, accepted: 1000, newerAccepted: 994 } });
  t.equal(all!.available!.length, 1000);
  const [some] = JSON.parse((await run('list', [...args, '-l', '2'])).stdout) as ContainerListing[];
  t.strictSame(
    some!.available!.map(({ name }) => name),
    ['1.0.999', '1.0.998', '1.0.5'],
  );
});

t.test('colour', async (t) => {
  const directory = directoryOf(t, lists[0]!);
  const args = [directory, '--offline', '--metadata', join(directory, 'images.json')];
  const greens: [Name, green: string][] = [
    ['list', 'would move'],
    ['explain', 'ghcr.io/org/app:1.2.1'],
  ];
  for (const [name, green] of greens) {
    const plain = await run(name, args);
    const painted = await run(name, args, { FORCE_COLOR: '1' });
    t.equal(plain.stdout, stripVTControlCharacters(plain.stdout), `${name}: none`);
    t.ok(painted.stdout.includes(styleText('green', green, { validateStream: false })), `${name}: some`);
    t.equal(stripVTControlCharacters(painted.stdout), plain.stdout, `${name}: the same columns`);
    t.equal(
      (await run(name, args, { FORCE_COLOR: '1', NO_COLOR: '1' })).stdout,
      plain.stdout,
      `${name}: NO_COLOR wins`,
    );
  }
});

/** A port of this machine where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

t.test('a registry that cannot be reached: the others are shown', async (t) => {
  const host = `127.0.0.1:${await closedPort()}`;
  const auto = 'fluxcd.io/automated: "true"';
  const directory = directoryOf(t, {
    files: {
      'web.yaml': deployment([auto], `app: ${host}/app:1`, 'b: ghcr.io/org/b:1'),
      'images.json': JSON.stringify(metadata('ghcr.io/org/b', '1', '2')),
    },
  });
  const args = [directory, '--metadata', join(directory, 'images.json'), '--insecure', host, '--no-cache'];
  const environment = { NO_COLOR: '1', HOME: directory };
  const listed = await run('list', args, environment);
  t.equal(listed.status, 1);
  t.match(listed.stdout, /stays: registry-unreachable\n +image data not available\n[^]*=> +2 /);
  t.match(listed.stderr, `tk-image: ${host}/app: image data not available: `);
  const explained = await run('explain', [...args, '-o', 'json'], environment);
  t.equal(explained.status, 1);
  const { fields, summary } = JSON.parse(explained.stdout) as Explanation;
  t.match(fields, [{ state: 'stays', reason: 'registry-unreachable', remedy: /network/ }, { state: 'moves' }]);
  t.match(summary, { moves: 1, stays: 1 });
});

t.test('every reason that is told has a remedy, and every remedy a reason', async (t) => {
  const page = readFileSync(join(root, 'docs/function.md'), 'utf8');
  const reasons = ['of a field that is held', 'of any other warning'].flatMap((title) => {
    const [, table = ''] = page.split(`| \`reason\` ${title} |`);
    const rows = table.slice(0, table.indexOf('\n\n')).split('\n').slice(2);
    return rows.flatMap((row) => [...row.split(' | ')[0]!.matchAll(/`([a-z-]+)`/g)].map(([, reason]) => reason!));
  });
  t.ok(reasons.length > 60, 'reasons are found');
  t.strictSame(Object.keys(remedies).toSorted(), [...new Set(reasons)].toSorted());
  for (const [reason, text] of Object.entries(remedies)) t.notMatch(filledIn(text, {}), /[{](?!")/, reason);
});
