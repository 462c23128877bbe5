// Policies of workloads as annotations.
import t from 'tap';
import { annotationEdit, filteredContainers, invalidKey, policyChanges, sayPolicies } from '../../fn/policies.ts';
import type { ScalarNode } from '../../fn/yaml/tree.ts';
import { policies } from '../fixtures/policies.ts';

function annotated(there: Record<string, string>): { annotations: Map<string, ScalarNode> } {
  const scalar = (value: string): ScalarNode => ({ kind: 'scalar', style: 'double', start: 0, end: 0, value });
  return { annotations: new Map(Object.entries(there).map(([key, value]) => [key, scalar(value)])) };
}

t.test('policies are annotations', async (t) => {
  for (const { about, there = {}, request, set = {}, remove = [], said } of policies) {
    const changes = policyChanges({ filters: new Map(), ...request }, ['web', 'proxy']);
    const edit = annotationEdit(annotated(there), changes);
    t.same(Object.fromEntries(edit.set), set, `${about}: set`);
    t.same([...edit.remove], remove, `${about}: removed`);
    t.equal(sayPolicies(changes), said, `${about}: said`);
  }
});

t.test('containers that have filters', async (t) => {
  const there = { 'fluxcd.io/tag.a': '', 'flux.weave.works/tag.b': '', 'filter.fluxcd.io/c': '', 'fluxcd.io/d': '' };
  t.same(filteredContainers(annotated(there)), ['a', 'b', 'c']);
});

t.test('keys that no annotation may have', async (t) => {
  const keys: [key: string, valid: boolean][] = [
    ['fluxcd.io/tag.web', true],
    ['filter.fluxcd.io/A_b.c-9', true],
    ['filter.fluxcd.io/steps[0]', false],
    ['filter.fluxcd.io/-a', false],
    ['filter.fluxcd.io/a b', false],
    [`filter.fluxcd.io/${'a'.repeat(63)}`, true],
    [`filter.fluxcd.io/${'a'.repeat(64)}`, false],
    ['filter.fluxcd.io/a/b', false],
  ];
  for (const [key, valid] of keys)
    t.equal(invalidKey({ set: new Map([[key, '']]), remove: new Set() }), valid ? undefined : key, key);
});
