import * as z from 'zod';
import { isDigest, isName, isTag } from '../reference.ts';
import type { Scope } from '../scope.ts';
import type { Spec } from './image-update.ts';
import { problemsOf, show, unknownField } from './explain.ts';
import { specSchema } from './image-update.ts';
import { setImageSchema } from './set-image.ts';

/** What the engine runs with: the specification, and whether explicit updates are the catalog's set-image. */
export interface Config {
  spec: Spec;
  /** `set-image` compares repositories as written, and replaces tag and digest by each other. */
  setImage: boolean;
  /** Of a run that is not about all; without it, of everything that is governed. */
  scope?: Scope;
  /** What has registries asked where none was, in the words of the program that runs; else as a functionConfig says it. */
  toAsk?: string;
}

/** Bad configuration: the user must correct the functionConfig. Exit status 2. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** The API version of `ImageUpdate`. */
const API_VERSION = 'image-update.dev/v1alpha1';

/**
 * Reads a functionConfig: an `ImageUpdate`, a `ConfigMap` (`kpt fn eval -- key=value`), or the catalog's `SetImage`.
 * @throws ConfigError that names the field, the value, and for an unknown field the nearest known one.
 */
export function readConfig(value: unknown): Config {
  const resource = asMap(value, 'the functionConfig');
  const { apiVersion, kind } = resource;
  if (kind === 'ImageUpdate') {
    if (apiVersion !== API_VERSION)
      throw new ConfigError(`functionConfig: apiVersion ${show(apiVersion)} of ImageUpdate is not ${API_VERSION}`);
    refuseUnknown(resource, ['apiVersion', 'kind', 'metadata', 'spec'], '');
    return { spec: parse(specSchema, resource['spec'] ?? {}, 'spec'), setImage: false };
  }
  if (kind === 'ConfigMap') return fromConfigMap(asMap(resource['data'] ?? {}, 'data'));
  if (kind === 'SetImage') {
    refuseUnknown(resource, ['apiVersion', 'kind', 'metadata', 'image', 'additionalImageFields'], '');
    const { image, additionalImageFields } = parse(
      setImageSchema,
      pick(resource, ['image', 'additionalImageFields']),
      '',
    );
    return setImage(image, {
      fields: additionalImageFields.map(({ group, kind, path }) => ({
        ...(group && { group }),
        kind,
        path: fieldPath(path),
      })),
    });
  }
  throw new ConfigError(
    `functionConfig: kind ${show(kind)} is none of ImageUpdate (${API_VERSION}), ConfigMap (v1) and SetImage (fn.kpt.dev/v1alpha1)`,
  );
}

const SCALARS = {
  annotations: 'boolean',
  markers: 'boolean',
  lookup: 'text',
  digests: 'text',
  allow: 'list',
  deny: 'list',
  maxChanges: 'number',
  strict: 'boolean',
  deepHelmValues: 'boolean',
  unknownCurrent: 'text',
  ties: 'text',
} as const;
const SET_IMAGE_KEYS = ['name', 'newName', 'newTag', 'digest'] as const;

function fromConfigMap(data: Record<string, unknown>): Config {
  refuseUnknown(data, [...Object.keys(SCALARS), ...SET_IMAGE_KEYS], 'data');
  const fields: Record<string, unknown> = {};
  for (const [key, type] of Object.entries(SCALARS)) if (key in data) fields[key] = fromText(data[key], type);
  if (!SET_IMAGE_KEYS.some((key) => key in data)) return { spec: parse(specSchema, fields, 'data'), setImage: false };
  const image: Record<string, string> = {};
  for (const key of SET_IMAGE_KEYS) if (key in data && data[key] !== '') image[key] = String(data[key]);
  return setImage(image, fields);
}

function fromText(value: unknown, type: 'boolean' | 'number' | 'list' | 'text'): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  if (type === 'number') return /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (type === 'list')
    return value
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean);
  return value;
}

interface SetImageFields {
  name?: string | undefined;
  newName?: string | undefined;
  newTag?: string | undefined;
  digest?: string | undefined;
}

/**
 * The catalog's set-image as one explicit update. Annotations, locks among them, and markers are off unless asked for: it
 * never read them.
 */
function setImage({ name, newName, newTag, digest }: SetImageFields, fields: Record<string, unknown>): Config {
  if (!name) throw new ConfigError('functionConfig: set-image needs "name", the image to change');
  if (!isName(name))
    throw new ConfigError(`functionConfig: name ${show(name)} is not an image repository without tag or digest`);
  if (!newName && !newTag && !digest)
    throw new ConfigError(`functionConfig: set-image needs newName, newTag or digest, to say what ${name} becomes`);
  if (newName && !isName(newName))
    throw new ConfigError(`functionConfig: newName ${show(newName)} is not an image repository`);
  if (newTag && !isTag(newTag)) throw new ConfigError(`functionConfig: newTag ${show(newTag)} is not a tag`);
  if (digest && !isDigest(digest))
    throw new ConfigError(`functionConfig: digest ${show(digest)} is not a digest, such as sha256:…`);
  const to = { ...(newName && { name: newName }), ...(newTag && { tag: newTag }), ...(digest && { digest }) };
  const spec = parse(specSchema, { annotations: false, markers: false, ...fields, updates: [{ image: name, to }] }, '');
  return { spec, setImage: true };
}

/** kustomize writes field paths with slashes (`spec/pods[]/image`, `\/` for a slash in a key), we with dots. */
function fieldPath(path: string): string {
  return path
    .split(/(?<!\\)\//)
    .filter(Boolean)
    .map((key) => key.replaceAll('\\/', '/').replaceAll('.', '\\.'))
    .join('.');
}

function parse<T extends z.core.$ZodType>(schema: T, value: unknown, at: string): z.output<T> {
  const outcome = z.safeParse(schema, value);
  if (outcome.success) return outcome.data;
  throw new ConfigError(`functionConfig: ${problemsOf(outcome.error, schema, value, at)}`);
}

function refuseUnknown(map: Record<string, unknown>, known: string[], path: string): void {
  for (const key of Object.keys(map))
    if (!known.includes(key)) throw new ConfigError(`functionConfig: ${unknownField(key, known, path)}`);
}

function pick(map: Record<string, unknown>, keys: string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => key in map).map((key) => [key, map[key]]));
}

function asMap(value: unknown, what: string): Record<string, unknown> {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ConfigError(`functionConfig: ${what} is ${show(value)}, not a map`);
}
