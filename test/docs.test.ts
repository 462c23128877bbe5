// The pages say what the program does: their commands run, their examples print what stands under them, their links lead
// somewhere, their tables are those of the sources. The build must be there, as `npm test` sees to.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { checkObject, isKind } from '../api/kinds.ts';
import { readConfig } from '../fn/config/config.ts';
import { Answers } from '../fn/lookup/answers.ts';
import { compilePolicy } from '../fn/policy/policy.ts';
import { splitDocuments } from '../fn/yaml/documents.ts';
import { readDocument } from '../fn/yaml/read.ts';
import { toValue } from '../fn/yaml/value.ts';
import { root } from '../scripts/build.ts';
import { outdated, pages } from '../scripts/docs.ts';
import { findProgram, toolsDirectory } from '../scripts/tools.ts';
import { notInQuickRun } from './quick.ts';

const examples = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('README.md'))
  .map((file) => `examples/${file}`);
const texts = new Map([...pages(), 'CHANGELOG.md', ...examples].map((page) => [page, read(page)]));
const help = read('docs/function.md');

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

interface Block {
  language: string;
  text: string;
  /** `page:line`, for messages. */
  place: string;
}

function blocksOf(page: string): Block[] {
  const text = texts.get(page) ?? '';
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)].map(({ index, 2: language = '', 3: body = '' }) => ({
    language,
    text: body,
    place: `${page}:${text.slice(0, index).split('\n').length}`,
  }));
}

/** The text of code and the text outside of it. */
function withoutCode(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').replaceAll(/`[^`\n]*`/g, (code) => 'x'.repeat(code.length));
}

t.test('generated tables are current', async (t) => {
  t.same([...outdated().keys()], [], 'run: npm run docs');
});

t.test('links lead somewhere', async (t) => {
  for (const [page, text] of texts) {
    for (const [, target = ''] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? page : join(dirname(page), file);
      if (!existsSync(join(root, path))) t.fail(`${page}: ${target} is not there`);
      else if (anchor !== undefined && !anchorsOf(read(path)).has(anchor))
        t.fail(`${page}: ${target} has no such heading`);
    }
  }
  t.pass(`${texts.size} pages`);
});

/** Headings as the forges make anchors of them. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

t.test('YAML of our kinds is what the program reads', async (t) => {
  for (const { language, text, place } of [...texts.keys()].flatMap(blocksOf)) {
    if (language !== 'yaml') continue;
    for (const { start, end } of splitDocuments(text)) {
      const document = await readDocument(text, start, end);
      if ('problem' in document) {
        t.fail(`${place}: ${document.problem.message}`);
        continue;
      }
      checkKind(t, place, (toValue(document.root) ?? {}) as Record<string, unknown>);
    }
  }
});

/** Flux's kinds of the same names. */
const FLUX = 'image.toolkit.fluxcd.io/';

function checkKind(t: Test, place: string, value: Record<string, unknown>): void {
  switch (value['kind']) {
    case 'ImageUpdate':
    case 'ConfigMap':
    case 'SetImage':
      t.ok(readConfig(value), `${place}: ${value['kind']}`);
      return;
    case 'ImageMetadata': {
      const answers = new Answers();
      t.ok(answers.add(value), `${place}: ${value['kind']}`);
      t.same(answers.notes, [], place);
      return;
    }
  }
  const { kind, apiVersion } = value;
  if (!isKind(kind)) return;
  if (!String(apiVersion).startsWith(FLUX)) {
    const checked = checkObject(value);
    t.type(checked, 'object', `${place}: ${typeof checked === 'string' ? checked : kind}`);
  }
  if (kind !== 'ImagePolicy') return;
  const rule = compilePolicy(value['spec']);
  t.same('error' in rule ? [rule.error] : rule.warnings, [], place);
}

/** Programs that the pages run. */
const programs = ['image-update', 'tk-image'];

t.test('the help of image-update is docs/function.md, and has every option', async (t) => {
  const { stdout, status } = spawnSync(process.execPath, [join(root, 'dist/image-update.js'), '--help'], {
    encoding: 'utf8',
  });
  t.equal(status, 0);
  t.ok(stdout === help);
  const declared = read('fn/arguments.ts');
  const options = [...declared.matchAll(/\boption\('[^']*(--[a-z-]+)/g)];
  t.ok(options.length > 8, 'options are found in the sources');
  for (const [, option] of options) t.match(stdout, new RegExp(`^\\| .*\`[^\`]*${option}\\b`, 'm'), `has ${option}`);
});

/** Told by `tk-image` alone, as the answer is as good as it can be (registry/lookup.ts). */
const REMARK = 'times-by-order';

t.test('the reasons in docs/function.md are those of the sources', async (t) => {
  const results = help.slice(help.indexOf('\n## Results\n'), help.indexOf('\n## Examples\n'));
  const documented = new Set(
    [...results.matchAll(/^\| (`[^|]+) \|/gm)]
      .flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, reason = '']) => reason))
      .filter((word) => word !== 'reason'),
  );
  const sources = ['fn', 'registry']
    .flatMap((room) =>
      readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
        // Remedies are for reasons that others give.
        .filter((file) => file.endsWith('.ts') && file !== 'remedies.ts')
        .map((file) => read(`${room}/${file}`)),
    )
    .join('\n');
  const [, kinds = ''] = /type RegistryErrorKind =([^;]+);/.exec(sources) ?? [];
  const failures = [...kinds.matchAll(/'([a-z-]+)'/g)].map(([, kind = '']) => `registry-${kind}`);
  const used = new Set(
    [...sources.matchAll(/\b(?:reason: |refuse\(|unusable\(\s*)'([a-z-]+)'/g)].map(([, reason = '']) => reason),
  );
  for (const reason of [...used, ...failures])
    if (reason !== REMARK) t.ok(documented.has(reason), `${reason} is documented`);
  for (const reason of documented)
    t.ok(sources.includes(`'${reason}'`) || failures.includes(reason), `${reason} is used`);
});

/** Commands that are not run here, and why. */
const NOT_RUN: Record<string, string> = {
  'npm run demo': 'test/hosts.test.ts runs it',
  'npm run demo:directory': 'test/hosts.test.ts runs it',
  'npm run demo:registry': 'test/cli/registry.test.ts runs it',
  'npm test': 'this is it',
  'npm run test:quick': 'this is it',
  'npm run build': 'npm test has built',
};
const HOSTS = ['kpt', 'kustomize'];

t.test('commands of the pages', { skip: notInQuickRun }, async (t) => {
  const home = t.testdir({ '.local': { bin: {} } });
  const bin = join(home, '.local/bin');
  for (const program of programs) symlinkSync(join(root, `dist/${program}.js`), join(bin, program));
  const path = [bin, join(root, 'node_modules/.bin'), toolsDirectory, process.env['PATH']].join(delimiter);
  for (const { language, text, place } of pages().flatMap(blocksOf)) {
    if (language !== 'sh') continue;
    const commands = text.split('\n').filter((line) => line.trim() !== '' && !NOT_RUN[line.trim()]);
    const missing = HOSTS.find((host) => new RegExp(`\\b${host} `).test(text) && !findProgram(host));
    if (missing !== undefined) {
      t.pass(place, { skip: `needs ${missing}, which is not installed` });
      continue;
    }
    const clone = copyOfClone(join(home, place.replaceAll(/[^\w]/g, '-')));
    const { status, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', commands.join('\n')], {
      cwd: clone,
      env: { ...process.env, HOME: home, PATH: path },
      encoding: 'utf8',
    });
    t.equal(status, 0, `${place}: ${commands.join(' && ') || 'nothing to run'}`, { stderr: stderr.slice(0, 2000) });
  }
});

/** What the commands may see of a clone that was built. */
function copyOfClone(directory: string): string {
  mkdirSync(directory);
  cpSync(join(root, 'examples'), join(directory, 'examples'), { recursive: true });
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  for (const name of ['dist', 'node_modules']) symlinkSync(join(root, name), join(directory, name));
  return directory;
}

t.test('examples of the library', async (t) => {
  const directory = t.testdir();
  const blocks = blocksOf('docs/library.md').filter(({ language }) => language === 'ts' || language === 'text');
  for (const [i, { language, text, place }] of blocks.entries()) {
    if (language !== 'ts') continue;
    const next = blocks[i + 1];
    const file = join(directory, `example-${i}.ts`);
    writeFileSync(file, text);
    const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
    t.equal(stderr, '', place);
    t.equal(stdout, next?.language === 'text' ? next.text : '', `${place} prints what stands under it`);
  }
});
