import { createHash } from 'node:crypto';
import * as z from 'zod';
import { problemsOf, show, unknownField } from '../fn/config/explain.ts';
import { UsageError } from '../fn/usage.ts';
import { isNote, readValue } from '../fn/lookup/read.ts';
import { splitDocuments } from '../fn/yaml/documents.ts';
import { sshUrl } from '../git/url.ts';
import { objectName, specSchema, type JobSpec } from './schema.ts';

/** An UpdateJob, checked. */
export interface UpdateJob {
  apiVersion: typeof API_VERSION;
  kind: typeof KIND;
  metadata: JobMetadata;
  spec: JobSpec;
}

export interface JobMetadata {
  name: string;
  namespace: string;
  /** The cluster's; outside of one it is made of what the job says. */
  uid: string;
  /** Milliseconds since 1970; undefined outside of a cluster, where the job is made when it is run. */
  created?: number;
  /** Whether the uid is a cluster's: then no other job ever has it. */
  unique: boolean;
  annotations: Record<string, string>;
}

/** The UpdateJob says something that its author must correct. Exit status 2. */
export class JobSpecError extends UsageError {}

export const API_VERSION = 'image-update.dev/v1alpha1';
export const KIND = 'UpdateJob';

const metadataSchema = z.looseObject({
  name: objectName,
  namespace: objectName.default('default'),
  uid: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'it is no uid')
    .optional(),
  creationTimestamp: z.iso.datetime({ offset: true }).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
});

/** Reads the one UpdateJob of a YAML or JSON text. @throws JobSpecError that names the field and what to write. */
export async function readJob(text: string, where: string): Promise<UpdateJob> {
  const documents = splitDocuments(text);
  if (documents.length !== 1)
    throw new JobSpecError(`${where} holds ${documents.length} documents; it takes one UpdateJob`);
  const value = await readValue(text, documents[0]!);
  if (isNote(value)) throw new JobSpecError(`${where} is not readable YAML: ${value.message}`);
  return checkJob(value, where);
}

/** Checks an object that should be an UpdateJob. @throws JobSpecError */
export function checkJob(value: unknown, where: string): UpdateJob {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new JobSpecError(`${where} holds ${show(value)}, not an UpdateJob`);
  const { apiVersion, kind, metadata, spec, ...rest } = value as Record<string, unknown>;
  if (kind !== KIND) throw new JobSpecError(`${where}: kind ${show(kind)} is not ${KIND}`);
  if (apiVersion !== API_VERSION)
    throw new JobSpecError(`${where}: apiVersion ${show(apiVersion)} of ${KIND} is not ${API_VERSION}`);
  for (const key of Object.keys(rest))
    if (key !== 'status') throw new JobSpecError(`${where}: ${unknownField(key, ['metadata', 'spec'], '')}`);
  const meta = parse(metadataSchema, metadata ?? {}, 'metadata', where);
  const checked = parse(specSchema, withUrl(spec ?? {}), 'spec', where);
  return { apiVersion: API_VERSION, kind: KIND, metadata: metadataOf(meta, checked), spec: checked };
}

function metadataOf(meta: z.output<typeof metadataSchema>, spec: JobSpec): JobMetadata {
  const { name, namespace, uid, creationTimestamp, annotations } = meta;
  return {
    name,
    namespace,
    uid: uid ?? derivedUid(JSON.stringify([namespace, name, spec])),
    unique: uid !== undefined,
    ...(creationTimestamp != null && { created: Date.parse(creationTimestamp) }),
    annotations: annotations ?? {},
  };
}

/** A uid that says what something is, in the form of a UUID of version 8, which is whatever its maker wants (RFC 9562 §5.8). */
export function derivedUid(content: string): string {
  const hex = createHash('sha256').update(content).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** The spec with a URL where `git@host:path` was. */
function withUrl(spec: unknown): unknown {
  const { git } = spec as { git?: { url?: unknown } };
  return typeof git?.url === 'string' ? { ...(spec as object), git: { ...git, url: sshUrl(git.url) } } : spec;
}

function parse<T extends z.ZodType>(schema: T, value: unknown, at: string, where: string): z.output<T> {
  const outcome = schema.safeParse(value);
  if (outcome.success) return outcome.data;
  throw new JobSpecError(`${where}: ${problemsOf(outcome.error, schema, value, at)}`);
}
