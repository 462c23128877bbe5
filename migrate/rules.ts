/** What rules of several tools have in common: how they read in our terms, and how the other tool would decide by them. */
import { textOrder } from '../fn/policy/orders.ts';
import type { PolicySpec } from '../fn/policy/policy.ts';
import { readRange } from '../fn/policy/range.ts';
import { turnAway, type Order, type Rule } from '../fn/policy/rule.ts';
import { compareTimes, readTime, type Instant } from '../fn/policy/time.ts';
import { compareVersions, partsOf, readVersion, type Version } from '../fn/policy/version.ts';
import type { Terms } from './intent.ts';

/** Releases and prereleases alike. */
export const ANY_VERSION = '>=0.0.0-0';

/** A rule as another tool has it: it follows the listing wherever that leads, unless its order says otherwise. */
export function foreignRule<K>(text: string, order: Order<K>, filter: Rule['filter'] = (name) => name): Rule {
  return {
    kind: 'policy',
    text,
    filter,
    order,
    descending: false,
    minimumAge: 0,
    downgrade: 'Follow',
    digest: 'Never',
    warnings: [],
  };
}

/** The newest by build time, of equals the last name. */
export const newestThenName: Order<{ time: Instant; name: string }> = {
  by: 'time',
  read: (name, tag) => {
    const time = readTime(tag.created);
    return time ? { time, name } : turnAway('no-time');
  },
  rank: ({ time }) => time.seconds,
  compare: (a, b) => compareTimes(a.time, b.time) || textOrder.compare(a.name, b.name),
};

/** An order of versions without those that are not above the current one, and without others that a tool does not move to. */
export function above(
  order: Order<Version>,
  current: string | undefined,
  accepts: (version: Version) => boolean = () => true,
): Order<Version> {
  const present = current === undefined ? undefined : readVersion(current);
  const refusal = turnAway('range', `above ${current}`);
  return {
    ...order,
    refuse: (version) =>
      order.refuse?.(version) ??
      ((present !== undefined && compareVersions(version, present) <= 0) || !accepts(version) ? refusal : undefined),
  };
}

/** A filter of tags by one pattern and by others that are left out. */
export function filterOf(
  test: ((name: string) => boolean) | undefined,
  ignored: readonly ((name: string) => boolean)[] = [],
): Rule['filter'] {
  const refusal = turnAway('filter');
  return (name) => ((test && !test(name)) || ignored.some((matches) => matches(name)) ? refusal : name);
}

/** Whether the two readings of a range, of Flux v1 and of newer libraries, let the same prereleases in; or why it is none. */
export function isSameGate(range: string): boolean | string {
  const read = readRange(range, 'comparator');
  return typeof read === 'string' ? read : read.hint === undefined;
}

export const GATE =
  'an annotation lets prereleases in only where every comparator of its range names one; write them so, or use --to policies';

/** How a tag is built up: `v1.27.3-alpine` has three numbers and the suffix `alpine`. */
export interface Shape {
  numbers: number;
  suffix: string;
  version: Version;
}

const SHAPE = /^v?(\d+(?:\.\d+){0,2})(?:-([0-9A-Za-z.-]+))?$/;

/** The shape of a tag; undefined if it is no version. */
export function shapeOf(tag: string): Shape | undefined {
  const [, numbers, suffix = ''] = SHAPE.exec(tag) ?? [];
  const version = readVersion(numbers ?? '');
  return numbers === undefined || version === undefined
    ? undefined
    : { numbers: numbers.split('.').length, suffix, version };
}

/** What an ImagePolicy says to follow versions of one shape: as many numbers, the very same suffix. */
export function policyOfShape({ numbers, suffix }: Shape, range: string): PolicySpec {
  if (numbers === 3 && suffix === '') return { policy: { semver: { range } } };
  const pattern = Array.from({ length: numbers }, () => String.raw`\d+`).join(String.raw`\.`);
  const behind = suffix === '' ? '' : `-${escapeRegexp(suffix)}`;
  return {
    filter: { regexp: `^v?(?P<version>${pattern})${behind}$`, extract: `\${version}${'.0'.repeat(3 - numbers)}` },
    policy: { semver: { range } },
  };
}

/** Why no annotation follows versions of a shape; undefined if one does. */
export function whyNoFilter({ numbers, suffix }: Shape): string | undefined {
  if (suffix !== '') return `no annotation follows versions that end in -${suffix}; --to policies can`;
  if (numbers !== 3) return `no annotation follows versions of ${numbers} numbers alone; --to policies can`;
  return undefined;
}

export function escapeRegexp(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}]/g, String.raw`\$&`);
}

/** `1` and `1.2` of a version, for ranges. */
export function majorOf(version: Version): string {
  return String(partsOf(version).major);
}

export function minorOf(version: Version): string {
  const { major, minor } = partsOf(version);
  return `${major}.${minor}`;
}

/** Follows one mutable tag by its digest, which an ImagePolicy can and an annotation cannot. */
export function digestTerms(tag: string, notes: readonly string[] = []): Terms {
  return {
    policy: { filter: { glob: tag }, policy: { alphabetical: {} }, digest: 'Always' },
    filter: { cannot: `an annotation does not follow what is pushed to the tag ${tag} anew; --to policies can` },
    notes,
    policyNotes: [`the digest is written behind the tag, so that the change is seen in git`],
  };
}

/** Only one tag, whatever becomes of it. */
export function onlyTag(tag: string): Rule {
  return foreignRule(`only ${tag}`, textOrder, (name) => (name === tag ? name : turnAway('filter')));
}
