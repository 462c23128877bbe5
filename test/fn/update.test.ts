// The engine from text to text: what is edited, byte by byte, and what is said.
import fc from 'fast-check';
import t from 'tap';
import { listImages, updateResourceList, updateText, type Result, type Updated } from '../../fn/index.ts';
import { replaceAll } from '../../fn/replace.ts';
import { compose } from '../../fn/yaml/compose.ts';
import { splitDocuments } from '../../fn/yaml/documents.ts';
import type { Node, ScalarNode } from '../../fn/yaml/tree.ts';
import { D1, D2, D3, deployment, metadata, policy, updateCases, type UpdateCase } from '../fixtures/update.ts';

const RUNS = process.env['QUICK'] ? 25 : 200;

function configOf({ spec, config }: UpdateCase): unknown {
  return spec ? { apiVersion: 'image-update.dev/v1alpha1', kind: 'ImageUpdate', spec } : config;
}

function edited({ name, text, edits = [] }: UpdateCase): string {
  const places = edits.map(([old, becomes]) => {
    const start = text.indexOf(old);
    if (start < 0 || start !== text.lastIndexOf(old))
      throw new Error(`${name}: "${old}" does not stand in the text once`);
    return { start, end: start + old.length, text: becomes };
  });
  return replaceAll(
    text,
    places.toSorted((a, b) => a.start - b.start),
  );
}

/** Results as cases write them: of the message the part that the case has, if it is there. */
function told(results: readonly Result[], wanted: readonly string[]): string[] {
  return results.map(({ severity, message, tags }, i) => {
    const head = `${severity} ${tags?.['reason']}: `;
    const part = wanted[i]?.slice(head.length);
    return head + (part !== undefined && message.includes(part) ? part : message);
  });
}

t.test('cases', async (t) => {
  for (const row of updateCases) {
    const { name, text, answers, path, says = [] } = row;
    const config = configOf(row);
    const updated = await updateText(text, {
      ...(config !== undefined && { config }),
      ...(answers && { answers }),
      ...(path !== undefined && { path }),
    });
    t.equal(updated.text, edited(row), name);
    t.strictSame(told(updated.results, says), says, `${name}: what is said`);
    t.equal(
      updated.failed,
      says.some((line) => line.startsWith('error ')),
      `${name}: failed`,
    );
  }
});

const SET = {
  apiVersion: 'image-update.dev/v1alpha1',
  kind: 'ImageUpdate',
  spec: { updates: [{ image: 'nginx', to: { tag: '2' } }] },
};

t.test('a result says where: file, document, line, resource, field', async (t) => {
  const text = `# none\n---\n${deployment([], 'a: other', 'app: nginx:1 # here')}`;
  const { results } = await updateText(`${text}---\n${text}`, { path: 'a/web.yaml', config: SET });
  const [result, second] = results;
  t.strictSame(result, {
    message: 'nginx:1 -> nginx:2',
    severity: 'info',
    resourceRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    field: { path: 'spec.template.spec.containers[1].image', currentValue: 'nginx:1', proposedValue: 'nginx:2' },
    file: { path: 'a/web.yaml', index: 0 },
    tags: { reason: 'set', policy: 'update of nginx', image: 'nginx', container: 'app', line: '14' },
  });
  t.match(second, { file: { index: 1 }, tags: { line: '29' } });
  const { results: stray } = await updateText('a: b\n...\n# {"$imagepolicy": "flux:app"}\n', { path: 'a/web.yaml' });
  t.match(stray, [{ file: { path: 'a/web.yaml', index: undefined }, tags: { line: '3' } }], 'comments are no document');
});

t.test('a marked part that stands without its name tells the repository of its policy', async (t) => {
  const text = 'version: 1.0.0 # {"$imagepolicy": "flux:app:tag"}\n';
  const latest = { name: 'ghcr.io/org/app', tag: '2.0.0' };
  const status = { latest, conditions: [{ type: 'Ready', status: 'True' }] };
  const answers = [policy('app', { namespace: 'flux', status })];
  t.match((await updateText(text, { answers })).results, [{ tags: { image: 'ghcr.io/org/app' } }]);
  const denied = { ...SET, spec: { deny: ['ghcr.io/*'] } };
  t.match((await updateText(text, { answers, config: denied })).results, [
    { severity: 'warning', tags: { image: 'ghcr.io/org/app' } },
  ]);
});

t.test('images are listed, automated or not', async (t) => {
  const text = `${deployment([], 'a: nginx:1', 'b: No:Image')}---\n{{ template }}\n`;
  const web = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  const path = (i: number) => `spec.template.spec.containers[${i}].image`;
  t.match(await listImages(text), [
    { resource: web, container: 'a', path: path(0), line: 10, reference: { name: 'nginx', tag: '1' } },
    { resource: web, container: 'b', path: path(1), line: 12, reference: undefined, problem: 'No:Image' },
  ]);
  t.strictSame(await listImages('kind: Kustomization\nimages: [{name: a, newTag: "1"}]\n', { path: 'k.yaml' }), [
    {
      resource: { apiVersion: '', kind: 'Kustomization', name: '' },
      container: 'a',
      path: 'images[0].newTag',
      line: 2,
      reference: { name: 'a', tag: '1' },
    },
  ]);
});

t.test('a ResourceList: its own configuration, its own answers, results behind it', async (t) => {
  const items = (tag: string) =>
    'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n' +
    '- kind: Pod\n  metadata: {name: p, annotations: {internal.config.kubernetes.io/path: a.yaml, internal.config.kubernetes.io/index: "3"}}\n' +
    `  spec: {containers: [{name: c, image: 'ghcr.io/org/app:${tag}'}]}\n` +
    '- {apiVersion: image-update.dev/v1alpha1, kind: ImagePolicy, metadata: {name: app}, status: {latest: {name: ghcr.io/org/app, tag: "2"}, conditions: [{type: Ready, status: "True"}]}}\n' +
    'functionConfig:\n  apiVersion: image-update.dev/v1alpha1\n  kind: ImageUpdate\n  spec:\n    updates:\n    - image: ghcr.io/org/app\n      policyRef: {name: app}\n';
  const { text, results, failed } = await updateResourceList(items('1'));
  t.ok(text.startsWith(items('2')));
  t.match(text.slice(items('2').length), /^results:\n/);
  t.equal(failed, false);
  t.match(results, [{ message: 'ghcr.io/org/app:1 -> ghcr.io/org/app:2', file: { path: 'a.yaml', index: 3 } }]);
  t.equal((await updateResourceList(items('2'))).text, items('2'), 'nothing to do, nothing to say');
  await t.rejects(updateResourceList(''), { name: 'ResourceListError' });
  await t.rejects(updateResourceList(items('1'), { config: { kind: 'X' } }), { name: 'ConfigError' });
});

const TAGS = ['1.0.0', '1.1.0', '1.2.0-rc.1', '2.0.0', '1.10', '7', 'main-1', 'main-2', 'latest', '0x1f', '1e3'];
const IMAGES = ['nginx', 'ghcr.io/org/app', 'host:5000/a/b'];
const FILTERS = ['semver:~1', 'semver:*', 'glob:*', 'glob:main-*', 'regexp:^\\d+$', 'regexp:(', 'semver:>>'];

const tag = fc.constantFrom(...TAGS);
const image = fc
  .tuple(fc.constantFrom(...IMAGES), fc.option(tag), fc.option(fc.constantFrom(D1, D2)))
  .map(([name, tag, digest]) => `${name}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`);
const quoted = fc
  .tuple(image, fc.constantFrom('', "'", '"'), fc.constantFrom('', ' # why', ' # {"$imagepolicy": "ns:app"}'))
  .map(([text, quote, comment]) => `${quote}${text}${quote}${comment}`);

const workload = fc
  .tuple(
    fc.boolean(),
    fc.option(fc.constantFrom(...FILTERS)),
    fc.constantFrom('', 'fluxcd.io/locked: "true"'),
    fc.array(quoted, { minLength: 1, maxLength: 4 }),
  )
  .map(([automated, filter, lock, images]) =>
    deployment(
      [automated && 'fluxcd.io/automated: "true"', filter !== null && `fluxcd.io/tag.c0: '${filter}'`, lock].filter(
        (line) => typeof line === 'string' && line !== '',
      ) as string[],
      ...images.map((text, i) => `c${i}: ${text}`),
    ),
  );
const release = fc
  .tuple(fc.constantFrom(...IMAGES), tag, fc.constantFrom('', ' # {"$imagepolicy": "ns:app:tag"}'), fc.boolean())
  .map(
    ([name, tag, comment, pinned]) =>
      `kind: HelmRelease\nmetadata:\n  name: h\n  annotations: {fluxcd.io/automated: 'true'}\nspec:\n  values:\n    image:\n      repository: ${name}\n      tag: "${tag}"${comment}\n${pinned ? `      digest: ${D1}\n` : ''}`,
  );
/** In a shape that nothing knows; each part is marked, or not. */
const nested = fc
  .tuple(
    tag,
    fc.constantFrom('tag', 'version'),
    fc.subarray(['name', 'tag', 'digest']),
    fc.option(fc.constantFrom(D1, D2, '""')),
  )
  .map(([current, key, marks, digest]) => {
    const marker = (part: string) => (marks.includes(part) ? ` # {"$imagepolicy": "ns:app:${part}"}` : '');
    const lines = [`repository: host:5000/a/b${marker('name')}`, `${key}: "${current}"${marker('tag')}`];
    if (digest !== null) lines.push(`digest: ${digest}${marker('digest')}`);
    return `kind: HelmRelease\nmetadata: {name: n}\nspec:\n  values:\n    a:\n      b:\n        image:\n${lines.map((line) => `          ${line}\n`).join('')}`;
  });
const NOISE = [
  'a: |\n  image: nginx:1\n\n\nb: [1, {c: d}]   # x\n',
  '# nothing\n',
  'a: &x 1\nb: *x\n',
  'k: {{ .V }}\n',
];
const stream = fc
  .tuple(
    fc.array(fc.oneof(workload, release, nested, fc.constantFrom(...NOISE)), { minLength: 1, maxLength: 4 }),
    fc.boolean(),
  )
  .map(([documents, crlf]) => {
    const text = documents.join('---\n');
    return crlf ? text.replaceAll('\n', '\r\n') : text;
  });

const snapshot = fc
  .tuple(
    fc.constantFrom(...IMAGES),
    fc.uniqueArray(
      fc.record({
        name: tag,
        digest: fc.option(fc.constantFrom(D1, D2, D3), { nil: undefined }),
        created: fc.option(fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'), { nil: undefined }),
      }),
      { selector: ({ name }) => name },
    ),
  )
  .map(([name, tags]) => ({ name, tags }));
/** No policy leads to the image that explicit updates are about: a second run would go on from there. */
const [UPDATED, ...SELECTED] = IMAGES as [string, string, string];
const selected = fc
  .tuple(fc.constantFrom(...SELECTED), tag, fc.option(fc.constantFrom(D2, D3)))
  .map(([name, tag, digest]) =>
    policy('app', {
      namespace: 'ns',
      status: {
        latest: { name, tag, ...(digest !== null && { digest }) },
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    }),
  );
const world = fc.record({ snapshots: fc.array(snapshot, { maxLength: 4 }), policy: selected });
const spec = fc.record({
  digests: fc.constantFrom('keep', 'pin', 'tag'),
  ties: fc.constantFrom('compat', 'version'),
  unknownCurrent: fc.constantFrom('move', 'hold'),
  updates: fc.constantFrom([], [{ image: UPDATED, to: { tag: '1.10' } }]),
});

interface World {
  snapshots: { name: string; tags: Parameters<typeof metadata>[1][] }[];
  policy: object;
}

const answersOf = ({ snapshots, policy }: World) => [
  ...snapshots.map(({ name, tags }) => metadata(name, ...tags)),
  policy,
];
const configOfSpec = (spec: object) => ({ ...SET, spec });

t.test('only image scalars change, each with a result; a second run changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(stream, world, spec, async (text, world, spec) => {
      const options = { config: configOfSpec(spec), answers: answersOf(world) };
      const { text: updated, results } = await updateText(text, options);
      const changed = changedScalars(text, updated);
      const wrong = changed.filter(({ key }) => !['image', 'repository', 'tag', 'version', 'digest'].includes(key));
      if (wrong.length > 0) throw new Error(`${JSON.stringify(wrong)} changed`);
      const told = results.filter(({ severity }) => severity === 'info').length;
      if (told > changed.length || (told === 0) !== (changed.length === 0))
        throw new Error(`${changed.length} scalars changed, ${told} results say so`);
      const again = await updateText(updated, options);
      if (again.text !== updated) throw new Error(`a second run makes\n${again.text}\nof\n${updated}`);
    }),
    { numRuns: RUNS },
  );
});

t.test('a text without automation, or without answers, comes back as it was', async () => {
  await fc.assert(
    fc.asyncProperty(stream, world, async (text, world) => {
      const off = await updateText(text, {
        config: configOfSpec({ annotations: false, markers: false }),
        answers: answersOf(world),
      });
      if (off.text !== text || off.results.length > 0) throw new Error('switched off, and something happened');
      const unanswered = await updateText(text);
      if (unanswered.text !== text) throw new Error('no answers, and something changed');
    }),
    { numRuns: RUNS },
  );
});

t.test('the order of tags and answers does not matter', async () => {
  const shuffled = world.chain(({ snapshots, policy }) => {
    const unique = [...new Map(snapshots.map((snapshot) => [snapshot.name, snapshot])).values()];
    const orders = unique.map(({ tags }) => fc.shuffledSubarray(tags, { minLength: tags.length }));
    return fc.tuple(...orders).map((orders) => [
      { snapshots: unique, policy },
      { snapshots: unique.map(({ name }, i) => ({ name, tags: orders[i]! })).toReversed(), policy },
    ]);
  });
  await fc.assert(
    fc.asyncProperty(stream, shuffled, spec, async (text, [one, other], spec) => {
      const config = configOfSpec(spec);
      const a = await updateText(text, { config, answers: answersOf(one!) });
      const b = await updateText(text, { config, answers: answersOf(other!).toReversed() });
      if (summary(a) !== summary(b)) throw new Error(`${summary(a)}\nis not\n${summary(b)}`);
    }),
    { numRuns: RUNS },
  );
});

/** Messages may tell tags in the order in which they were listed. */
function summary({ text, results }: Updated): string {
  return [text, ...results.map(({ severity, tags }) => `${severity} ${JSON.stringify(tags)}`)].join('\n');
}

t.test('a damaged text never throws, and only documents that parse are edited', async () => {
  const damage = fc.tuple(fc.nat(), fc.nat(6), fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom(...DAMAGE)));
  await fc.assert(
    fc.asyncProperty(stream, fc.array(damage, { maxLength: 3 }), world, async (whole, damages, world) => {
      let text = whole;
      for (const [at, length, put] of damages) {
        const start = at % (text.length + 1);
        text = text.slice(0, start) + put + text.slice(start + length);
      }
      const { text: updated } = await updateText(text, { answers: answersOf(world) });
      // Throws where a changed document cannot be read.
      changedScalars(text, updated);
    }),
    { numRuns: RUNS },
  );
});

const DAMAGE = [
  '\t',
  '---\n',
  '{{ x }}',
  '"',
  "'",
  '&a ',
  '*a',
  '|',
  '\r',
  '\n',
  ': ',
  '- ',
  '\uFEFF',
  '#',
  '\0',
  '\uD800',
];

interface Changed {
  key: string;
  from: string;
  to: string;
}

/**
 * The scalars in which two streams differ, by the keys above them. Throws where anything else differs: the number of
 * documents, a tree, or a character outside of those scalars.
 */
function changedScalars(before: string, after: string): Changed[] {
  if (before === after) return [];
  const [old, now] = [splitDocuments(before), splitDocuments(after)];
  if (old.length !== now.length) throw new Error('the number of documents changed');
  const changed: Changed[] = [];
  let [i, j] = [0, 0];
  for (const [n, a] of old.entries()) {
    const b = now[n]!;
    const same = before.slice(a.start, a.end) === after.slice(b.start, b.end);
    if (before.slice(i, a.start) !== after.slice(j, b.start)) throw new Error('text between documents changed');
    [i, j] = [a.end, b.end];
    if (same) continue;
    const [was, is] = [read(before, a), read(after, b)];
    if (was.length !== is.length) throw new Error('the tree changed');
    let [x, y] = [a.start, b.start];
    for (const [k, { key, scalar: s }] of was.entries()) {
      const { scalar: r, key: newKey } = is[k]!;
      if (key !== newKey) throw new Error(`${key} became ${newKey}`);
      if (s.value === r.value) continue;
      if (before.slice(x, s.start) !== after.slice(y, r.start)) throw new Error(`text before ${key} changed`);
      [x, y] = [s.end, r.end];
      changed.push({ key, from: s.value, to: r.value });
    }
    if (before.slice(x, a.end) !== after.slice(y, b.end)) throw new Error('text behind the last change differs');
  }
  if (before.slice(i) !== after.slice(j)) throw new Error('text behind the last document changed');
  return changed;
}

/** The scalars of a document in order of the text, keys apart. */
function read(text: string, { start, end }: { start: number; end: number }): { key: string; scalar: ScalarNode }[] {
  const root = compose(text, start, end);
  if (root && 'problem' in root) throw new Error(`a document that cannot be read was edited: ${root.problem.message}`);
  const scalars: { key: string; scalar: ScalarNode }[] = [];
  const gather = (node: Node | undefined, key: string): void => {
    if (node?.kind === 'scalar') scalars.push({ key, scalar: node });
    else if (node?.kind === 'seq') for (const item of node.items) gather(item, key);
    else if (node?.kind === 'map') for (const entry of node.entries) gather(entry.value, entry.key.value);
  };
  gather(root, '');
  return scalars;
}
