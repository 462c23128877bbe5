// The engine as a KptFunc: what it sets in objects is what the executable sets in text.
import { deepEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { Configs, type KubernetesObject } from 'kpt-functions';
import { FunctionConfigError } from 'kpt-functions/dist/src/errors.js';
import t from 'tap';
import { stringify, parse } from 'yaml';
import { updateResourceList } from '../../fn/index.ts';
import { imageUpdate } from '../../fn/kpt.ts';
import { CONFIG } from '../fixtures/lists.ts';

const RUNS = process.env['QUICK'] ? 10 : 100;

function pod(name: string, images: string[], annotations: Record<string, string> = {}): KubernetesObject {
  const containers = images.map((image, i) => ({ name: `c${i}`, image }));
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, annotations }, spec: { containers } } as KubernetesObject;
}

const snapshot = {
  apiVersion: 'image-update.dev/v1alpha1',
  kind: 'ImageMetadata',
  metadata: { name: 'app' },
  image: 'ghcr.io/org/app',
  tags: ['1.0.0', '1.2.0', '2.0.0', 'latest'],
} as KubernetesObject;

const image = fc.constantFrom(
  'nginx:1',
  'nginx',
  'nginx:3@sha256:00',
  'ghcr.io/org/app:1.0.0',
  'ghcr.io/org/app:x',
  'No:Way',
  '',
);
const annotations = fc.dictionary(
  fc.constantFrom('fluxcd.io/automated', 'fluxcd.io/tag.c0', 'fluxcd.io/tag.c1', 'fluxcd.io/locked', 'a'),
  fc.constantFrom('true', 'false', 'semver:~1', 'glob:*', 'semver:>=1'),
  { noNullPrototype: true },
);
const objects = fc
  .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,3}$/), fc.array(image, { maxLength: 3 }), annotations), {
    selector: ([name]) => name,
    maxLength: 5,
  })
  .map((pods) => [snapshot, ...pods.map(([name, images, notes]) => pod(name, images, notes))]);

t.test('objects get what text gets', async (t) => {
  await fc.assert(
    fc.asyncProperty(objects, fc.boolean(), async (items, configured) => {
      const functionConfig = configured ? (CONFIG as unknown as KubernetesObject) : undefined;
      const configs = new Configs(structuredClone(items), functionConfig);
      const before = configs.getAll();
      const list = { kind: 'ResourceList', items: before, ...(functionConfig && { functionConfig }) };
      const { text, results } = await updateResourceList(stringify(list, { aliasDuplicateObjects: false }));
      await imageUpdate(configs);
      const after = configs.getAll();
      deepEqual(after, (parse(text) as { items: KubernetesObject[] }).items);
      for (const [i, object] of before.entries()) if (after[i] !== object) throw new Error('not in place');
      deepEqual(
        configs.getResults().map(({ severity, message }) => ({ severity, message })),
        results.map(({ severity, message }) => ({ severity, message })),
      );
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

t.test('an image is set, and told in the words of the SDK too', async (t) => {
  const configs = new Configs([pod('web', ['nginx:1'])], CONFIG as unknown as KubernetesObject);
  await imageUpdate(configs);
  t.match(configs.getAll(), [{ spec: { containers: [{ image: 'nginx:2' }] } }]);
  t.match(configs.getResults(), [
    {
      severity: 'info',
      message: 'nginx:1 -> nginx:2',
      field: { currentValue: 'nginx:1', suggestedValue: 'nginx:2', proposedValue: 'nginx:2' },
      resourceRef: { kind: 'Pod', name: 'web' },
    },
  ]);
  t.match(imageUpdate.usage, 'functionConfig');
});

const wrong: [config: object, says: RegExp][] = [
  [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { strickt: 'true' } }, /strict/],
  [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { strict: 'perhaps' } }, /strict/],
  [{ ...CONFIG, spec: { updates: [{ image: 'nginx' }] } }, /policyRef/],
  [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } }, /Secret/],
];

t.test('a wrong configuration is the error that the SDK shows as such', async (t) => {
  for (const [config, says] of wrong) {
    const configs = new Configs([pod('web', ['nginx:1'])], config as KubernetesObject);
    const error: unknown = await imageUpdate(configs).then(
      () => undefined,
      (error: unknown) => error,
    );
    t.ok(error instanceof FunctionConfigError, `${JSON.stringify(config)}: ${String(error)}`);
    t.match((error as Error).message, says);
    t.match(configs.getAll(), [{ spec: { containers: [{ image: 'nginx:1' }] } }], 'objects are as they were');
  }
});
