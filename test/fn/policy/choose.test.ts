import t from 'tap';
import type { TagMetadata } from '../../../fn/lookup/metadata.ts';
import { choose, type Current } from '../../../fn/policy/choose.ts';
import { compilePattern } from '../../../fn/policy/pattern.ts';
import { compilePolicy } from '../../../fn/policy/policy.ts';
import type { Malformed, Rule } from '../../../fn/policy/rule.ts';
import {
  canonical,
  metadataOf,
  noPatterns,
  noPolicies,
  patternChoices,
  policyChoices,
  type ChoiceCase,
} from '../../fixtures/policy/choices.ts';

for (const [kind, cases] of Object.entries({ filters: patternChoices, policies: policyChoices }))
  t.test(`choices by ${kind}`, async (t) => {
    for (const each of cases) {
      const rule = compiled(typeof each.rule === 'string' ? compilePattern(each.rule) : compilePolicy(each.rule));
      const metadata = metadataOf(each);
      const choice = choose(rule, metadata, currentOf(each), each.options);
      const candidates = choice.candidates.map(({ name }) => name);
      const rejected = Object.fromEntries(choice.rejected.map(({ tag, rule }) => [tag, rule]));
      const name = `${each.section}: ${each.about}`;
      t.equal(choice.chosen?.name ?? null, each.chosen, name);
      t.equal(choice.reason, each.reason, `${name}: reason`);
      if (each.order !== undefined) t.equal(candidates.join(' '), each.order, `${name}: order`);
      if (each.rejected) t.match(rejected, each.rejected, `${name}: rejected`);
      if (each.message) t.match(choice.message, each.message, `${name}: message`);
      t.same(
        [...rule.warnings, ...choice.warnings].map(({ reason }) => reason),
        each.warnings ?? [],
        `${name}: warnings`,
      );
      t.same(
        [...candidates, ...Object.keys(rejected)].sort(),
        metadata.tags.map((tag) => tag.name).sort(),
        `${name}: every tag`,
      );
    }
  });

t.test('what does not compile', async (t) => {
  for (const [section, pattern, why] of noPatterns) {
    const { error } = compilePattern(pattern) as Malformed;
    t.equal(error.reason, 'filter-malformed', `${section}: ${pattern}`);
    t.match(error.message, why);
  }
  for (const [spec, why] of noPolicies) {
    const { error } = compilePolicy(spec) as Malformed;
    t.equal(error.reason, 'policy-malformed', JSON.stringify(spec));
    t.match(error.message, why);
  }
});

t.test('what rules say of themselves', async (t) => {
  for (const [pattern, text] of canonical) t.equal(compiled(compilePattern(pattern)).text, text);
  const policy = { policy: { numerical: {} }, interval: '5m', suspend: null };
  const rule = compiled(compilePolicy({ ...policy, filterTags: { pattern: '^(.)', extract: '$1' }, exclude: ['x'] }));
  t.equal(rule.text, 'numerical asc of $1 where regexp:^(.) not regexp:x');
  t.equal(rule.digest, 'Never');
  t.equal(compiled(compilePolicy({ ...policy, digest: 'Always' })).digest, 'Always');
  t.equal(compiled(compilePolicy({ ...policy, digestReflectionPolicy: 'IfNotPresent' })).digest, 'IfNotPresent');
  t.equal(compiled(compilePolicy({ policy: { semver: { range: 1 } } })).text, 'semver 1');
});

t.test('an age counts from the push, else from the build, else from the first sight', async (t) => {
  const rule = compiled(compilePolicy({ policy: { alphabetical: {} }, minimumAge: '1d' }));
  const [old, young] = ['2026-01-01T00:00:00Z', '2026-01-09T12:00:00Z'];
  const tags: [TagMetadata, string][] = [
    [{ name: 'a', pushed: old, created: young, firstSeen: young }, 'chosen'],
    [{ name: 'b', pushed: young, created: old, firstSeen: old }, 'too-young'],
    [{ name: 'c', created: old, firstSeen: young }, 'chosen'],
    [{ name: 'd', created: '1970-01-01T00:00:01Z', firstSeen: old }, 'chosen'],
    [{ name: 'e', created: '0001-01-01T00:00:00Z', firstSeen: young }, 'too-young'],
    [{ name: 'f', firstSeen: '2026-01-09T00:00:00.000000001Z' }, 'too-young'],
    [{ name: 'g', firstSeen: '2026-01-09T02:00:00+02:00' }, 'chosen'],
    [{ name: 'h', firstSeen: 'long ago' }, 'age-unknown'],
  ];
  for (const [tag, expected] of tags) {
    const { chosen, rejected } = choose(rule, {
      image: 'app',
      complete: true,
      scannedAt: '2026-01-10T00:00:00Z',
      tags: [tag],
    });
    t.equal(chosen ? 'chosen' : rejected[0]?.rule, expected, tag.name);
  }
});

function compiled(rule: Rule | Malformed): Rule {
  if ('error' in rule) throw new Error(rule.error.message);
  return rule;
}

function currentOf({ current, now }: ChoiceCase): Current | undefined {
  if (current === undefined) return undefined;
  return current === '-' ? { ...now } : { tag: current, ...now };
}
