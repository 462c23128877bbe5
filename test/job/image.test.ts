// UpdateJobs with images of others: the argument lists, both contracts, limits, hostile images. A stand-in for an engine runs
// local programs in place of images; what is up to a real one is tested in container.test.ts.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runImage } from '../../job/image.ts';
import { checkJob } from '../../job/read.ts';
import { findProgram, runArguments } from '../../job/container.ts';
import { diffOf, editOf } from '../../job/made.ts';
import { readAnswer, requestOf } from '../../job/list.ts';
import { replaceAll } from '../../fn/replace.ts';
import { root } from '../../scripts/build.ts';
import { git } from '../git/servers.ts';
import { minimal } from '../fixtures/job/specs.ts';
import { memoryRepository } from './memory-repository.ts';
import { deployment, MAIN, openShop } from './places.ts';
import { makeStandIn } from './stand-in.ts';
import { leaveOutOfQuickRun } from '../quick.ts';

leaveOutOfQuickRun();

// Some fifteen seconds on two idle cores.
t.setTimeout(150_000);

const run = {
  image: 'tool',
  args: [],
  env: [],
  contract: 'WorkingDirectory',
  network: false,
  imagePullSecrets: [],
  timeout: '5m',
  allow: { create: false, delete: false, maxFiles: 1000 },
} as const;

t.test('what a container program is asked for', async (t) => {
  const fixed = [
    '--read-only',
    '--tmpfs=/tmp:rw,nosuid,nodev,size=64m',
    '--user=65534:65534',
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
    '--pids-limit=256',
  ];
  const plain = { ...run, args: [], env: [], imagePullSecrets: [] };
  t.same(runArguments('docker', plain, { name: 'n', id: 'sha256:1' }), [
    'run',
    '--name=n',
    '--pull=never',
    '--interactive',
    '--network=none',
    ...fixed,
    '--memory=512m',
    '--memory-swap=512m',
    '--log-driver=none',
    '--env=HOME=/tmp',
    'sha256:1',
  ]);
  const all = {
    ...plain,
    command: ['/bin/sh', '-c'],
    args: ['echo --privileged', '--network=host'],
    env: [{ name: 'A', value: 'b c=d' }],
    network: true,
    resources: { limits: { memory: '256Mi', cpu: '500m' } },
  };
  t.same(
    runArguments('podman', all, { name: 'n', id: 'sha256:1', directory: '/tmp/a,b' }),
    [
      ['run', '--name=n', '--pull=never', '--interactive', ...fixed],
      [
        '--memory=268435456',
        '--memory-swap=268435456',
        '--log-driver=none',
        '--cpus=0.5',
        '--env=HOME=/tmp',
        '--env=A=b c=d',
      ],
      ['--mount=type=bind,"source=/tmp/a,b",target=/workspace,relabel=private', '--workdir=/workspace'],
      ['--entrypoint=/bin/sh', 'sha256:1', '-c', 'echo --privileged', '--network=host'],
    ].flat(),
  );
});

t.test('which program runs containers', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'image-update-engine-'));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const [docker, podman] = [makeStandIn(home), makeStandIn(home, 'podman')];
  t.equal((await findProgram(docker.environment)).name, 'docker');
  t.equal((await findProgram(podman.environment)).name, 'podman');
  await t.rejects(findProgram({ PATH: '/nonexistent' }), {
    class: 'ImagePull',
    reason: 'NoContainers',
    message: /none of docker, podman, nerdctl is on PATH/,
  });
  await t.rejects(findProgram({ ...docker.environment, STAND_IN: join(home, 'nowhere') }), {
    reason: 'NoContainers',
    message: /docker says/,
  });
});

const tree = {
  'apps/web.yaml': deployment('web', '1.0.0'),
  'other/api.yaml': deployment('api', '1.0.0'),
  'tool.sh': { mode: '100755', content: '#!/bin/sh\n' },
  'link.yaml': { mode: '120000', content: 'apps/web.yaml' },
  '.gitattributes': '*.yaml filter=evil\n',
};

async function openPlace(t: Test) {
  const shop = await openShop(tree, { robot: 'canary-of-the-password' });
  t.teardown(shop.close);
  const engine = makeStandIn(shop.home);
  const environment = { ...engine.environment, GIT_USERNAME: 'robot', GIT_PASSWORD: 'canary-of-the-password' };
  return {
    shop,
    engine,
    job: (spec: Record<string, unknown>, more: Record<string, unknown> = {}) =>
      shop.run({ run: spec, ...more }, { environment, args: ['-o', 'json'] }),
  };
}

const statusOf = (stdout: string) => (JSON.parse(stdout) as { status: Record<string, never> }).status;

t.test('WorkingDirectory', async (t) => {
  const { shop, engine, job } = await openPlace(t);
  engine.image(
    'edit',
    '#!/bin/sh\nenv > seen 2>/dev/null; rm -f seen\nsed -i "s/web:1.0.0/web:$1/" apps/web.yaml\nls -a >&2',
  );
  const ran = await job({ image: 'example.com/edit:v1', args: ['1.2.0'] });
  t.equal(ran.status, 0, ran.stderr);
  t.match(statusOf(ran.stdout), {
    result: {
      outcome: 'Pushed',
      imageDigest: `sha256:${'d'.repeat(64)}`,
      filesChanged: 1,
      changes: [
        {
          file: 'apps/web.yaml',
          object: 'apps/Deployment/shop/web',
          from: 'ghcr.io/acme/web:1.0.0',
          to: 'ghcr.io/acme/web:1.2.0',
        },
      ],
    },
  });
  t.equal(shop.show(MAIN, 'apps/web.yaml'), deployment('web', '1.2.0'));
  t.match(git(shop.repository, ['log', '-1', '--format=%s', MAIN]), 'Auto-release ghcr.io/acme/web:1.2.0');
  const asked = engine.asked();
  t.same(
    asked.map(({ command }) => command),
    ['info', 'pull', 'image', 'run', 'rm'],
    'asked, pulled, run and removed',
  );
  t.notOk(
    asked.some(({ env }) => env.some((name) => name.startsWith('GIT_'))),
    'no credential reaches the container program',
  );
  t.match((await job({ image: 'example.com/edit:v1', args: ['1.2.0'] })).stderr, /nothing to change/);
  t.match(
    (await job({ image: `example.com/edit@sha256:${'d'.repeat(64)}`, args: ['1.2.0'] })).stderr,
    /nothing to change/,
  );
  t.notOk(
    engine
      .asked()
      .slice(-5)
      .some(({ command }) => command === 'pull'),
    'an image that is here by its digest is not pulled',
  );

  engine.image('several', '#!/bin/sh\nfor f in */*.yaml; do sed -i "s/1.[02].0/1.5.0/" $f; done\n');
  const dry = await shop.run(
    { run: { image: 'several' }, push: { mode: 'DryRun' } },
    { environment: { ...engine.environment, GIT_USERNAME: 'robot', GIT_PASSWORD: 'canary-of-the-password' } },
  );
  t.match(
    dry.stdout,
    /^--- a\/apps\/web\.yaml\n[^]*\+        image: ghcr\.io\/acme\/web:1\.5\.0 # keep me\n--- a\/other\/api\.yaml/,
  );
  const grouped = await job({ image: 'several' }, { commit: { author: { email: 'a@b' }, grouping: 'Directory' } });
  t.equal(grouped.status, 0, grouped.stderr);
  t.same(git(shop.repository, ['log', '-2', '--format=%s', MAIN]).split('\n'), [
    'Auto-release ghcr.io/acme/api:1.5.0',
    'Auto-release ghcr.io/acme/web:1.5.0',
  ]);

  engine.image('make', '#!/bin/sh\nmkdir new; echo x > new/file; rm other/api.yaml');
  const made = await job({ image: 'make', allow: { create: true, delete: true } });
  t.match(statusOf(made.stdout), { result: { outcome: 'Pushed', files: ['new/file', 'other/api.yaml'] } }, made.stderr);
  t.match(
    git(shop.repository, ['log', '-1', '--format=%B', MAIN]),
    /^Update 2 files\n\n - new\/file\n - other\/api\.yaml\n\nUpdate-Job: /,
  );
  t.equal(shop.show(MAIN, '.gitattributes'), '*.yaml filter=evil\n', 'what it may not see stays');
});

t.test('what an image may not do', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'image-update-hostile-'));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const engine = makeStandIn(home);
  const marker = join(home, 'ran');
  const allow = { create: true, delete: true, maxFiles: 1000 };
  const nested = `mkdir -p apps/sub/.git/objects apps/sub/.git/refs; echo "ref: refs/heads/main" > apps/sub/.git/HEAD; printf "[core]\\n\\tfsmonitor = touch ${marker}\\n" > apps/sub/.git/config; echo x > apps/sub/file`;
  const cases: [
    about: string,
    script: string,
    failureClass: string,
    said: RegExp,
    run?: Record<string, unknown>,
    paths?: string[],
  ][] = [
    [
      'a nested repository',
      nested,
      'ForbiddenChange',
      /^apps\/sub\/\.git: it has a segment that git could take for \.git/,
      { allow },
    ],
    [
      'the same in disguise',
      'mkdir apps/.GIT; echo x > apps/.GIT/config',
      'ForbiddenChange',
      /^apps\/\.GIT/,
      { allow },
    ],
    [
      'a repository at the root',
      'mkdir .git; echo "[core]" > .git/config',
      'ForbiddenChange',
      /^\.git: it has a segment/,
      { allow },
    ],
    [
      'a link',
      'rm apps/web.yaml; ln -s /etc/passwd apps/web.yaml',
      'ForbiddenChange',
      /^apps\/web\.yaml: it is a link/,
      { allow },
    ],
    ['a link to a directory', 'rm -r apps; ln -s /etc apps', 'ForbiddenChange', /^apps: it is a link/, { allow }],
    ['a pipe', 'mkfifo apps/pipe', 'ForbiddenChange', /^apps\/pipe: it is neither/, { allow }],
    [
      'a mode',
      'cp apps/web.yaml x; chmod 755 x; mv -f x apps/web.yaml',
      'ForbiddenChange',
      /^apps\/web\.yaml: its mode changed/,
      { allow },
    ],
    ['attributes', 'echo "* filter=x" > apps/.gitattributes', 'ForbiddenChange', /^apps\/\.gitattributes/, { allow }],
    [
      'a file where a link is that it does not see',
      'echo x > link.yaml',
      'ForbiddenChange',
      /^link\.yaml: its mode changed from 120000/,
      { allow },
    ],
    ['new files', 'echo x > apps/new.yaml', 'ForbiddenChange', /^apps\/new\.yaml: it is new; run\.allow\.create/],
    [
      'new files elsewhere',
      'echo x > new.yaml',
      'ForbiddenChange',
      /^new\.yaml: it is outside of git\.paths \(apps\)/,
      { allow },
      ['apps'],
    ],
    ['deletion', 'rm apps/web.yaml', 'ForbiddenChange', /^apps\/web\.yaml: it was deleted/],
    [
      'too many',
      'for f in */*.yaml; do echo x >> $f; done',
      'ForbiddenChange',
      /^2 files changed/,
      { allow: { ...allow, maxFiles: 1 } },
    ],
    [
      'a huge file',
      'dd if=/dev/zero of=apps/big bs=1M count=6 2>/dev/null',
      'TooLarge',
      /^apps\/big: it has 6291456 bytes/,
      { allow },
    ],
    [
      'names that cannot be shown',
      'touch "$(printf "apps/a\\033[31m")"',
      'ForbiddenChange',
      /control character/,
      { allow },
    ],
    [
      'what cannot be read',
      'mkdir apps/secret; echo x > apps/secret/x; chmod 0 apps/secret',
      'ForbiddenChange',
      /^apps\/secret/,
    ],
    ['an error', 'echo "it broke" >&2; exit 3', 'FunctionFailed', /ended with status 3: it broke$/],
    ['no end', 'sleep 60', 'Timeout', /longer than run\.timeout \(1s\)/, { timeout: '1s' }],
    ['killed by somebody', 'kill -9 $$', 'FunctionFailed', /status 137/],
    [
      'no such image',
      '',
      'ImagePull',
      /^docker cannot get the image missing: Error response from daemon/,
      { image: 'missing' },
    ],
  ];
  const temporary = join(home, 'tmp');
  mkdirSync(temporary);
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = temporary;
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  });
  const repository = memoryRepository(tree);
  async function make(
    script: string,
    run: Record<string, unknown> = {},
    paths: string[] = [],
    stop: { signal?: AbortSignal } = {},
  ) {
    engine.image('hostile', `#!/bin/sh\n${script}\n`);
    const spec = { ...minimal.spec, git: { ...minimal.spec.git, paths }, run: { image: 'hostile', ...run } };
    return runImage(checkJob({ ...minimal, spec }, 'job.yaml'), 'head', repository, {
      environment: engine.environment,
      ...stop,
    });
  }
  for (const [about, script, failureClass, message, run, paths] of cases)
    await t.rejects(make(script, run, paths), { name: 'JobError', class: failureClass, message }, about);
  engine.outOfMemory();
  await t.rejects(
    make('kill -9 $$'),
    { class: 'OutOfMemory', message: /raise run\.resources\.limits\.memory/ },
    'killed for its memory',
  );
  t.same((await make('true')).parts, [], 'one that does nothing');
  t.notOk(existsSync(marker), 'nothing of it was run');
  const stopped = make('trap "" TERM; touch started; sleep 60', {}, [], { signal: AbortSignal.timeout(1000) });
  await t.rejects(stopped, { class: 'Timeout', message: /was stopped, as the whole run was/ }, 'a run that is stopped');
  t.equal(engine.asked().at(-1)?.command, 'rm', 'takes its container away');
  t.same(
    readdirSync(join(home, 'stand-in')).filter((name) => name.startsWith('pid-')),
    [],
    'which is done before it ends',
  );
  t.same(readdirSync(temporary), [], 'no directory is left');
});

t.test('a hostile image, from end to end', async (t) => {
  const { shop, engine, job } = await openPlace(t);
  const base = shop.head();
  engine.image('hostile', '#!/bin/sh\nsed -i s/1.0.0/6.6.6/ apps/web.yaml; mkdir .git; echo x > .git/config');
  const ran = await job({ image: 'hostile', allow: { create: true } });
  t.equal(ran.status, 41);
  t.match(statusOf(ran.stdout), { failure: { class: 'ForbiddenChange', reason: 'Path', retriable: false } });
  t.equal(shop.head(), base, 'nothing of it was committed');
});

t.test('Function', async (t) => {
  const { shop, engine, job } = await openPlace(t);
  engine.image('set', `#!/bin/sh\nexec ${process.execPath} ${join(root, 'fn/main.ts')} "$@"\n`);
  const functionConfig = {
    apiVersion: 'image-update.dev/v1alpha1',
    kind: 'ImageUpdate',
    spec: { updates: [{ image: 'ghcr.io/acme/web', to: { tag: '2.0.0' } }] },
  };
  // With arguments it is a program as any other: our own function in a container.
  const ran = await job({ image: 'set', contract: 'Function', functionConfig });
  t.equal(ran.status, 0, ran.stderr);
  t.equal(shop.show(MAIN, 'apps/web.yaml'), deployment('web', '2.0.0'), 'every other byte stays, comments among them');
  t.match(ran.stderr, /no metadata of ghcr\.io\/acme\/api/, 'what it reports is told');
  const commands = engine.asked();
  t.notOk(
    commands.find(({ command }) => command === 'run')?.args.some((arg) => arg.startsWith('--mount')),
    'it sees no file',
  );

  const script = (body: string) =>
    `#!${process.execPath}\nlet list = JSON.parse(require('node:child_process').execFileSync(${JSON.stringify(process.execPath)}, ['-e', ${JSON.stringify(TO_JSON)}], { stdio: ['inherit', 'pipe', 'inherit'] }));\nlet { items } = list;\n${body}\nconsole.log(JSON.stringify({ ...list, items }));\n`;
  engine.image('drop', script('items = items.slice(1);'));
  const dropped = await job({ image: 'drop', contract: 'Function' });
  t.equal(dropped.status, 41, dropped.stderr);
  t.match(dropped.stderr, /apps\/web\.yaml: it was deleted/, 'an item that does not come back');
  engine.image(
    'add',
    script(`items.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: '1' } });`),
  );
  t.equal((await job({ image: 'add', contract: 'Function' })).status, 41);
  const added = await job({ image: 'add', contract: 'Function', allow: { create: true } });
  t.equal(added.status, 0, added.stderr);
  t.equal(
    shop.show(MAIN, 'configmap_x.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  a: "1"\n',
  );
  for (const [about, text, status, said] of [
    ['no list', '#!/bin/sh\necho hello\n', 40, /gave back no ResourceList/],
    ['nothing', '#!/bin/sh\n', 40, /no ResourceList/],
    [
      'a path out of the tree',
      script(
        `items[0].metadata.annotations['config.kubernetes.io/path'] = items[0].metadata.annotations['internal.config.kubernetes.io/path'] = '../../etc/x.yaml';`,
      ),
      41,
      /\.\.\/\.\.\/etc\/x\.yaml: it has a segment/,
    ],
    [
      'an error reported',
      script(`list.results = [{ message: 'this is not allowed', severity: 'error' }];`),
      40,
      /the function reports: this is not allowed/,
    ],
  ] as const) {
    engine.image('wrong', text);
    const wrong = await job({ image: 'wrong', contract: 'Function', allow: { create: true, delete: true } });
    t.equal(wrong.status, status, about, { stderr: wrong.stderr });
    t.match(wrong.stderr, said, about);
  }
});

/** Reads a ResourceList of YAML and prints it as JSON, for functions of a line. */
const TO_JSON = `const { load } = require(${JSON.stringify(join(root, 'node_modules/js-yaml'))}); console.log(JSON.stringify(load(require('node:fs').readFileSync(0, 'utf8'))));`;

/** Documents, and what they become where a field is added behind the image. */
const documents = [
  ['kind: A\napiVersion: v1\nimage: a:1\n', 'kind: A\napiVersion: v1\nimage: a:1\nmore: x\n'],
  ['kind: A\napiVersion: v1\nimage: a:1\nmetadata:\n', 'kind: A\napiVersion: v1\nimage: a:1\nmore: x\n'],
  [
    'kind: A\napiVersion: v1\nimage: a:1\nmetadata:\n  name: a\n  annotations: ~\n',
    'kind: A\napiVersion: v1\nimage: a:1\nmore: x\nmetadata:\n  name: a\n',
  ],
  ['kind: A\napiVersion: v1\nimage: a:1\n...\n', 'kind: A\napiVersion: v1\nimage: a:1\nmore: x\n'],
  ['--- # c\nkind: A\napiVersion: v1\nimage: a:1\n', '---\n# c\nkind: A\napiVersion: v1\nimage: a:1\nmore: x\n'],
  [
    'kind: A\napiVersion: v1\nimage: a:1\nmetadata:\n  name: a\ntext: |+\n  x\n\n\n',
    'kind: A\napiVersion: v1\nimage: a:1\nmore: x\nmetadata:\n  name: a\ntext: |+\n  x\n\n\n',
  ],
] as const;

t.test('what a function makes of documents', async (t) => {
  const text = `# top\n---\napiVersion: v1\nkind: A # kept\nmetadata: {name: a, annotations: {config.kubernetes.io/path: x, mine: "1"}}\nspec: &s {x: "1", y: 2}\nother: *s\n---\nnot: a resource\n---\napiVersion: v1\nkind: B\nmetadata:\n  name: b\nspec: [one, 'two']\n`;
  const file = { path: 'f.yaml', text };
  const request = await requestOf([file], { kind: 'X' });
  t.equal(request.documents.length, 2, 'what is no resource is not shown');
  const answer = async (change: (text: string) => string) => (await readAnswer(change(request.text), request)).files;
  t.same(await answer((text) => text), [], 'the same is no change');
  t.same(await answer((text) => text.replace('functionConfig', '# comment\nfunctionConfig')), []);
  t.same(
    await answer((list) => list.replace("'two'", '"2"')),
    [{ path: 'f.yaml', before: text, after: text.replace("'two'", "'2'") }],
    'a text alone is replaced, in its own quotes',
  );
  const anchored = await answer((list) => list.replace('x: "1"', 'x: "9"'));
  t.match(anchored[0]?.after, /spec: &s \{ ?x: "9"/, 'an anchor');
  const shape = await answer((list) => list.replace('name: b', 'name: b # b\n    labels: {l: v}'));
  t.match(
    shape[0]?.after,
    /^# top\n---\napiVersion: v1\nkind: A # kept\n[^]*\nnot: a resource\n---\napiVersion: v1\nkind: B\nmetadata:\n  name: b # b\n  labels:/,
    'another shape is written as the function wrote it, the other documents stay',
  );
  t.notMatch(shape[0]?.after, /internal\.config|kubernetes\.io\/index/, 'without the annotations of the way');

  // Documents that are awkward to make an item of: the same again is no change, and a text alone is replaced.
  for (const [before, after] of documents) {
    const request = await requestOf([{ path: 'f.yaml', text: before }], undefined);
    t.same((await readAnswer(request.text, request)).files, [], JSON.stringify(before));
    const [changed] = (await readAnswer(request.text.replace('a:1', 'a:2'), request)).files;
    t.equal(changed?.after, before.replace('a:1', 'a:2'), 'a text of it');
    const [shape] = (await readAnswer(request.text.replace('image: a:1', 'image: a:1\n  more: x'), request)).files;
    t.equal(shape?.after, after, 'another shape of it');
  }
});

t.test('diffs of whole files, as git takes them', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'image-update-diff-'));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  for (const [before, after] of [
    ['a\nb\nc\n', 'a\nB\nc\n'],
    ['a\nb\n', 'a\nb\nc\n'],
    ['a\nb\nc\n', 'a\nc\n'],
    ['', 'x\n'],
    ['x\n', ''],
    ['a', 'b'],
    ['same\n', 'same\n'],
    ['a\na\na\n', 'a\na\n'],
    ['a\n', 'a\nb\n'],
    ['a', 'a\nb'],
    ['1\n2\n3\n4\n5\n6\n7\n8\n9\n', '2\n3\n4\n5\n6\n7\n8\n9\nx\n'],
    ['1\n2\n3\n4\n5\n6\n7\n8\n9\n', '1\n3\n4\n5\n6\n7\n8\n9\n10\n11'],
    [null, 'x\ny'],
    [null, ''],
    ['x\ny\n', null],
    ['', null],
  ] as const) {
    const about = JSON.stringify([before, after]);
    const edit = editOf('f g', before ?? '', after ?? '');
    t.equal(replaceAll(before ?? '', edit.replacements), after ?? '', about);
    const file = join(home, 'f g');
    if (before === null) rmSync(file, { force: true });
    else writeFileSync(file, before);
    const diff = diffOf({
      parts: [],
      results: [],
      edits: [{ ...edit, ...(before === null && { file: 'new' }), ...(after === null && { file: 'deleted' }) }],
    });
    if (before !== after) git(home, ['apply'], diff);
    t.equal(existsSync(file) ? readFileSync(file, 'utf8') : null, after, `${about}: applied`);
  }
});
