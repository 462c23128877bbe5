/** ImageRepository and ImagePolicy of Flux v2 (`image.toolkit.fluxcd.io`) as ours, and back: names stay, so that markers do. */
import { asMap, asText, type Values } from '../fn/lookup/values.ts';
import type { PolicySpec } from '../fn/policy/policy.ts';
import { readDuration } from '../fn/policy/time.ts';
import { FLUX, OURS, specOfPolicy } from './policies.ts';
import { escapeRegexp } from './rules.ts';

export const VERSIONS = { policies: `${OURS}/v1alpha1`, 'flux-v2': `${FLUX}/v1` } as const;
export type Kinds = keyof typeof VERSIONS;

/** An object, with what its author should know; or why there is none. */
export type Converted = { object: Values; notes: string[] } | { cannot: string };

/** The object of the other group that says the same. `status` and what a cluster adds to metadata stay behind. */
export function convert(value: Values, to: Kinds): Converted {
  const kind = asText(value['kind']);
  const spec = asMap(value['spec']) ?? {};
  const converted =
    kind === 'ImageRepository'
      ? repositorySpec(spec, to)
      : kind === 'ImagePolicy'
        ? policyObjectSpec(spec, to)
        : undefined;
  if (!converted) return { cannot: `a ${kind} has no like; see its page for what takes its place` };
  if ('cannot' in converted) return converted;
  const metadata = asMap(value['metadata']) ?? {};
  return {
    object: { apiVersion: VERSIONS[to], kind, metadata: ownMetadata(metadata), spec: converted.spec },
    notes: converted.notes,
  };
}

/** Labels and annotations that tools in the cluster put on objects of their own. */
const CLUSTERS = /^(?:kubectl\.kubernetes\.io|reconcile\.fluxcd\.io|\w+\.toolkit\.fluxcd\.io)\//;

/** What a person wrote of an object's metadata. */
function ownMetadata({ name, namespace, ...metadata }: Values): Values {
  const written = ['labels', 'annotations'].flatMap((key) => {
    const own = Object.entries(asMap(metadata[key]) ?? {}).filter(([word]) => !CLUSTERS.test(word));
    return own.length > 0 ? [[key, Object.fromEntries(own)]] : [];
  });
  return { name, ...(namespace != null && { namespace }), ...(Object.fromEntries(written) as Values) };
}

type ConvertedSpec = { spec: Values; notes: string[] } | { cannot: string };

/** The spec of an ImagePolicy with its repository, in the spelling of a group. */
export function policyObject(
  name: string,
  namespace: string,
  repository: string,
  spec: PolicySpec,
  to: Kinds,
): Converted {
  const written = to === 'policies' ? { spec: { ...spec } as Values, notes: [] } : fluxSpec(spec);
  if ('cannot' in written) return written;
  return {
    object: {
      apiVersion: VERSIONS[to],
      kind: 'ImagePolicy',
      metadata: { name, namespace },
      spec: { imageRepositoryRef: { name: repository }, ...written.spec },
    },
    notes: written.notes,
  };
}

/** An ImageRepository; `times` if a policy chooses by them. */
export function repositoryObject(name: string, namespace: string, image: string, times: boolean, to: Kinds): Values {
  return {
    apiVersion: VERSIONS[to],
    kind: 'ImageRepository',
    metadata: { name, namespace },
    spec: { image, interval: INTERVAL, ...(times && to === 'policies' && { metadata: { level: 'Created' } }) },
  };
}

const INTERVAL = '10m';

function policyObjectSpec(values: Values, to: Kinds): ConvertedSpec {
  const spec = specOfPolicy(values);
  const converted = to === 'policies' ? { spec: { ...spec } as Values, notes: [] } : fluxSpec(spec);
  if ('cannot' in converted) return converted;
  const interval = asText(values['interval']);
  return {
    spec: {
      imageRepositoryRef: values['imageRepositoryRef'],
      ...converted.spec,
      ...(interval !== undefined && { interval }),
      ...(values['suspend'] === true && { suspend: true }),
    },
    notes: converted.notes,
  };
}

/** A policy in Flux's words: it has no order by time, no minimum age, and leaves tags out at the repository alone. */
function fluxSpec({ policy, filter, exclude, minimumAge, downgrade, digest }: PolicySpec): ConvertedSpec {
  if (minimumAge !== undefined) return { cannot: 'Flux v2 has no minimum age of a tag' };
  if (exclude && exclude.length > 0)
    return { cannot: 'an ImagePolicy of Flux v2 leaves no tags out; say which count by its filterTags' };
  const { regexp, extract, glob } = filter ?? {};
  const pattern = regexp ?? (glob === undefined ? undefined : regexpOf(glob));
  // One tag alone needs no order.
  const single = glob !== undefined && !glob.includes('*');
  if (policy.newest && !single)
    return {
      cannot:
        'Flux v2 does not order by build time; give tags a part that sorts, such as a time stamp, and order by that',
    };
  const order = policy.newest ? { alphabetical: { order: 'asc' } } : policy;
  return {
    spec: {
      ...(pattern !== undefined && { filterTags: { pattern, ...(extract !== undefined && { extract }) } }),
      policy: order,
      ...(digest !== undefined && digest !== 'Never' && { digestReflectionPolicy: digest }),
      ...(digest === 'Always' && { interval: INTERVAL }),
    },
    notes: downgrade === 'Follow' ? [] : ['Flux v2 follows the listing even back to an older tag'],
  };
}

function regexpOf(glob: string): string {
  return `^${glob.split('*').map(escapeRegexp).join('.*')}$`;
}

const MIN_INTERVAL = 60_000;
const DEFAULT_EXCLUSIONS = [String.raw`^.*\.sig$`];

function repositorySpec(spec: Values, to: Kinds): ConvertedSpec {
  return to === 'policies' ? ourRepository(spec) : fluxRepository(spec);
}

function ourRepository(spec: Values): ConvertedSpec {
  if (spec['proxySecretRef'] != null)
    return {
      cannot:
        'an ImageRepository of ours has no proxySecretRef; set the proxy in the environment of the controller, and leave it out',
    };
  const notes: string[] = [];
  const { interval: given, timeout, provider, certSecretRef, insecure, exclusionList, suspend } = spec;
  const interval = asText(given);
  const short = interval !== undefined && (readDuration(interval) ?? 0) < MIN_INTERVAL;
  if (short) notes.push(`interval ${interval} became 60s, as a registry is not asked more often`);
  const limit = short ? '60s' : (interval ?? INTERVAL);
  const long = (readDuration(asText(timeout) ?? '') ?? 0) > (readDuration(limit) ?? Infinity);
  if (long) notes.push(`timeout ${asText(timeout)} became ${limit}, as it may not be longer than the interval`);
  const secret = asMap(spec['secretRef']);
  const account = asText(spec['serviceAccountName']);
  const cloud = asText(provider);
  const ambient = cloud !== undefined && cloud !== 'generic' ? cloud : undefined;
  if (ambient !== undefined && (secret || account !== undefined))
    notes.push(
      `provider ${ambient}: the controller's own identity is used, and secretRef and serviceAccountName are left out`,
    );
  const auth =
    ambient === undefined
      ? { ...(secret && { secretRefs: [secret] }), ...(account !== undefined && { serviceAccountName: account }) }
      : { ambient };
  const selectors = asMap(spec['accessFrom'])?.['namespaceSelectors'];
  return {
    spec: {
      image: spec['image'],
      ...(interval !== undefined && { interval: limit }),
      ...(timeout != null && { timeout: long ? limit : timeout }),
      ...(Object.keys(auth).length > 0 && { auth }),
      ...(certSecretRef != null && { certSecretRef }),
      ...(insecure === true && { insecure }),
      ...(exclusionList != null && { exclude: exclusionList }),
      ...(selectors != null && { access: { namespaceSelectors: selectors } }),
      ...(suspend === true && { suspend }),
    },
    notes,
  };
}

function fluxRepository(spec: Values): ConvertedSpec {
  const notes: string[] = [];
  const { timeout, certSecretRef, insecure, exclude, suspend } = spec;
  const auth = asMap(spec['auth']);
  const secrets: unknown[] = Array.isArray(auth?.['secretRefs']) ? auth['secretRefs'] : [];
  if (secrets.length > 1) notes.push('Flux v2 takes one secretRef; the first is kept, unite the others with it');
  const selectors = asMap(spec['access'])?.['namespaceSelectors'];
  return {
    spec: {
      image: spec['image'],
      interval: spec['interval'] ?? INTERVAL,
      ...(timeout != null && { timeout }),
      ...(secrets[0] != null && { secretRef: secrets[0] }),
      ...(auth?.['serviceAccountName'] != null && { serviceAccountName: auth['serviceAccountName'] }),
      ...(auth?.['ambient'] != null && { provider: auth['ambient'] }),
      ...(certSecretRef != null && { certSecretRef }),
      ...(insecure === true && { insecure }),
      ...(exclude != null && !isSame(exclude, DEFAULT_EXCLUSIONS) && { exclusionList: exclude }),
      ...(selectors != null && { accessFrom: { namespaceSelectors: selectors } }),
      ...(suspend === true && { suspend }),
    },
    notes,
  };
}

/** Whether two plain values say the same, in whatever order the keys of maps stand. */
export function isSame(a: unknown, b: unknown): boolean {
  return sortedText(a) === sortedText(b);
}

/** A plain value as a text that is the same for all that say the same. */
export function sortedText(value: unknown): string {
  return JSON.stringify(sorted(value)) ?? '';
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  const map = asMap(value);
  return map
    ? Object.fromEntries(
        Object.entries(map)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, each]) => [key, sorted(each)]),
      )
    : value;
}
