// Images of others in real containers: what they can see and do, and how their failures are told. What is made of their changes
// is tested in image.test.ts, by a stand-in.
import { readdirSync } from 'node:fs';
import t from 'tap';
import { runImage } from '../../job/image.ts';
import type { Made } from '../../job/made.ts';
import { checkJob } from '../../job/read.ts';
import { needEngine, programs } from '../engine.ts';
import { minimal } from '../fixtures/job/specs.ts';
import { leaveOutOfQuickRun } from '../quick.ts';
import { cannotStart, startRegistry } from '../registry/servers.ts';
import { memoryRepository } from './memory-repository.ts';
import { deployment } from './places.ts';

leaveOutOfQuickRun();
// Ten seconds on two idle cores.
t.setTimeout(150_000);

const engine = await needEngine();
const image = `localhost/tool:test-${process.pid}`;
await engine.importFiles(
  image,
  programs('cat', 'env', 'grep', 'id', 'ls', 'mkdir', 'mktemp', 'rm', 'sed', 'sh', 'sleep', 'tail', 'touch'),
);
const temporary = t.testdir();
process.env['TMPDIR'] = temporary;

const repository = memoryRepository({
  'apps/web.yaml': deployment('web', '1.0.0'),
  'apps/tool.sh': { mode: '100755', content: '#!/bin/sh\n' },
  'notes.txt': 'web:1.0.0\n',
});

/** Runs the image on the repository. */
function runOn(run: Record<string, unknown>, signal?: AbortSignal): Promise<Made> {
  const job = checkJob({ ...minimal, spec: { ...minimal.spec, run: { image, ...run } } }, 'job.yaml');
  const environment = { ...engine.environment, GIT_PASSWORD: 'canary-of-the-password' };
  return runImage(job, 'head', repository, { environment, ...(signal && { signal }) });
}

/** The files that it changed, with their contents. */
async function make(...args: Parameters<typeof runOn>): Promise<Record<string, string | undefined>> {
  const { parts } = await runOn(...args);
  return Object.fromEntries(
    parts.flatMap(({ files }) => files.map(({ path, content }) => [path, content?.toString()] as const)),
  );
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const shell = (script: string) => ({ command: ['/bin/sh', '-c'], args: [script] });
const edit = 's/web:1.0.0/web:1.2.0/';

t.test('what it changes', async (t) => {
  t.same(
    await make({ command: ['sed', '-i', edit, 'apps/web.yaml', 'notes.txt'] }),
    { 'apps/web.yaml': deployment('web', '1.2.0'), 'notes.txt': 'web:1.2.0\n' },
    'files in its working directory',
  );
  t.same(
    await make({ contract: 'Function', command: ['sed'], args: [edit] }),
    { 'apps/web.yaml': deployment('web', '1.2.0') },
    'a ResourceList on stdin, which has no other files',
  );
  t.same(await make({ ...shell('umask 0; mkdir new && touch new/x'), allow: { create: true } }), { 'new/x': '' });
  t.same(await make({ command: ['rm', 'notes.txt'], allow: { delete: true } }), { 'notes.txt': undefined });
});

/** Scripts that end well if it is so. */
const confined = {
  'it is nobody': 'test "$(id -u):$(id -g)" = 65534:65534',
  'without any capability':
    'grep -q "^CapEff:.0000000000000000$" /proc/self/status && grep -q "^CapBnd:.0000000000000000$" /proc/self/status',
  'and can win none': 'grep -q "^NoNewPrivs:.1$" /proc/self/status && grep -q "^Seccomp:.2$" /proc/self/status',
  'no network but its own loopback': 'test "$(ls /sys/class/net)" = lo',
  'a root that is mounted to be read': 'grep -q "^[^ ]* / [^ ]* ro," /proc/mounts && ! touch /x',
  'a place for temporary files, and a home': 'touch "$HOME/x" && touch "$(mktemp)"',
  'what the job gives it': 'test "$A" = "b c=d"',
  'no credentials': '! env | grep -q canary && ! grep -rqs canary /proc/self/mountinfo /proc/1/environ',
  'the files and no repository': 'test "$(pwd) $(ls -A)" = "/workspace apps\nnotes.txt"',
  'that keep their modes': 'test -x apps/tool.sh && ! test -x apps/web.yaml',
  'an empty stdin': 'test -z "$(cat)"',
};

t.test('what it can see and do', async (t) => {
  const env = [{ name: 'A', value: 'b c=d' }];
  // One container for all of them: each script that does not end well says so.
  const all = Object.entries(confined).map(
    ([about, script]) => `{ ${script}; } 2>/dev/null || echo "not so: ${about}" >&2`,
  );
  await t.rejects(make({ ...shell(`${all.join('\n')}\nexit 3`), env }), {
    class: 'FunctionFailed',
    message: `${image} ended with status 3: it said nothing`,
  });
});

t.test('how it fails', async (t) => {
  const cases: [about: string, run: Record<string, unknown>, failure: string, said: RegExp][] = [
    ['an error', shell('echo it broke >&2; exit 4'), 'FunctionFailed', /tool\S* ended with status 4: it broke$/],
    ['no such program', { command: ['/no/such'] }, 'FunctionFailed', /no such file or directory/],
    ['no end', { ...shell('sleep 60'), timeout: '2s' }, 'Timeout', /longer than run\.timeout \(2s\)/],
    ['killed by itself', shell('kill -9 $$; sleep 1; exit 137'), 'FunctionFailed', /status 137/],
    [
      'more memory than it may have',
      { command: ['tail', '/dev/zero'], resources: { limits: { memory: '64Mi' } } },
      'OutOfMemory',
      /more memory than 64Mi/,
    ],
    [
      'more than can be read',
      { contract: 'Function', command: ['cat', '/dev/zero'] },
      'TooLarge',
      /printed more than 256 MiB/,
    ],
    [
      'more processes than it may have',
      shell('i=0; while sleep 9 & do i=$((i+1)); test $i -lt 300 || exit 0; done'),
      'FunctionFailed',
      /fork/i,
    ],
    ['a full disk', shell('cat /dev/zero > /tmp/x'), 'FunctionFailed', /No space left/],
    [
      'an image that is not there',
      { image: 'localhost/missing:v1' },
      'ImagePull',
      /docker cannot get the image localhost\/missing:v1: Error/,
    ],
    ['an image of no entry point', {}, 'FunctionFailed', /[Nn]o command specified/],
  ];
  for (const [about, run, failure, message] of cases)
    await t.rejects(make(run), { name: 'JobError', class: failure, message }, about);
  await t.rejects(
    make(shell('sleep 60'), AbortSignal.timeout(2000)),
    { class: 'Timeout', message: /was stopped, as the whole run was/ },
    'a run that is stopped',
  );
});

t.test('where it comes from', { skip: cannotStart() }, async (t) => {
  const registry = await startRegistry();
  t.teardown(registry.stop);
  const [one, other] = ['one', 'other'].map((path) => `${registry.host}/${path}:v1`) as [string, string];
  t.match(await engine.docker(['tag', image, one]), { status: 0 });
  t.match(await engine.docker(['push', one]), { status: 0 });
  const digests = [await digestAt('one'), await copyToOther()];
  t.not(digests[0], digests[1], 'of one image two manifests, which are the same but for a blank');

  const edited = { command: ['sed', '-i', edit, 'notes.txt'] };
  for (const name of [other, one]) {
    const { imageDigest } = await runOn({ ...edited, image: name });
    t.equal(imageDigest, digests[name === one ? 0 : 1], `it is pulled, and its digest is that of ${name}`);
  }
  t.match(await runOn({ ...edited, image }), { imageDigest: undefined }, 'one that was only ever here has none');
  await registry.stop();
  const pinned = `${registry.host}/one@${digests[0]}`;
  t.match(
    await runOn({ ...edited, image: pinned }),
    { imageDigest: digests[0] },
    'with a digest it is not pulled again',
  );
  t.match(await runOn({ ...edited, image: one }), { imageDigest: digests[0] }, 'without a registry it is what is here');
  await engine.docker(['rmi', one, other]);
  await t.rejects(runOn({ ...edited, image: one }), { class: 'ImagePull', message: /connection refused/ });

  async function digestAt(path: string): Promise<string | null> {
    const response = await fetch(`${registry.origin}/v2/${path}/manifests/v1`, {
      method: 'HEAD',
      headers: { accept: MANIFEST },
    });
    return response.headers.get('docker-content-digest');
  }
  async function copyToOther(): Promise<string | null> {
    const from = `${registry.origin}/v2/one/manifests/v1`;
    const text = await (await fetch(from, { headers: { accept: MANIFEST } })).text();
    for (const [, digest] of text.matchAll(/"digest": *"([^"]+)"/g))
      await fetch(`${registry.origin}/v2/other/blobs/uploads/?mount=${digest}&from=one`, { method: 'POST' });
    const to = `${registry.origin}/v2/other/manifests/v1`;
    await fetch(to, { method: 'PUT', headers: { 'content-type': MANIFEST }, body: `${text} ` });
    return digestAt('other');
  }
});

t.test('what is left', async (t) => {
  t.equal((await engine.docker(['ps', '--all', '--quiet', `--filter=ancestor=${image}`])).stdout, '', 'no container');
  t.same(readdirSync(temporary), [], 'no directory');
});
