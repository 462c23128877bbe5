import * as fc from 'fast-check';
import type { KindName } from '../../api/kinds.ts';
import { fieldOptions, type FieldOption, type Given } from '../../api/options.ts';
import { RULES } from '../../api/rule.ts';
import type { Schema } from '../../api/structural.ts';

/** Texts for fields that no pattern describes, by the last key of their path. */
const texts: Record<string, readonly string[]> = {
  url: ['https://git.example.com/team/config', 'ssh://git@git.example.com:2222/a/b.git'],
  branch: ['main', 'feature/a-b'],
  tag: ['v1.2.3'],
  commit: ['0123456789'.repeat(4)],
  paths: ['clusters/prod', 'a'],
  image: ['ghcr.io/org/app', 'nginx', 'localhost:5000/image-update'],
  exclude: ['-rc', '^(?P<a>x)+$'],
  regexp: ['^main-(?P<ts>[0-9]+)$'],
  range: ['~1.2 || ^3', '*', '1'],
  email: ['bot@example.com'],
  args: ['--flag=1', '', '5', 'a b: {c}'],
};

/**
 * Any value of a schema, of texts that its rules take, with all of its fields or some; unions have just one arm, and what else
 * holds between fields is for the caller to see to.
 */
export function valueOf(schema: Schema, which: 'all' | 'some', key = ''): fc.Arbitrary<unknown> {
  const { type, enum: values, items, additionalProperties, maxItems = 1, minimum = -1000, maximum = 1000 } = schema;
  if (values) return fc.constantFrom(...values);
  switch (type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: minimum, max: maximum });
    case 'array':
      return fc.array(valueOf(items!, which, key), {
        // A list that is empty by default is said by saying nothing.
        minLength: Array.isArray(schema.default) && schema.default.length > 0 ? 0 : 1,
        maxLength: Math.min(3, maxItems),
      });
    case 'object':
      if (schema['x-kubernetes-preserve-unknown-fields']) return freeObject(schema);
      if (additionalProperties)
        return fc.dictionary(fc.stringMatching(/^[a-z][a-z.]{0,9}$/), valueOf(additionalProperties, which), {
          minKeys: 1,
          maxKeys: 3,
        });
      return objectOf(schema, which);
    case 'string':
      return textOf(schema, key);
  }
}

function textOf({ pattern, minLength = 0 }: Schema, key: string): fc.Arbitrary<string> {
  if (texts[key]) return fc.constantFrom(...texts[key]);
  if (pattern?.includes('(ms|s|m|h'))
    return key === 'timeout' ? fc.constantFrom('30s', '1m') : fc.constantFrom('90s', '1h30m', '0.5h');
  if (pattern !== undefined)
    return fc.stringMatching(new RegExp(pattern)).filter((text) => text.length > 0 && text.length <= 32);
  return fc.stringMatching(/^[a-z][\w =:,{}#'"-]{0,12}\w$/).filter((text) => text.length >= minLength);
}

function freeObject({ properties = {} }: Schema): fc.Arbitrary<unknown> {
  const names = Object.fromEntries(Object.keys(properties).map((key) => [key, fc.constantFrom('v1', 'ConfigMap')]));
  return fc.record({ ...names, data: fc.record({ a: fc.constantFrom('5', 5, true, null, ['x', { y: '' }]) }) });
}

/** Fields at random, the ones that must be there among them; of a union just one arm. */
function objectOf(schema: Schema, which: 'all' | 'some'): fc.Arbitrary<Record<string, unknown>> {
  const properties = Object.entries(schema.properties ?? {});
  const arms = armsOf(schema);
  const fields = Object.fromEntries(properties.map(([key, below]) => [key, valueOf(below, which, key)]));
  // An object that says nothing cannot be said.
  const least = schema.required || arms.length > 0 ? [] : [properties[0]![0]];
  const requiredKeys = which === 'all' ? Object.keys(fields) : [...(schema.required ?? []), ...arms, ...least];
  const optional = fc.record(fields, { requiredKeys });
  if (arms.length === 0) return optional;
  return fc
    .tuple(optional, fc.constantFrom(...arms))
    .map(([value, arm]) =>
      Object.fromEntries(Object.entries(value).filter(([key]) => key === arm || !arms.includes(key))),
    );
}

function armsOf(schema: Schema): string[] {
  const union = schema[RULES]?.find(({ rule }) => rule.startsWith('['));
  return [...(union?.rule.matchAll(/has\(self\.(\w+)\)/g) ?? [])].map(([, arm = '']) => arm);
}

/** What may be given for an option. */
type Value = string | boolean | readonly string[];

/** The options that say a spec. */
export function optionsOf(kind: KindName, spec: Record<string, unknown>): Given {
  const given = new Map<string, Value>();
  for (const { name, path, form } of fieldOptions(kind)) {
    const value = path.reduce<unknown>((map, key) => (map as Record<string, unknown> | undefined)?.[key], spec);
    if (value !== undefined) given.set(name, said(form, value));
  }
  return given;
}

function said(form: FieldOption['form'], value: unknown): Value {
  switch (form) {
    case 'switch':
      return value as boolean;
    case 'integer':
    case 'text':
      return String(value);
    case 'texts':
      return value as string[];
    case 'names':
      return (value as { name: string }[]).map(({ name }) => name);
    case 'pairs':
      return Object.entries(value as object).map(([key, value]) => `${key}=${String(value)}`);
    case 'object':
      return JSON.stringify(value);
    case 'objects':
      return (value as unknown[]).map((each) => JSON.stringify(each));
  }
}
