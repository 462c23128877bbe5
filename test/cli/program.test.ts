// What all commands share: help, suggestions, completion, and the names that the program runs by.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { commandHelp, programHelp, unknownCommand } from '../../cli/help.ts';
import { parse } from '../../cli/command.ts';
import { programName } from '../../cli/name.ts';
import { progressOn } from '../../cli/progress.ts';
import { optionsOf } from '../../cli/spec.ts';
import { specs } from '../../cli/specs/index.ts';
import type { Screen } from '../../registry/progress.ts';
import { root } from '../../scripts/build.ts';
import { findProgram } from '../../scripts/tools.ts';
import { notInQuickRun } from '../quick.ts';

const program = join(root, 'dist/tk-image.js');

function start(args: readonly string[]) {
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
}

t.test('every command is in the help, in its own words', async (t) => {
  const all = programHelp('tk-image');
  for (const spec of specs) {
    t.match(all, `  ${spec.name} `, spec.name);
    t.match(all.replaceAll(/\s+/g, ' '), spec.summary.replaceAll('`', ''));
    const text = commandHelp(spec.name, 'kubectl tk-image') ?? '';
    t.match(text, `Usage: kubectl tk-image ${spec.name} `);
    for (const { flags } of optionsOf(spec)) t.match(text, `\n  ${flags.split(' ')[0]!.replace(',', '')}`, flags);
    t.ok(spec.examples.length > 0, 'it has an example');
    t.notMatch(text, /`|\]\(|^\|/m, 'no Markdown is left');
    for (const line of text.split('\n').filter((line) => /^ {2,}-/.test(line)))
      t.ok(line.length <= 101, `it is not too wide: ${line}`);
  }
});

t.test('every command has a file that says what it is, and every such file is a command', async (t) => {
  const files = readdirSync(join(root, 'cli/specs')).filter((file) => file !== 'index.ts');
  const index = readFileSync(join(root, 'cli/specs/index.ts'), 'utf8');
  for (const file of files) t.match(index, `'./${file}'`);
});

t.test('every command can be run', { skip: notInQuickRun }, async (t) => {
  // Only the command itself knows that it has no such option.
  for (const { name } of specs)
    t.match(start([...name.split(' '), '--xyzzy']), { status: 2, stderr: /unknown option '--xyzzy'/ }, name);
});

t.test('the built program prints it', async (t) => {
  t.equal(start(['--help']).stdout, programHelp('tk-image'));
  for (const args of [
    ['choose', '--help'],
    ['help', 'choose'],
    ['choose', 'semver:1', '-h'],
  ])
    t.equal(start(args).stdout, commandHelp('choose', 'tk-image'), args.join(' '));
  t.match(start(['help', 'chose']), { status: 2, stderr: /did you mean "choose"\?\nSee tk-image --help/ });
});

const unknown: [words: string[], says: RegExp][] = [
  [[], /^name a command: /],
  [['--tags', 'x'], /^--tags stands where a command is expected/],
  [['chose'], /^there is no command "chose"; did you mean "choose"\?/],
  [['xyzzy'], /^there is no command "xyzzy"; there are /],
];

t.test('a mistyped command', async (t) => {
  for (const [words, says] of unknown) t.match(unknownCommand(words), says, words.join(' '));
});

t.test('a mistyped option has a suggestion in each command', async (t) => {
  for (const spec of specs) {
    const [option] = optionsOf(spec).flatMap(({ flags }) => /--[a-z-]{6,}/.exec(flags) ?? []);
    if (option === undefined) continue;
    const mistyped = `${option.slice(0, 4)}${option.slice(5)}`;
    t.throws(
      () => parse(spec, [mistyped]),
      { message: /unknown option .*; did you mean --/ },
      `${spec.name} ${mistyped}`,
    );
  }
});

t.test('names of the program', async (t) => {
  const names = {
    '/usr/bin/tk-image': 'tk-image',
    '/opt/dist/tk-image.js': 'tk-image',
    '/usr/bin/kubectl-tk_image': 'kubectl tk-image',
    '/usr/bin/kubectl-image': 'kubectl image',
    '/usr/bin/flux-tk-image': 'flux tk-image',
    '/usr/bin/renamed': 'tk-image',
  };
  for (const [path, name] of Object.entries(names)) t.equal(programName(path), name, basename(path));
  t.equal(programName(undefined), 'tk-image');
});

/** Asks a shell what it would complete: the words so far, the last of which is begun. */
const shells: Record<string, (script: string, words: string[]) => string[]> = {
  bash: (script, words) => [
    '-c',
    `source ${script}; COMP_WORDS=(${words.map(quoted).join(' ')}); COMP_CWORD=${words.length - 1}; _tk_image; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  fish: (script, words) => ['-c', `source ${script}; complete -C ${quoted(words.join(' '))}`],
};

function quoted(text: string): string {
  return `'${text}'`;
}

const completions: [words: string[], has: string[], not?: string[]][] = [
  [['tk-image', 'ch'], ['choose'], ['scan']],
  [['tk-image', 'choose', '--t'], ['--ties', '--tags'], ['--policy']],
  [['tk-image', 'choose', '--ties', ''], ['compat', 'version'], ['here.yaml']],
  [['tk-image', 'run', '-f', ''], ['here.yaml']],
  [['tk-image', 'completion', ''], ['bash', 'zsh', 'fish'], ['here.yaml']],
];

t.test('completion in a shell', { skip: notInQuickRun }, async (t) => {
  const directory = t.testdir();
  writeFileSync(join(directory, 'here.yaml'), '');
  mkdirSync(join(directory, 'home'));
  for (const [shell, ask] of Object.entries(shells)) {
    const path = findProgram(shell);
    if (!path) {
      t.pass(shell, { skip: 'it is not installed' });
      continue;
    }
    const script = join(directory, `home/completion.${shell}`);
    writeFileSync(script, start(['completion', shell]).stdout);
    for (const [words, has, not = []] of completions) {
      const { stdout, stderr } = spawnSync(path, ask(script, words), {
        cwd: directory,
        env: { ...process.env, HOME: join(directory, 'home') },
        encoding: 'utf8',
      });
      const found = stdout.split('\n').map((line) => line.split('\t')[0]);
      t.equal(stderr, '', `${shell}: ${words.join(' ')}`);
      for (const word of has) t.ok(found.includes(word), `${word} is completed`, { found });
      for (const word of not) t.notOk(found.includes(word), `${word} is not`);
    }
  }
});

t.test('the script for zsh can be read by zsh', async (t) => {
  const zsh = findProgram('zsh');
  if (!zsh) return t.pass('zsh', { skip: 'it is not installed' });
  const { status, stderr } = spawnSync(zsh, ['-n'], { input: start(['completion', 'zsh']).stdout, encoding: 'utf8' });
  t.match({ status, stderr }, { status: 0, stderr: '' });
  return undefined;
});

t.test('a shell that it does not know', async (t) => {
  t.match(start(['completion', 'tcsh']), { status: 2, stderr: /one of bash, zsh, fish; "tcsh" is none/ });
});

t.test('progress is for a person who waits', async (t) => {
  const shown: string[] = [];
  let now = 0;
  let tick = () => undefined as void;
  const screen: Screen = {
    isTerminal: true,
    write: (text) => void shown.push(text),
    now: () => now,
    every: (_, call) => {
      tick = call;
      return () => (tick = () => undefined);
    },
  };
  const clear = '\r\u001B[K';
  const answer = await progressOn(screen).during('fetching main', async () => {
    for (now of [200, 900, 1000, 1100, 1200, 2400]) tick();
    return 'done';
  });
  t.equal(answer, 'done');
  t.same(
    shown.splice(0),
    [...[1, 1, 2].map((n) => `${clear}fetching main, ${n} s`), clear],
    'quiet for a second, then not too often',
  );
  await t.rejects(
    progressOn(screen).during('a', async () => Promise.reject(new Error('b'))),
    { message: 'b' },
  );
  tick();
  t.same(shown, [], 'nothing of what is over sooner');

  const start = now;
  progressOn(screen).counting(
    (count) => `${count} files`,
    (tick) => {
      for (let i = 1; i <= 4; i++) {
        now = start + 400 * i;
        tick(i);
      }
    },
  );
  t.same(shown.splice(0), [`${clear}3 files`, `${clear}4 files`, clear]);
  const blind = progressOn({ ...screen, isTerminal: false });
  t.equal(await blind.during('x', async () => 1), 1);
  blind.counting(String, (tick) => tick((now += 9999)));
  t.same(shown, [], 'where nobody looks nothing is shown');
});
