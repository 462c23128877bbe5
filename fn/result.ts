import type { Note } from './note.ts';

/** A resource as results and targets name it. */
export interface ResourceRef {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
}

export type Severity = 'error' | 'warning' | 'info';

/** One entry of a ResourceList's `results`, by the KRM function specification (reference/krm-function.md A4). */
export interface Result {
  message: string;
  severity: Severity;
  resourceRef?: ResourceRef;
  field?: { path: string; currentValue?: string; proposedValue?: string };
  file?: { path: string; index?: number };
  /** `reason` and `line` on every result; `image`, `container` and `policy` where there is one. */
  tags?: Record<string, string>;
}

/** Where a note or a change was found. */
export interface Place {
  resource?: ResourceRef;
  file?: string;
  index?: number;
  line?: number;
}

/** The result that tells a note, with what is known of its place. */
export function noteResult(note: Note, place: Place, severity: Severity = 'warning'): Result {
  const tags: Record<string, string> = { reason: note.reason };
  if (note.container !== undefined) tags['container'] = note.container;
  if (note.image !== undefined) tags['image'] = note.image;
  const field = note.path === undefined ? undefined : { path: note.path };
  return placed({ message: note.message, severity, ...(field && { field }), tags }, place);
}

/** A result with its resource, file and line. `field` needs a `resourceRef` by the specification, so it goes without one. */
export function placed(result: Result, { resource, file, index, line }: Place): Result {
  const placed: Result = { message: onOneLine(result.message), severity: result.severity };
  // The specification requires a name; a nameless Kustomization is told by its file instead.
  if (resource?.name) placed.resourceRef = resource;
  if (result.field && placed.resourceRef) placed.field = result.field;
  if (file !== undefined) placed.file = { path: file, ...(index !== undefined && { index }) };
  const tags: Record<string, string> = { ...result.tags };
  if (line !== undefined) tags['line'] = String(line);
  if (result.field && !placed.field) tags['field'] = result.field.path;
  if (Object.keys(tags).length > 0) placed.tags = tags;
  return placed;
}

/** By file, document, line and field, so that the results of two runs can be compared as text. */
export function sortResults(results: Result[]): Result[] {
  return results.toSorted(
    (a, b) =>
      compare(a.file?.path ?? '', b.file?.path ?? '') ||
      (a.file?.index ?? 0) - (b.file?.index ?? 0) ||
      Number(a.tags?.['line'] ?? 0) - Number(b.tags?.['line'] ?? 0) ||
      compare(a.field?.path ?? '', b.field?.path ?? '') ||
      compare(a.message, b.message),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** One line for a person: `path:line: severity: Kind ns/name container: message`. */
export function describe({ severity, message, resourceRef, file, tags, field }: Result): string {
  const where = file ? `${file.path}${tags?.['line'] ? `:${tags['line']}` : ''}: ` : '';
  const who = resourceRef
    ? `${resourceRef.kind} ${resourceRef.namespace ? `${resourceRef.namespace}/` : ''}${resourceRef.name}`
    : '';
  const what = tags?.['container'] ?? field?.path ?? '';
  const subject = [who, what].filter(Boolean).join(' ');
  return onOneLine(`${where}${severity === 'info' ? '' : `${severity}: `}${subject ? `${subject}: ` : ''}${message}`);
}

/**
 * Names and values of manifests stand in what is told: a line break in one must not begin a line, which could pass for
 * another message or, in CI, for a command, and a terminal must not obey one.
 */
export function onOneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (char) => {
    const escaped = JSON.stringify(char).slice(1, -1);
    return escaped === char ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : escaped;
  });
}
