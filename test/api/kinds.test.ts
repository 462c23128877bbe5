// What the kinds may say by our own check, and that every field of them can be said by an option.
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import type { ApiObject } from '../../api/check.ts';
import { API_VERSION } from '../../api/kind.ts';
import { checkObject, kinds, type KindName } from '../../api/kinds.ts';
import { buildObject, buildSpec, fieldOptions, SHORT } from '../../api/options.ts';
import { toStructural } from '../../api/structural.ts';
import { compilePolicy } from '../../fn/policy/policy.ts';
import { outdatedCrds } from '../../scripts/crds.ts';
import { kindCases, specWith } from '../fixtures/api/kinds.ts';
import { optionsOf, valueOf } from './random.ts';

const names = Object.keys(kinds) as KindName[];
const RUNS = process.env['QUICK'] ? 50 : 500;

function objectOf(kind: KindName, spec: unknown): Record<string, unknown> {
  return { apiVersion: API_VERSION, kind, metadata: { name: 'it' }, spec };
}

for (const kind of names)
  t.test(`what ${kind} may say`, async (t) => {
    const { right, cases } = kindCases[kind];
    t.type(checkObject(objectOf(kind, right)), 'object', 'the least');
    for (const { about, set, problem, server } of cases) {
      // What becomes of `git@host:path` is seen in test/job.
      if (server === 'refuses') continue;
      const checked = checkObject(objectOf(kind, specWith(right, set)));
      if (problem) t.match(checked, problem, about);
      else t.type(checked, 'object', `${about}: ${typeof checked === 'string' ? checked : ''}`);
    }
  });

t.test('config/crd is what the schemas make', async (t) => {
  t.same([...outdatedCrds().keys()], [], 'run: npm run crds');
});

t.test('objects that are none', async (t) => {
  const right = objectOf('ImageRepository', { image: 'nginx' });
  for (const [value, problem] of [
    [null, /it is null, not an object/],
    [[], /not an object/],
    [{ ...right, kind: 'ImageRepositry' }, /kind "ImageRepositry" is none of .*; did you mean "ImageRepository"\?/],
    [{ ...right, apiVersion: 'image-update.dev/v1' }, /apiVersion "image-update\.dev\/v1" of ImageRepository is not/],
    [{ ...right, specc: {} }, /unknown field "specc"; did you mean "spec"\?/],
    [{ ...right, metadata: {} }, /metadata\.name: it is missing/],
    [{ ...right, metadata: { name: 'A' } }, /metadata\.name: "A": a name has lower-case letters/],
    [{ ...right, spec: undefined }, /spec\.image: it is missing/],
    [{ ...right, status: { conditions: 'none' } }, /status\.conditions/],
    [
      {
        ...objectOf('ClusterImageAutomation', kindCases.ClusterImageAutomation.right),
        metadata: { name: 'a', namespace: 'b' },
      },
      /belongs to the cluster/,
    ],
  ] as const)
    t.match(checkObject(value), problem);
  t.type(checkObject({ ...right, status: { newer: true } }), 'object', 'a status of a newer version');
});

t.test('whatever an ImagePolicy may say can be evaluated', async (t) => {
  const texts = fc.oneof(fc.string(), fc.constantFrom('~1', '*', '(', '(?=a)', '1h', '3d', '$1', '${', '1 -'));
  const random = fc.record(
    {
      imageRepositoryRef: fc.constant({ name: 'app' }),
      filter: fc.record({ regexp: texts, glob: texts, extract: texts }, { requiredKeys: [] }),
      exclude: fc.array(texts, { maxLength: 2 }),
      policy: fc.oneof(
        fc.record({ semver: fc.record({ range: texts }) }),
        ...['numerical', 'alphabetical', 'newest'].map((name) =>
          fc.record({ [name]: fc.record({ order: fc.constantFrom('asc', 'desc') }, { requiredKeys: [] }) }),
        ),
      ),
      minimumAge: texts,
      downgrade: fc.constantFrom('Hold', 'Follow'),
      digest: fc.constantFrom('Never', 'IfNotPresent', 'Always'),
    },
    { requiredKeys: ['imageRepositoryRef', 'policy'] },
  );
  const counts = { taken: 0 };
  const compiles = (spec: unknown) => {
    const checked = checkObject(objectOf('ImagePolicy', spec));
    if (typeof checked === 'string') return;
    counts.taken++;
    for (const each of [spec, checked.spec]) assert.ok(!('error' in compilePolicy(each)), JSON.stringify(each));
  };
  fc.assert(fc.property(fc.oneof(random, valueOf(toStructural(kinds.ImagePolicy.spec), 'some')), compiles), {
    numRuns: RUNS,
  });
  for (const { set } of kindCases.ImagePolicy.cases) compiles(specWith(kindCases.ImagePolicy.right, set));
  t.ok(counts.taken > RUNS / 10, `${counts.taken} were taken`);
});

type Values = Record<string, string | boolean | readonly string[]>;

for (const kind of names)
  t.test(`options of ${kind}`, async (t) => {
    const options = fieldOptions(kind);
    t.equal(new Set(options.map(({ name }) => name)).size, options.length, 'no two have one name');
    const paths = new Set(options.map(({ path }) => path.join('.')));
    for (const [short, path] of Object.entries(SHORT[kind])) {
      t.ok(paths.has(path), `--${short} is ${path}`);
      t.notOk(
        options.some(({ name }) => name === short),
        `--${short} is no other field`,
      );
    }
    const reached = new Set<string>();
    const schema = toStructural(kinds[kind].spec);
    const random = fc
      .oneof(valueOf(schema, 'all'), valueOf(schema, 'some'))
      .map((spec) => JSON.parse(JSON.stringify(spec)) as Record<string, unknown>);
    await fc.assert(
      fc.asyncProperty(random, async (spec) => {
        const given = optionsOf(kind, spec);
        for (const name of given.keys()) reached.add(name);
        assert.equal(JSON.stringify(await buildSpec(kind, given)), JSON.stringify(spec));
      }),
      { numRuns: RUNS / 5 },
    );
    const { right, cases } = kindCases[kind];
    for (const { set, problem, server } of cases) {
      if (problem || server) continue;
      // An empty object is said by its defaults.
      const { spec } = checkObject(objectOf(kind, specWith(right, set))) as ApiObject;
      const built = await buildObject(kind, { name: 'it' }, optionsOf(kind, spec));
      t.same((checkObject(built) as ApiObject).spec, spec);
    }
    if (RUNS > 100) for (const { name } of options) t.ok(reached.has(name), `--${name} was said`);
  });

t.test('options that are wrong', async (t) => {
  const policy = (given: Values) =>
    buildObject(
      'ImagePolicy',
      { name: 'app' },
      new Map(Object.entries<Values[string]>({ 'image-repository': 'app', ...given })),
    );
  t.same(await policy({ semver: '~1.2' }), {
    apiVersion: API_VERSION,
    kind: 'ImagePolicy',
    metadata: { name: 'app' },
    spec: { imageRepositoryRef: { name: 'app' }, policy: { semver: { range: '~1.2' } } },
  });
  for (const [given, problem] of [
    [{ semver: 'one' }, /spec\.policy\.semver\.range \(--policy-semver-range\): "one"/],
    [{}, /spec\.policy \(--policy-…\): it is missing/],
    [{ semver: '1', newest: 'asc' }, /needs exactly one of/],
    [{ semver: '1', 'policy-semver-range': '2' }, /are the same field/],
    [{ semvre: '1' }, /there is no option --semvre/],
  ] as const)
    await t.rejects(policy({ ...given }), { name: 'UsageError', message: problem });
  const job = (given: Values) =>
    buildObject(
      'UpdateJob',
      { name: 'a' },
      new Map(
        Object.entries<Values[string]>({
          url: 'git@example.com:a/b',
          branch: 'main',
          image: 'alpine',
          'author-email': 'a@b',
          ...given,
        }),
      ),
    );
  t.match(await job({}), { spec: { git: { url: 'ssh://git@example.com/a/b' } } }, 'git@host:path becomes a URL');
  for (const [given, problem] of [
    [{ 'git-depth': 'one' }, /--git-depth "one": it is no whole number/],
    [{ 'push-options': ['a'] }, /--push-options "a": write KEY=VALUE/],
    [{ 'run-env': ['{'] }, /--run-env: it is not readable YAML/],
    [{ 'run-env': [''] }, /--run-env: give one object/],
    [{ 'run-env': ['nam: A'] }, /unknown field "nam" in spec\.run\.env\[0\]; did you mean "name"/],
  ] as const)
    await t.rejects(job({ ...given }), { name: 'UsageError', message: problem });
});
