import { defaultSpec } from '../fn/config/defaults.ts';
import type { ImageField } from '../fn/find/find.ts';
import { groupOf, resourcesOf } from '../fn/find/resources.ts';
import { fieldsOf } from '../fn/governed.ts';
import { formatReference } from '../fn/reference.ts';
import type { PlannedChange } from '../fn/plan.ts';
import type { ResourceRef, Result } from '../fn/result.ts';
import { workloadId } from '../fn/workloads.ts';
import { splitDocuments } from '../fn/yaml/documents.ts';
import { readDocument } from '../fn/yaml/read.ts';

/** An image field that moved, as `status.result.changes` and commit messages tell it. */
export interface Change {
  file: string;
  /** `group/Kind/namespace/name`; what is not there is left empty. */
  object: string;
  /** Path of the field. */
  field: string;
  container?: string;
  /** The image repository that stood there; empty for a marked part that stands alone. */
  image: string;
  /** References as people write them; of a marked part that stands alone, the part. */
  from: string;
  to: string;
  policy?: string;
}

/** The changes that results of the engine tell of. */
export function changesOf(results: readonly Result[]): Change[] {
  return results.filter(({ severity }) => severity === 'info').map(changeOf);
}

function changeOf({ message, file, resourceRef, field, tags }: Result): Change {
  const [from = '', to = ''] = message.split(' -> ');
  return {
    file: file?.path ?? '',
    object: objectOf(resourceRef),
    field: field?.path ?? tags?.['field'] ?? '',
    ...(tags?.['container'] !== undefined && { container: tags['container'] }),
    image: tags?.['image'] ?? '',
    from,
    to,
    ...(tags?.['policy'] !== undefined && { policy: tags['policy'] }),
  };
}

/** The image fields that differ between two texts of a file: what a foreign image did, as far as it is about images. */
export async function imageChanges(file: string, before: string, after: string): Promise<Change[]> {
  const known = new Map(
    (await fieldsIn(file, before)).map((field) => [fieldKey(file, field.resource, field.path), field]),
  );
  return (await fieldsIn(file, after)).flatMap(({ resource, path, container, reference }) => {
    const from = known.get(fieldKey(file, resource, path))?.reference;
    if (!from || !reference || formatReference(from) === formatReference(reference)) return [];
    const change: Change = {
      file,
      object: objectOf(resource),
      field: path,
      container,
      image: from.name,
      from: formatReference(from),
      to: formatReference(reference),
    };
    return [change];
  });
}

async function fieldsIn(file: string, text: string): Promise<ImageField[]> {
  const fields: ImageField[] = [];
  for (const { start, end } of splitDocuments(text)) {
    const read = await readDocument(text, start, end);
    if (!('problem' in read))
      for (const resource of resourcesOf(read.root)) fields.push(...fieldsOf(resource, defaultSpec(), file).fields);
  }
  return fields;
}

/** What tells a field from others: the same of a change, a plan, and what is read of an old commit. */
export function fieldKey(file: string, resource: ResourceRef, path: string): string {
  return keyOf({ file, object: objectOf(resource), field: path });
}

export function keyOf({ file, object, field }: Pick<Change, 'file' | 'object' | 'field'>): string {
  return `${file} ${object} ${field}`;
}

export function keyOfPlan({ field }: PlannedChange, file: string | undefined): string {
  return fieldKey(file ?? '', field.resource, field.path);
}

function objectOf(resource: ResourceRef | undefined): string {
  // As results have it, which name no resource without a name.
  if (!resource?.name) return '';
  const { kind, namespace = '', name } = resource;
  return `${groupOf(resource)}/${kind}/${namespace}/${name}`;
}

/** The workload of a change as Flux v1 names it: `namespace:kind/name`; the file where no object is known. */
export function workloadOf({ object, file }: Change): string {
  const [, kind = '', namespace = '', name = ''] = object.split('/');
  return name === '' ? file : workloadId({ kind, namespace, name });
}
