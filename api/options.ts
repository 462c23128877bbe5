import { isNote, readValue } from '../fn/lookup/read.ts';
import { nearest } from '../fn/nearest.ts';
import { remember } from '../fn/remember.ts';
import { UsageError } from '../fn/usage.ts';
import { splitDocuments } from '../fn/yaml/documents.ts';
import { withUrl } from './git.ts';
import { API_VERSION } from './kind.ts';
import { checkObject, kinds, type KindName } from './kinds.ts';
import { toStructural, type Schema } from './structural.ts';

/** Objects from the options of a command line: every field of a spec is an option, as the schema has it. */

/**
 * What is given for a field: a text, a whole number, a switch; texts, names of objects or `KEY=VALUE`, one each time; or
 * YAML, for a whole object or one each time.
 */
type Form = 'text' | 'integer' | 'switch' | 'texts' | 'names' | 'pairs' | 'object' | 'objects';

/** A field that can be given. */
export interface FieldOption {
  /** Without dashes: `git-ref-branch`. */
  name: string;
  /** Keys below `spec`. */
  path: readonly string[];
  form: Form;
  schema: Schema;
  /** What it is, in Markdown. */
  meaning: string;
}

/** What is given for the options of a command line, by their names; `false` empties a list that has a default. */
export type Given = ReadonlyMap<string, string | boolean | readonly string[]>;

/** Short names of fields that are given often. */
export const SHORT: Readonly<Record<KindName, Readonly<Record<string, string>>>> = {
  ImageRepository: { 'service-account': 'auth.serviceAccountName', 'secret-ref': 'auth.secretRefs' },
  ImagePolicy: {
    'image-repository': 'imageRepositoryRef.name',
    semver: 'policy.semver.range',
    numerical: 'policy.numerical.order',
    alphabetical: 'policy.alphabetical.order',
    newest: 'policy.newest.order',
  },
  ImageAutomation: gitNames(),
  ClusterImageAutomation: gitNames(),
  UpdateJob: { ...gitNames(), image: 'run.image' },
};

function gitNames(): Record<string, string> {
  return {
    url: 'git.url',
    branch: 'git.ref.branch',
    'secret-ref': 'git.secretRef.name',
    'author-name': 'commit.author.name',
    'author-email': 'commit.author.email',
  };
}

/** An option for each field of a kind's spec that is not made of others, in the order of the schema. */
export function fieldOptions(kind: KindName): readonly FieldOption[] {
  return remember(known, kind, () => optionsBelow(toStructural(kinds[kind].spec), [], ''));
}

const known = new Map<KindName, readonly FieldOption[]>();

function optionsBelow(schema: Schema, path: readonly string[], meaning: string): FieldOption[] {
  const form = formOf(schema);
  if (form !== undefined) return [{ name: optionName(path), path, form, schema, meaning }];
  return Object.entries(schema.properties ?? {}).flatMap(([key, below]) =>
    // "Name of the Secret" says less than what the Secret is for.
    optionsBelow(below, [...path, key], isReference(schema) ? meaning : (below.description ?? '')),
  );
}

/** Whether an object is a name and nothing else. */
function isReference({ properties = {} }: Schema): boolean {
  return Object.keys(properties).join() === 'name';
}

function optionName(path: readonly string[]): string {
  return path.join('-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Undefined for an object of fields, each of which is an option. */
function formOf(schema: Schema): Form | undefined {
  switch (schema.type) {
    case 'object':
      if (schema['x-kubernetes-preserve-unknown-fields']) return 'object';
      return schema.additionalProperties ? 'pairs' : undefined;
    case 'array': {
      if (schema.items?.type !== 'object') return 'texts';
      return isReference(schema.items) ? 'names' : 'objects';
    }
    case 'integer':
      return 'integer';
    case 'boolean':
      return 'switch';
    case 'string':
      return 'text';
  }
}

/** Whether something may be given again and again. */
export function isRepeated({ form }: FieldOption): boolean {
  return form === 'texts' || form === 'names' || form === 'pairs' || form === 'objects';
}

/** Whether a list is not empty where it is left out, so that it must be possible to say that it is. */
export function canBeEmptied({ form, schema }: FieldOption): boolean {
  return form === 'texts' && Array.isArray(schema.default) && schema.default.length > 0;
}

export interface Identity {
  name: string;
  namespace?: string;
  labels?: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
}

/**
 * The object that options describe: just what was given, in the order of the schema; defaults are left to the API server.
 * @throws UsageError for a value that is not of its field's form, or an object that `checkObject` refuses.
 */
export async function buildObject(kind: KindName, metadata: Identity, given: Given): Promise<Record<string, unknown>> {
  const object = { apiVersion: API_VERSION, kind, metadata, spec: withUrl(await buildSpec(kind, given)) };
  const checked = checkObject(object);
  if (typeof checked === 'string') throw new UsageError(withOptions(checked, fieldOptions(kind)));
  return object;
}

/** The spec that options describe, as far as its fields go. @throws UsageError */
export async function buildSpec(kind: KindName, given: Given): Promise<Record<string, unknown>> {
  const spec: Record<string, unknown> = {};
  const options = fieldOptions(kind);
  const values = withLongNames(kind, options, given);
  for (const option of options) {
    const value = values.get(option.name);
    if (value !== undefined) put(spec, option.path, await valueOf(option, value));
  }
  return spec;
}

function withLongNames(kind: KindName, options: readonly FieldOption[], given: Given): Given {
  const values = new Map<string, string | boolean | readonly string[]>();
  for (const [name, value] of given) {
    const path = Object.hasOwn(SHORT[kind], name) ? SHORT[kind][name] : undefined;
    const option = options.find((option) =>
      path === undefined ? option.name === name : option.path.join('.') === path,
    );
    if (!option) throw new UsageError(unknownOption(name, options));
    if (values.has(option.name)) throw new UsageError(`--${name} and --${option.name} are the same field; one will do`);
    values.set(option.name, value);
  }
  return values;
}

function unknownOption(name: string, options: readonly FieldOption[]): string {
  const near = nearest(
    name,
    options.map(({ name }) => name),
  );
  return `there is no option --${name}${near === undefined ? '' : `; did you mean --${near}?`}`;
}

async function valueOf({ name, form }: FieldOption, given: string | boolean | readonly string[]): Promise<unknown> {
  if (form === 'switch') return given;
  if (given === false) return [];
  const texts = [given].flat().map(String);
  const [first = ''] = texts;
  switch (form) {
    case 'text':
      return first;
    case 'integer':
      if (!/^-?\d{1,15}$/.test(first))
        throw new UsageError(`--${name} ${JSON.stringify(first)}: it is no whole number`);
      return Number(first);
    case 'texts':
      return texts;
    case 'names':
      return texts.map((name) => ({ name }));
    case 'pairs':
      return pairs(name, texts);
    case 'object':
      return objectOf(name, first);
    case 'objects':
      return Promise.all(texts.map((text) => objectOf(name, text)));
  }
}

/** `KEY=VALUE` as a map; the value may hold more of `=`. @throws UsageError, also for a key that is given twice. */
export function pairs(name: string, texts: readonly string[]): Record<string, string> {
  const map = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const key = text.slice(0, at);
    if (at < 1) throw new UsageError(`--${name} ${JSON.stringify(text)}: write KEY=VALUE`);
    if (map.has(key)) throw new UsageError(`--${name} ${JSON.stringify(text)}: ${key} is given twice; once will do`);
    map.set(key, text.slice(at + 1));
  }
  return Object.fromEntries(map);
}

async function objectOf(name: string, text: string): Promise<unknown> {
  const [document, more] = splitDocuments(text);
  if (!document || more) throw new UsageError(`--${name}: give one object as YAML or JSON`);
  const value = await readValue(text, document);
  if (isNote(value)) throw new UsageError(`--${name}: it is not readable YAML: ${value.message}`);
  return value;
}

function put(map: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let below = map;
  for (const key of path.slice(0, -1)) below = (below[key] ??= {}) as Record<string, unknown>;
  below[path.at(-1)!] = value;
}

/** A problem, with the option behind each field, or what the options of the fields below it begin with. */
function withOptions(problem: string, options: readonly FieldOption[]): string {
  return problem.replaceAll(/(?<=^|; )spec\.([\w.]+)/g, (field, dotted: string) => {
    const name = optionName(dotted.split('.'));
    const option = options.find((option) => option.name === name || option.name.startsWith(`${name}-`));
    if (!option) return field;
    return `${field} (--${name}${option.name === name ? '' : '-…'})`;
  });
}
