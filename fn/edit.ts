import type { Finding } from './governed.ts';
import type { Note } from './note.ts';
import type { Plan, PlannedChange } from './plan.ts';
import { showReference } from './reference.ts';
import type { Replacement } from './replace.ts';
import { noteResult, placed, type Place, type Result } from './result.ts';
import { lineIn, type Slice, type Source } from './source.ts';
import { checkEdits, type Write } from './yaml/check.ts';
import { encodeScalar } from './yaml/scalar.ts';

/** What is to be replaced in a document, and everything there is to say about it. */
export interface EditedDocument {
  /** In order of the text. */
  replacements: Replacement[];
  told: Told[];
}

/** A result, and what it is about. */
export interface Told extends Omit<Finding, 'note'> {
  result: Result;
}

/** Turns a plan into replacements, and proves on the edited document that nothing else changes. */
export async function editDocument(source: Source, slice: Slice, plan: Plan): Promise<EditedDocument> {
  const { text } = source;
  const locate = locator(source, slice, plan);
  const told = plan.notes.map(({ note, ...about }): Told => ({
    result: noteResult(note, locate(note.offset, about.resource)),
    ...about,
  }));
  if (plan.changes.length === 0) return { replacements: [], told };
  const writes = distinct(plan.changes.flatMap((change) => change.writes));
  const replacements = writes.map(({ scalar, value }) => ({
    start: scalar.start,
    end: scalar.end,
    text: encodeScalar(scalar, value, text),
  }));
  const problem = await checkEdits(text, slice, writes, replacements);
  if (!problem)
    return {
      replacements,
      told: [...told, ...plan.changes.flatMap((change) => describeChange(text, locate, change))],
    };
  for (const { field } of plan.changes) {
    const note: Note = { ...problem, path: field.path, container: field.container };
    told.push({ result: noteResult(note, locate(problem.offset, field.resource)), field, holds: true });
  }
  return { replacements: [], told };
}

/** One write a scalar: fields that share an anchor agree on its text. */
function distinct(writes: Write[]): Write[] {
  const byStart = new Map(writes.map((write) => [write.scalar.start, write]));
  return [...byStart.values()].toSorted((a, b) => a.scalar.start - b.scalar.start);
}

function describeChange(
  text: string,
  locate: Locate,
  { field, from, to, writes, policy, reason, image }: PlannedChange,
): Told[] {
  const [{ scalar, value }] = writes;
  const tags: Record<string, string> = { reason, policy };
  if (image !== undefined) tags['image'] = image;
  if (field.container !== '') tags['container'] = field.container;
  const where = locate(scalar.start, field.resource);
  const info: Result = {
    message: `${showReference(from)} -> ${showReference(to)}`,
    severity: 'info',
    field: { path: field.path, currentValue: scalar.value, proposedValue: value },
    tags,
  };
  const setter = setterOf(text, writes);
  const warning: Note | undefined =
    setter === undefined
      ? undefined
      : {
          reason: 'setter',
          message: `${setter} sets this field, and sets it back when apply-setters runs next; change the setter's value too`,
          path: field.path,
          container: field.container,
        };
  return [placed(info, where), ...(warning ? [noteResult(warning, where)] : [])].map((result) => ({ result, field }));
}

/** The setter that a written scalar belongs to by its comment (reference/krm-function.md C2). */
function setterOf(text: string, writes: readonly Write[]): string | undefined {
  for (const { scalar } of writes) {
    const comment = scalar.comment && text.slice(scalar.comment.start, scalar.comment.end);
    const setter = comment === undefined ? undefined : /kpt-set:\s*(\S.*)/.exec(comment)?.[1];
    if (setter) return `kpt-set: ${setter.trimEnd()}`;
  }
  return undefined;
}

/** Says where in the user's files an offset of a document is. */
export type Locate = (offset: number | undefined, resource?: Place['resource']) => Place;

/** Names the file and line of an offset. A line of a ResourceList is no line of the user's file, so it is not told. */
export function locator(source: Source, { item }: Slice, { place, places }: Pick<Plan, 'place' | 'places'>): Locate {
  return (offset, resource) => {
    return {
      ...((resource && places?.get(resource)) ?? place),
      ...(resource && { resource }),
      ...(offset !== undefined && !item && { line: lineIn(source, offset) }),
    };
  };
}
