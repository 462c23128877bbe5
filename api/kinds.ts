import { show } from '../fn/config/explain.ts';
import { asMap } from '../fn/lookup/values.ts';
import { nearest } from '../fn/nearest.ts';
import { checkAs, type ApiObject } from './check.ts';
import { clusterImageAutomation, imageAutomation } from './image-automation.ts';
import { imagePolicy } from './image-policy.ts';
import { imageRepository } from './image-repository.ts';
import type { Kind } from './kind.ts';
import { updateJob } from './update-job.ts';

/** Every kind of the group that an API server keeps, by its name. */
export const kinds = {
  ImageRepository: imageRepository,
  ImagePolicy: imagePolicy,
  ImageAutomation: imageAutomation,
  ClusterImageAutomation: clusterImageAutomation,
  UpdateJob: updateJob,
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof kinds;

export function isKind(name: unknown): name is KindName {
  return typeof name === 'string' && Object.hasOwn(kinds, name);
}

/** Checks an object of any kind, as `checkAs` does. */
export function checkObject(value: unknown): ApiObject | string {
  const object = asMap(value);
  if (!object) return `it is ${show(value)}, not an object`;
  const { kind } = object;
  if (isKind(kind)) return checkAs<Kind>(kinds[kind], object);
  const known = Object.keys(kinds);
  const near = nearest(String(kind), known);
  return `kind ${show(kind)} is none of ${known.join(', ')}${near === undefined ? '' : `; did you mean "${near}"?`}`;
}
