// What a survey says is what an update does: on every case of the update's own table, on the examples, on a small corpus.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { generate } from '../../bench/corpus.ts';
import { places } from '../../bench/corpus/truth.ts';
import { readConfig, type Config } from '../../fn/config/config.ts';
import { defaultSpec } from '../../fn/config/defaults.ts';
import { Answers } from '../../fn/lookup/answers.ts';
import { addDocuments, addFile } from '../../fn/lookup/read.ts';
import { showReference } from '../../fn/reference.ts';
import type { Source } from '../../fn/source.ts';
import { FIELD_WORDS, survey, type Survey, type SurveyedField } from '../../fn/survey.ts';
import { readFilesWith } from '../../fn/tree.ts';
import { update } from '../../fn/update.ts';
import { splitStream } from '../../fn/yaml/documents.ts';
import { root } from '../../scripts/build.ts';
import { updateCases, type UpdateCase } from '../fixtures/update.ts';

const APPS = process.env['QUICK'] ? 20 : 60;
const DEFAULT: Config = { spec: defaultSpec(), setImage: false };

function configOf({ spec, config }: UpdateCase): Config {
  const value = spec ? { apiVersion: 'image-update.dev/v1alpha1', kind: 'ImageUpdate', spec } : config;
  return value === undefined ? DEFAULT : readConfig(value);
}

/** What the page of the function says holds a field. */
const HELD = reasonsThatHold();
/** Of these a field may hear though it moves. */
const NOT_ALWAYS = new Set(['age-unknown', 'digest-unwanted']);

function reasonsThatHold(): Set<string> {
  const page = readFileSync(join(root, 'docs/function.md'), 'utf8');
  const [, table = ''] = page.split('| `reason` of a field that is held |');
  const rows = table.slice(0, table.indexOf('\n\n')).split('\n');
  return new Set(
    rows.flatMap((row) => [...row.split(' | ')[0]!.matchAll(/`([a-z-]+)`/g)].map(([, reason]) => reason!)),
  );
}

/** Runs both on the same, and compares. */
async function compare(t: Test, name: string, sources: Source[], config: Config, answers: Answers): Promise<Survey> {
  const outcome = await update(sources, config, answers);
  const surveyed = await survey(sources, config, answers);
  t.strictSame(surveyed.outcome, outcome, `${name}: it comes to the same`);
  const { fields, others } = surveyed;
  const told = outcome.results;
  const about = fields.flatMap(({ results }) => results);
  t.same(
    new Set([...about, ...fields.flatMap(({ around }) => around), ...others]),
    new Set(told),
    `${name}: all is told`,
  );
  t.equal(new Set(about).size, about.length, `${name}: nothing is told of two fields`);
  for (const field of fields) checkField(t, name, field, surveyed);
  const moves = fields.filter(({ fate }) => fate.state === 'moves');
  t.equal(moves.length, told.filter(({ severity }) => severity === 'info').length, `${name}: each change is a field's`);
  t.equal(
    outcome.failed || moves.length > 0,
    outcome.failed || outcome.edits.size > 0,
    `${name}: what moves is what is edited`,
  );
  return surveyed;
}

function checkField(t: Test, name: string, field: SurveyedField, { account, outcome }: Survey): void {
  const { fate, governor, results, from, choice } = field;
  const where = `${name}: ${field.path}`;
  const info = results.find(({ severity }) => severity === 'info');
  t.equal(governor === undefined, fate.state === 'not-automated', `${where}: what is governed has a fate`);
  t.equal(info !== undefined, fate.state === 'moves', `${where}: ${fate.state}`);
  if (fate.state === 'moves') {
    t.match(info, { tags: { reason: fate.reason, policy: field.policy! } }, `${where}: why it moves`);
    t.ok(info!.message.endsWith(`${showReference(from!)} -> ${showReference(fate.to)}`), `${where}: where to`);
    if (!outcome.failed) t.ok(outcome.edits.has(field.source), `${where}: it is edited`);
  }
  const holding = results.filter(({ severity, tags }) => severity !== 'info' && HELD.has(tags?.['reason'] ?? ''));
  if (holding.some(({ tags }) => !NOT_ALWAYS.has(tags!['reason']!)))
    t.equal(fate.state, 'stays', `${where}: it is held`);
  if (fate.state === 'stays')
    t.ok(
      results.some(({ severity, message, tags }) => {
        return severity !== 'info' && message === fate.message && tags?.['reason'] === fate.reason;
      }),
      `${where}: why it stays`,
    );
  if (!choice) return;
  t.match(account(field), { message: choice.message, reason: choice.reason, chosen: choice.chosen?.name ?? null });
}

t.test('cases', async (t) => {
  for (const row of updateCases) {
    const { name, text, path } = row;
    const documents = splitStream(text).map((slice) => ({ ...slice, ...(path !== undefined && { path }) }));
    const source: Source = { ...(path !== undefined && { path }), text, documents };
    const answers = new Answers();
    for (const value of row.answers ?? []) answers.add(value);
    await addDocuments(answers, text, documents);
    await compare(t, name, [source], configOf(row), answers);
  }
});

async function answersFrom(files: readonly string[]): Promise<Answers> {
  const answers = new Answers();
  for (const file of files) await addFile(answers, readFileSync(file, 'utf8'), file);
  return answers;
}

t.test('the example of a directory', async (t) => {
  const example = join(root, 'examples/directory');
  const { files } = readFilesWith([join(example, 'clusters')], FIELD_WORDS);
  const answers = await answersFrom(['images', 'policies'].map((name) => join(example, `metadata/${name}.yaml`)));
  const { fields } = await compare(t, 'example', [...files.keys()], DEFAULT, answers);
  t.equal(fields.filter(({ fate }) => fate.state === 'stays').length, 3);
});

t.test('a corpus', async (t) => {
  const dir = t.testdir();
  generate(dir, { apps: APPS, seed: 3 });
  const { files } = readFilesWith([places.tree(dir)], FIELD_WORDS);
  for (const variant of ['1pct', 'all'] as const)
    await compare(t, variant, [...files.keys()], DEFAULT, await answersFrom([places.metadata(dir, variant)]));
});
