import type { Spec } from './image-update.ts';

/** The specification of an `ImageUpdate` that says nothing. Kept apart from the schema, so that a run without configuration need not load it. */
export function defaultSpec(): Spec {
  return {
    annotations: true,
    markers: true,
    updates: [],
    fields: [],
    lookup: 'none',
    digests: 'keep',
    allow: [],
    deny: [],
    maxChanges: 0,
    strict: false,
    deepHelmValues: false,
    unknownCurrent: 'move',
    ties: 'compat',
  };
}
