import {
  canonicalName,
  explainReference,
  formatReference,
  nameBefore,
  parseReference,
  splitDomain,
} from '../reference.ts';
import type { Reference } from '../reference.ts';
import type { Write } from '../yaml/check.ts';
import { textOf, type ScalarNode } from '../yaml/tree.ts';

/**
 * Where the parts of one reference are written. Either `whole` alone, or `repository` with what stands beside it;
 * together they read `registry/repository:tag@digest`. Empty parts count as absent, but are places to write to. A tag
 * may stand in `repository`, and `tag` may hold `1.2@sha256:…`.
 */
export interface Slots {
  whole?: ScalarNode;
  registry?: ScalarNode;
  repository?: ScalarNode;
  tag?: ScalarNode;
  digest?: ScalarNode;
  /**
   * The repository takes a name and nothing else (`newName` of kustomize), or is a key that others match on (`name`).
   */
  repositoryIs?: 'name' | 'key';
}

/** What a reference becomes. Parts left out stay; `null` removes one. */
export interface Change {
  name?: string;
  tag?: string | null;
  digest?: string | null;
}

/** The reference that the slots make together, or why they make none. */
export function referenceOf(slots: Slots): { reference: Reference } | { problem: string } {
  return read(slots.whole ? (textOf(slots.whole) ?? '') : composed(slots, textsOf(slots)));
}

/** The name that a reference of these slots would have, were it one. */
export function nameIn(slots: Slots): string {
  return nameBefore(composed(slots, textsOf(slots)));
}

function read(text: string): { reference: Reference } | { problem: string } {
  const reference = parseReference(text);
  if (reference) return { reference };
  return { problem: `"${shorten(text)}" is not an image reference: ${explainReference(text) ?? 'unknown'}` };
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

type Part = 'whole' | 'registry' | 'repository' | 'tag' | 'digest';
/** In the order of writes: first the place by which a field is known. */
const PARTS: readonly Part[] = ['whole', 'tag', 'repository', 'digest', 'registry'];
type Texts = Record<Part, string>;

function textsOf(slots: Slots): Texts {
  return {
    whole: textOf(slots.whole) ?? '',
    registry: textOf(slots.registry) ?? '',
    repository: textOf(slots.repository) ?? '',
    tag: textOf(slots.tag) ?? '',
    digest: textOf(slots.digest) ?? '',
  };
}

function composed(slots: Slots, texts: Texts): string {
  if (slots.whole) return texts.whole;
  const { registry, repository, tag, digest } = texts;
  return `${registry && `${registry}/`}${repository}${tag && `:${tag}`}${digest && `@${digest}`}`;
}

/**
 * The writes that make a change, in no more scalars than it needs: each part is written where it stands, a registry and
 * a repository are never split anew for a tag's sake (reference/flux-v1-mode.md §17). What is written reads back as
 * what was asked for, or nothing is written and `cannot` says why. Whether a digest may stay beside a new tag is the
 * caller's rule.
 */
export function change(slots: Slots, to: Change): Write[] | { cannot: string } {
  const present = referenceOf(slots);
  if ('problem' in present) return { cannot: present.problem };
  const target = applied(present.reference, to);
  const before = textsOf(slots);
  const after = slots.whole
    ? { ...before, whole: formatReference(target) }
    : rewritten(slots, before, present.reference, target);
  if ('cannot' in after) return after;
  const outcome = read(composed(slots, after));
  if ('problem' in outcome) return { cannot: outcome.problem };
  if (!isSame(outcome.reference, target))
    return { cannot: `${formatReference(target)} cannot be written in the parts that stand here` };
  const writes: Write[] = [];
  for (const part of PARTS) {
    const scalar = slots[part];
    if (scalar && after[part] !== before[part]) writes.push({ scalar, value: after[part] });
  }
  return writes;
}

/** A registry of its own names the Docker Hub, which a whole reference may leave out. */
function isSame(a: Reference, b: Reference): boolean {
  return a.tag === b.tag && a.digest === b.digest && canonicalName(a.name) === canonicalName(b.name);
}

/** The reference that a change makes of another. */
export function applied(reference: Reference, { name, tag, digest }: Change): Reference {
  const target: Reference = { name: name ?? reference.name };
  const newTag = tag === undefined ? reference.tag : tag;
  const newDigest = digest === undefined ? reference.digest : digest;
  if (typeof newTag === 'string') target.tag = newTag;
  if (typeof newDigest === 'string') target.digest = newDigest;
  return target;
}

function rewritten(slots: Slots, before: Texts, from: Reference, to: Reference): Texts | { cannot: string } {
  const inner = parseReference(before.repository);
  if (!inner) return { cannot: `the reference is divided between "${before.repository}" and "${before.tag}"` };
  const name = renamed(slots, before, from.name, to.name);
  if ('cannot' in name) return name;
  const after: Texts = { ...before, ...name, tag: '', digest: '' };
  const tagInside = !slots.tag || inner.tag !== undefined || inner.digest !== undefined;
  if (to.tag !== undefined) {
    if (!tagInside) after.tag = to.tag;
    else if (!slots.repositoryIs) after.repository += `:${to.tag}`;
    else return { cannot: 'there is no newTag to write a tag to; add one' };
  }
  if (to.digest === undefined) return after;
  const place = digestPlace(slots, before, inner);
  if (place === 'digest') after.digest = to.digest;
  else if (place === 'tag') after.tag += `@${to.digest}`;
  else if (!slots.repositoryIs) after.repository += `@${to.digest}`;
  else return { cannot: 'there is no digest to write a digest to; add one' };
  return after;
}

/** Where the digest stands, else where one can: in its own scalar, behind the tag, or behind the name. */
function digestPlace(slots: Slots, before: Texts, inner: Reference): 'digest' | 'tag' | 'repository' {
  if (inner.digest !== undefined) return 'repository';
  if (before.tag.includes('@')) return 'tag';
  if (slots.digest) return 'digest';
  return slots.tag && inner.tag === undefined ? 'tag' : 'repository';
}

type Name = Pick<Texts, 'registry' | 'repository'>;

/** Registry and repository, without tag, for a new name: one of the two alone if that does it. */
function renamed(slots: Slots, before: Texts, from: string, to: string): Name | { cannot: string } {
  const { registry } = before;
  if (from === to) return { registry, repository: registry ? from.slice(registry.length + 1) : from };
  if (slots.repositoryIs === 'key')
    return { cannot: `there is no newName to write "${to}" to; add one, as "${from}" is what kustomize looks for` };
  if (!registry) return { registry, repository: to };
  if (to.startsWith(`${registry}/`)) return { registry, repository: to.slice(registry.length + 1) };
  const repository = from.slice(registry.length + 1);
  if (to.endsWith(`/${repository}`)) return { registry: to.slice(0, -repository.length - 1), repository };
  // A name without a domain is the Docker Hub's; the registry must say so.
  const { domain, path } = splitDomain(splitDomain(to).domain === undefined ? canonicalName(to) : to);
  return { registry: domain!, repository: path };
}
