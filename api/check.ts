import * as z from 'zod';
import { problemsOf, show, unknownField } from '../fn/config/explain.ts';
import { objectName } from './fields.ts';
import { API_VERSION, type Kind } from './kind.ts';

/** An object of a kind, checked: defaults are filled in. */
export interface ApiObject<K extends Kind = Kind> {
  apiVersion: typeof API_VERSION;
  kind: K['kind'];
  metadata: z.output<typeof metadataSchema>;
  spec: z.output<K['spec']>;
  status?: z.output<K['status']>;
}

/** What the API server takes as the key of a label or an annotation: a name, with a domain and a slash before it or none. */
const KEY = /^(?:[a-z\d](?:[a-z\d.-]{0,251}[a-z\d])?\/)?[A-Za-z\d](?:[\w.-]{0,61}[A-Za-z\d])?$/;
const LABEL = /^(?:[A-Za-z\d](?:[\w.-]{0,61}[A-Za-z\d])?)?$/;

const labels = z.record(z.string(), z.string()).superRefine((map, ctx) => {
  for (const [key, value] of Object.entries(map))
    if (!KEY.test(key)) ctx.addIssue(`${show(key)} is no key of a label, such as app or example.com/app`);
    else if (!LABEL.test(value))
      ctx.addIssue(`${show(value)} is no value of a label: letters, digits, "-", "_" and ".", 63 at most`);
});

const annotations = z.record(z.string(), z.string()).superRefine((map, ctx) => {
  for (const key of Object.keys(map))
    if (!KEY.test(key.toLowerCase()))
      ctx.addIssue(`${show(key)} is no key of an annotation, such as note or example.com/note`);
});

const metadataSchema = z.looseObject({
  name: objectName,
  namespace: objectName.optional(),
  uid: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'it is no uid')
    .optional(),
  creationTimestamp: z.iso.datetime({ offset: true }).nullish(),
  labels: labels.nullish(),
  annotations: annotations.nullish(),
});

/**
 * Checks an object that says that it is of a kind, by every rule that the API server has, and some that it has not. A text says
 * what is wrong: the field, the value and, for an unknown field, the nearest known one. What a status has beside the fields
 * of its kind is dropped.
 */
export function checkAs<K extends Kind>(kind: K, object: Record<string, unknown>): ApiObject<K> | string {
  const { apiVersion, kind: name, metadata, spec, status, ...rest } = object;
  if (name !== kind.kind) return `kind ${show(name)} is not ${kind.kind}`;
  if (apiVersion !== API_VERSION) return `apiVersion ${show(apiVersion)} of ${kind.kind} is not ${API_VERSION}`;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return unknownField(unknown, ['metadata', 'spec', 'status'], '');
  const schema: z.core.$ZodType = z.object({
    metadata: metadataSchema,
    spec: kind.spec,
    status: kind.status.optional(),
  });
  const parts = { metadata: metadata ?? {}, spec: spec ?? {}, ...(status != null && { status }) };
  const outcome = z.safeParse(schema, parts);
  if (!outcome.success) return problemsOf(outcome.error, schema, parts, '');
  const checked = outcome.data as Pick<ApiObject<K>, 'metadata' | 'spec' | 'status'>;
  if (kind.scope === 'Cluster' && checked.metadata.namespace !== undefined)
    return `metadata.namespace: ${kind.kind} belongs to the cluster, and to no namespace`;
  return { apiVersion: API_VERSION, kind: kind.kind, ...checked };
}
