// Rules of other tools: what each is in our terms, and that both choose the same where the table says so.
import t from 'tap';
import type { ImageMetadata } from '../../fn/lookup/metadata.ts';
import { choose } from '../../fn/policy/choose.ts';
import { compilePattern } from '../../fn/policy/pattern.ts';
import { compilePolicy } from '../../fn/policy/policy.ts';
import type { Malformed, Rule } from '../../fn/policy/rule.ts';
import { mappings, type Mapping } from '../fixtures/migrate/mappings.ts';
import { meaningOf } from '../fixtures/migrate/rules.ts';

function metadataOf({ tags = '' }: Mapping): ImageMetadata {
  const names = tags.split(' ');
  return {
    image: 'ghcr.io/example/app',
    complete: true,
    scannedAt: '2026-03-01T00:00:00Z',
    tags: names.map((name, i) => ({ name, created: `2026-01-${String(i + 1).padStart(2, '0')}T00:00:00Z` })),
  };
}

function chosen(rule: Rule | Malformed, mapping: Mapping): string | undefined {
  if ('error' in rule) throw new Error(rule.error.message);
  return choose(rule, metadataOf(mapping), mapping.tag === undefined ? {} : { tag: mapping.tag }).chosen?.name;
}

for (const mapping of mappings)
  t.test(`${mapping.from}: ${mapping.about}`, async (t) => {
    const { meaning, before } = meaningOf(mapping);
    if (mapping.hold) t.match(meaning, { hold: mapping.hold });
    if (mapping.cannot) t.match(meaning, { cannot: mapping.cannot });
    if (mapping.hold || mapping.cannot) return;
    if (!('policy' in meaning)) throw new Error(JSON.stringify(meaning));
    t.same(meaning.policy, mapping.policy);
    if (mapping.unfiltered) t.match(meaning.filter, { cannot: mapping.unfiltered });
    else t.same(meaning.filter, { text: mapping.filter });
    const rule = compilePolicy(meaning.policy);
    t.same('error' in rule ? rule.error : rule.warnings, [], 'the policy compiles without a word');
    if (mapping.before === undefined) t.match(before, { unknown: /./ });
    else t.equal('rule' in before && chosen(before.rule, mapping), mapping.before, 'the other tool');
    if ('text' in meaning.filter)
      t.equal(chosen(compilePattern(meaning.filter.text), mapping), mapping.byFilter, 'our filter');
    t.equal(chosen(rule, mapping), mapping.byPolicy, 'our policy');
  });
