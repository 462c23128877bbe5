import { API_VERSION } from '../api/kind.ts';
import { asMap } from '../fn/lookup/values.ts';
import type { Inputs } from './inputs.ts';

/**
 * The functionConfig: inputs before the config file, that before what is built in. Here registries are asked unless somebody says
 * otherwise: a workflow has a network, and is for news. What is wrong with the file is left to who reads it.
 */
export function functionConfigOf({ offline, 'max-changes': maxChanges }: Inputs, file: unknown): unknown {
  const resource = asMap(file ?? DEFAULT);
  // A SetImage says all that there is to say.
  const key = resource?.['kind'] === 'ConfigMap' ? 'data' : resource?.['kind'] === 'ImageUpdate' ? 'spec' : undefined;
  const fields = key === undefined ? undefined : asMap(resource?.[key] ?? {});
  if (!resource || key === undefined || !fields) return file;
  const lookup = offline === undefined ? (fields['lookup'] ?? 'registry') : offline ? 'none' : 'registry';
  return { ...resource, [key]: { ...fields, lookup, ...(maxChanges !== undefined && { maxChanges }) } };
}

const DEFAULT = { apiVersion: API_VERSION, kind: 'ImageUpdate' };
