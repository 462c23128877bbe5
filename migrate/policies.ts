import type { Config } from '../fn/config/config.ts';
import { groupOf } from '../fn/find/resources.ts';
import type { Marker } from '../fn/find/markers.ts';
import { findImages, type GovernedField } from '../fn/governed.ts';
import { lineEnd } from '../fn/lines.ts';
import { Answers, policyLabel, policyStatus, type PolicyObject } from '../fn/lookup/answers.ts';
import { asMap, asText, type Values } from '../fn/lookup/values.ts';
import { compileRegexp } from '../fn/policy/regexp.ts';
import { compilePolicy, type PolicySpec } from '../fn/policy/policy.ts';
import { plainValues, type Forest, type Leaf } from './forest.ts';
import type { Before, From, Intent, Meaning, Terms } from './intent.ts';
import * as rules from './rules.ts';

/** ImagePolicy objects, Flux's and ours, and the markers that name them. */

export const FLUX = 'image.toolkit.fluxcd.io';
export const OURS = 'image-update.dev';

/** The objects of one group that files hold. */
export interface Objects {
  all: Values[];
  answers: Answers;
}

/** The objects of a group among the files, and among other values, such as those of `--metadata`. */
export async function objectsOf(forest: Forest, group: string, given: readonly unknown[]): Promise<Objects> {
  const answers = new Answers();
  const all: Objects['all'] = [];
  for (const leaf of await forest.leavesWith([group]))
    for (const resource of leaf.document.resources)
      if (groupOf(resource.ref) === group) {
        all.push(plainValues(resource.node));
      }
  const others = given.map(asMap).filter((value) => value !== undefined);
  all.push(...others.filter((value) => (asText(value['apiVersion']) ?? '').startsWith(`${group}/`)));
  for (const value of all) answers.add(value);
  return { all, answers };
}

/** A policy's spec in our spelling. What is wrong with it, `compilePolicy` says. */
export function specOfPolicy(spec: Values): PolicySpec {
  const tags = asMap(spec['filterTags']);
  const filter = asMap(spec['filter']) ?? (tags && { regexp: tags['pattern'], extract: tags['extract'] });
  const digest = asText(spec['digest'] ?? spec['digestReflectionPolicy']);
  const kept = Object.entries(filter ?? {}).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  );
  return {
    ...(kept.length > 0 && { filter: Object.fromEntries(kept) }),
    ...pick(spec, ['exclude', 'minimumAge', 'downgrade']),
    policy: asMap(spec['policy']) ?? {},
    ...(digest !== undefined && digest !== 'Never' && { digest: digest as PolicySpec['digest'] & string }),
  };
}

function pick(spec: Values, keys: readonly string[]): Partial<PolicySpec> {
  return Object.fromEntries(keys.flatMap((key) => (spec[key] == null ? [] : [[key, spec[key]]])));
}

/** The terms of a policy, with the filter of an annotation that says the same. */
function termsOfPolicy(spec: PolicySpec, notes: readonly string[]): Terms {
  return { policy: spec, filter: filterOf(spec), notes };
}

const LITERAL = /^\^((?:[\w-]|\\\.)+)\$$/;

function filterOf({ policy, filter, exclude, minimumAge, digest }: PolicySpec): Terms['filter'] {
  const { regexp, extract, glob } = filter ?? {};
  if (minimumAge !== undefined) return { cannot: 'an annotation has no minimum age; --to policies has' };
  if (exclude && exclude.length > 0) return { cannot: 'an annotation cannot leave out tags; --to policies can' };
  if (digest !== undefined && digest !== 'Never')
    return {
      cannot: 'an annotation does not look digests up; --to policies can, or "digests: pin" of the functionConfig',
    };
  if (policy.semver) {
    if (filter) return { cannot: 'an annotation has either a range or a pattern; --to policies can say both' };
    const range = policy.semver.range ?? '';
    return rules.isSameGate(range) === true ? { text: `strict-semver:${range}` } : { cannot: rules.GATE };
  }
  const literal = regexp !== undefined && LITERAL.exec(regexp)?.[1]?.replaceAll('\\', '');
  if (literal) return { text: `glob:${literal}` };
  if (!policy.newest)
    return {
      cannot: `no annotation orders tags by ${policy.numerical ? 'number' : 'the alphabet'}; --to policies can`,
    };
  if (policy.newest.order === 'desc') return { cannot: 'no annotation takes the oldest; --to policies can' };
  if (extract !== undefined) return { cannot: 'no annotation extracts a part of a tag; --to policies can' };
  if (regexp !== undefined) return { text: `regexp:${regexp}` };
  return { text: `glob:${glob ?? '*'}` };
}

const NEVER_BACK =
  'Flux follows the listing even back to an older tag; here the tag stays, unless the policy has "downgrade: Follow"';

/** The rule of a policy object, and how its controller decides. */
export function meaningOf(policy: PolicyObject, from: From): { meaning: Meaning; before: Before } {
  const rule = compilePolicy(policy.spec);
  const status = policyStatus(policy);
  const selected = status.state === 'selected' && status.tag !== undefined ? { selected: status.tag } : {};
  if ('error' in rule) {
    const cannot = `${rule.error.message}; correct it`;
    return { meaning: { cannot }, before: { unknown: cannot, ...selected } };
  }
  const flux = from === 'flux-v2';
  return {
    meaning: termsOfPolicy(specOfPolicy(policy.spec), flux ? [NEVER_BACK] : []),
    before: { rule: flux ? { ...rule, downgrade: 'Follow' } : rule, ...selected },
  };
}

/** Reads the markers of all files that name policies of one group; and of neither, as markers are Flux's. */
export async function read(
  forest: Forest,
  from: 'flux-v2' | 'policies',
  objects: Objects,
  others: Objects,
  config: Config,
): Promise<Intent[]> {
  const intents: Intent[] = [];
  const marked = { ...config, spec: { ...config.spec, annotations: false, markers: true, updates: [] } };
  for (const leaf of await forest.leavesWith(['$imagepolicy'])) {
    const { governed } = await findImages(leaf.source, leaf.slice, marked);
    for (const candidate of governed) {
      const intent = intentOf(forest, leaf, candidate, from, objects, others);
      if (intent) intents.push(intent);
    }
  }
  return intents;
}

function intentOf(
  forest: Forest,
  leaf: Leaf,
  { field, governor, reference }: GovernedField,
  from: 'flux-v2' | 'policies',
  objects: Objects,
  others: Objects,
): Intent | undefined {
  if (governor.by !== 'marker') return undefined;
  const { markers } = governor;
  const [{ policy: name, namespace, offset }] = markers as [Marker];
  const { answers } = objects;
  const policy = answers.policy(name, namespace);
  const isMissing = 'reason' in policy;
  if (isMissing && (from === 'policies' || !('reason' in others.answers.policy(name, namespace)))) return undefined;
  const image = isMissing ? reference.name : answers.repositoryOf(policy);
  const known = forest
    .sites(leaf)
    .find((site) => site.field.path === field.path && site.field.resource.name === field.resource.name);
  const { text } = leaf.source;
  return {
    from,
    leaf,
    offset,
    written: `ImagePolicy ${policyLabel(name, namespace)}${isMissing ? '' : ` (${ruleText(policy)})`}`,
    image: typeof image === 'string' ? image : reference.name,
    site: known ?? { leaf, resource: undefined, field },
    notes: typeof image === 'string' ? [] : [image.message],
    remnants: markers.map((marker) => ({
      leaf,
      comment: { start: marker.offset, end: lineEnd(text, marker.offset, leaf.slice.end) },
    })),
    policy: { namespace, name },
    ...(isMissing
      ? { meaning: { cannot: policy.message }, before: { unknown: policy.message } }
      : without(exclusions(objects, policy), meaningOf(policy, from))),
  };
}

/** `namespace/name` of an object. */
export function labelOf(value: Values): string {
  const metadata = asMap(value['metadata']);
  return policyLabel(asText(metadata?.['name']) ?? '', asText(metadata?.['namespace']));
}

/** What the repository of a policy leaves out before any policy sees it. */
function exclusions({ all }: Objects, { spec, namespace }: PolicyObject): string[] {
  const ref = asMap(spec['imageRepositoryRef']);
  const wanted = policyLabel(asText(ref?.['name']) ?? '', asText(ref?.['namespace']) ?? namespace);
  const repository = all.find((value) => value['kind'] === 'ImageRepository' && labelOf(value) === wanted);
  const given = asMap(repository?.['spec']);
  const list: unknown = given?.['exclusionList'] ?? given?.['exclude'];
  return Array.isArray(list) ? list.flatMap((pattern) => asText(pattern) ?? []) : [];
}

/** The other tool sees no tag that is left out; an annotation has no repository that would leave it out. */
function without(
  patterns: readonly string[],
  rule: { meaning: Meaning; before: Before },
): { meaning: Meaning; before: Before } {
  const { meaning, before } = rule;
  if (patterns.length === 0 || !('policy' in meaning) || !('rule' in before)) return rule;
  const tests = patterns.map(compileRegexp).filter((regexp) => typeof regexp !== 'string');
  const present = before.rule.filter;
  const kept = rules.filterOf(
    undefined,
    tests.map(({ test }) => test),
  );
  const filter: typeof present = (name) => (kept(name) === name ? present(name) : kept(name));
  const note = `its ImageRepository leaves out ${patterns.join(', ')}, which an annotation does not`;
  return {
    meaning: { ...meaning, filterNotes: [...(meaning.filterNotes ?? []), note] },
    before: { ...before, rule: { ...before.rule, filter } },
  };
}

function ruleText({ spec }: PolicyObject): string {
  const rule = compilePolicy(spec);
  return 'error' in rule ? 'cannot be read' : rule.text;
}
