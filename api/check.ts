import * as z from 'zod';
import { problemsOf, show, unknownField } from '../fn/config/explain.ts';
import { asMap } from '../fn/lookup/values.ts';
import { nearest } from '../fn/nearest.ts';
import { objectName } from './fields.ts';
import { API_VERSION } from './kind.ts';
import { isKind, kinds, type KindName } from './kinds.ts';

/** An object of a kind, checked: defaults are filled in. */
export interface ApiObject<K extends KindName = KindName> {
  apiVersion: typeof API_VERSION;
  kind: K;
  metadata: z.output<typeof metadataSchema>;
  spec: z.output<(typeof kinds)[K]['spec']>;
  status?: z.output<(typeof kinds)[K]['status']>;
}

const texts = z.record(z.string(), z.string()).nullish();

const metadataSchema = z.looseObject({
  name: objectName,
  namespace: objectName.optional(),
  uid: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'it is no uid')
    .optional(),
  creationTimestamp: z.iso.datetime({ offset: true }).nullish(),
  labels: texts,
  annotations: texts,
});

/**
 * Checks an object of any kind of ours, by every rule that the API server has, and some that it has not. A text says what is
 * wrong: the field, the value and, for an unknown field, the nearest known one. What a status has beside the fields of
 * its kind is dropped.
 */
export function checkObject(value: unknown): ApiObject | string {
  const object = asMap(value);
  if (!object) return `it is ${show(value)}, not an object`;
  const { apiVersion, kind, metadata, spec, status, ...rest } = object;
  if (!isKind(kind)) return unknownKind(kind);
  if (apiVersion !== API_VERSION) return `apiVersion ${show(apiVersion)} of ${kind} is not ${API_VERSION}`;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return unknownField(unknown, ['metadata', 'spec', 'status'], '');
  const schema: z.ZodType = z.object({
    metadata: metadataSchema,
    spec: kinds[kind].spec,
    status: kinds[kind].status.optional(),
  });
  const parts = { metadata: metadata ?? {}, spec: spec ?? {}, ...(status != null && { status }) };
  const outcome = schema.safeParse(parts);
  if (!outcome.success) return problemsOf(outcome.error, schema, parts, '');
  const checked = outcome.data as Pick<ApiObject, 'metadata' | 'spec' | 'status'>;
  if (kinds[kind].scope === 'Cluster' && checked.metadata.namespace !== undefined)
    return `metadata.namespace: ${kind} belongs to the cluster, and to no namespace`;
  return { apiVersion: API_VERSION, kind, ...checked };
}

function unknownKind(kind: unknown): string {
  const known = Object.keys(kinds);
  const near = nearest(String(kind), known);
  return `kind ${show(kind)} is none of ${known.join(', ')}${near === undefined ? '' : `; did you mean "${near}"?`}`;
}
