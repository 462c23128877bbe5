import * as z from 'zod';

/** What every kind of the group has (reference/controllers.md A1). */

export const GROUP = 'image-update.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** A kind, as whoever reads, writes or installs it needs to know it. */
export interface Kind<Spec extends z.ZodObject = z.ZodObject, Status extends z.ZodObject = z.ZodObject> {
  kind: string;
  plural: string;
  shortNames: readonly string[];
  scope: 'Namespaced' | 'Cluster';
  /** What it is, in a sentence. */
  about: string;
  spec: Spec;
  status: Status;
  /** Fields of the spec that may not change. */
  immutable: readonly string[];
  columns: readonly Column[];
}

/** A column of `kubectl get`. */
export interface Column {
  name: string;
  type: 'string' | 'integer' | 'boolean' | 'date';
  jsonPath: string;
  /** Shown by `-o wide` alone if above 0. */
  priority?: number;
}

/** A text that a controller wrote: its bound guards the API server, not us. */
export function written(max: number) {
  return z.string().max(max);
}

export const time = z.iso.datetime({ offset: true }).max(64).meta({ format: 'date-time' });
export const count = z.int().min(0);

const conditionSchema = z.object({
  type: written(316).min(1).describe('`Ready`, `Reconciling`, `Stalled`; of an UpdateJob `Complete` or `Failed` too.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  observedGeneration: count.optional().describe('The generation of the object that it is about.'),
  lastTransitionTime: time.describe('When `status` last changed.'),
  reason: written(1024).describe('Why, in a word for programs.'),
  message: written(32_768).describe('Why, in a sentence for people.'),
});

/** Status fields of every kind. */
export const commonStatus = {
  observedGeneration: count.optional().describe('The generation of the spec that the status is about.'),
  conditions: z
    .array(conditionSchema)
    .max(16)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .optional()
    .describe('How it stands with the object; `Ready` is always there once it was seen.'),
  lastHandledReconcileAt: written(512)
    .optional()
    .describe('The value of the annotation `image-update.dev/requestedAt` that was last acted on.'),
};

export const suspend = z.boolean().default(false).describe('Start no new work.');

const ready: Column = { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' };
const reason: Column = { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' };
const age: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/** The last columns of every kind. */
export const commonColumns: readonly Column[] = [ready, reason, age];
