import type * as z from 'zod';
import { nearest } from '../nearest.ts';

/** A long value must not bury what is wrong with it. */
const MAX_MESSAGE = 250;

/** What a schema has against a value, the first few problems in one line, each with its field. */
export function problemsOf(error: z.core.$ZodError, schema: z.core.$ZodType, value: unknown, at: string): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => explain(issue, value, schema, at).slice(0, MAX_MESSAGE))
    .join('; ');
}

function explain(issue: z.core.$ZodIssue, value: unknown, schema: z.core.$ZodType, at: string): string {
  const path = pathText([...(at ? [at] : []), ...issue.path]);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => unknownField(key, known, path)).join('; ');
  }
  const given = issue.path.reduce<unknown>((v, key) => (v as Record<PropertyKey, unknown> | undefined)?.[key], value);
  if (issue.code === 'invalid_value')
    return `${path}: ${show(given)} is none of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type')
    return `${path}: ${given === undefined ? 'it is missing' : show(given)}; ${issue.expected} expected`;
  return `${path}: ${issue.code === 'custom' ? '' : `${show(given)}; `}${issue.message}`;
}

/** An unknown field, and the nearest known one. */
export function unknownField(key: string, known: string[], path: string): string {
  const near = nearest(key, known);
  return `unknown field ${show(key)}${path ? ` in ${path}` : ''}${near ? `; did you mean "${near}"?` : `; known are ${known.join(', ')}`}`;
}

/** The keys that an object schema has at a path of a value. */
function knownKeys(schema: z.core.$ZodType, path: PropertyKey[]): string[] {
  let current = unwrap(schema);
  for (const key of path) current = unwrap(typeof key === 'number' ? current.def.element : current.shape?.[key]);
  return Object.keys(current.shape ?? {});
}

// Wrappers (default, optional) and objects differ in type only; this is the one place that looks inside a schema.
// oxlint-disable-next-line typescript/no-explicit-any
function unwrap(schema: any): any {
  let current = schema;
  while (current?.def?.innerType) current = current.def.innerType;
  return current;
}

function pathText(path: PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key)),
    '',
  );
}

/** A value as messages show it. */
export function show(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
