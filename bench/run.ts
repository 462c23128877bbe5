/**
 * Measures the product against programs that do the least it must do, in the same run on the same files, and prints what
 * it found as ratios with their limits. `bench/README.md` says what each line means.
 *
 *     npm run bench -- [--only NAME,…] [--apps N] [--rounds N] [--seed N] [--program FILE] [--keep] [--json]
 *
 * Exit status 1: a limit was passed, or the product did not do what it is measured at.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseCases } from './choose.ts';
import { generate } from './corpus.ts';
import { expected, places, readTruth, type Variant } from './corpus/truth.ts';
import { ratioFigure, type Figure } from './figure.ts';
import { gitCases } from './git.ts';
import { interleave, rehearse, time, type Program } from './measure.ts';
import { registryCases } from './registry.ts';

interface Bench {
  /** Where the corpus is. */
  corpus: string;
  /** Where copies and lists go. */
  scratch: string;
  rounds: number;
  seed: number;
  /** The product's bundle. */
  program: string;
}

const CASES: Record<string, (bench: Bench) => Figure[] | Promise<Figure[]>> = {
  none: (bench) => directory(bench, 'none', 2),
  '1pct': (bench) => directory(bench, '1pct', 2),
  all: rewriting,
  list,
  start,
  choose,
  git: ({ program, ...bench }) => gitCases({ ...bench, program: join(dirname(program), 'tk-image.js') }),
  registry: ({ program, ...bench }) => registryCases({ ...bench, program: join(dirname(program), 'tk-image.js') }),
};
/** Those that need no corpus. */
const APART = new Set(['start', 'choose', 'git', 'registry']);

const root = join(import.meta.dirname, '..');
const READ = join(import.meta.dirname, 'baseline/read.cjs');
const REWRITE = join(import.meta.dirname, 'baseline/rewrite.cjs');
const PIPE = join(import.meta.dirname, 'baseline/pipe.cjs');
const MAX_MEMORY_MB = 200;
const EMPTY_LIST = 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n';
/** A start takes some 40 ms and varies by as much as what is measured: many rounds. */
const STARTS_PER_ROUND = 8;

// --- cases ----------------------------------------------------------------------------------------------------------

/** Reading a tree of which nothing, or one field in a hundred, changes. */
function directory(bench: Bench, variant: Variant, limit: number): Figure[] {
  const { memory, wrong } = checkDirectory(bench, variant);
  const times = interleave(bench.rounds, {
    baseline: () => time({ args: [READ, prepare(bench, variant)] }),
    product: () => time(updating(bench, prepare(bench, variant), variant)),
  });
  return [
    ratioFigure(variant, 'product / read and search all files', times.product, times.baseline, limit),
    { case: variant, what: 'product, peak memory', value: memory, unit: 'MB', limit: MAX_MEMORY_MB },
    wrong,
  ];
}

/** Rewriting every file that has an automated field. */
function rewriting(bench: Bench): Figure[] {
  const { memory, wrong } = checkDirectory(bench, 'all');
  const changed = join(bench.scratch, 'changed');
  writeFileSync(changed, Object.keys(readTruth(places.truth(bench.corpus, 'all'))).join('\n'));
  const times = interleave(bench.rounds, {
    safely: () => time({ args: [REWRITE, prepare(bench, 'all'), changed, 'safely'] }),
    product: () => time(updating(bench, prepare(bench, 'all'), 'all')),
    over: () => time({ args: [REWRITE, prepare(bench, 'all'), changed, 'over'] }),
  });
  return [
    ratioFigure('all', 'product / read all, replace the same files safely', times.product, times.safely, 2.5),
    ratioFigure('all', 'product / read all, overwrite the same files', times.product, times.over),
    { case: 'all', what: 'product, peak memory', value: memory, unit: 'MB' },
    wrong,
  ];
}

/** One large ResourceList, of which one field in a hundred changes. */
function list(bench: Bench): Figure[] {
  const stdin = places.list(bench.corpus);
  const product: Program = { args: [bench.program, '--metadata', places.metadata(bench.corpus, '1pct')], stdin };
  const { stdout, memory } = rehearse(product, bench.scratch);
  const times = interleave(bench.rounds, {
    piped: () => time({ args: [PIPE], stdin, piped: true }),
    productPiped: () => time({ ...product, piped: true }),
    file: () => time({ args: [PIPE], stdin }),
    productFile: () => time(product),
  });
  return [
    ratioFigure('list', 'product / read, decode and write, through pipes', times.productPiped, times.piped, 4),
    ratioFigure('list', 'the same from a file to /dev/null', times.productFile, times.file),
    { case: 'list', what: 'product, peak memory', value: memory / 1e6, unit: 'MB' },
    checkList(bench, stdout),
  ];
}

/** An empty ResourceList against a Node that does nothing. */
function start(bench: Bench): Figure[] {
  const stdin = join(bench.scratch, 'empty.yaml');
  writeFileSync(stdin, EMPTY_LIST);
  const times = interleave(bench.rounds * STARTS_PER_ROUND, {
    node: () => time({ args: ['-e', '0'], stdin }),
    product: () => time({ args: [bench.program], stdin }),
  });
  return [ratioFigure('start', 'product on an empty ResourceList / node -e 0', times.product, times.node, 1.6)];
}

function choose(): Figure[] {
  return chooseCases().map(({ name, ms, limit }) => ({
    case: 'choose',
    what: `100,000 tags, ${name.replace(/^choose: /, '')}`,
    value: ms,
    unit: 'ms',
    limit,
  }));
}

function updating({ corpus, program }: Bench, tree: string, variant: Variant): Program {
  return { args: [program, tree, '--metadata', places.metadata(corpus, variant)] };
}

/** The tree to run on: a copy made once, whose changed files get their old bytes back before each run. */
function prepare({ corpus, scratch }: Bench, variant: Variant): string {
  const source = places.tree(corpus);
  if (variant === 'none') return source;
  const tree = join(scratch, 'tree');
  if (!existsSync(tree)) cpSync(source, tree, { recursive: true });
  for (const path of Object.keys(readTruth(places.truth(corpus, variant))))
    writeFileSync(join(tree, path), readFileSync(join(source, path)));
  // What is still to be written to the disk would be written while a program is timed.
  if (process.platform !== 'win32') execFileSync('sync');
  return tree;
}

// --- checks: the speed of a wrong answer is worth nothing -----------------------------------------------------------

/** Runs the product once on a copy, compares every byte with the truth, and takes its peak memory in MB. */
function checkDirectory(bench: Bench, variant: Variant): { memory: number; wrong: Figure } {
  const source = places.tree(bench.corpus);
  const tree = join(bench.scratch, 'checked');
  cpSync(source, tree, { recursive: true });
  const { memory } = rehearse(updating(bench, tree, variant), bench.scratch);
  const truth = readTruth(places.truth(bench.corpus, variant));
  const wrong = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(source.length + 1))
    .filter((path) => !readFileSync(join(tree, path)).equals(expected(readFileSync(join(source, path)), truth[path])));
  rmSync(tree, { recursive: true });
  for (const path of wrong.slice(0, 5)) console.error(`bench: ${variant}: ${path} is not as it must be`);
  return { memory: memory / 1e6, wrong: wrongFigure(variant, wrong.length) };
}

/** The items must be as the truth has them; results may follow. */
function checkList({ corpus }: Bench, output: Buffer): Figure {
  const truth = readTruth(places.listTruth(corpus, '1pct'));
  const items = expected(readFileSync(places.list(corpus)), truth['list.yaml']);
  const same = output.subarray(0, items.length).equals(items);
  const rest = output.subarray(items.length).toString('utf8');
  return wrongFigure('list', same && /^(?:results:\n|$)/.test(rest) ? 0 : 1);
}

function wrongFigure(name: string, files: number): Figure {
  return {
    case: name,
    what: 'product, files with a byte that differs from the truth',
    value: files,
    unit: 'wrong',
    limit: 0,
  };
}

// --- the table ------------------------------------------------------------------------------------------------------

function passes({ value, limit }: Figure): boolean {
  return limit === undefined || value <= limit;
}

function print(figures: readonly Figure[]): void {
  const rows = figures.map((figure) => [
    figure.case,
    figure.what,
    show(figure.value, figure.unit),
    figure.least === undefined ? '' : show(figure.least, '×'),
    figure.limit === undefined ? '' : `≤ ${show(figure.limit, figure.unit)}`,
    figure.limit === undefined ? 'info' : passes(figure) ? 'pass' : 'FAIL',
    figure.subject === undefined ? '' : `${figure.subject.toFixed(0)} / ${figure.baseline?.toFixed(0)} ms`,
  ]);
  const table = [['case', 'what', 'median', 'fastest', 'limit', '', 'medians'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
}

function show(value: number, unit: Figure['unit']): string {
  if (unit === '×') return `${value.toFixed(2)}×`;
  if (unit === 'wrong' || unit === 'requests') return String(value);
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}

// --- the run --------------------------------------------------------------------------------------------------------

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      apps: { type: 'string', default: '10000' },
      rounds: { type: 'string', default: '7' },
      seed: { type: 'string', default: '1' },
      program: { type: 'string' },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const names = values.only?.split(',') ?? Object.keys(CASES);
  const unknown = names.find((name) => !CASES[name]);
  if (unknown !== undefined) throw new UsageError(`--only ${unknown}: the cases are ${Object.keys(CASES).join(', ')}`);
  const [apps, rounds, seed] = (['apps', 'rounds', 'seed'] as const).map((name) => numberOf(name, values[name])) as [
    number,
    number,
    number,
  ];
  const work = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'image-update-bench-'));
  const bench: Bench = {
    corpus: join(work, 'corpus'),
    scratch: join(work, 'scratch'),
    rounds,
    seed,
    program: values.program ?? build(),
  };
  try {
    mkdirSync(bench.corpus);
    mkdirSync(bench.scratch);
    const corpus = names.every((name) => APART.has(name)) ? undefined : writeCorpus(bench, apps, seed);
    const figures: Figure[] = [];
    for (const name of names) {
      console.error(`bench: ${name}`);
      figures.push(...(await CASES[name]!(bench)));
    }
    if (values.json)
      console.log(
        JSON.stringify(
          {
            node: process.version,
            corpus,
            figures: figures.map((figure) => ({ ...figure, pass: passes(figure) })),
          },
          null,
          2,
        ),
      );
    else print(figures);
    if (!figures.every(passes)) process.exitCode = 1;
  } finally {
    if (values.keep) console.error(`bench: kept ${work}`);
    else rmSync(work, { recursive: true, force: true });
  }
}

function writeCorpus(bench: Bench, apps: number, seed: number) {
  console.error('bench: writing the corpus');
  const summary = generate(bench.corpus, { apps, seed });
  console.error(
    `bench: ${summary.files} YAML files, ${(summary.bytes / 1e6).toFixed(1)} MB; all: ${summary.edits.all.fields} fields in ${summary.edits.all.files} files`,
  );
  return summary;
}

/** The command line is wrong, or nothing is there to measure. */
class UsageError extends Error {}

function numberOf(name: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new UsageError(`--${name} ${text}: it must be a whole number from 1`);
  return Number(text);
}

/** Builds the product and returns its bundle. */
function build(): string {
  const script = join(root, 'scripts/build.ts');
  if (!existsSync(script))
    throw new UsageError('scripts/build.ts is missing, so there is no product to measure; give --program FILE');
  console.error('bench: building');
  execFileSync(process.execPath, [script], { cwd: root, stdio: ['ignore', 2, 2] });
  return join(root, 'dist/image-update.js');
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}
