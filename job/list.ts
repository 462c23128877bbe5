import { isDeepStrictEqual } from 'node:util';
import { itemOf, readValue, isNote } from '../fn/lookup/read.ts';
import { asMap, asText } from '../fn/lookup/values.ts';
import { replaceAll, type Replacement } from '../fn/replace.ts';
import { itemPlace, readResourceList, ResourceListError, type ResourceList } from '../fn/resourcelist.ts';
import type { Result, Severity } from '../fn/result.ts';
import type { Slice } from '../fn/source.ts';
import { annotate } from '../fn/yaml/annotate.ts';
import { splitDocuments } from '../fn/yaml/documents.ts';
import { printYaml } from '../fn/yaml/print.ts';
import { readDocument } from '../fn/yaml/read.ts';
import { encodeScalar } from '../fn/yaml/scalar.ts';
import { deref, get, type Node, type ScalarNode } from '../fn/yaml/tree.ts';
import { toValue } from '../fn/yaml/value.ts';
import { JobError } from './failure.ts';

/** A text file of the repository. */
export interface TextFile {
  path: string;
  text: string;
}

/** A ResourceList for a function, and what its items were made of. */
export interface Request {
  text: string;
  documents: Document[];
}

interface Document {
  file: TextFile;
  slice: Slice;
  index: number;
  /** Without the annotations that orchestrators set. */
  value: unknown;
}

/** What a function made of files; `null`: a file has no document left. */
export interface Answer {
  files: { path: string; before: string; after: string | null }[];
  results: Result[];
}

const PATHS = ['config.kubernetes.io/path', 'internal.config.kubernetes.io/path'];
const INDEXES = ['config.kubernetes.io/index', 'internal.config.kubernetes.io/index'];
/** Set by orchestrators and by functions for them; none is the file's (reference/krm-function.md A2). */
const OURS = [
  ...PATHS,
  ...INDEXES,
  'internal.config.kubernetes.io/id',
  'config.k8s.io/id',
  'internal.config.kubernetes.io/seqindent',
];
const REMOVED: Record<string, null> = Object.fromEntries(OURS.map((key) => [key, null]));
const HEADER = 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n';

/** The resources of files as a ResourceList, with the annotations that say where each is from. */
export async function requestOf(files: readonly TextFile[], functionConfig: unknown): Promise<Request> {
  const documents: Document[] = [];
  const items: string[] = [];
  for (const file of files)
    for (const slice of splitDocuments(file.text)) {
      const value = await readValue(file.text, slice);
      const resource = asMap(value);
      if (isNote(value) || asText(resource?.['kind']) === undefined || asText(resource?.['apiVersion']) === undefined)
        continue;
      const places = [...PATHS.map((key) => [key, file.path]), ...INDEXES.map((key) => [key, String(slice.index)])];
      const item = annotate(
        file.text.slice(slice.start, slice.end),
        Object.fromEntries(places) as Record<string, string>,
      );
      if (item === undefined) continue;
      documents.push({ file, slice, index: slice.index, value: withoutPlaces(value) });
      items.push(asItem(item));
    }
  const config = functionConfig === undefined ? '' : printYaml({ functionConfig });
  return { text: `${HEADER}${config}items:${items.length === 0 ? ' []' : ''}\n${items.join('')}`, documents };
}

function asItem(document: string): string {
  // Blank lines at the end may be a text's.
  return document
    .replace(/\n$/, '')
    .split('\n')
    .map((line, i) => (i === 0 ? `- ${line}\n` : line === '' ? '\n' : `  ${line}\n`))
    .join('');
}

/** A value without the annotations of orchestrators, and without the metadata that may have been made for them. */
function withoutPlaces(value: unknown): unknown {
  const resource = asMap(value);
  if (!resource) return plain(value);
  const metadata = asMap(resource['metadata']);
  const annotations = Object.entries(asMap(metadata?.['annotations']) ?? {}).filter(([key]) => !OURS.includes(key));
  const left = { ...metadata, annotations: unlessEmpty(Object.fromEntries(annotations)) };
  return plain({ ...resource, metadata: unlessEmpty(left) });
}

function unlessEmpty(map: Record<string, unknown>): Record<string, unknown> | undefined {
  return Object.values(map).some((value) => value !== undefined) ? map : undefined;
}

/** With prototypes as all values of JSON have them, so that equal values are equal. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

/**
 * What a function's answer makes of the files. A document that says the same as before keeps every byte; one in which texts
 * alone differ has just those replaced; any other is written as the function wrote it.
 * @throws JobError of class FunctionFailed where it is no ResourceList, or says that it failed.
 */
export async function readAnswer(output: string, { documents }: Request): Promise<Answer> {
  const list = await readList(output);
  const results = resultsOf(list);
  const errors = results.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  if (errors.length > 0)
    throw new JobError('FunctionFailed', `the function reports: ${errors.slice(0, 10).join('; ')}`);

  const edits = new Map<TextFile, Replacement[]>();
  const created = new Map<string, string[]>();
  const open = new Map(documents.map((document) => [placeKey(document.file.path, document.index), document]));
  for (const slice of list.items) {
    const { value, path, index, text } = await readItem(list, slice);
    const key = placeKey(path, index);
    const document = open.get(key);
    open.delete(key);
    if (!document) created.set(path, [...(created.get(path) ?? []), text]);
    else if (!isDeepStrictEqual(document.value, value))
      add(edits, document.file, await replacementsOf(document, value, text));
  }
  for (const { file, slice } of open.values()) add(edits, file, [{ start: slice.start, end: slice.end, text: '' }]);
  return { files: [...changedFiles(edits), ...newFiles(created, documents, edits)], results };
}

function placeKey(path: string, index: number): string {
  return `${index} ${path}`;
}

function add(edits: Map<TextFile, Replacement[]>, file: TextFile, replacements: Replacement[]): void {
  edits.set(file, [...(edits.get(file) ?? []), ...replacements]);
}

async function readList(output: string): Promise<ResourceList> {
  try {
    return await readResourceList(output);
  } catch (error) {
    if (!(error instanceof ResourceListError)) throw error;
    throw new JobError(
      'FunctionFailed',
      `the function gave back no ResourceList: ${error.message.replace(/^stdin /, 'its output ')}`,
    );
  }
}

const SEVERITIES = new Set<unknown>(['error', 'warning', 'info'] satisfies Severity[]);

/** What a function reported, as far as it is as the specification says (reference/krm-function.md A4). */
function resultsOf(list: ResourceList): Result[] {
  const entries = list.results ? toValue(list.results) : [];
  return (Array.isArray(entries) ? entries : []).flatMap((entry): Result[] => {
    const { message, severity, file } = asMap(entry) ?? {};
    const text = asText(message)
      ?.replaceAll(/\p{Cc}+/gu, ' ')
      .slice(0, 1000);
    if (text === undefined) return [];
    const path = asText(asMap(file)?.['path']);
    // The specification: without a severity it is for information.
    const known = SEVERITIES.has(severity) ? (severity as Severity) : 'info';
    return [{ message: text, severity: known, ...(path !== undefined && { file: { path } }) }];
  });
}

async function readItem(list: ResourceList, slice: Slice) {
  const value = await readValue(list.text, slice);
  const resource = asMap(value);
  if (isNote(value) || !resource)
    throw new JobError(
      'FunctionFailed',
      `the function gave back an item that cannot be read${isNote(value) ? `: ${value.message}` : ''}`,
    );
  const read = await readDocument(list.text, slice.start, slice.end);
  const place = 'problem' in read ? {} : itemPlace(itemOf(read.root));
  const kind = asText(resource['kind'])?.toLowerCase() ?? 'resource';
  const name = asText(asMap(resource['metadata'])?.['name'])?.toLowerCase() ?? 'unnamed';
  // As kpt names the file of a resource that says none.
  const { path = `${kind}_${name}.yaml`, index = 0 } = place;
  return { value: withoutPlaces(value), path, index, text: documentOf(list, slice, value) };
}

/** The text of an item as a document of its own, without the annotations of orchestrators. */
function documentOf({ text, flow }: ResourceList, { start, end }: Slice, value: unknown): string {
  const item = text.slice(start, end);
  const column = /^ *- /.exec(item)?.[0].length;
  if (flow || column === undefined) return printYaml(withoutPlaces(value));
  const lines = item
    .split('\n')
    .map((line, i) =>
      i === 0 ? line.slice(column) : line.slice(Math.min(column, line.length - line.trimStart().length)),
    );
  return annotate(lines.join('\n'), REMOVED) ?? printYaml(withoutPlaces(value));
}

/** The replacements that make a document say something else: of texts alone if that will do. */
async function replacementsOf({ file, slice, value }: Document, wanted: unknown, text: string): Promise<Replacement[]> {
  const read = await readDocument(file.text, slice.start, slice.end);
  const writes = 'problem' in read ? undefined : differences(read.root, value, wanted);
  if (writes) {
    // Uses of an anchor share its scalar.
    const byStart = new Map(writes.map((write) => [write.scalar.start, write]));
    const replacements = [...byStart.values()]
      .toSorted((a, b) => a.scalar.start - b.scalar.start)
      .map(({ scalar: { start, end }, scalar, value }) => ({
        start,
        end,
        text: encodeScalar(scalar, value, file.text),
      }));
    const edited = replaceAll(file.text, replacements, slice.start, slice.end);
    // An anchor may have users that were to stay: then the function's own text says it.
    const now = await readValue(edited, { start: 0, end: edited.length });
    if (!isNote(now) && isDeepStrictEqual(withoutPlaces(now), wanted)) return replacements;
  }
  const head = /^\uFEFF?(?:%[^\n]*\n)*---(?=\s)/.exec(file.text.slice(slice.start, slice.end))?.[0];
  return [{ start: slice.start, end: slice.end, text: head === undefined ? text : `${head}\n${text}` }];
}

interface Write {
  scalar: ScalarNode;
  value: string;
}

/** The scalars to write to get from one value to another; undefined if more than texts differ. */
function differences(node: Node | undefined, before: unknown, after: unknown): Write[] | undefined {
  if (isDeepStrictEqual(before, after)) return [];
  const at = deref(node);
  if (at?.kind === 'scalar')
    return typeof before === 'string' && typeof after === 'string' ? [{ scalar: at, value: after }] : undefined;
  if (Array.isArray(before) && Array.isArray(after)) {
    if (at?.kind !== 'seq' || before.length !== after.length) return undefined;
    return all(before.map((value, i) => differences(at.items[i], value, after[i])));
  }
  const [old, now] = [asMap(before), asMap(after)];
  if (!old || !now || at?.kind !== 'map') return undefined;
  const keys = Object.keys(old);
  if (keys.length !== Object.keys(now).length || keys.some((key) => !Object.hasOwn(now, key))) return undefined;
  return all(keys.map((key) => differences(get(at, key), old[key], now[key])));
}

function all(parts: (Write[] | undefined)[]): Write[] | undefined {
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

function changedFiles(edits: ReadonlyMap<TextFile, Replacement[]>): Answer['files'] {
  return [...edits].map(([{ path, text }, replacements]) => {
    const after = replaceAll(
      text,
      replacements.toSorted((a, b) => a.start - b.start),
    );
    return { path, before: text, after: splitDocuments(after).length === 0 ? null : after };
  });
}

/** Documents for files that are there go behind what those hold. */
function newFiles(
  created: ReadonlyMap<string, string[]>,
  documents: readonly Document[],
  edits: ReadonlyMap<TextFile, unknown>,
): Answer['files'] {
  return [...created].map(([path, texts]) => {
    const present = documents.find(({ file }) => file.path === path)?.file;
    if (present && edits.has(present))
      throw new JobError(
        'FunctionFailed',
        `${path}: the function changed documents of it and gave it new ones at once, which is not done; give them a file of their own`,
      );
    const before = present?.text ?? '';
    const start = before === '' ? [] : [before.endsWith('\n') ? before : `${before}\n`];
    return { path, before, after: [...start, ...texts].join(start.length > 0 ? '---\n' : '---\n') };
  });
}
