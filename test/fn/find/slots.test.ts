import fc from 'fast-check';
import t from 'tap';
import { change, referenceOf, type Change, type Slots } from '../../../fn/find/slots.ts';
import { parsePath } from '../../../fn/find/path.ts';
import { formatReference } from '../../../fn/reference.ts';
import type { ScalarNode } from '../../../fn/yaml/tree.ts';
import { changeCases, type ChangeCase } from '../../fixtures/find/changes.ts';

const PARTS = ['whole', 'registry', 'repository', 'tag', 'digest'] as const;

function slotsOf(texts: ChangeCase['slots'], repositoryIs?: Slots['repositoryIs']): Slots {
  const slots: Slots = { ...(repositoryIs && { repositoryIs }) };
  for (const part of PARTS) {
    const value = texts[part];
    if (value !== undefined) slots[part] = scalar(value);
  }
  return slots;
}

function scalar(value: string | null): ScalarNode {
  return { kind: 'scalar', start: 0, end: 0, value: value ?? '', style: value === null ? 'empty' : 'plain' };
}

t.test('changes', async (t) => {
  for (const { name, slots: texts, repositoryIs, to, writes } of changeCases) {
    const slots = slotsOf(texts, repositoryIs);
    const made = change(slots, to);
    if (typeof writes === 'string') t.match(made, { cannot: writes }, name);
    else if ('cannot' in made) t.fail(`${name}: ${made.cannot}`);
    else
      t.strictSame(
        made.map(({ scalar, value }) => [PARTS.find((part) => slots[part] === scalar), value]),
        Object.entries(writes),
        name,
      );
  }
});

t.test('what is written reads back as what was asked for, and asking again writes nothing', async () => {
  const name = fc.constantFrom('app', 'org/app', 'ghcr.io/org/app', 'localhost:5000/a/b');
  const tag = fc.constantFrom('1', 'v1.10', 'latest');
  const digest = fc.constantFrom(`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`);
  const split = fc.record(
    {
      registry: fc.constantFrom('', 'quay.io', 'gcr.io/proj', 'myorg'),
      repository: fc.constantFrom('app', 'org/app', 'app:1', `app@sha256:${'a'.repeat(64)}`),
      tag: fc.oneof(fc.constantFrom('', `1@sha256:${'a'.repeat(64)}`), tag),
      digest: fc.oneof(fc.constant(''), digest),
    },
    { requiredKeys: ['repository'] },
  );
  const whole = fc.record({ whole: fc.constantFrom('app', 'o/app:1', `o/app:1@sha256:${'a'.repeat(64)}`) });
  const to = fc.record(
    { name, tag: fc.option(tag), digest: fc.option(digest) },
    { requiredKeys: [] },
  ) satisfies fc.Arbitrary<Change>;
  fc.assert(
    fc.property(
      fc.oneof(split, whole),
      fc.constantFrom(undefined, 'name' as const, 'key' as const),
      to,
      (texts, is, to) => {
        const slots = slotsOf(texts, is);
        const writes = change(slots, to);
        if ('cannot' in writes) return;
        const before = referenceOf(slots);
        if ('problem' in before) throw new Error('a reference that is none was changed');
        for (const { scalar, value } of writes) Object.assign(scalar, { value, style: 'plain' });
        const after = referenceOf(slots);
        const again = change(slots, to);
        if ('problem' in after || 'cannot' in again) throw new Error('what was written is no reference');
        const wanted = { ...before.reference, ...to };
        const same =
          after.reference.tag === (wanted.tag ?? undefined) &&
          after.reference.digest === (wanted.digest ?? undefined) &&
          again.length === 0;
        if (!same) throw new Error(`${formatReference(after.reference)} is not what was asked for`);
      },
    ),
    { numRuns: process.env['QUICK'] ? 300 : 3000 },
  );
});

t.test('paths', async (t) => {
  const every = { every: true };
  const cases: [string, unknown][] = [
    ['a', [{ key: 'a' }]],
    ['a.b-c.0', [{ key: 'a' }, { key: 'b-c' }, { key: '0' }]],
    ['a\\.b.c', [{ key: 'a.b' }, { key: 'c' }]],
    ['a[0].b[][*]', [{ key: 'a' }, { index: 0 }, { key: 'b' }, every, every]],
    ['a["b.\\"c]"].d', [{ key: 'a' }, { key: 'b."c]' }, { key: 'd' }]],
    ['[1]["x"]', [{ index: 1 }, { key: 'x' }]],
    ...['', '.', '.a', 'a.', 'a..b', 'a[', 'a[x]', 'a[0]b', 'a[-1]', 'a["x]', 'a["\\x"]', 'a[0].', '[0]..a'].map(
      (text): [string, unknown] => [text, undefined],
    ),
    ['a.'.repeat(100) + 'a', undefined],
  ];
  for (const [text, steps] of cases) t.strictSame(parsePath(text), steps, text);
});
