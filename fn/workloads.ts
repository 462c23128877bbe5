import type { Spec } from './config/image-update.ts';
import { placeAt, readSlice } from './document.ts';
import type { ImageField } from './find/field.ts';
import { isHelmRelease } from './find/helm.ts';
import type { Resource } from './find/resources.ts';
import { fieldsOf } from './governed.ts';
import { nearest } from './nearest.ts';
import { noteResult, type ResourceRef, type Result } from './result.ts';
import { InputError } from './run.ts';
import { documentsWith, lineIn, type Slice, type Source } from './source.ts';
import { UsageError } from './usage.ts';

/** A resource that has images, where it stands. */
export interface Workload {
  source: Source;
  slice: Slice;
  resource: Resource;
  ref: ResourceRef;
  /** A HelmRelease may have none that is found. */
  fields: readonly ImageField[];
}

/** What a file must contain to have a workload in it. */
export const WORKLOAD_WORDS = ['kind'] as const;

/** The workloads of sources, in order; and a warning for each document that cannot be read. */
export async function readWorkloads(
  sources: readonly Source[],
  spec: Spec,
): Promise<{ workloads: Workload[]; unread: Result[] }> {
  const workloads: Workload[] = [];
  const unread: Result[] = [];
  for (const source of sources)
    for (const slice of documentsWith(source.text, source.documents, { keys: [], anywhere: WORKLOAD_WORDS })) {
      const document = await readSlice(source, slice);
      if ('problem' in document) {
        const { problem } = document;
        const line = lineIn(source, problem.offset);
        unread.push(noteResult(problem, { ...placeAt(source.path, slice.index), line }));
        continue;
      }
      for (const resource of document.resources) {
        const { ref } = resource;
        const { fields } = fieldsOf(resource, spec, document.path);
        // Without a name there is nothing to call it by.
        if (ref.name !== '' && ref.kind !== '' && (fields.length > 0 || isHelmRelease(resource)))
          workloads.push({ source, slice, resource, ref, fields });
      }
    }
  return { workloads, unread };
}

type Named = Pick<ResourceRef, 'kind' | 'name' | 'namespace'>;

/** Where a workload is that does not say its namespace, to Flux v1 (reference/flux-v1-mode.md §2). */
const DEFAULT_NAMESPACE = 'default';

/** A workload as Flux v1 names it: `namespace:kind/name`. */
export function workloadId({ kind, namespace, name }: Named): string {
  return `${namespace || DEFAULT_NAMESPACE}:${kind.toLowerCase()}/${name}`;
}

/** Which workloads a command is about. */
export interface Selection {
  /** Each `namespace:kind/name`, `kind/name` or `name`; without any, all. */
  words: readonly string[];
  /** Of words that say none, and of all; undefined for every one. */
  namespace?: string;
}

/**
 * The workloads that are selected, each once, in the order of the candidates.
 * @throws UsageError for a word that names no workload, InputError for one that none of the candidates is called.
 */
export function selectWorkloads<T extends { ref: Named }>(
  candidates: readonly T[],
  { words, namespace }: Selection,
): T[] {
  const inNamespace = { ...(namespace !== undefined && { namespace }) };
  if (words.length === 0) return candidates.filter(({ ref }) => isCalled(ref, inNamespace));
  const selected = new Set<T>();
  for (const word of words) {
    const wanted = { ...inNamespace, ...parseWord(word) };
    const found = candidates.filter(({ ref }) => isCalled(ref, wanted));
    if (found.length === 0) throw new InputError(unknown(word, wanted, candidates));
    for (const candidate of found) selected.add(candidate);
  }
  return candidates.filter((candidate) => selected.has(candidate));
}

/** The names of the workloads of sources that are selected; undefined for all, of which none need be read. @throws as `selectWorkloads`. */
export async function selectedIds(
  sources: readonly Source[],
  selection: Selection,
  spec: Spec,
): Promise<Set<string> | undefined> {
  if (selection.words.length === 0 && selection.namespace === undefined) return undefined;
  const { workloads } = await readWorkloads(sources, spec);
  return new Set(selectWorkloads(workloads, selection).map(({ ref }) => workloadId(ref)));
}

type Wanted = Partial<Named>;

/** Names may have colons (reference/flux-v1-mode.md §2); namespaces and kinds have none. */
const WORD = /^(?:([\w-]+):)?(?:([\w.-]+)\/)?([\w.:-]+)$/;

function parseWord(word: string): Wanted {
  const [, namespace, kind, name] = WORD.exec(word) ?? [];
  if (name === undefined)
    throw new UsageError(`${JSON.stringify(word)} names no workload; write namespace:kind/name, kind/name or name`);
  return { ...(namespace !== undefined && { namespace }), ...(kind !== undefined && { kind }), name };
}

function isCalled(ref: Named, { namespace, kind, name }: Wanted): boolean {
  return (
    (name === undefined || name === ref.name) &&
    (kind === undefined || isKind(ref.kind, kind)) &&
    (namespace === undefined || namespace === (ref.namespace || DEFAULT_NAMESPACE))
  );
}

/** As kubectl knows them. */
const SHORT_NAMES: Record<string, string> = {
  cj: 'cronjob',
  deploy: 'deployment',
  ds: 'daemonset',
  hr: 'helmrelease',
  po: 'pod',
  rc: 'replicationcontroller',
  rs: 'replicaset',
  sts: 'statefulset',
};

function isKind(kind: string, word: string): boolean {
  const [known, wanted] = [kind.toLowerCase(), word.toLowerCase()];
  return wanted === known || wanted === `${known}s` || SHORT_NAMES[wanted] === known;
}

/** As many names as a message can carry. */
const MAX_NAMES = 5;

function unknown(word: string, wanted: Wanted, candidates: readonly { ref: Named }[]): string {
  const ids = [...new Set(candidates.map(({ ref }) => workloadId(ref)))];
  if (ids.length === 0) return `there is no workload "${word}", nor any other that has images`;
  // What is called so, in another namespace or of another kind, is what was meant.
  const alike = candidates.filter(({ ref }) => ref.name === wanted.name).map(({ ref }) => workloadId(ref));
  const name = nearest(wanted.name ?? '', new Set(candidates.map(({ ref }) => ref.name)));
  const near = candidates.filter(({ ref }) => ref.name === name).map(({ ref }) => workloadId(ref));
  const meant = [...new Set(alike.length > 0 ? alike : near)];
  if (meant.length > 0) return `there is no workload "${word}"; did you mean ${listed(meant, ' or ')}?`;
  return `there is no workload "${word}"; there ${ids.length === 1 ? 'is' : 'are'} ${listed(ids, ', ')}`;
}

function listed(ids: readonly string[], separator: string): string {
  const shown = ids.slice(0, MAX_NAMES).join(separator);
  return ids.length > MAX_NAMES ? `${shown} and ${ids.length - MAX_NAMES} more` : shown;
}
