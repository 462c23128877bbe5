// tk-image create: from a command line to an object.
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { checkObject, kinds } from '../../api/kinds.ts';
import { toStructural } from '../../api/structural.ts';
import { creating } from '../../cli/create.ts';
import { created } from '../../cli/specs/create.ts';
import type { Io } from '../../fn/io.ts';
import { isNote, readValue } from '../../fn/lookup/read.ts';
import { splitDocuments } from '../../fn/yaml/documents.ts';
import { optionsOf, valueOf } from '../api/random.ts';

const RUNS = process.env['QUICK'] ? 10 : 60;

interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

async function run(name: string, argv: string[]): Promise<Ran> {
  const ran = { stdout: '', stderr: '' };
  const io: Io = {
    read: () => assert.fail('nothing is read'),
    isTerminal: false,
    output: (text) => (ran.stdout += text),
    error: (line) => (ran.stderr += `${line}\n`),
    environment: {},
  };
  return { status: await creating(name)(argv, io), ...ran };
}

async function objectOf(yaml: string): Promise<unknown> {
  const value = await readValue(yaml, splitDocuments(yaml)[0]!);
  assert.ok(!isNote(value), yaml);
  return JSON.parse(JSON.stringify(value));
}

for (const [name, { kind }] of Object.entries(created))
  t.test(`${name}: whatever a spec may say`, async (t) => {
    const random = valueOf(toStructural(kinds[kind].spec), 'some').map(
      (spec) => JSON.parse(JSON.stringify(spec)) as Record<string, unknown>,
    );
    const metadata = { name: 'it', labels: { a: 'b' }, annotations: { c: 'd=e' } };
    const counts = { printed: 0 };
    await fc.assert(
      fc.asyncProperty(random, async (spec) => {
        const argv = [...optionsOf(kind, spec)].flatMap(([option, value]) => {
          if (value === false) return [];
          if (value === true) return [`--${option}`];
          const values = [value].flat();
          return values.length === 0 ? [`--no-${option}`] : values.map((each) => `--${option}=${each}`);
        });
        const object = { apiVersion: 'image-update.dev/v1alpha1', kind, metadata, spec };
        const wanted = checkObject(object);
        const { status, stdout, stderr } = await run(name, [
          'it',
          '--label',
          'a=b',
          '--annotation',
          'c=d=e',
          '--export',
          ...argv,
        ]);
        assert.equal(status, typeof wanted === 'string' ? 2 : 0, stderr);
        if (typeof wanted === 'string') return;
        counts.printed++;
        // What is off or empty by default is not said.
        assert.deepEqual(checkObject(await objectOf(stdout)), wanted);
      }),
      { numRuns: RUNS },
    );
    // Of a few there may be none.
    t.ok(counts.printed > 0 || process.env['QUICK'], `${counts.printed} of ${RUNS} were printed`);
  });

t.test('what is printed', async (t) => {
  const { status, stdout, stderr } = await run('create repository', [
    'app',
    '-n',
    'web',
    '--image',
    'nginx',
    '--suspend',
    '--no-exclude',
    '--secret-ref',
    'a',
    '--secret-ref',
    'b',
    '--export',
  ]);
  t.equal(status, 0);
  t.equal(stderr, '');
  t.equal(
    stdout,
    `apiVersion: image-update.dev/v1alpha1
kind: ImageRepository
metadata:
  name: app
  namespace: web
spec:
  image: nginx
  auth:
    secretRefs:
      - name: a
      - name: b
  exclude: []
  suspend: true
`,
  );
});

t.test('what is refused', async (t) => {
  for (const [argv, problem] of [
    [['app', '--image', 'nginx'], /add --export, and apply what is printed with: \| kubectl apply -f -/],
    [['--image', 'nginx', '--export'], /say how the object is called: NAME/],
    [['a', 'b', '--image', 'nginx', '--export'], /one NAME is enough; what is "b"\?/],
    [['App', '--image', 'nginx', '--export'], /metadata\.name: "App"/],
    [['app', '--export'], /spec\.image \(--image\): it is missing/],
    [['app', '--image', 'nginx:1', '--export'], /spec\.image \(--image\): "nginx:1": it must be a repository alone/],
    [['app', '--imge', 'nginx', '--export'], /--image/],
    [['app', '--image', 'nginx', '--auth-ambient', 'ibm', '--export'], /ibm/],
    [['app', '--image', 'nginx', '--label', 'a', '--export'], /--label "a": write KEY=VALUE/],
    [['app', '--image', 'nginx', '--label', '=a', '--export'], /--label "=a": write KEY=VALUE/],
    [['app', '--image', 'nginx', '--label', 'a=b', '--label', 'a=c', '--export'], /--label "a=c": a is given twice/],
    [['app', '--image', 'nginx', '--label', 'a=b,c=d', '--export'], /metadata\.labels: "b,c=d" is no value of a label/],
    [['app', '--image', 'nginx', '--label', 'a b=c', '--export'], /metadata\.labels: "a b" is no key of a label/],
    [
      ['app', '--image', 'nginx', '--annotation', 'A.b/c=d', '--annotation', '/e=f', '--export'],
      /metadata\.annotations: "\/e" is no key of an annotation/,
    ],
    [['app', '--image', 'nginx', '--secret-ref', 'a', '--auth-secret-refs', 'b', '--export'], /are the same field/],
  ] as const) {
    const { status, stdout, stderr } = await run('create repository', [...argv]);
    t.equal(status, 2, argv.join(' '));
    t.equal(stdout, '');
    t.match(stderr, problem);
  }
});
