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
