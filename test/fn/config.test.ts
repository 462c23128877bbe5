// The functionConfig: what is read, and what its author is told.
import t from 'tap';
import { ConfigError, readConfig } from '../../fn/config/config.ts';
import { defaultSpec } from '../../fn/config/defaults.ts';
import { specSchema, type Spec } from '../../fn/config/image-update.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

const imageUpdate = (spec?: unknown) => ({
  apiVersion: 'image-update.dev/v1alpha1',
  kind: 'ImageUpdate',
  metadata: { name: 'update' },
  spec,
});
const configMap = (data?: unknown) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data });
const setImage = (image: unknown, additionalImageFields?: unknown) => ({
  apiVersion: 'fn.kpt.dev/v1alpha1',
  kind: 'SetImage',
  image,
  ...(additionalImageFields !== undefined && { additionalImageFields }),
});

function update(more: Record<string, unknown>): unknown {
  return imageUpdate({ updates: [{ image: 'app', to: { tag: '1' }, ...more }] });
}

t.test('defaults that no schema is loaded for are the defaults of the schema', async (t) => {
  t.strictSame(defaultSpec(), specSchema.parse({}));
  t.strictSame(readConfig(imageUpdate()), { spec: defaultSpec(), setImage: false });
  t.strictSame(readConfig(configMap()), { spec: defaultSpec(), setImage: false });
});

const SET_BY_NAME = { annotations: false, markers: false, updates: [{ image: 'nginx', to: { tag: '2' } }] };
const good: [name: string, config: unknown, spec: Partial<Spec>, setImage?: boolean][] = [
  [
    'numbers and booleans where a text is meant',
    imageUpdate({ updates: [{ image: 'app', to: { tag: 5 }, targets: [{ container: true }] }] }),
    { updates: [{ image: 'app', to: { tag: '5' }, targets: [{ container: 'true' }] }] },
  ],
  [
    'scalars of a ConfigMap',
    configMap({
      annotations: 'false',
      markers: 'true',
      lookup: 'registry',
      digests: 'pin',
      allow: 'ghcr.io/*, nginx,',
      deny: '',
      maxChanges: '7',
      strict: 'true',
      deepHelmValues: 'true',
      unknownCurrent: 'hold',
      ties: 'version',
    }),
    {
      annotations: false,
      lookup: 'registry',
      digests: 'pin',
      allow: ['ghcr.io/*', 'nginx'],
      maxChanges: 7,
      strict: true,
      deepHelmValues: true,
      unknownCurrent: 'hold',
      ties: 'version',
    },
  ],
  [
    'a ConfigMap with values that are no texts',
    configMap({ maxChanges: 7, strict: true }),
    { maxChanges: 7, strict: true },
  ],
  ['set-image by ConfigMap', configMap({ name: 'nginx', newTag: '2', newName: '' }), SET_BY_NAME, true],
  [
    'set-image by ConfigMap, with settings',
    configMap({ name: 'nginx', newTag: '2', annotations: 'true', maxChanges: '1' }),
    { ...SET_BY_NAME, annotations: true, maxChanges: 1 },
    true,
  ],
  ['set-image by its own kind', setImage({ name: 'nginx', newTag: 2 }), SET_BY_NAME, true],
  [
    'set-image: paths of kustomize',
    setImage({ name: 'nginx', newTag: '2' }, [
      { group: 'g', version: 'v1', kind: 'K', path: '/spec/pods[]/image', create: true },
      { kind: 'K', path: 'spec/a.b/c\\/d' },
    ]),
    {
      ...SET_BY_NAME,
      fields: [
        { group: 'g', kind: 'K', path: 'spec.pods[].image' },
        { kind: 'K', path: 'spec.a\\.b.c/d' },
      ],
    },
    true,
  ],
];

t.test('what is read', async (t) => {
  for (const [name, config, spec, setImage = false] of good)
    t.strictSame(readConfig(config), { spec: { ...defaultSpec(), ...spec }, setImage }, name);
});

const bad: [config: unknown, ...says: string[]][] = [
  [null, 'the functionConfig is null, not a map'],
  ['text', 'the functionConfig is "text", not a map'],
  [[], 'the functionConfig is [], not a map'],
  [{}, 'kind missing is none of ImageUpdate', 'ConfigMap', 'SetImage'],
  [{ apiVersion: 'v1', kind: 'Secret' }, 'kind "Secret" is none of ImageUpdate'],
  [
    { apiVersion: 'image-update.dev/v1', kind: 'ImageUpdate' },
    'apiVersion "image-update.dev/v1" of ImageUpdate is not image-update.dev/v1alpha1',
  ],
  [{ kind: 'ImageUpdate' }, 'apiVersion missing of ImageUpdate'],
  [{ ...imageUpdate(), sepc: {} }, 'unknown field "sepc"', 'did you mean "spec"?'],
  [imageUpdate('text'), 'spec: "text"', 'object expected'],
  [imageUpdate({ anotations: true }), 'unknown field "anotations" in spec; did you mean "annotations"?'],
  [imageUpdate({ MaxChanges: 1 }), 'unknown field "MaxChanges" in spec; did you mean "maxChanges"?'],
  [imageUpdate({ xyzzy: 1 }), 'unknown field "xyzzy" in spec; known are annotations, markers, updates'],
  [imageUpdate({ a1: 1, digest: 'pin' }), '"a1"', 'unknown field "digest" in spec; did you mean "digests"?'],
  [imageUpdate({ annotations: 'yes' }), 'spec.annotations: "yes"; boolean expected'],
  [imageUpdate({ markers: null }), 'spec.markers: null; boolean expected'],
  [imageUpdate({ strict: 'true' }), 'spec.strict: "true"; boolean expected'],
  [imageUpdate({ lookup: 'network' }), 'spec.lookup: "network" is none of none, registry'],
  [imageUpdate({ digests: 'drop' }), 'spec.digests: "drop" is none of keep, pin, tag'],
  [imageUpdate({ unknownCurrent: 'stay' }), 'spec.unknownCurrent: "stay" is none of move, hold'],
  [imageUpdate({ ties: 'x' }), 'spec.ties: "x" is none of compat, version'],
  [imageUpdate({ allow: 'nginx' }), 'spec.allow: "nginx"; array expected'],
  [imageUpdate({ deny: ['a', {}] }), 'spec.deny[1]: {}; string expected'],
  [imageUpdate({ maxChanges: -1 }), 'spec.maxChanges: -1', '0'],
  [imageUpdate({ maxChanges: 1.5 }), 'spec.maxChanges: 1.5', 'int'],
  [imageUpdate({ maxChanges: '5' }), 'spec.maxChanges: "5"; number expected'],
  [imageUpdate({ updates: {} }), 'spec.updates: {}; array expected'],
  [imageUpdate({ updates: [{ to: { tag: '1' } }] }), 'spec.updates[0].image: it is missing'],
  [update({ image: 'app:1' }), 'spec.updates[0].image: "app:1" must be a repository alone'],
  [update({ image: 'App' }), 'spec.updates[0].image: "App" is not an image', 'upper-case'],
  [update({ to: { tag: '-x' } }), 'spec.updates[0].to.tag: "-x" is not a tag'],
  [update({ to: { digest: 'sha256:12' } }), 'spec.updates[0].to.digest: "sha256:12" is not a digest'],
  [update({ to: { name: 'a:1' } }), 'spec.updates[0].to.name: "a:1" must be a repository alone'],
  [update({ to: {} }), 'spec.updates[0].to: needs at least one of tag, digest and name'],
  [update({ to: { tags: '1' } }), 'unknown field "tags" in spec.updates[0].to; did you mean "tag"?'],
  [update({ to: undefined }), 'spec.updates[0]: needs exactly one of to and policyRef'],
  [update({ policyRef: { name: 'p' } }), 'spec.updates[0]: needs exactly one of to and policyRef'],
  [update({ to: undefined, policyRef: {} }), 'spec.updates[0].policyRef.name: it is missing'],
  [update({ target: [] }), 'unknown field "target" in spec.updates[0]; did you mean "targets"?'],
  [update({ targets: [{}] }), 'spec.updates[0].targets[0]: a target needs at least one of its fields'],
  [
    update({ targets: [{ name: 'a' }, { containers: 'app' }] }),
    'unknown field "containers" in spec.updates[0].targets[1]; did you mean "container"?',
  ],
  [imageUpdate({ fields: [{ path: 'a.b' }] }), 'spec.fields[0].kind: it is missing'],
  [
    imageUpdate({ fields: [{ kind: 'K', path: 'a', groups: 'g' }] }),
    'unknown field "groups" in spec.fields[0]; did you mean "group"?',
  ],
  [imageUpdate({ fields: [{ kind: 'K', path: 'spec.[' }] }), 'spec.fields[0].path: "spec.["'],
  [configMap('x'), 'data is "x", not a map'],
  [configMap({ newtag: '1' }), 'unknown field "newtag" in data; did you mean "newTag"?'],
  [configMap({ annotations: 'yes' }), 'data.annotations: "yes"; boolean expected'],
  [configMap({ maxChanges: 'many' }), 'data.maxChanges: "many"; number expected'],
  [configMap({ digests: 'x' }), 'data.digests: "x" is none of keep, pin, tag'],
  [configMap({ newTag: '1' }), 'set-image needs "name"'],
  [configMap({ name: 'nginx' }), 'needs newName, newTag or digest, to say what nginx becomes'],
  [configMap({ name: 'nginx:1', newTag: '1' }), 'name "nginx:1" is not an image repository'],
  [configMap({ name: 'nginx', newName: 'A' }), 'newName "A" is not an image repository'],
  [configMap({ name: 'nginx', newTag: '.' }), 'newTag "." is not a tag'],
  [configMap({ name: 'nginx', digest: 'x' }), 'digest "x" is not a digest'],
  [configMap({ name: 'nginx', newTag: '1', digests: 'x' }), 'digests: "x" is none of keep, pin, tag'],
  [setImage(undefined), 'image: it is missing'],
  [setImage({ name: 'nginx', tag: '1' }), 'unknown field "tag" in image; known are name, newName, newTag, digest'],
  [{ ...setImage({ name: 'nginx', newTag: '1' }), images: [] }, 'unknown field "images"; did you mean "image"?'],
  [setImage({ name: 'nginx', newTag: '1' }, [{ path: 'a' }]), 'additionalImageFields[0].kind: it is missing'],
];

t.test('what is refused, by its name, with its value', async (t) => {
  for (const [config, ...says] of bad) {
    const told = messageOf(config);
    t.match(told, /^functionConfig: /, JSON.stringify(config));
    for (const part of says) t.ok(told.includes(part), `${JSON.stringify(config)}: ${part}`, { told });
  }
});

t.test('a message stays short', async (t) => {
  t.ok(messageOf(imageUpdate({ lookup: 'x'.repeat(100_000) })).length < 300);
  t.ok(messageOf(imageUpdate({ updates: Array.from({ length: 500 }, () => ({})) })).length < 1000);
  t.equal(
    messageOf(update({ to: { digest: DIGEST, tag: 'a'.repeat(100_000) } })).length < 300,
    true,
    'a value that is no tag',
  );
});

function messageOf(config: unknown): string {
  try {
    readConfig(config);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'nothing was refused';
}
