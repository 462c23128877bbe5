// The CustomResourceDefinitions, held against a real API server: it takes and refuses what our own check does.
import t from 'tap';
import { API_VERSION } from '../../api/kind.ts';
import { checkObject, kinds, type KindName } from '../../api/kinds.ts';
import { statusOf } from '../../job/status.ts';
import { checkJob } from '../../job/read.ts';
import { crdOf } from '../../scripts/crds.ts';
import { kindCases, specWith } from '../fixtures/api/kinds.ts';
import { cannotStartKube, startKube, type Answer, type KubeServer } from '../kube.ts';
import { leaveOutOfQuickRun } from '../quick.ts';

leaveOutOfQuickRun();
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** The collection that an object of a kind is made in. */
function collection(kind: KindName): string {
  const { plural, scope } = kinds[kind];
  return `/apis/${API_VERSION}/${scope === 'Namespaced' ? 'namespaces/default/' : ''}${plural}`;
}

function objectOf(kind: KindName, spec: object, name = 'it'): Record<string, unknown> {
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec };
}

/** What the API server says to an object, without keeping it. */
async function dryRun(kube: KubeServer, kind: KindName, spec: object): Promise<Answer> {
  return kube.request('POST', `${collection(kind)}?dryRun=All&fieldValidation=Strict`, objectOf(kind, spec));
}

t.test('config/crd', { skip: cannotStartKube(), timeout: 300_000 }, async (t) => {
  const kube = await startKube();
  t.teardown(() => kube.stop());
  const names = Object.keys(kinds) as KindName[];

  await t.test('is taken', async (t) => {
    for (const kind of names) {
      const { status, message, warnings } = await kube.request('POST', CRDS, crdOf(kinds[kind]));
      t.equal(status, 201, `${kind} ${message}`);
      t.same(warnings, [], kind);
    }
    for (const kind of names) t.ok(await established(kube, kind), `${kind} is Established`);
  });

  for (const kind of names)
    await t.test(kind, async (t) => {
      const { right, cases } = kindCases[kind];
      for (const { about, set, problem, server } of [{ about: 'the least', set: {} } as (typeof cases)[0], ...cases]) {
        const spec = specWith(right, set);
        const { status, body, message } = await dryRun(kube, kind, spec);
        const takes = server === undefined ? problem === undefined : server === 'takes';
        const said = message.slice(0, 500);
        if (!takes) {
          t.ok(status === 422 || status === 400, `${about} is refused`, { status, said });
          continue;
        }
        if (!t.equal(status, 201, `${about} is taken`, { said })) continue;
        const ours = checkObject(objectOf(kind, spec));
        if (typeof ours === 'object') t.same(body['spec'], plain(ours.spec), `${about}: the same defaults`);
        else t.equal(server, 'takes', ours);
      }
    });

  await t.test('what cannot be changed', async (t) => {
    for (const { kind, name, patch, changes } of changesOfSpecs) {
      if (name !== undefined) {
        const { right } = kindCases[kind];
        const run = { image: 'alpine', contract: 'Function', functionConfig: { kind: 'X', data: { a: 'b' } } };
        const spec = kind === 'UpdateJob' ? { ...right, run } : right;
        t.equal((await kube.request('POST', collection(kind), objectOf(kind, spec, name))).status, 201, kind);
      }
      const path = `${collection(kind)}/it`;
      const { status, message } = await kube.request('PATCH', path, { spec: patch }, 'application/merge-patch+json');
      t.equal(status, changes ? 200 : 422, `${kind} ${JSON.stringify(patch)}`, { said: message });
      if (!changes) t.match(message, /it cannot be changed/);
    }
  });

  await t.test('status of an UpdateJob that has ended', async (t) => {
    const path = `${collection('UpdateJob')}/it`;
    const { body } = await kube.request('GET', path);
    const job = checkJob(body, 'it');
    const base = '0'.repeat(40);
    const change = { file: 'a.yaml', object: 'apps/Deployment//a', field: 'f', image: 'a', from: 'a:1', to: 'a:2' };
    const outcomes = [
      {
        outcome: 'Pushed',
        baseCommit: base,
        commit: base,
        branch: 'main',
        filesChanged: 1,
        changesCount: 1,
        files: ['a.yaml'],
        changes: [change],
        truncated: false,
      },
      { class: 'Race', reason: 'Race', message: 'others were faster', retriable: true },
    ] as const;
    for (const outcome of outcomes) {
      const status = statusOf(job, { started: 0, ended: 1000, attempt: 1, outcome: structuredClone(outcome) as never });
      const answer = await kube.request('PUT', `${path}/status?fieldValidation=Strict&dryRun=All`, { ...body, status });
      t.equal(answer.status, 200, answer.message);
      t.same(answer.body['status'], status);
      t.type(checkObject({ ...body, status }), 'object');
    }
  });
});

const changesOfSpecs: {
  kind: KindName;
  /** Makes the object first. */ name?: string;
  patch: object;
  changes: boolean;
}[] = [
  { kind: 'UpdateJob', name: 'it', patch: { git: { depth: 2 } }, changes: false },
  { kind: 'UpdateJob', patch: { git: { ref: { branch: 'other' } } }, changes: false },
  { kind: 'UpdateJob', patch: { run: { image: 'busybox' } }, changes: false },
  { kind: 'UpdateJob', patch: { run: { functionConfig: { data: { a: 'c' } } } }, changes: false },
  { kind: 'UpdateJob', patch: { commit: { author: { name: 'somebody' } } }, changes: false },
  { kind: 'UpdateJob', patch: { push: { branch: 'other' } }, changes: false },
  { kind: 'UpdateJob', patch: { push: null }, changes: true },
  {
    kind: 'UpdateJob',
    patch: { suspend: true, backoffLimit: 0, activeDeadline: '1h', ttlAfterFinished: '1m' },
    changes: true,
  },
  { kind: 'ClusterImageAutomation', name: 'it', patch: { targetNamespace: 'other' }, changes: false },
  { kind: 'ClusterImageAutomation', patch: { interval: '1h' }, changes: true },
];

/** As JSON has it. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

async function established(kube: KubeServer, kind: KindName): Promise<boolean> {
  const { plural } = kinds[kind];
  for (let left = 100; left > 0; left--) {
    const { body } = await kube.request('GET', `${CRDS}/${plural}.image-update.dev`);
    const { conditions = [] } = (body['status'] ?? {}) as { conditions?: { type: string; status: string }[] };
    const served = (await kube.request('GET', collection(kind))).status === 200;
    if (served && conditions.some(({ type, status }) => type === 'Established' && status === 'True')) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
