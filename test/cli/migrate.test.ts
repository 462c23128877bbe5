// `tk-image migrate`: what it writes where, all of it or nothing, and what it prints on which stream.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { migrate } from '../../cli/migrate.ts';
import type { Io } from '../../fn/io.ts';

interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

async function run(...argv: string[]): Promise<Ran> {
  const ran = { status: -1, stdout: '', stderr: '' };
  const io: Io = {
    read: (name) => readFileSync(name),
    isTerminal: false,
    output: (text) => (ran.stdout += text),
    error: (line) => (ran.stderr += `${line}\n`),
    environment: {},
  };
  ran.status = await migrate(argv, io);
  return ran;
}

const WEB = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    keel.sh/policy: minor
spec:
  template:
    spec:
      containers:
      - name: web
        image: ghcr.io/example/web:1.4.2
`;

const METADATA = `apiVersion: image-update.dev/v1alpha1
kind: ImageMetadata
image: ghcr.io/example/web
tags: [1.4.2, 1.5.0, 2.0.0]
`;

/** A directory with a workload, and what registries tell beside it. */
function place(t: Test, files: Record<string, string> = { 'web.yaml': WEB }) {
  const directory = t.testdir({ tree: files, 'metadata.yaml': METADATA });
  const tree = join(directory, 'tree');
  return {
    tree,
    output: join(directory, 'policies.yaml'),
    read: (name: string) => readFileSync(join(tree, name), 'utf8'),
    options: ['--offline', '--metadata', join(directory, 'metadata.yaml')],
  };
}

t.test('a table for people, and files that are changed', async (t) => {
  const { tree, read, options } = place(t);
  const ran = await run(tree, ...options);
  t.match(ran, { status: 0, stderr: /migrated 1 image in 1 file; what the other tool reads stays/ });
  t.match(ran.stdout, /^WORKLOAD +CONTAINER +FROM +RULE +OURS +CURRENT +BEFORE +AFTER\n/);
  t.match(
    ran.stdout,
    /^default:deployment\/web +web +keel +minor +strict-semver:~1 +1\.4\.2 +1\.5\.0 +1\.5\.0 +equal$/m,
  );
  t.match(read('web.yaml'), /^ {4}filter\.fluxcd\.io\/web: strict-semver:~1$/m);
  const again = await run(tree, ...options);
  t.match(again, { status: 0, stderr: /migrated 0 images in 0 files, 1 there already\n/ });
});

t.test('--dry-run writes nothing, and --diff is what would be', async (t) => {
  const { tree, read, output, options } = place(t);
  const ran = await run(tree, '--to', 'policies', '--output', output, '--dry-run', '--diff', ...options);
  t.equal(ran.status, 0);
  t.match(ran.stdout, /^\+ {8}image: ghcr\.io\/example\/web:1\.4\.2 # \{"\$imagepolicy": "default:web"\}$/m);
  t.match(ran.stdout, /^\+kind: ImagePolicy$/m);
  t.match(ran.stderr, /^WORKLOAD/m);
  t.equal(read('web.yaml'), WEB);
  t.notOk(existsSync(output));
});

t.test('new objects are printed, or put behind what a file holds', async (t) => {
  const { tree, output, options } = place(t);
  const printed = await run(tree, '--to', 'policies', '--dry-run', ...options);
  t.match(printed.stdout, /^---\napiVersion: image-update\.dev\/v1alpha1\nkind: ImageRepository\n/);
  writeFileSync(output, '# ours\nkind: Other');
  t.match(await run(tree, '--to', 'policies', '-n', 'apps', '--output', output, ...options), { status: 0 });
  const text = readFileSync(output, 'utf8');
  t.match(text, /^# ours\nkind: Other\n---\napiVersion/);
  t.match(text, /namespace: apps/);
  t.match(await run(tree, '--to', 'policies', '-n', 'apps', '--output', output, ...options), { status: 0 });
  t.equal(readFileSync(output, 'utf8'), text, 'a second run finds them there');
});

t.test('the file for new objects may be one of those that are migrated', async (t) => {
  const { tree, read, options } = place(t);
  const argv = [tree, '--to', 'policies', '--output', join(tree, 'web.yaml'), ...options];
  t.match(await run(...argv), { status: 0 });
  const text = read('web.yaml');
  t.match(text, /"default:web"\}\n---\napiVersion: image-update\.dev/);
  t.match(await run(...argv), { status: 0 });
  t.equal(read('web.yaml'), text);
});

t.test('where one file cannot be written, none is', async (t) => {
  const { tree, read, output, options } = place(t, {
    'web.yaml': WEB,
    'zeta.yaml': WEB.replaceAll('name: web', 'name: zeta'),
  });
  const inTheWay = () => writeFileSync(join(tree, `.zeta.yaml.${process.pid}.tmp`), 'in the way');
  inTheWay();
  const ran = await run(tree, '--to', 'policies', '--output', output, ...options);
  t.match(ran, { status: 1, stderr: /zeta\.yaml cannot be written: .*nothing was changed/ });
  t.equal(read('web.yaml'), WEB);
  t.notOk(existsSync(output), 'nor is the file of new objects');
  writeFileSync(output, '# ours\n');
  inTheWay();
  t.match(await run(tree, '--to', 'policies', '--output', output, ...options), { status: 1 });
  t.equal(readFileSync(output, 'utf8'), '# ours\n', 'or it is put back');
  const nowhere = await run(tree, '--to', 'policies', '--output', join(tree, 'no/such.yaml'), ...options);
  t.match(nowhere, { status: 1, stderr: /such\.yaml cannot be written/ });
  t.equal(read('web.yaml'), WEB);
});

t.test('the report for programs', async (t) => {
  const { tree, options } = place(t);
  const { stdout, status } = await run(tree, '-o', 'json', '--dry-run', ...options);
  t.equal(status, 0);
  t.match(JSON.parse(stdout), {
    rows: [
      {
        workload: 'default:deployment/web',
        container: 'web',
        field: 'spec.template.spec.containers[0].image',
        from: 'keel',
        written: 'minor',
        ours: 'strict-semver:~1',
        status: 'written',
        current: '1.4.2',
        before: { tag: '1.5.0' },
        after: { tag: '1.5.0' },
        verdict: 'equal',
        line: 12,
      },
    ],
    objects: [],
    notes: [],
  });
  t.match((await run(tree, '-o', 'yaml', '--dry-run', ...options)).stdout, /^rows:\n/);
});

t.test('what is not known is said, and so is that there is nothing', async (t) => {
  const { tree } = place(t);
  const ran = await run(tree, '--offline', '--dry-run');
  t.match(ran.stdout, / \? +\? +unknown$/m);
  const { tree: empty } = place(t, { 'config.yaml': 'image: nginx\n' });
  t.match(await run(empty, '--offline'), { status: 0, stdout: '', stderr: /nothing to migrate/ });
  t.match(await run(join(empty, 'nowhere'), '--offline'), { status: 1, stderr: /cannot be read/ });
  t.match(await run(empty, '--from', 'argo'), { status: 2, stderr: /argocd-image-updater, keel/ });
});

t.test('a name of a manifest cannot speak to the terminal', async (t) => {
  const hostile = WEB.replace('- name: web', String.raw`- name: "web\e[2J\nerror: all is lost"`);
  const { tree, options } = place(t, { 'web.yaml': hostile });
  const { stdout, stderr } = await run(tree, '--dry-run', ...options);
  t.notOk((stdout + stderr).includes('\u001B'));
  t.notMatch(stdout + stderr, /^error/m);
});
