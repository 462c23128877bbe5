import t from 'tap';
import { findImages } from '../../../fn/find/find.ts';
import type { Images } from '../../../fn/find/find.ts';
import { resourcesOf } from '../../../fn/find/resources.ts';
import { formatReference } from '../../../fn/reference.ts';
import { compose } from '../../../fn/yaml/compose.ts';
import { at, type Node } from '../../../fn/yaml/tree.ts';
import { documentCases } from '../../fixtures/find/documents.ts';

function read(text: string): Node {
  const tree = compose(text, 0, text.length);
  if (!tree || 'problem' in tree) throw new Error(JSON.stringify(tree));
  return tree;
}

/** Whether each line is told by its counterpart, whose last part may be the beginning of a longer one. */
function show({ fields, notes }: Images, wanted: { fields: string[]; notes?: string[] }): string[] {
  const shown = fields.map(({ container, path, reference, problem }, i) => {
    const line = `${container} | ${path} | `;
    const part = wanted.fields[i]?.split('| ! ')[1];
    if (reference) return line + formatReference(reference);
    return `${line}! ${part !== undefined && problem?.includes(part) ? part : problem}`;
  });
  const told = notes.map(({ reason, message }, i) => {
    const part = wanted.notes?.[i]?.slice(reason.length + 2);
    return `${reason}: ${part !== undefined && message.includes(part) ? part : message}`;
  });
  return [...shown, ...told];
}

t.test('the images of a document', async (t) => {
  for (const { name, text, options, fields, notes = [] } of documentCases) {
    const [resource] = resourcesOf(read(text));
    t.same(show(findImages(resource!, options), { fields, notes }), [...fields, ...notes], name);
  }
});

t.test('fields that share an anchor share its scalar', async (t) => {
  const tree = read('kind: Pod\nspec:\n  containers: [{name: a, image: &i "a:1"}, {name: b, image: *i}]\n');
  const { fields } = findImages(resourcesOf(tree)[0]!);
  t.equal(fields.length, 2);
  t.equal(fields[0]!.slots.whole, fields[1]!.slots.whole);
});

t.test('resources', async (t) => {
  const show = (text: string) =>
    resourcesOf(read(text)).map(
      ({ ref, path, annotations }) =>
        `${path || '.'} ${ref.apiVersion}/${ref.kind} ${ref.namespace ?? '-'}/${ref.name} ${[...annotations.keys()].join(',')}`,
    );
  t.same(show('apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: n, annotations: {a: 1, b: [], c: }}'), [
    '. v1/Pod n/x a,c',
  ]);
  t.same(show('kind: List\nitems: [{kind: A}, {kind: BList, items: [{kind: B}]}, text, {no: kind}]'), [
    'items[0] /A -/ ',
    'items[1].items[0] /B -/ ',
    'items[3] / -/ ',
  ]);
  t.same(show('kind: DeploymentList\nmetadata: {annotations: {fluxcd.io/automated: "true"}}\nitems: []'), [
    '. /DeploymentList -/ fluxcd.io/automated',
  ]);
  t.same(show('kind: AllowList\nspec: {}'), ['. /AllowList -/ '], 'a kind that only sounds like a list');
  t.same(show('bareSeqNodeWrappingKey: [{kind: A}]'), ['bareSeqNodeWrappingKey[0] /A -/ ']);
  t.same(show('- kind: A\n- kind: List\n  items: [{kind: B}]'), ['[0] /A -/ ', '[1].items[0] /B -/ ']);
  t.same(show('text'), []);
  t.same(show('kind: List\nitems: [&a {kind: A}, *a, {<<: *a, metadata: {name: x}}]'), [
    'items[0] /A -/ ',
    'items[2] /A -/x ',
  ]);
  t.same(resourcesOf(undefined), []);
});

t.test('a hostile tree ends, and throws nothing', async (t) => {
  const bomb = Array.from(
    { length: 30 },
    (_, i) => `l${i}: &l${i} ${i === 0 ? '{image: a:1}' : `[${`*l${i - 1}, `.repeat(10)}]`}`,
  );
  const texts = [
    `kind: HelmRelease\nspec:\n  values:\n    ${bomb.join('\n    ')}`,
    `kind: List\n${bomb.join('\n')}\nitems: *l29`,
    `kind: ${'List\nitems:\n- kind: '.repeat(1)}List\n`,
    `kind: HelmRelease\nspec: {values: ${'{a: '.repeat(200)}x${'}'.repeat(200)}}`,
    `kind: Gadget\nmetadata: {annotations: {repository.fluxcd.io/a: "${'a.'.repeat(5000)}a"}}`,
    `kind: HelmRelease\nspec: {values: {image: ${'1'.repeat(100_000)}x}}`,
  ];
  const fields = [{ kind: 'List', path: 'items[][][][][][][][].image' }];
  for (const text of texts)
    for (const resource of resourcesOf(read(text))) findImages(resource, { deepHelm: true, fields });

  const cycle = read('kind: List\nitems: [{kind: HelmRelease, spec: {values: {a: {}}}}]');
  const items = at(cycle, 'items')!;
  if (items.kind === 'seq') items.items.push({ kind: 'alias', name: 'x', start: 0, end: 0, target: cycle });
  const values = at(items.kind === 'seq' ? items.items[0] : undefined, 'spec', 'values')!;
  if (values.kind === 'map') values.entries[0]!.value = { kind: 'alias', name: 'x', start: 0, end: 0, target: values };
  const resources = resourcesOf(cycle);
  t.equal(resources.length, 1);
  for (const resource of resources) t.same(findImages(resource, { deepHelm: true }).fields, []);
});
