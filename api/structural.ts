import * as z from 'zod';
import { RULES, type ServerRule } from './rule.ts';

/** A schema as the API server takes it: structural (apiextensions.k8s.io/v1), with its extensions. */
export interface Schema {
  type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  description?: string;
  default?: unknown;
  enum?: string[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  maxItems?: number;
  maxProperties?: number;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
  required?: string[];
  'x-kubernetes-preserve-unknown-fields'?: true;
  [RULES]?: ServerRule[];
}

/** Keywords in the order in which they are written; any other is an error. */
const KEYWORDS = [
  'description',
  'type',
  'format',
  'enum',
  'default',
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
  'maxItems',
  'maxProperties',
  'properties',
  'additionalProperties',
  'items',
  'required',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-preserve-unknown-fields',
  RULES,
];

type Json = Record<string, unknown>;

/** The structural schema of a Zod schema. @throws Error for what an API server would refuse: it is a fault of the schema. */
export function toStructural(schema: z.core.$ZodType): Schema {
  return convert(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'output' }), 'spec');
}

function convert(from: Json, at: string): Schema {
  const to: Json = { ...from };
  if (to['type'] === 'object') convertObject(to, at);
  if (to['type'] === 'array') to['items'] = convert(to['items'] as Json, `${at}[]`);
  // What Zod says of every integer.
  if (to['minimum'] === Number.MIN_SAFE_INTEGER) delete to['minimum'];
  if (to['maximum'] === Number.MAX_SAFE_INTEGER) delete to['maximum'];
  // A format says it all.
  if (to['format'] !== undefined) delete to['pattern'];
  refuseUnbounded(to, at);
  const strange = Object.keys(to).find((keyword) => !KEYWORDS.includes(keyword));
  if (strange !== undefined || typeof to['type'] !== 'string')
    throw new Error(`${at}: a structural schema has a type, and no ${strange}`);
  return Object.fromEntries(
    KEYWORDS.flatMap((keyword) => (keyword in to ? [[keyword, to[keyword]]] : [])),
  ) as unknown as Schema;
}

function convertObject(to: Json, at: string): void {
  const { properties = {}, required = [] } = to as { properties?: Record<string, Json>; required?: string[] };
  const more = to['additionalProperties'];
  if (to['properties'])
    to['properties'] = Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [key, convert(value, `${at}.${key}`)]),
    );
  delete to['additionalProperties'];
  if (isSchema(more) && Object.keys(more).length > 0) to['additionalProperties'] = convert(more, `${at}[]`);
  else if (isSchema(more)) to['x-kubernetes-preserve-unknown-fields'] = true;
  // What has a default is always there in the end, and need not be in the beginning.
  const needed = required.filter((key) => !('default' in (properties[key] ?? {})));
  if (needed.length > 0) to['required'] = needed;
  else delete to['required'];
}

function isSchema(more: unknown): more is Json {
  return typeof more === 'object' && more !== null;
}

/** The API server reckons what a rule may cost by the sizes that are allowed. */
function refuseUnbounded({ type, enum: values, format, ...schema }: Json, at: string): void {
  const bound = { string: 'maxLength', array: 'maxItems' }[String(type)];
  if (bound !== undefined && schema[bound] === undefined && !values && !format)
    throw new Error(`${at}: it has no ${bound}`);
  if (schema['additionalProperties'] !== undefined && schema['maxProperties'] === undefined)
    throw new Error(`${at}: it has no maxProperties`);
}
