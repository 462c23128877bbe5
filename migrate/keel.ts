import { asMap, asText, type Values } from '../fn/lookup/values.ts';
import { isHelmRelease } from '../fn/find/helm.ts';
import type { Resource } from '../fn/find/resources.ts';
import { glob as compileGlob } from '../fn/policy/glob.ts';
import { textOrder, versionOrder } from '../fn/policy/orders.ts';
import { readRange } from '../fn/policy/range.ts';
import { compileRegexp } from '../fn/policy/regexp.ts';
import { partsOf, readVersion, type Version } from '../fn/policy/version.ts';
import { at, get, textOf, type Node } from '../fn/yaml/tree.ts';
import { plainValues, siteAt, type Forest, type Leaf } from './forest.ts';
import type { Before, Intent, Meaning, Remnant, Site } from './intent.ts';
import * as rules from './rules.ts';

/** Keel: annotations or labels of workloads, and `keel` among the values of a chart. */

const WORDS = ['keel.sh/', 'keel:'] as const;
const PREFIX = 'keel.sh/';
/** More images under `keel` are not read. */
const MAX_IMAGES = 500;

/** What Keel is told of a workload or a chart, keys without `keel.sh/`. */
export type KeelSettings = ReadonlyMap<string, string>;

/** A policy of Keel in our terms, for the tag that stands there, and how Keel decides by it. */
export function meaningOf(settings: KeelSettings, tag: string | undefined): { meaning: Meaning; before: Before } {
  const policy = settings.get('policy') ?? '';
  const [, kind, body = ''] = /^(glob|regexp|newest):(.*)$/s.exec(policy) ?? [];
  if (kind === 'glob') return byGlob(body, settings);
  if (kind === 'regexp' || kind === 'newest') return byRegexp(body, kind, settings);
  switch (policy) {
    case 'never':
      return { meaning: { hold: 'Keel never updates it' }, before: { rule: rules.onlyTag(tag ?? '') } };
    case 'force':
      return force(settings, tag);
    case 'all':
    case 'major':
    case 'minor':
    case 'patch':
      return byVersion(policy, settings, tag);
    default:
      return {
        meaning: { hold: `"${policy}" is no policy of Keel's, which then does nothing` },
        before: { rule: rules.onlyTag(tag ?? '') },
      };
  }
}

/** Whether the registry is asked for all tags; else Keel hears of each push, and takes what fits as it comes. */
function polls(settings: KeelSettings): boolean {
  return settings.get('trigger') === 'poll';
}

const PUSHED = 'Keel takes each pushed tag that fits as it comes, which no file tells';

type Level = 'all' | 'major' | 'minor' | 'patch';

/** The range of a policy, where the version that stands there is this one. */
const RANGES: Record<Level, (version: Version) => string> = {
  all: () => rules.ANY_VERSION,
  major: () => '*',
  minor: (version) => `~${rules.majorOf(version)}`,
  patch: (version) => `~${rules.minorOf(version)}`,
};

function byVersion(
  level: Level,
  settings: KeelSettings,
  tag: string | undefined,
): { meaning: Meaning; before: Before } {
  const shape = tag === undefined ? undefined : rules.shapeOf(tag);
  if (!shape || tag === undefined || readVersion(tag) === undefined) {
    const cannot = `the tag ${tag ?? 'that is not written'} is no version, from which Keel's "${level}" starts; write a version, or choose a policy of another kind`;
    return { meaning: { cannot }, before: { unknown: cannot } };
  }
  const same = level !== 'all' && (settings.get('matchPreRelease') ?? 'true') === 'true';
  const plain = { ...shape, suffix: same ? shape.suffix : '' };
  const base = RANGES[level](shape.version);
  const range = same || level === 'all' ? base : base === '*' ? rules.ANY_VERSION : `${base}-0`;
  const why = plain.suffix === '' ? undefined : rules.whyNoFilter(shape);
  // Bare numbers, dates among them, are no versions to Keel.
  const type = shape.numbers === 3 ? 'strict-semver' : 'semver';
  return {
    meaning: {
      policy: plain.suffix === '' ? { policy: { semver: { range } } } : rules.policyOfShape(plain, range),
      filter: why === undefined ? { text: `${type}:${range}` } : { cannot: why },
      notes: [],
      filterNotes:
        type === 'strict-semver'
          ? ['versions of two numbers, which Keel takes, do not count']
          : ['a bare number counts as a version, which Keel does not take'],
      policyNotes: ['versions of two numbers, which Keel takes, do not count'],
    },
    before: { rule: versionRule(level, tag, same) },
  };
}

/** Only what is above the current version, at the level, and with its very prerelease if that must be the same. */
function versionRule(level: Level, tag: string, same: boolean) {
  const present = partsOf(readVersion(tag)!);
  const prerelease = present.prerelease.join('.');
  const range = readRange(rules.ANY_VERSION, 'group');
  if (typeof range === 'string') throw new TypeError(range);
  const order = versionOrder(rules.ANY_VERSION, range, readVersion);
  const accepts = (version: Version) => {
    const parts = partsOf(version);
    if (same && parts.prerelease.join('.') !== prerelease) return false;
    if (level === 'all' || level === 'major') return true;
    return parts.major === present.major && (level === 'minor' || parts.minor === present.minor);
  };
  return rules.foreignRule(
    `Keel ${level}`,
    rules.above(order, tag, accepts),
    rules.filterOf((name) => name.includes('.')),
  );
}

function byGlob(body: string, settings: KeelSettings): { meaning: Meaning; before: Before } {
  const filter = { glob: body };
  if (!polls(settings))
    return {
      meaning: {
        policy: { filter, policy: { newest: {} } },
        filter: { text: `glob:${body}` },
        notes: [
          `${PUSHED}, in newer versions only what sorts above the present tag; here the newest by build time is chosen`,
        ],
      },
      before: { unknown: PUSHED },
    };
  return {
    meaning: {
      policy: { filter, policy: { alphabetical: {} } },
      filter: {
        cannot:
          'Keel polls, and takes the last that fits by the alphabet, by which no annotation orders; --to policies can',
      },
      notes: [],
    },
    before: { rule: rules.foreignRule(`glob:${body}`, textOrder, rules.filterOf(compileGlob(body))) },
  };
}

function byRegexp(
  body: string,
  kind: 'regexp' | 'newest',
  settings: KeelSettings,
): { meaning: Meaning; before: Before } {
  const regexp = compileRegexp(body);
  if (typeof regexp === 'string') {
    const cannot = `its pattern "${body}" cannot be read: ${regexp}; correct it`;
    return { meaning: { cannot }, before: { unknown: cannot } };
  }
  if (!polls(settings))
    return {
      meaning: {
        policy: { filter: { regexp: body }, policy: { newest: {} } },
        filter: { text: `regexp:${body}` },
        notes: [`${PUSHED}; here the newest by build time is chosen`],
      },
      before: { unknown: PUSHED },
    };
  if (kind === 'newest')
    return {
      meaning: {
        policy: { filter: { regexp: body }, policy: { newest: {} } },
        filter: { text: `regexp:${body}` },
        notes: [],
      },
      before: { rule: rules.foreignRule(`newest:${body}`, rules.newestThenName, rules.filterOf(regexp.test)) },
    };
  const group = regexp.groupNames['compare'];
  const refusal = rules.filterOf(() => false)('');
  const part = (name: string) => {
    const groups = regexp.match(name);
    return groups ? (group === undefined ? name : (groups[group] ?? '')) : refusal;
  };
  return {
    meaning: {
      policy: {
        filter: { regexp: body, ...(group !== undefined && { extract: '${compare}' }) },
        policy: { alphabetical: {} },
      },
      filter: {
        cannot: 'Keel polls, and takes the last by the alphabet, by which no annotation orders; --to policies can',
      },
      notes: [],
    },
    before: { rule: rules.foreignRule(`regexp:${body}`, textOrder, part) },
  };
}

function force(settings: KeelSettings, tag: string | undefined): { meaning: Meaning; before: Before } {
  const matched = (settings.get('matchTag') ?? settings.get('match-tag')) === 'true';
  if (tag !== undefined && (matched || polls(settings)))
    return {
      meaning: rules.digestTerms(tag, [
        'Keel starts the pods anew where the tag was pushed again, and changes no file',
      ]),
      before: { rule: rules.onlyTag(tag) },
    };
  const cannot =
    tag === undefined
      ? 'it follows a tag that is not written; write it'
      : 'force takes whatever was pushed last, of any name; say which tags you mean, by a glob such as main-*';
  return { meaning: { cannot }, before: { unknown: PUSHED } };
}

/** Reads what Keel is told of workloads and of charts. */
export async function read(forest: Forest): Promise<Intent[]> {
  const intents: Intent[] = [];
  for (const leaf of await forest.leavesWith(WORDS)) {
    for (const resource of leaf.document.resources)
      intents.push(...ofWorkload(forest, leaf, resource), ...ofChart(forest, leaf, resource));
  }
  return intents;
}

interface Told {
  settings: KeelSettings;
  offset: number;
  remnants: Remnant[];
  notes: string[];
}

function toldOf(leaf: Leaf, resource: Resource): Told | undefined {
  const labels = at(resource.node, 'metadata', 'labels');
  const annotated = keelIn(resource.annotations);
  const labelled = keelIn(
    labels?.kind === 'map' ? labels.entries.map(({ key, value }) => [key.value, value] as const) : [],
  );
  const counting = annotated.has('policy') ? annotated : labelled;
  const policy = counting.get('policy');
  if (!policy) return undefined;
  const settings = new Map([...labelled, ...annotated].map(([key, node]) => [key, textOf(node) ?? '']));
  // Where the policy is, there is all that belongs to it.
  for (const key of OF_POLICY)
    if (counting.has(key)) settings.set(key, textOf(counting.get(key)) ?? '');
    else settings.delete(key);
  const remnants =
    annotated.size > 0 ? [{ leaf, resource, keys: [...annotated.keys()].map((key) => PREFIX + key) }] : [];
  const notes =
    labelled.size > 0 ? ['its labels keel.sh/… are not taken away; do it by hand, as selectors may name labels'] : [];
  return { settings, offset: policy.start, remnants, notes };
}

const OF_POLICY = ['policy', 'matchTag', 'match-tag', 'matchPreRelease'];

/** What is there of Keel's keys, without their prefix. */
function keelIn(entries: Iterable<readonly [string, Node]>): Map<string, Node> {
  return new Map(
    [...entries].flatMap(([key, node]) => (key.startsWith(PREFIX) ? [[key.slice(PREFIX.length), node] as const] : [])),
  );
}

function ofWorkload(forest: Forest, leaf: Leaf, resource: Resource): Intent[] {
  const told = toldOf(leaf, resource);
  if (!told) return [];
  const { settings, offset, remnants, notes } = told;
  const sites = forest.sites(leaf).filter((site) => site.resource === resource && watches(settings, site));
  const common = {
    from: 'keel' as const,
    leaf,
    offset,
    remnants,
    written: writtenOf(settings),
    notes: [...notes, ...notesOf(settings)],
  };
  if (sites.length === 0)
    return [
      {
        ...common,
        ...meaningOf(settings, undefined),
        image: '',
        site: {
          missing: 'no image that Keel would watch was found in this object; annotate the one whose manifest holds it',
        },
      },
    ];
  return sites.map((site) => ({
    ...common,
    ...meaningOf(settings, site.field.reference?.tag),
    image: site.field.reference?.name ?? '',
    site,
  }));
}

/** Init containers and volumes are watched on demand, others unless a pattern leaves them out. */
function watches(settings: KeelSettings, { field }: Site): boolean {
  if (field.path.includes('initContainers') && settings.get('initContainers') !== 'true') return false;
  if (field.path.includes('.volumes[') && settings.get('imageVolumes') !== 'true') return false;
  const pattern = settings.get('monitorContainers') ?? '';
  const regexp = pattern === '' ? undefined : compileRegexp(pattern);
  return regexp === undefined || typeof regexp === 'string' || regexp.test(field.container);
}

/** Options that have no like in a rule, and what takes their place. */
const OPTIONS: Record<string, (value: string) => string> = {
  pollSchedule: (value) =>
    `pollSchedule ${value}: how often is said where the update runs, by its schedule or interval`,
  approvals: (value) => `approvals ${value}: people approve a pull request (--pull-request) in place of voting`,
  approvalDeadline: () => 'approvalDeadline: a pull request stays open until somebody closes it',
  imagePullSecret: (value) => `imagePullSecret ${value}: say credentials by --docker-config or --registry-secret`,
  notify: (value) => `notify ${value}: the forge and CI tell of commits and pull requests`,
};

function notesOf(settings: KeelSettings): string[] {
  const notes = Object.entries(OPTIONS).flatMap(([key, say]) => {
    const value = settings.get(key);
    return value === undefined ? [] : [say(value)];
  });
  return [
    'Keel changes the cluster and no file; from now on the file changes, and what deploys it brings that to the cluster',
    ...notes,
  ];
}

function writtenOf(settings: KeelSettings): string {
  const shown = ['policy', 'trigger', 'matchTag', 'match-tag', 'matchPreRelease'].flatMap((key) => {
    const value = settings.get(key);
    return value === undefined ? [] : [key === 'policy' ? value : `${key} ${value}`];
  });
  return shown.join(', ');
}

/** `keel` among the values of a HelmRelease, or at the root of a file of values. */
function ofChart(forest: Forest, leaf: Leaf, resource: Resource): Intent[] {
  const values = isHelmRelease(resource)
    ? at(resource.node, 'spec', 'values')
    : resource.ref.kind === '' && resource.path === ''
      ? resource.node
      : undefined;
  const keel = get(values, 'keel');
  if (keel?.kind !== 'map') return [];
  const told = plainValues(keel);
  const settings = new Map(
    Object.entries(told).flatMap(([key, value]) => {
      const text = asText(value);
      return text === undefined ? [] : [[key, text] as const];
    }),
  );
  if (!settings.has('policy')) return [];
  const images: unknown[] = Array.isArray(told['images']) ? told['images'].slice(0, MAX_IMAGES) : [];
  return images
    .map(asMap)
    .filter((image) => image !== undefined)
    .map((image) => {
      const site = chartSite(forest, leaf, values, image);
      const reference = 'field' in site ? site.field.reference : undefined;
      return {
        from: 'keel' as const,
        leaf,
        offset: keel.start,
        written: writtenOf(settings),
        image: reference?.name ?? '',
        site,
        remnants: [],
        notes: [...notesOf(settings), 'the values under keel are not taken away; do it when Keel is gone'],
        ...meaningOf(settings, reference?.tag),
      };
    });
}

function chartSite(forest: Forest, leaf: Leaf, values: Node | undefined, image: Values): Site | { missing: string } {
  const keys = [asText(image['tag']), asText(image['repository'])].filter((key) => key !== undefined);
  for (const key of keys) {
    const site = siteAt(forest, leaf, values, key);
    if (site) return site;
  }
  return {
    missing: `the values have nothing at ${keys.join(' and ') || 'repository and tag, which are not said'}; write it there`,
  };
}
