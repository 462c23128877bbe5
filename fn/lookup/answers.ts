import type { Note } from '../note.ts';
import { canonicalName, parseReference } from '../reference.ts';
import { asMap, asText, type Values } from './values.ts';
import type { ImageMetadata } from './metadata.ts';
import { readMetadata } from './metadata.ts';

/** An ImagePolicy object, ours or Flux's, as far as its result and its rule go. */
export interface PolicyObject {
  name: string;
  namespace?: string;
  /** `metadata.generation`, if the object came from a cluster. */
  generation?: number;
  spec: Values;
  status?: Values;
}

/** What the status of an ImagePolicy says. */
export type PolicyStatus =
  | { state: 'selected'; name: string; tag?: string; digest?: string }
  | { state: 'unusable'; note: Note }
  | { state: 'none' };

/** Everything that was given to look answers up in: items of the ResourceList, documents of `--metadata` files, or both. */
export class Answers {
  readonly notes: Note[] = [];
  #metadata = new Map<string, ImageMetadata>();
  #policies = new Map<string, PolicyObject[]>();
  #repositories = new Map<string, string>();

  /** Takes a resource if it is an answer (ImageMetadata, ImagePolicy, ImageRepository, or a List of them); true if so. */
  add(value: unknown): boolean {
    const resource = asMap(value);
    const items = resource?.['items'];
    // What `kubectl get imagepolicies -o yaml` prints. A list in a list is none of its.
    if (Array.isArray(items) && asText(resource?.['kind'])?.endsWith('List'))
      return items.map((item) => this.#addOne(item)).some(Boolean);
    return this.#addOne(value);
  }

  #addOne(value: unknown): boolean {
    const resource = asMap(value);
    const [group] = (asText(resource?.['apiVersion']) ?? '').split('/');
    if (!resource || (group !== OURS && group !== FLUX)) return false;
    switch (resource['kind']) {
      case 'ImageMetadata':
        this.#addMetadata(resource);
        return true;
      case 'ImagePolicy':
        this.#addPolicy(resource);
        return true;
      case 'ImageRepository':
        this.#addRepository(resource);
        return true;
      default:
        return false;
    }
  }

  /** The metadata of a repository, in any spelling of its name. */
  metadata(name: string): ImageMetadata | undefined {
    return this.#metadata.get(canonicalName(name));
  }

  /** The metadata of every repository, in the order in which they were first given. */
  allMetadata(): ImageMetadata[] {
    return [...this.#metadata.values()];
  }

  /** Forgets all metadata, for who is about to ask for it anew. */
  dropMetadata(): void {
    this.#metadata.clear();
  }

  /**
   * The policy of a name. A namespace selects; a policy without one, as files often have it, fits any. Without a namespace
   * asked for, the name must be unique.
   */
  policy(name: string, namespace?: string): PolicyObject | Note {
    const named = this.#policies.get(name) ?? [];
    const fitting = named.filter((p) => namespace === undefined || p.namespace === namespace);
    const loose = named.filter((p) => p.namespace === undefined);
    const [found, other] = fitting.length > 0 ? fitting : loose;
    const label = policyLabel(name, namespace);
    if (found && !other) return found;
    if (found)
      return {
        reason: 'policy-ambiguous',
        message: `several ImagePolicies are named ${label}; say the namespace in policyRef or remove the duplicate`,
      };
    const near = [...this.#policies.values()].flat().map((p) => policyLabel(p.name, p.namespace));
    return {
      reason: 'policy-unknown',
      message: `there is no ImagePolicy ${label} among what was given${near.length > 0 ? `; there is ${near.slice(0, 5).join(', ')}` : '; give it as an item or with --metadata'}`,
    };
  }

  /** The repository that a policy's `imageRepositoryRef` names, or a note that says what is missing. */
  repositoryOf(policy: PolicyObject): string | Note {
    const ref = asMap(policy.spec['imageRepositoryRef']);
    const name = asText(ref?.['name']);
    const label = policyLabel(policy.name, policy.namespace);
    if (!name)
      return { reason: 'policy-malformed', message: `ImagePolicy ${label} has no spec.imageRepositoryRef.name` };
    const namespace = asText(ref?.['namespace']) ?? policy.namespace;
    const image = this.#repositories.get(key(name, namespace)) ?? this.#repositories.get(key(name, undefined));
    if (image) return image;
    return {
      reason: 'repository-unknown',
      message: `ImagePolicy ${label} has no result, and its ImageRepository ${policyLabel(name, namespace)} is not among what was given`,
    };
  }

  #addMetadata(resource: Values): void {
    const metadata = readMetadata(resource);
    if ('reason' in metadata) {
      this.notes.push(metadata);
      return;
    }
    const name = canonicalName(metadata.image);
    const known = this.#metadata.get(name);
    // The newer snapshot wins; of two that don't say, the later.
    if (known?.scannedAt && metadata.scannedAt && Date.parse(known.scannedAt) > Date.parse(metadata.scannedAt)) return;
    this.#metadata.set(name, metadata);
  }

  #addPolicy(resource: Values): void {
    const meta = asMap(resource['metadata']);
    const name = asText(meta?.['name']);
    if (!name) return;
    const namespace = asText(meta?.['namespace']);
    const generation = meta?.['generation'];
    const status = asMap(resource['status']);
    const policy: PolicyObject = {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(typeof generation === 'number' && { generation }),
      spec: asMap(resource['spec']) ?? {},
      ...(status && { status }),
    };
    const others = (this.#policies.get(name) ?? []).filter((p) => p.namespace !== namespace);
    this.#policies.set(name, [...others, policy]);
  }

  #addRepository(resource: Values): void {
    const meta = asMap(resource['metadata']);
    const name = asText(meta?.['name']);
    const image = asText(asMap(resource['spec'])?.['image']);
    if (name && image) this.#repositories.set(key(name, asText(meta?.['namespace'])), image);
  }
}

const OURS = 'image-update.dev';
const FLUX = 'image.toolkit.fluxcd.io';

/**
 * What a policy's status selected. It counts only when Ready and of the current generation (reference/flux-v2.md A4: Flux
 * itself lets a commit of an old choice overtake a narrowed policy). A status that was never filled in is none.
 */
export function policyStatus(policy: PolicyObject): PolicyStatus {
  const { status } = policy;
  if (!status || status['observedGeneration'] === -1) return { state: 'none' };
  const label = policyLabel(policy.name, policy.namespace);
  const ready = condition(status, 'Ready');
  const selected = selection(status);
  if (!ready && !selected) return { state: 'none' };
  if (asText(ready?.['status']) !== 'True') {
    const why = [asText(ready?.['reason']), asText(ready?.['message'])].filter(Boolean).join(': ');
    return unusable(
      'policy-not-ready',
      `ImagePolicy ${label} is not Ready${why ? ` (${why})` : ''}; its result is not used`,
    );
  }
  const observed = ready?.['observedGeneration'] ?? status['observedGeneration'];
  if (policy.generation !== undefined && observed !== undefined && observed !== policy.generation)
    return unusable(
      'policy-stale',
      `the result of ImagePolicy ${label} is of generation ${asText(observed) ?? 'unknown'}, its spec of ${policy.generation}; it is not used until the policy is evaluated again`,
    );
  if (!selected) return unusable('policy-empty', `ImagePolicy ${label} is Ready but has selected nothing`);
  return selected;
}

/** Ours `status.latest`, Flux's `status.latestRef`, and `status.latestImage` of its old versions. */
function selection(status: Values): Extract<PolicyStatus, { state: 'selected' }> | undefined {
  const old = asText(status['latestImage']);
  const latest = asMap(status['latest']) ?? asMap(status['latestRef']) ?? (old ? parseReference(old) : undefined);
  const { name, tag, digest } = (latest ?? {}) as Values;
  const [image, chosen, pinned] = [asText(name), asText(tag), asText(digest)];
  if (!image || !(chosen || pinned)) return undefined;
  return { state: 'selected', name: image, ...(chosen && { tag: chosen }), ...(pinned && { digest: pinned }) };
}

function unusable(reason: string, message: string): PolicyStatus {
  return { state: 'unusable', note: { reason, message } };
}

function condition(status: Values, type: string): Values | undefined {
  const conditions = status['conditions'];
  if (!Array.isArray(conditions)) return undefined;
  return conditions.map(asMap).find((c) => c?.['type'] === type);
}

/** `namespace/name`, as people write it. */
export function policyLabel(name: string, namespace?: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function key(name: string, namespace: string | undefined): string {
  return `${namespace ?? ''}/${name}`;
}
