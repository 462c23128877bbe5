import { readAutomation } from '../fn/find/annotations.ts';
import { compilePattern } from '../fn/policy/pattern.ts';
import type { PolicySpec } from '../fn/policy/policy.ts';
import { textOf } from '../fn/yaml/tree.ts';
import type { Forest } from './forest.ts';
import type { Before, Intent, Meaning } from './intent.ts';
import * as rules from './rules.ts';

/** Our own annotations, those of Flux v1, on the way to policies. */

const WORDS = ['luxcd.io/', 'flux.weave.works/'] as const;
const ANY_TAG = 'glob:*';
const KEYS = /^(?:(?:fluxcd\.io|flux\.weave\.works)\/(?:automated$|tag\.)|filter\.fluxcd\.io\/)/;

/** What a filter says, as an ImagePolicy says it. */
export function meaningOf(filter: string): { meaning: Meaning; before: Before } {
  const rule = compilePattern(filter);
  if ('error' in rule) return { meaning: { cannot: rule.error.message }, before: { unknown: rule.error.message } };
  const colon = rule.text.indexOf(':');
  const [type, body] = [rule.text.slice(0, colon), rule.text.slice(colon + 1)];
  return {
    meaning: { policy: specOf(type, body), filter: { text: filter }, notes: NOTES[type] ?? [] },
    before: { rule },
  };
}

function specOf(type: string, body: string): PolicySpec {
  if (type === 'glob') return { filter: { glob: body }, policy: { newest: {} } };
  if (type === 'regexp') return { filter: { regexp: body }, policy: { newest: {} } };
  return { policy: { semver: { range: body } } };
}

const NOTES: Record<string, readonly string[]> = {
  glob: ['of tags with one build time the smallest name was taken; a policy takes the highest version'],
  regexp: ['of tags with one build time the smallest name was taken; a policy takes the highest version'],
  semver: ['an ImagePolicy takes only versions of three numbers, where 1.2 counted as 1.2.0'],
};

/** Reads the annotations of automated workloads. */
export async function read(forest: Forest): Promise<Intent[]> {
  const intents: Intent[] = [];
  for (const leaf of await forest.leavesWith(WORDS))
    for (const resource of leaf.document.resources) {
      const sites = forest.sites(leaf).filter((site) => site.resource === resource);
      const { automated, filters } = readAutomation(
        resource,
        sites.map(({ field }) => field.container),
      );
      if (!automated) continue;
      const keys = [...resource.annotations.keys()].filter((key) => KEYS.test(key));
      const first = resource.annotations.get(keys[0] ?? '');
      for (const site of sites) {
        const filter = filters.get(site.field.container);
        const { meaning, before } = meaningOf(filter?.pattern ?? ANY_TAG);
        intents.push({
          from: 'annotations',
          leaf,
          offset: filter?.scalar.start ?? first?.start ?? resource.node.start,
          written: textOf(filter?.scalar) ?? `${ANY_TAG} (no filter)`,
          image: site.field.reference?.name ?? '',
          site,
          meaning: rangeMeaning(meaning),
          before,
          notes: [],
          remnants: [{ leaf, resource, keys }],
        });
      }
    }
  return intents;
}

/** Policies let other prereleases in than annotations do, where a range names some but not everywhere. */
function rangeMeaning(meaning: Meaning): Meaning {
  const range = 'policy' in meaning ? meaning.policy.policy.semver?.range : undefined;
  if (range === undefined || rules.isSameGate(range) === true) return meaning;
  return {
    cannot: `an ImagePolicy with the range ${range} would let prereleases in, which the annotation does not; leave the prerelease out of the range`,
  };
}
