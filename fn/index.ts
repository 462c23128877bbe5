/**
 * The library: references, rules and choices, and updates of text. Nothing here touches files, network, git or a clock.
 */
import { readConfig, type Config } from './config/config.ts';
import { defaultSpec } from './config/defaults.ts';
import { offsetOf, type ImageField } from './find/field.ts';
import { resourcesOf } from './find/resources.ts';
import { fieldsOf } from './governed.ts';
import { lineOf, lineStarts } from './lines.ts';
import { Answers } from './lookup/answers.ts';
import { addDocuments } from './lookup/read.ts';
import { replaceAll } from './replace.ts';
import { configValue, readResourceList, resultsEdit } from './resourcelist.ts';
import type { ResourceRef, Result } from './result.ts';
import type { Source } from './source.ts';
import type { Reference } from './reference.ts';
import { update } from './update.ts';
import { splitDocuments, splitStream } from './yaml/documents.ts';
import { readDocument } from './yaml/read.ts';

export {
  canonicalName,
  explainReference,
  formatReference,
  isDigest,
  isName,
  isTag,
  parseReference,
} from './reference.ts';
export { compilePattern } from './policy/pattern.ts';
export { compilePolicy } from './policy/policy.ts';
export { choose } from './policy/choose.ts';
export { ConfigError } from './config/config.ts';
export { ResourceListError } from './resourcelist.ts';
export type { Reference } from './reference.ts';
export type { Note } from './note.ts';
export type { ResourceRef, Result, Severity } from './result.ts';
export type { ImageMetadata, TagMetadata } from './lookup/metadata.ts';
export type { Malformed, Rule } from './policy/rule.ts';
export type { Choice, ChooseOptions, Current, Outcome, Reason, Rejection } from './policy/choose.ts';

/** What an update goes by. */
export interface UpdateOptions {
  /** A functionConfig: an `ImageUpdate`, `ConfigMap` or `SetImage` object. Default: annotations and markers. */
  config?: unknown;
  /** `ImageMetadata`, `ImagePolicy` and `ImageRepository` objects, beside those that the text itself holds. */
  answers?: readonly unknown[];
  /** The path of the file, for results, targets and files that go by their name (`kustomization.yaml`). */
  path?: string;
}

export interface Updated {
  /** The text with images set and every other character as it was; the very input if nothing changed or the run failed. */
  text: string;
  results: Result[];
  /** Whether a result is an error. */
  failed: boolean;
}

/**
 * Updates the images of a YAML text of one document or many.
 * @throws ConfigError for a configuration that its author must correct.
 */
export async function updateText(text: string, options: UpdateOptions = {}): Promise<Updated> {
  const { path } = options;
  const documents = splitStream(text).map((slice) => ({ ...slice, ...(path !== undefined && { path }) }));
  const source: Source = { ...(path !== undefined && { path }), text, documents };
  const { results, failed, edits } = await run(source, configFrom(options.config), options.answers);
  return { text: replaceAll(text, edits), results, failed };
}

/**
 * Runs the KRM function on the text of a ResourceList, its own functionConfig unless one is given.
 * @throws ConfigError, or ResourceListError where the text is none.
 */
export async function updateResourceList(text: string, options: Omit<UpdateOptions, 'path'> = {}): Promise<Updated> {
  const list = await readResourceList(text);
  const config = configFrom(options.config ?? configValue(list));
  const { results, failed, edits } = await run({ text, documents: list.items }, config, options.answers);
  const all = [...edits, ...resultsEdit(list, results)].toSorted((a, b) => a.start - b.start);
  return { text: replaceAll(text, all), results, failed };
}

/** An image field as `listImages` shows it. */
export interface ImageView {
  resource: ResourceRef;
  container: string;
  /** Field path below the resource. */
  path: string;
  /** From 1. */
  line: number;
  /** Undefined if the text is no reference; `problem` says why. */
  reference: Reference | undefined;
  problem?: string;
}

/** Lists the image fields of a YAML text, automated or not, in order. Documents that cannot be read have none. */
export async function listImages(
  text: string,
  options: Pick<UpdateOptions, 'config' | 'path'> = {},
): Promise<ImageView[]> {
  const { spec } = configFrom(options.config);
  const views: ImageView[] = [];
  const starts = lineStarts(text);
  for (const { start, end } of splitDocuments(text)) {
    const read = await readDocument(text, start, end);
    if ('problem' in read) continue;
    for (const { fields } of resourcesOf(read.root).map((resource) => fieldsOf(resource, spec, options.path)))
      for (const field of fields) views.push(viewOf(starts, field));
  }
  return views;
}

function viewOf(starts: readonly number[], field: ImageField): ImageView {
  const { resource, container, path, reference, problem } = field;
  const line = lineOf(starts, offsetOf(field) ?? 0) + 1;
  return { resource, container, path, line, reference, ...(problem !== undefined && { problem }) };
}

async function run(source: Source, config: Config, given: readonly unknown[] = []) {
  const answers = new Answers();
  for (const value of given) answers.add(value);
  await addDocuments(answers, source.text, source.documents);
  const { edits, results, failed } = await update([source], config, answers);
  return { edits: edits.get(source) ?? [], results, failed };
}

function configFrom(value: unknown): Config {
  return value === undefined ? { spec: defaultSpec(), setImage: false } : readConfig(value);
}
