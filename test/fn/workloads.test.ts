// Workloads: which ones words select, and which ones there are in files.
import t from 'tap';
import { defaultSpec } from '../../fn/config/defaults.ts';
import type { Source } from '../../fn/source.ts';
import { readWorkloads, selectWorkloads, workloadId } from '../../fn/workloads.ts';
import { splitStream } from '../../fn/yaml/documents.ts';
import { selections, workloads } from '../fixtures/selections.ts';

const candidates = workloads.map((text) => {
  const [namespace = '', kind = '', name = ''] = text.split(' ');
  return { ref: { kind, name, ...(namespace !== '-' && { namespace }) } };
});

t.test('words select workloads', async (t) => {
  for (const { says, selects, ...selection } of selections) {
    const about = JSON.stringify(selection);
    if (says === undefined)
      t.same(
        selectWorkloads(candidates, selection).map((found) => candidates.indexOf(found)),
        selects,
        about,
      );
    else t.throws(() => selectWorkloads(candidates, selection), { message: says }, about);
  }
  t.throws(() => selectWorkloads([], { words: ['web'] }), {
    name: 'InputError',
    message: 'there is no workload "web", nor any other that has images',
  });
});

t.test('the workloads of a file are what has images and a name, and releases', async (t) => {
  const text = `kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, image: nginx}]}}}
---
kind: Deployment # a patch
metadata: {name: web}
spec: {replicas: 3}
---
kind: Service
metadata: {name: web}
---
kind: List
items:
- kind: Pod
  metadata: {name: one, namespace: shop}
  spec: {containers: [{name: a, image: nginx}, {name: b, image: nginx}]}
- kind: Pod
  metadata: {generateName: one-}
  spec: {containers: [{name: a, image: nginx}]}
---
kind: Deployment
metadata: {name: broken
---
kind: HelmRelease
metadata: {name: store}
`;
  const source: Source = { path: 'all.yaml', text, documents: splitStream(text) };
  const read = await readWorkloads([source], defaultSpec());
  t.same(
    read.workloads.map(({ ref, fields }) => [workloadId(ref), fields.map(({ container }) => container).join(' ')]),
    [
      ['default:deployment/web', 'web'],
      ['shop:pod/one', 'a b'],
      ['default:helmrelease/store', ''],
    ],
  );
  t.match(read.unread, [{ severity: 'warning', file: { path: 'all.yaml' }, tags: { line: /^\d+$/ } }]);
  t.equal(read.unread.length, 1);
});
