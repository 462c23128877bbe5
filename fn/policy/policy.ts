/** Rules of ImagePolicy objects, ours and Flux's (reference/controllers.md A4, reference/flux-v2.md A3). */
import { glob } from './glob.ts';
import { numberOrder, textOrder, timeOrder, versionOrder } from './orders.ts';
import { globWarnings, unlessLatest } from './pattern.ts';
import { readRange } from './range.ts';
import { compileRegexp, type Regexp } from './regexp.ts';
import { turnAway, type Malformed, type Order, type Refusal, type Rule } from './rule.ts';
import { readTemplate, type Groups } from './template.ts';
import { readDuration } from './time.ts';
import { readFullVersion } from './version.ts';
import type { Note } from '../note.ts';

/** What an ImagePolicy's spec says about choosing. Flux's names for the same stand beside ours. */
export interface PolicySpec {
  /** Exactly one of the four. `asc`, the default, takes the greatest or newest, `desc` the least or oldest. */
  policy: {
    semver?: { range: string };
    numerical?: { order?: 'asc' | 'desc' };
    alphabetical?: { order?: 'asc' | 'desc' };
    newest?: { order?: 'asc' | 'desc' };
  };
  /** Which tags count; `extract` is what of a tag the policy looks at, a template of the pattern's groups such as `$ts`. */
  filter?: { regexp?: string; extract?: string; glob?: string };
  /** Flux's filter. */
  filterTags?: { pattern?: string; extract?: string };
  /** Patterns of tags that never count. */
  exclude?: string[];
  /** Such as `72h`: a younger tag is not chosen, nor one of unknown age. */
  minimumAge?: string;
  /** `Hold`, the default: never below the current tag while the policy accepts that one. `Follow`: as the listing says. */
  downgrade?: 'Hold' | 'Follow';
  digest?: 'Never' | 'IfNotPresent' | 'Always';
  /** Flux's name of `digest`. */
  digestReflectionPolicy?: 'Never' | 'IfNotPresent' | 'Always';
}

/** What is wrong with a spec, in words for its author. Thrown and caught in this file alone. */
class SpecError extends Error {}

const MAX_EXCLUDES = 100;

/**
 * Compiles the spec of an ImagePolicy, whatever its values are: the first thing wrong comes back as an error. Fields that
 * do not choose (such as `interval`) are passed over.
 */
export function compilePolicy(spec: unknown): Rule | Malformed {
  try {
    return compile(fields(spec, 'spec'));
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    return { error: { reason: 'policy-malformed', message: `the policy cannot be evaluated: ${error.message}` } };
  }
}

function compile(spec: Fields): Rule {
  const { order, descending, label, warnings } = readOrder(fields(spec['policy'], 'spec.policy'));
  const filter = readFilter(spec, order.by);
  const excludes = readExcludes(spec['exclude']);
  const text = [label, filter.label, ...excludes.map(({ pattern }) => `not regexp:${pattern}`)]
    .filter(Boolean)
    .join(' ');
  return {
    kind: 'policy',
    text,
    filter: excludes.length === 0 ? filter.filter : (name) => exclusion(excludes, name) ?? filter.filter(name),
    order,
    descending,
    minimumAge: readMinimumAge(spec['minimumAge']),
    downgrade: oneOf(spec['downgrade'], 'spec.downgrade', ['Hold', 'Follow']) ?? 'Hold',
    digest: readDigest(spec),
    warnings: [...warnings, ...filter.warnings],
  };
}

interface ReadOrder {
  order: Order<unknown>;
  descending: boolean;
  label: string;
  warnings: Note[];
}

const POLICIES = ['semver', 'numerical', 'alphabetical', 'newest'] as const;

function readOrder(policy: Fields): ReadOrder {
  const given = POLICIES.filter((name) => isGiven(policy[name]));
  const [name] = given;
  if (name === undefined || given.length > 1)
    throw new SpecError(
      `spec.policy needs exactly one of ${POLICIES.join(', ')}, and has ${given.join(' and ') || 'none'}`,
    );
  const inner = fields(policy[name], `spec.policy.${name}`);
  if (name === 'semver') return readSemver(inner);
  const direction = oneOf(inner['order'], `spec.policy.${name}.order`, ['asc', 'desc']) ?? 'asc';
  const order = { numerical: numberOrder, alphabetical: textOrder, newest: timeOrder }[name] as Order<unknown>;
  return { order, descending: direction === 'desc', label: `${name} ${direction}`, warnings: [] };
}

function readSemver(inner: Fields): ReadOrder {
  const text = optionalText(inner['range'], 'spec.policy.semver.range');
  if (text === undefined) throw new SpecError('spec.policy.semver.range is missing; for any release write "*"');
  const range = readRange(text, 'group');
  if (typeof range === 'string') throw new SpecError(`spec.policy.semver.range "${text}": ${range}`);
  return {
    order: versionOrder(text, range, readFullVersion),
    descending: false,
    label: `semver ${text}`,
    warnings: [],
  };
}

interface ReadFilter {
  filter: Rule['filter'];
  label: string;
  warnings: Note[];
}

function readFilter(spec: Fields, by: Order<unknown>['by']): ReadFilter {
  if (isGiven(spec['filter']) && isGiven(spec['filterTags']))
    throw new SpecError('spec has both filter and filterTags; one will do');
  const ours = isGiven(spec['filter']);
  const where = ours ? 'spec.filter' : 'spec.filterTags';
  const filter = fields(spec['filter'] ?? spec['filterTags'] ?? {}, where);
  const key = ours ? 'regexp' : 'pattern';
  const pattern = optionalText(filter[key], `${where}.${key}`);
  const extract = optionalText(filter['extract'], `${where}.extract`);
  const globbed = ours ? optionalText(filter['glob'], `${where}.glob`) : undefined;
  if (pattern !== undefined && globbed !== undefined)
    throw new SpecError(`${where} has both ${key} and glob; one will do`);
  if (extract && pattern === undefined)
    throw new SpecError(`${where}.extract needs ${where}.${key}, whose groups it names`);
  if (pattern !== undefined) return regexpFilter(pattern, extract ?? '', where, key, by);
  if (globbed !== undefined) return globFilter(globbed);
  // Nobody asked for `latest`, and it is as new as the tag it stands for.
  const any = (name: string) => name;
  return { filter: by === 'time' ? unlessLatest(any) : any, label: '', warnings: [] };
}

function globFilter(pattern: string): ReadFilter {
  const matches = glob(pattern);
  const refusal = turnAway('filter', `glob:${pattern}`);
  return {
    filter: (name) => (matches(name) ? name : refusal),
    label: `where glob:${pattern}`,
    warnings: globWarnings(pattern),
  };
}

function regexpFilter(
  pattern: string,
  extract: string,
  where: string,
  key: string,
  by: Order<unknown>['by'],
): ReadFilter {
  const regexp = compileRegexp(pattern);
  if (typeof regexp === 'string') throw new SpecError(`${where}.${key} "${pattern}": ${regexp}`);
  const refusal = turnAway('filter', `regexp:${pattern}`);
  const label = `where regexp:${pattern}`;
  if (extract === '') return { filter: (name) => (regexp.test(name) ? name : refusal), label, warnings: [] };
  const { expand, warnings } = readExtract(extract, regexp, where, by);
  const filter = (name: string) => {
    const groups = regexp.match(name);
    return groups ? expand(groups) : refusal;
  };
  return { filter, label: `of ${extract} ${label}`, warnings };
}

function readExtract(
  extract: string,
  regexp: Regexp,
  where: string,
  by: Order<unknown>['by'],
): { expand: (groups: Groups) => string; warnings: Note[] } {
  const { expand, unknown } = readTemplate(extract, regexp.groupCount, regexp.groupNames);
  const warnings: Note[] = [];
  if (unknown.length > 0)
    warnings.push({
      reason: 'extract-unknown-group',
      message: `${where}.extract names ${unknown.join(', ')}, which the pattern has no group for; nothing stands there`,
    });
  if (by === 'time')
    warnings.push({
      reason: 'extract-unused',
      message: `${where}.extract plays no part under "newest", which orders by time`,
    });
  return { expand, warnings };
}

interface Exclude {
  pattern: string;
  test(name: string): boolean;
  refusal: Refusal;
}

function readExcludes(value: unknown): Exclude[] {
  if (!isGiven(value)) return [];
  if (!Array.isArray(value)) throw new SpecError('spec.exclude is not a list of patterns');
  if (value.length > MAX_EXCLUDES)
    throw new SpecError(`spec.exclude has ${value.length} patterns, more than ${MAX_EXCLUDES}`);
  return value.map((item, i) => {
    const pattern = optionalText(item, `spec.exclude[${i}]`) ?? '';
    const regexp = compileRegexp(pattern);
    if (typeof regexp === 'string') throw new SpecError(`spec.exclude[${i}] "${pattern}": ${regexp}`);
    return { pattern, test: regexp.test, refusal: turnAway('excluded', `regexp:${pattern}`) };
  });
}

function exclusion(excludes: Exclude[], name: string): Refusal | undefined {
  return excludes.find((exclude) => exclude.test(name))?.refusal;
}

function readMinimumAge(value: unknown): number {
  const text = optionalText(value, 'spec.minimumAge');
  if (text === undefined) return 0;
  const age = readDuration(text);
  if (age === undefined) throw new SpecError(`spec.minimumAge "${text}" is not a duration such as 72h, 90m or 3d`);
  return age;
}

function readDigest(spec: Fields): Rule['digest'] {
  const key = isGiven(spec['digest']) ? 'digest' : 'digestReflectionPolicy';
  return oneOf(spec[key], `spec.${key}`, ['Never', 'IfNotPresent', 'Always']) ?? 'Never';
}

type Fields = Record<string, unknown>;

/** Absent and null are the same, as everywhere in Kubernetes. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function fields(value: unknown, where: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new SpecError(`${where} is ${isGiven(value) ? 'not a map' : 'missing'}`);
}

function optionalText(value: unknown, where: string): string | undefined {
  if (!isGiven(value)) return undefined;
  if (typeof value === 'string') return value;
  // YAML's plain 1 and 15 are numbers to the API server, which would refuse them; here they can only mean their text.
  if (typeof value === 'number') return String(value);
  throw new SpecError(`${where} is not text`);
}

function oneOf<T extends string>(value: unknown, where: string, allowed: readonly T[]): T | undefined {
  if (!isGiven(value)) return undefined;
  const found = allowed.find((each) => each === value);
  if (found === undefined)
    throw new SpecError(`${where} is ${JSON.stringify(value)}, not one of ${allowed.join(', ')}`);
  return found;
}
