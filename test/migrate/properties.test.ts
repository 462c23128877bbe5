// What holds of any migration: the engine then decides what the report says, nothing else moves, and there is a way back.
import fc from 'fast-check';
import t from 'tap';
import { defaultSpec } from '../../fn/config/defaults.ts';
import { Answers } from '../../fn/lookup/answers.ts';
import { asMap, type Values } from '../../fn/lookup/values.ts';
import { update } from '../../fn/update.ts';
import { splitDocuments } from '../../fn/yaml/documents.ts';
import { printYaml } from '../../fn/yaml/print.ts';
import { readDocument } from '../../fn/yaml/read.ts';
import { toValue } from '../../fn/yaml/value.ts';
import { checkObject } from '../../api/kinds.ts';
import { convert } from '../../migrate/convert.ts';
import type { To } from '../../migrate/intent.ts';
import { metadata } from '../fixtures/update.ts';
import { migrated, sourcesOf } from './forest.ts';

const runs = process.env['QUICK'] ? 20 : 200;

const tags = fc.constantFrom(
  '1.2.0',
  '1.2.9',
  '1.3.0',
  '2.0.0',
  '2.1.0-rc.1',
  '1.4',
  '3',
  'v1.5.0',
  '1.2.0-alpine',
  '1.9.0-alpine',
  'main-1',
  'main-2',
  'latest',
);
const listing = fc.uniqueArray(tags, { minLength: 1, maxLength: 10 });

const keelPolicy = fc.constantFrom(
  'all',
  'major',
  'minor',
  'patch',
  'force',
  'never',
  'glob:main-*',
  'regexp:^main-(?P<compare>[0-9])$',
  'nonsense',
);
const keelRule = fc.record({
  policy: keelPolicy,
  trigger: fc.constantFrom('poll', 'default'),
  matchTag: fc.constantFrom('true', 'false'),
});
const argocdRule = fc.record({
  constraint: fc.constantFrom('', ':1.x', ':~1.2', ':2.x-0', ':latest', ':>=1 <3'),
  strategy: fc.constantFrom('semver', 'newest-build', 'alphabetical', 'digest'),
  allow: fc.constantFrom('any', 'regexp:^main-', 'regexp:^1', 'regexp:('),
  ignore: fc.constantFrom('', 'latest', '2.*'),
});

interface Tree {
  files: Record<string, string>;
  answers: object[];
}

const containers = fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c'), tag: tags }), {
  selector: ({ name }) => name,
  minLength: 1,
});

/** A workload that Keel or Renovate watches, or that argocd-image-updater deploys, in one of several layouts. */
const tree: fc.Arbitrary<Tree> = fc
  .record({
    containers,
    tool: fc.constantFrom('keel', 'argocd', 'renovate'),
    keelRule,
    argocdRule,
    listing,
    indent: fc.constantFrom('', '  '),
    newline: fc.constantFrom('\n', '\r\n'),
    versioning: fc.constantFrom('', ' versioning=semver', ' versioning=docker'),
  })
  .map(({ containers, tool, keelRule, argocdRule, listing, indent, newline, versioning }) => {
    const annotations =
      tool === 'keel'
        ? `  annotations:\n    note: "stays" # too\n    keel.sh/policy: ${JSON.stringify(keelRule.policy)}\n    keel.sh/trigger: ${keelRule.trigger}\n    keel.sh/matchTag: "${keelRule.matchTag}"\n`
        : '';
    const list = containers.map(
      ({ name, tag }) =>
        `${indent}      - name: ${name}   # ${name}\n${tool === 'renovate' ? `${indent}        # renovate: datasource=docker${versioning}\n` : ''}${indent}        image:   "ghcr.io/example/${name}:${tag}"\n`,
    );
    const workload = `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n${annotations}spec:\n  template:\n    spec:\n\n      containers:\n${list.join('')}`;
    const { constraint, strategy, allow, ignore } = argocdRule;
    const application = `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: web\n  annotations:\n    argocd-image-updater.argoproj.io/image-list: "x=ghcr.io/example/a${constraint}"\n    argocd-image-updater.argoproj.io/x.update-strategy: ${strategy}\n    argocd-image-updater.argoproj.io/x.allow-tags: "${allow}"\n    argocd-image-updater.argoproj.io/x.ignore-tags: "${ignore}"\nspec:\n  source: {path: web}\n`;
    const files: Record<string, string> = { 'web/web.yaml': workload.replaceAll('\n', newline) };
    if (tool === 'argocd') files['app.yaml'] = application;
    return { files, answers: containers.map(({ name }) => metadata(`ghcr.io/example/${name}`, ...listing)) };
  });

const target = fc.constantFrom<To>('annotations', 'policies');

/** The plain values of all documents of a text. */
async function valuesOf(text: string): Promise<unknown[]> {
  return Promise.all(
    splitDocuments(text).map(async ({ start, end }) => {
      const read = await readDocument(text, start, end);
      if ('problem' in read) throw new Error(read.problem.message);
      return toValue(read.root);
    }),
  );
}

/** A value without the annotations that a migration may write or take away. */
function unannotated(value: unknown): unknown {
  const resource = { ...asMap(value) };
  const { annotations, ...meta } = asMap(resource['metadata']) ?? {};
  const others = Object.entries(asMap(annotations) ?? {}).filter(
    ([key]) => !/^(?:(?:filter\.)?fluxcd\.io|keel\.sh|argocd-image-updater)/.test(key),
  );
  return { ...resource, metadata: { ...meta, others: Object.fromEntries(others) } };
}

t.test('the engine then decides what the report says', async (t) => {
  let decided = 0;
  await fc.assert(
    fc.asyncProperty(tree, target, fc.boolean(), async ({ files, answers }, to, remove) => {
      const migration = await migrated(files, { to, remove }, answers);
      const known = new Answers();
      for (const answer of [...answers, ...migration.objects]) known.add(answer);
      const { results } = await update(sourcesOf(migration.files), { spec: defaultSpec(), setImage: false }, known);
      const moved = new Map(
        results
          .filter(({ severity }) => severity === 'info')
          .map(({ tags = {}, field }) => [tags['container'], field?.proposedValue]),
      );
      for (const { container, after, current, status } of migration.rows) {
        const value = moved.get(container);
        if (status === 'cannot' || status === 'held') t.equal(value, undefined, 'what is not migrated does not move');
        if (!after || !('tag' in after)) continue;
        decided++;
        const tag = value === undefined ? current : /:([^:@]+)(?:@.*)?$/.exec(value)?.[1];
        if (tag !== after.tag) throw new Error(`${container}: the report says ${after.tag}, and the engine ${tag}`);
      }
      for (const [container] of moved)
        if (!migration.rows.some((row) => row.container === container && row.status === 'written'))
          throw new Error(`${container} moves, and nobody said so`);
    }),
    { numRuns: runs },
  );
  t.ok(decided > runs / 4, `${decided} decisions`);
});

t.test('nothing else moves, and a second run changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(tree, target, fc.boolean(), async ({ files, answers }, to, remove) => {
      const first = await migrated(files, { to, remove }, answers);
      for (const [path, text] of Object.entries(files)) {
        const [before, after] = [await valuesOf(text), await valuesOf(first.files[path]!)];
        if (JSON.stringify(before.map(unannotated)) !== JSON.stringify(after.map(unannotated)))
          throw new Error(`${path} means something else`);
        // Each line is there as it was, a marker behind it at most, unless it was one of the other tool's.
        const lines = new Set(
          first.files[path]!.split('\n').map((line) => line.replace(/ # \{"\$imagepolicy".*\}/, '')),
        );
        for (const line of text.split('\n'))
          if (!lines.has(line) && !/keel\.sh|renovate:|argocd-image-updater/.test(line) && !/annotations:/.test(line))
            throw new Error(`${path} lost ${JSON.stringify(line)}`);
      }
      const written = Object.fromEntries(first.objects.map((object, i) => [`new-${i}.yaml`, printYaml(object)]));
      const second = await migrated({ ...first.files, ...written }, { to, remove }, answers);
      if (second.edits.size > 0 || second.objects.length > 0) throw new Error('a second run has something to do');
    }),
    { numRuns: runs },
  );
});

const duration = fc.constantFrom('1m', '5m', '2h');
const name = fc.constantFrom('app', 'web');
const fluxRepository = fc
  .record(
    {
      image: fc.constantFrom('ghcr.io/example/app', 'nginx'),
      interval: duration,
      timeout: fc.constantFrom('30s', '1m'),
      secretRef: fc.record({ name }),
      serviceAccountName: name,
      certSecretRef: fc.record({ name }),
      insecure: fc.constant(true),
      exclusionList: fc.constantFrom(['^sha-'], [String.raw`\.sig$`, 'x']),
      accessFrom: fc.constant({ namespaceSelectors: [{ matchLabels: { team: 'a' } }] }),
      suspend: fc.constant(true),
    },
    { requiredKeys: ['image', 'interval'] },
  )
  .map((spec) => flux('ImageRepository', spec));
const fluxPolicy = fc
  .record(
    {
      imageRepositoryRef: fc.record({ name, namespace: fc.constant('other') }, { requiredKeys: ['name'] }),
      policy: fc.constantFrom({ semver: { range: '1.x' } }, { numerical: { order: 'desc' } }, { alphabetical: {} }),
      filterTags: fc.constantFrom({ pattern: '^main-' }, { pattern: '^(?P<n>.*)$', extract: '$n' }),
      digests: fc.constantFrom(
        { digestReflectionPolicy: 'IfNotPresent' },
        { digestReflectionPolicy: 'Always', interval: '10m' },
      ),
      suspend: fc.constant(true),
    },
    { requiredKeys: ['imageRepositoryRef', 'policy'] },
  )
  .map(({ digests, ...spec }) => flux('ImagePolicy', { ...spec, ...digests }));

function flux(kind: string, spec: object): Values {
  return {
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    kind,
    metadata: { name: 'app', namespace: 'apps', labels: { a: 'b' } },
    spec,
  };
}

t.test('from Flux v2 to ours and back is what it was', async (t) => {
  fc.assert(
    fc.property(fc.oneof(fluxRepository, fluxPolicy), (object) => {
      const ours = convert(object, 'policies');
      if ('cannot' in ours) throw new Error(ours.cannot);
      t.type(checkObject(ours.object), 'object', 'the API server takes it');
      const back = convert(ours.object, 'flux-v2');
      if ('cannot' in back) throw new Error(back.cannot);
      t.same(back.object, object);
    }),
    { numRuns: runs },
  );
});
