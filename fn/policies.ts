import { PREFIXES } from './find/annotations.ts';
import type { Resource } from './find/resources.ts';
import type { AnnotationEdit } from './edit-annotations.ts';

/**
 * Policies of a workload by their names, `automated` or `tag.CONTAINER`, each with what it shall say; null for those that it
 * shall no longer have.
 */
export type PolicyChanges = ReadonlyMap<string, string | null>;

/** What is asked of workloads, as `fluxctl policy` asks it (reference/flux-v1-mode.md §15.2). */
export interface PolicyRequest {
  automated?: boolean;
  /** A lock with who sets it and why, as far as that is known; false takes all of it away. */
  lock?: { user?: string; message?: string } | false;
  /** Filters of containers, in canonical form; null for none. */
  filters: ReadonlyMap<string, string | null>;
  /** The filter of every other container; null for none. */
  otherFilters?: string | null;
}

/** What a request means for a workload with these containers. */
export function policyChanges(request: PolicyRequest, containers: Iterable<string>): PolicyChanges {
  const { automated, lock, filters, otherFilters } = request;
  const changes = new Map<string, string | null>();
  if (automated !== undefined) changes.set('automated', automated ? 'true' : null);
  if (lock === false) for (const name of ['locked', 'locked_user', 'locked_msg']) changes.set(name, null);
  else if (lock) {
    changes.set('locked', 'true');
    if (lock.user !== undefined) changes.set('locked_user', lock.user);
    if (lock.message !== undefined) changes.set('locked_msg', lock.message);
  }
  for (const container of containers) {
    const filter = filters.has(container) ? filters.get(container) : otherFilters;
    if (filter !== undefined) changes.set(TAG + container, filter);
  }
  return changes;
}

const TAG = 'tag.';
const [CURRENT, , FILTER] = PREFIXES;

/**
 * The annotations that make a resource say its policies. Whatever spelling is there is kept and says the same; a new filter
 * is spelt as the resource's other filters are.
 */
export function annotationEdit({ annotations }: Pick<Resource, 'annotations'>, changes: PolicyChanges): AnnotationEdit {
  const set = new Map<string, string>();
  const remove = new Set<string>();
  for (const [name, value] of changes) {
    const there = spellings(name).filter((key) => annotations.has(key));
    if (value === null) for (const key of there) remove.add(key);
    else for (const key of there.length > 0 ? there : [newKey(name, annotations)]) set.set(key, value);
  }
  return { set, remove };
}

/** The containers that a resource has filters for, be they its own or not. */
export function filteredContainers({ annotations }: Pick<Resource, 'annotations'>): string[] {
  return [...annotations.keys()].flatMap((key) => {
    const prefix = FILTER_STARTS.find((start) => key.startsWith(start));
    return prefix === undefined ? [] : [key.slice(prefix.length)];
  });
}

const FILTER_STARTS = PREFIXES.map((prefix) => (prefix === FILTER ? prefix : prefix + TAG));

function spellings(name: string): string[] {
  return name.startsWith(TAG)
    ? FILTER_STARTS.map((start) => start + name.slice(TAG.length))
    : PREFIXES.filter((prefix) => prefix !== FILTER).map((prefix) => prefix + name);
}

function newKey(name: string, annotations: Resource['annotations']): string {
  if (!name.startsWith(TAG)) return CURRENT + name;
  const other = [...annotations.keys()].findLast((key) => FILTER_STARTS.some((start) => key.startsWith(start)));
  return (FILTER_STARTS.find((start) => other?.startsWith(start)) ?? FILTER) + name.slice(TAG.length);
}

/** What the API server takes for the part of a key behind its prefix. */
const KEY_NAME = /^[A-Za-z\d](?:[\w.-]{0,61}[A-Za-z\d])?$/;

/** The key of an edit that no annotation may have, if there is one. */
export function invalidKey({ set }: AnnotationEdit): string | undefined {
  return [...set.keys()].find((key) => !KEY_NAME.test(key.slice(key.indexOf('/') + 1)));
}

/** Policies that changed, in words. */
export function sayPolicies(changes: PolicyChanges): string {
  const words = new Set<string>();
  for (const [name, value] of changes) {
    const container = name.startsWith(TAG) ? name.slice(TAG.length) : undefined;
    if (container !== undefined)
      words.add(value === null ? `no filter for ${container}` : `filter of ${container} ${value}`);
    else if (name === 'automated') words.add(value === null ? 'no longer automated' : 'automated');
    else words.add(value === null ? 'unlocked' : sayLock(changes));
  }
  return [...words].join(', ');
}

function sayLock(changes: PolicyChanges): string {
  const [user, message] = [changes.get('locked_user'), changes.get('locked_msg')];
  return `locked${user ? ` by ${user}` : ''}${message ? ` for ${JSON.stringify(message)}` : ''}`;
}
