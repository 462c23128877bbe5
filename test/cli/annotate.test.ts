// `tk-image automate`, `deautomate`, `lock`, `unlock` and `policy`, on a directory of files.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { automate, deautomate, lock, policy, unlock } from '../../cli/annotate.ts';
import type { Io } from '../../fn/io.ts';
import { findProgram } from '../../scripts/tools.ts';
import { cases, files } from '../fixtures/annotating.ts';

const commands: Record<string, typeof policy> = { automate, deautomate, lock, policy, unlock };

/** Runs a command in this process. */
async function run([name = '', ...argv]: string[], environment: NodeJS.ProcessEnv = {}) {
  const ran = { status: -1, stdout: '', stderr: '' };
  const io: Io = {
    read: () => Buffer.alloc(0),
    isTerminal: false,
    output: (text) => (ran.stdout += text),
    error: (line) => (ran.stderr += `${line}\n`),
    environment,
  };
  ran.status = await commands[name]!(argv, io);
  return ran;
}

function directoryOf(t: Test): string {
  const directory = t.testdir({});
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

/** The lines of two texts that the other does not have in that place. */
function changed(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const changes: string[] = [];
  while (old.length > 0 || now.length > 0)
    if (old[0] === now[0]) {
      old.shift();
      now.shift();
    } else if (old.length > 0 && !now.includes(old[0]!)) changes.push(`-${old.shift()}`);
    else changes.push(`+${now.shift()}`);
  return changes;
}

for (const { about, line, status = 0, stdout = [], stderr = [], changes = {} } of cases)
  t.test(about, async (t) => {
    const directory = directoryOf(t);
    const ran = await run(line.map((word) => word.replace('DIR', directory)));
    const shorten = (text: string) =>
      text.replaceAll(directory.slice(1), 'DIR').replaceAll(/(^|[^ab])\/DIR/gm, '$1DIR');
    t.equal(ran.status, status, 'status');
    t.equal(shorten(ran.stdout), stdout.map((line) => `${line}\n`).join(''), 'stdout');
    const told = shorten(ran.stderr).trimEnd().split('\n');
    t.equal(told.length, stderr.length, `lines on stderr: ${told.join('\n')}`);
    for (const [i, line] of stderr.entries()) t.match(told[i], line);
    for (const [name, text] of Object.entries(files)) {
      const after = readFileSync(join(directory, name), 'utf8');
      if (changes[name]) t.same(changed(text, after), changes[name], name);
      else t.equal(after, text, `${name} stays`);
    }
  });

t.test('undone, all that was not a policy before is as it was', async (t) => {
  const directory = directoryOf(t);
  const words = ['-w', 'web', '-w', 'one', '-w', 'two'];
  await run([
    'policy',
    directory,
    ...words,
    '--automate',
    '--lock',
    '-m',
    'x',
    '--user',
    'y',
    '--tag-all',
    'semver:~1',
  ]);
  t.not(readFileSync(join(directory, 'web.yaml'), 'utf8'), files['web.yaml']);
  await run(['policy', directory, ...words, '--deautomate', '--unlock', '--tag-all', '*']);
  const after = readFileSync(join(directory, 'web.yaml'), 'utf8');
  t.same(changed(files['web.yaml']!, after), ['-  annotations:', "-    fluxcd.io/tag.web: 'semver:~1'"]);
});

t.test('whoever git says locks', { skip: findProgram('git') ? false : 'git is not there' }, async (t) => {
  const directory = directoryOf(t);
  const environment = { PATH: process.env['PATH'], HOME: directory, GIT_CONFIG_NOSYSTEM: '1' };
  const file = join(directory, 'over/web.yaml');
  await run(['lock', file, '--all'], environment);
  t.notMatch(readFileSync(file, 'utf8'), 'locked_user', 'nobody is known');
  writeFileSync(file, files['over/web.yaml']!);
  writeFileSync(join(directory, '.gitconfig'), '[user]\nname = Somebody\nemail = ada@example.com\n');
  spawnSync('git', ['init', '-q', join(directory, 'over')], { env: environment });
  spawnSync('git', ['-C', join(directory, 'over'), 'config', 'user.name', 'Ada\u0007 L.'], { env: environment });
  const { stdout } = await run(['lock', file, '--all'], environment);
  t.match(readFileSync(file, 'utf8'), '    fluxcd.io/locked_user: "Ada\\u0007 L. <ada@example.com>"\n');
  t.match(stdout, 'locked by Ada\\u0007 L. <ada@example.com>\n', 'nothing that a terminal obeys');
});

t.test('a directory that cannot be written', { skip: process.getuid?.() === 0 && 'root may write all' }, async (t) => {
  const directory = directoryOf(t);
  chmodSync(join(directory, 'over'), 0o555);
  t.teardown(() => chmodSync(join(directory, 'over'), 0o755));
  const ran = await run(['lock', directory, '-w', 'web', '-w', 'db', '--all']);
  t.match(ran, { status: 1, stderr: /cannot be written: permission denied; nothing was changed/ });
  for (const [name, text] of Object.entries(files)) t.equal(readFileSync(join(directory, name), 'utf8'), text, name);
});

t.test('the mode of a file stays', async (t) => {
  const directory = directoryOf(t);
  const file = join(directory, 'over/web.yaml');
  chmodSync(file, 0o640);
  await run(['automate', file, '-w', 'db']);
  t.equal(statSync(file).mode & 0o777, 0o640);
});
