import t from 'tap';
import { readAutomation, type Automation } from '../../../fn/find/annotations.ts';
import { findMarkers } from '../../../fn/find/markers.ts';
import { resourcesOf } from '../../../fn/find/resources.ts';
import type { Note } from '../../../fn/note.ts';
import { lineAt } from '../../../fn/lines.ts';
import { compose } from '../../../fn/yaml/compose.ts';
import type { Node } from '../../../fn/yaml/tree.ts';
import { annotationCases } from '../../fixtures/find/annotations.ts';
import { markerCases } from '../../fixtures/find/markers.ts';

function read(text: string, start = 0): Node {
  const tree = compose(text, start, text.length);
  if (!tree || 'problem' in tree) throw new Error(JSON.stringify(tree));
  return tree;
}

/** Notes as their cases write them: the part of the message that the case has, if it is there. */
function told(notes: Note[], wanted: string[], start: (note: Note) => string): string[] {
  return notes.map((note, i) => {
    const head = start(note);
    const part = wanted[i]?.slice(head.length);
    return head + (part !== undefined && note.message.includes(part) ? part : note.message);
  });
}

function summary({ automated, locked, lockedBy, lockedMessage, ignored, filters }: Automation): string {
  return [
    automated && 'automated',
    locked && 'locked',
    lockedBy && `by ${lockedBy}:`,
    lockedMessage,
    ignored && 'ignored',
    ...Array.from(filters, ([container, { pattern }]) => `${container}=${pattern}`),
  ]
    .filter((part) => part !== false && part !== undefined)
    .join(' ');
}

t.test('annotations', async (t) => {
  for (const { name, lines, says, notes = [] } of annotationCases) {
    const text = `kind: Deployment\nmetadata:\n  annotations:\n${lines.map((line) => `    ${line}\n`).join('')}`;
    const automation = readAutomation(resourcesOf(read(text))[0]!, ['app', 'side', 'app']);
    t.equal(summary(automation), says, name);
    t.strictSame(
      told(automation.notes, notes, ({ reason }) => `${reason}: `),
      notes,
      name,
    );
    for (const note of automation.notes) t.ok(note.offset! > 0, `${name}: has its place`);
  }
});

t.test('annotations in places where they mean nothing', async (t) => {
  const annotations = 'metadata: {annotations: {fluxcd.io/automated: "true", fluxcd.io/sync-checksum: x, other: y}}';
  const places = [
    [`spec: {template: {${annotations}}}`, 'spec.template.metadata.annotations'],
    [`spec: {jobTemplate: {${annotations}}}`, 'spec.jobTemplate.metadata.annotations'],
    [
      `spec: {jobTemplate: {spec: {template: {${annotations}}}}}`,
      'spec.jobTemplate.spec.template.metadata.annotations',
    ],
    [annotations.replace('annotations', 'labels'), 'metadata.labels'],
  ] as const;
  for (const [text, place] of places) {
    const { automated, notes } = readAutomation(resourcesOf(read(`kind: X\n${text}`))[0]!, []);
    t.equal(automated, false);
    t.strictSame(
      notes.map(({ message }) => message),
      [`fluxcd.io/automated means nothing under ${place}; move it to metadata.annotations of the workload`],
    );
  }
});

t.test('a filter where there is no container', async (t) => {
  const [resource] = resourcesOf(read('kind: X\nmetadata: {annotations: {filter.fluxcd.io/app: "*"}}'));
  t.match(readAutomation(resource!, []).notes, [{ message: 'no container was found' }]);
  const many = Array.from({ length: 30 }, (_, i) => `c${i}`);
  t.match(readAutomation(resource!, many).notes, [{ message: 'c19, …' }]);
});

t.test('markers', async (t) => {
  for (const { name, text, markers = [], notes = [] } of markerCases) {
    const found = findMarkers(text, read(text), 0, text.length);
    t.strictSame(
      found.markers.map(({ path, namespace, policy, part }) => `${path} -> ${namespace}:${policy} ${part}`),
      markers,
      name,
    );
    t.strictSame(
      told(found.notes, notes, ({ reason, offset }) => `${lineAt(text, offset!)} ${reason}: `),
      notes,
      name,
    );
  }
});

t.test('markers of a document among others', async (t) => {
  const marked = 'image: app:1 # {"$imagepolicy": "ns:app"}\n';
  const text = `${marked}---\n${marked}---\n# {"$imagepolicy": "ns:app"}\n`;
  const start = marked.length + 4;
  const end = start + marked.length;
  const tree = compose(text, start, end);
  if (!tree || 'problem' in tree) throw new Error('not read');
  const { markers, notes } = findMarkers(text, tree, start, end);
  t.same(notes, []);
  t.equal(markers.length, 1);
  t.equal(markers[0]!.offset, start + 13);
  t.equal(text.slice(markers[0]!.scalar.start, markers[0]!.scalar.end), 'app:1');
  t.match(findMarkers(text, undefined, end + 4, text.length).notes, [{ reason: 'marker-misplaced' }]);
});

t.test('an alias has the scalar of its anchor', async (t) => {
  const text = 'a: &x app:1\nb: *x # {"$imagepolicy": "ns:app"}\n';
  const [marker] = findMarkers(text, read(text), 0, text.length).markers;
  t.equal(marker!.scalar.start, text.indexOf('app:1'));
});

t.test('more mistakes than anybody reads', async (t) => {
  const text = `a:\n${'# {"$imagePolicy": "ns:app"}\n'.repeat(500)}`.concat('b: c\n');
  const { notes } = findMarkers(text, read(text), 0, text.length);
  t.equal(notes.length, 101);
  t.match(notes.at(-1)!.message, '400 more');
});
