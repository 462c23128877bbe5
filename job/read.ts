import { createHash } from 'node:crypto';
import { checkAs, type ApiObject } from '../api/check.ts';
import { withUrl } from '../api/git.ts';
import { API_VERSION } from '../api/kind.ts';
import { updateJob } from '../api/update-job.ts';
import { show } from '../fn/config/explain.ts';
import { isNote, readValue } from '../fn/lookup/read.ts';
import { asMap } from '../fn/lookup/values.ts';
import { UsageError } from '../fn/usage.ts';
import { splitDocuments } from '../fn/yaml/documents.ts';
import type { JobSpec } from './schema.ts';

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

export const KIND = 'UpdateJob';

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
  const object = asMap(value);
  if (!object) throw new JobSpecError(`${where} holds ${show(value)}, not an ${KIND}`);
  // What a cluster said of it is not this run's.
  const checked = checkAs(updateJob, { ...object, spec: withUrl(object['spec']), status: undefined });
  if (typeof checked === 'string') throw new JobSpecError(`${where}: ${checked}`);
  const { metadata, spec } = checked;
  return { apiVersion: API_VERSION, kind: KIND, metadata: metadataOf(metadata, spec), spec };
}

function metadataOf(metadata: ApiObject['metadata'], spec: JobSpec): JobMetadata {
  const { name, namespace = 'default', uid, creationTimestamp, annotations } = metadata;
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
