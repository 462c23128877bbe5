// The pure parts of an UpdateJob: what it may say, messages, groups, the check of changes, reverts, statuses.
import t from 'tap';
import { GitError, type GitErrorClass } from '../../git/error.ts';
import type { TreeEntry } from '../../git/repository.ts';
import { checkChanges } from '../../job/check.ts';
import { milliseconds } from '../../api/duration.ts';
import { classes, failureOf, JobError } from '../../job/failure.ts';
import { groupChanges } from '../../job/group.ts';
import { compileTemplate, isOurs, renderMessage } from '../../job/message.ts';
import { checkJob, JobSpecError, readJob } from '../../job/read.ts';
import { isReleased, judge } from '../../job/revert.ts';
import { runsInProcess } from '../../job/schema.ts';
import { exitStatus, keyOf, resultOf, statusOf } from '../../job/status.ts';
import { specWith } from '../fixtures/api/kinds.ts';
import { badTemplates, base, change, checkCases, messages, two } from '../fixtures/job/changes.ts';
import { reference, revertCases, stepsOf } from '../fixtures/job/reverts.ts';
import { minimal, rightSpec, specCases } from '../fixtures/job/specs.ts';

/** The right job with values at dotted paths of its spec. */
function jobWith(set: Record<string, unknown>): unknown {
  return { ...minimal, spec: specWith(rightSpec, set) };
}

t.test('what a spec may say', async (t) => {
  for (const { about, set, problem } of specCases) {
    const check = () => checkJob(jobWith(set), 'job.yaml');
    if (problem) t.throws(check, { name: 'UsageError', message: problem }, about);
    else t.doesNotThrow(check, about);
  }
  t.match(checkJob(minimal, 'job.yaml').spec, {
    git: { depth: 1, paths: [], timeout: '60s' },
    run: {
      contract: 'WorkingDirectory',
      timeout: '5m',
      network: false,
      allow: { create: false, delete: false, maxFiles: 1000 },
    },
    commit: { author: { name: 'image-update' }, grouping: 'Run' },
    push: { mode: 'Push', branchStrategy: 'FastForward', maxRaceRetries: 10 },
    backoffLimit: 4,
    activeDeadline: '15m',
    ttlAfterFinished: '24h',
    suspend: false,
  });
});

t.test('a file with a job', async (t) => {
  const yaml = 'apiVersion: image-update.dev/v1alpha1\nkind: UpdateJob\nmetadata: {name: web}\nspec:\n';
  const right = `${yaml}  git: {url: "git@github.com:org/repo", ref: {branch: main}}\n  run: {image: image-update}\n  commit: {author: {email: a@b}}\n`;
  const job = await readJob(right, 'job.yaml');
  t.equal(job.spec.git.url, 'ssh://git@github.com/org/repo', 'scp-style URLs become ssh');
  t.match(job.metadata, { name: 'web', namespace: 'default', unique: false });
  t.match(job.metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  t.equal((await readJob(right, 'other.yaml')).metadata.uid, job.metadata.uid, 'the same job has the same uid');
  t.not((await readJob(right.replace('main', 'other'), 'x')).metadata.uid, job.metadata.uid, 'another has another');
  for (const [text, problem] of [
    ['', /0 documents/],
    [`${right}---\n${right}`, /2 documents/],
    ['a: [', /not readable YAML/],
    ['a', /not an UpdateJob/],
    [right.replace('UpdateJob', 'Updatejob'), /kind "Updatejob" is not UpdateJob/],
    [right.replace('v1alpha1', 'v1'), /apiVersion "image-update\.dev\/v1"/],
    [right.replace('metadata: {name: web}', 'metadata: {}'), /metadata\.name: it is missing/],
    [right.replace('{name: web}', '{name: my job}'), /metadata\.name: "my job": a name has lower-case letters/],
    [right.replace('{name: web}', '{name: web, namespace: "a\\nb"}'), /metadata\.namespace: "a\\nb": a name has/],
    [
      right.replace('metadata: {name: web}\n', 'metadata: {name: web}\nspecc: {}\n'),
      /unknown field "specc"; did you mean "spec"/,
    ],
    [right.replace(/spec:[^]*/, ''), /spec\.git: it is missing/],
    [right.replace(/spec:[^]*/, 'spec: []'), /spec/],
  ] as const)
    await t.rejects(readJob(text, 'job.yaml'), { name: 'UsageError', message: problem });
  const inCluster = checkJob(
    {
      ...minimal,
      metadata: { name: 'a', namespace: 'b', uid: 'c-1', creationTimestamp: '2026-11-22T10:00:00Z', labels: {} },
      status: {},
    },
    'x',
  );
  t.match(inCluster.metadata, { uid: 'c-1', unique: true, created: Date.UTC(2026, 10, 22, 10) });
});

t.test('whose image runs in-process', async (t) => {
  const plain = { command: undefined, args: [], env: [] };
  for (const image of ['image-update', 'image-update:v1', 'ghcr.io/any/one/image-update@sha256:' + 'a'.repeat(64)])
    t.ok(runsInProcess({ ...plain, image }), image);
  for (const image of ['alpine', 'ghcr.io/image-update/other', 'ghcr.io/x/my-image-update'])
    t.notOk(runsInProcess({ ...plain, image }), image);
  t.notOk(runsInProcess({ ...plain, image: 'image-update', args: ['.'] }), 'with arguments it is a program as any');
});

t.test('durations', async (t) => {
  t.equal(milliseconds('1h2m3.5s4ms'), 3_723_504);
  t.equal(milliseconds('60s'), 60_000);
});

const { metadata } = checkJob(minimal, 'job.yaml');

t.test('messages', async (t) => {
  const trailer = `\n\nUpdate-Job: default/web/${metadata.uid}\n`;
  for (const { about, template, changes, files, message } of messages) {
    const data = { changes, files: files ?? changes.map(({ file }) => file), branch: 'main' };
    const rendered = renderMessage(compileTemplate(template), data, metadata);
    t.equal(rendered, message + trailer, about);
    t.ok(isOurs(rendered), `${about}: known again`);
  }
  for (const [template, problem] of badTemplates)
    t.throws(() => compileTemplate(template), { name: 'UsageError', message: problem }, template);
  t.notOk(isOurs('Revert "Auto-release x"\n\nThis reverts commit abc.\n'), 'a revert is not ours');
  t.ok(isOurs('Squashed (#1)\n\n* Auto-release x\n\nUpdate-Job: a/b/c\n\n* more\n'), 'a squash merge is');
});

t.test('messages have a bound', async (t) => {
  const many = Array.from({ length: 3000 }, (_, i) =>
    change(`ghcr.io/acme/a-rather-long-name-of-an-image-${i}`, '1.0.1'),
  );
  const data = { changes: many, files: [], branch: 'main' };
  const long = renderMessage(compileTemplate(), data, metadata);
  t.ok(Buffer.byteLength(long) < 66_000, 'cut');
  t.match(long, /^Auto-release multiple \(3000\) images\n/);
  t.match(long, /:1\.0\.1\n…\n\nUpdate-Job: /, 'at a line, and the trailer is whole');
  const nested = '{{#changes}}{{#changes}}{{#changes}}{{image}}{{/changes}}{{/changes}}{{/changes}}';
  t.throws(() => renderMessage(compileTemplate(nested), data, metadata), /more than 16 MiB/, 'not even tried');
  t.throws(() => renderMessage(compileTemplate('{{#other}}x{{/other}}'), data, metadata), /is empty/);
});

t.test('groups', async (t) => {
  const changes = [
    ...two,
    change('ghcr.io/acme/web', '1.2.0', { object: 'apps/Deployment/shop/aaa', file: 'other/x.yaml' }),
  ];
  const shape = (grouping: 'Run' | 'Image' | 'Workload' | 'Directory') =>
    groupChanges(changes, grouping).map((group) => group.map(({ object }) => object.split('/').at(-1)).join('+'));
  t.same(shape('Run'), ['web+api+aaa']);
  t.same(shape('Image'), ['api', 'web+aaa']);
  t.same(shape('Workload'), ['aaa', 'api', 'web']);
  t.same(shape('Directory'), ['web+api', 'aaa']);
  t.same(groupChanges([], 'Run'), [], 'nothing is no commit');
  const many = Array.from({ length: 150 }, (_, i) => change(`a/b${i}`, '1'));
  const groups = groupChanges(many, 'Image');
  t.equal(groups.length, 100, 'a hundred commits');
  t.equal(groups.flat().length, 150, 'with all changes');
});

t.test('what came back is checked', async (t) => {
  const entries = new Map<string, TreeEntry>(
    Object.entries(base).map(([path, mode]) => [path, { path, mode, oid: '0' }]),
  );
  for (const { about, proposals, paths = [], allow, refused } of checkCases) {
    const check = () =>
      checkChanges(proposals, entries, { paths }, { create: false, delete: false, maxFiles: 1000, ...allow });
    if (!refused) t.equal(check().length, proposals.length, about);
    else t.throws(check, { name: 'JobError', class: refused[0], reason: refused[1], message: refused[2] }, about);
  }
});

t.test("people's reverts", async (t) => {
  for (const { about, history, wanted, held } of revertCases) {
    const revert = judge(stepsOf(history), reference(wanted));
    if (held === 'no') t.equal(revert, undefined, about);
    else
      t.match(revert, { reverted: reference(held[0]), by: held[1] === undefined ? undefined : `c${held[1]}` }, about);
  }
  t.ok(isReleased('true', 'any/image'));
  t.ok(isReleased('a/b, c/d', 'c/d'));
  t.notOk(isReleased('a/b', 'c/d'));
  t.notOk(isReleased(undefined, 'true'));
});

t.test('failures and statuses', async (t) => {
  t.match(failureOf(new JobError('ForbiddenChange', 'a: b', 'Link')), {
    class: 'ForbiddenChange',
    reason: 'Link',
    message: 'a: b',
    retriable: false,
  });
  for (const name of [
    'GitAuth',
    'HostKey',
    'GitUnavailable',
    'RefNotFound',
    'Race',
    'PushRefused',
    'DiskFull',
    'Timeout',
    'TooLarge',
    'Internal',
  ] satisfies GitErrorClass[])
    t.match(failureOf(new GitError(name, 'why')), { class: name, reason: name, message: 'why' });
  t.match(failureOf(Object.assign(new Error('no space'), { code: 'ENOSPC' })), { class: 'DiskFull', retriable: true });
  t.match(failureOf(new TypeError('x')), { class: 'Internal', message: 'x' });
  t.ok(Buffer.byteLength(failureOf(new Error('ä'.repeat(10_000))).message) <= 4096, 'a message has a bound');
  const exits = Object.values(classes).map(({ exit }) => exit);
  t.equal(new Set(exits).size, exits.length, 'each class has a status of its own');
  t.match(classes, {
    GitAuth: { exit: 20 },
    HostKey: { exit: 21 },
    GitUnavailable: { exit: 22 },
    RefNotFound: { exit: 23 },
    Race: { exit: 30 },
    PushRefused: { exit: 31 },
    ForbiddenChange: { exit: 41 },
    TooLarge: { exit: 42 },
  });

  const job = checkJob(minimal, 'x');
  t.equal(
    keyOf(job),
    keyOf(checkJob(jobWith({ 'git.url': 'git@git.example.com:team/config.git' }), 'x')),
    'one lock a repository',
  );
  t.not(keyOf(job), keyOf(checkJob(jobWith({ push: { branch: 'other' } }), 'x')), 'and branch');
  const times = { started: 0, ended: 1500, attempt: 1 };
  const outcome = { ...resultOf('Pushed', 'b'.repeat(40), ['a.yaml'], two), commit: 'c'.repeat(40), branch: 'main' };
  t.match(statusOf(job, { ...times, outcome }), {
    phase: 'Succeeded',
    startTime: '1970-01-01T00:00:00Z',
    completionTime: '1970-01-01T00:00:01Z',
    result: { outcome: 'Pushed', filesChanged: 1, changesCount: 2, truncated: false },
    conditions: [
      { type: 'Ready', status: 'True', reason: 'Pushed' },
      { type: 'Complete', status: 'True' },
    ],
  });
  t.equal(exitStatus(outcome), 0);
  const failure = failureOf(new GitError('HostKey', 'why'));
  t.match(statusOf(job, { ...times, outcome: failure }), {
    phase: 'Failed',
    failure: { class: 'HostKey' },
    conditions: [{ type: 'Ready', status: 'False', reason: 'HostKey' }, { type: 'Stalled' }, { type: 'Failed' }],
  });
  t.equal(exitStatus(failure), 21);
  const long = resultOf(
    'DryRun',
    'b',
    Array.from({ length: 101 }, (_, i) => `f${i}`),
    [],
  );
  t.match(long, { filesChanged: 101, truncated: true });
  t.equal(long.files.length, 100);
  t.ok(new JobSpecError('x') instanceof Error);
});
