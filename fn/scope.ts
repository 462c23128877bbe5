import { allowList } from './allow.ts';
import type { ResourceRef } from './result.ts';
import { workloadId } from './workloads.ts';

/** What a run may be about, where it is not about all. */
export interface Limits {
  /** As `workloadId` names them. */
  workloads?: readonly string[];
  /** Globs of image repositories, as those of `allow`. */
  images?: readonly string[];
}

/** What a run is about: nothing else is looked up, decided, or told. As JSON it is its limits, for keys. */
export interface Scope extends Limits {
  /** Whether a field of this workload, with this image, is in it. An image without a name, which its policy knows, is. */
  has(workload: ResourceRef, image: string): boolean;
}

export function scopeOf(limits: Limits): Scope {
  const { workloads, images = [] } = limits;
  const ids = workloads && new Set(workloads);
  const forbidden = allowList(images, []);
  return {
    ...limits,
    has: (workload, image) =>
      (ids === undefined || ids.has(workloadId(workload))) && (image === '' || forbidden(image) === undefined),
  };
}
