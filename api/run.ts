import * as z from 'zod';
import { parseReference } from '../fn/reference.ts';
import { anyText, duration, formed, image, secretRefs, word } from './fields.ts';
import { ruled } from './rule.ts';

/** What makes the changes (reference/controllers.md A2): `run` of UpdateJob, and of what an automation makes. */

const quantity = formed({
  max: 32,
  problem: (value) =>
    /^\d+(?:\.\d+)?(?:m|[kMGTPE]|[KMGTPE]i)?$/.test(value) ? undefined : 'it is no quantity, such as 500m or 256Mi',
  pattern: String.raw`^[0-9]+(\.[0-9]+)?(m|[kMGTPE]|[KMGTPE]i)?$`,
});

const envSchema = z.strictObject({
  name: formed({
    max: 256,
    problem: (value) => (/^[A-Za-z_][\w.-]*$/.test(value) ? undefined : 'it is no name of a variable'),
    pattern: String.raw`^[A-Za-z_][\w.-]*$`,
  }).describe('Name of the variable.'),
  value: anyText(32_768).default('').describe('Its value, as it stands.'),
});

const resourcesSchema = z.strictObject({
  limits: z
    .strictObject({
      cpu: quantity.optional().describe('Most processor time, such as `1` or `500m`.'),
      memory: quantity.optional().describe('Most memory; beyond it the run fails as `OutOfMemory`.'),
    })
    .optional()
    .describe('What the image may use.'),
  requests: z
    .strictObject({
      cpu: quantity.optional().describe('Processor time to reserve in a cluster.'),
      memory: quantity.optional().describe('Memory to reserve in a cluster.'),
    })
    .optional()
    .describe('What is reserved for it in a cluster.'),
});

const allowSchema = z.strictObject({
  create: z.boolean().default(false).describe('New files may be made.'),
  delete: z.boolean().default(false).describe('Files may be deleted.'),
  maxFiles: z.int().min(1).max(100_000).default(1000).describe('Most files that may change.'),
});

export const imageArgs = z.array(anyText(32_768)).max(256);

export const runSchema = ruled(
  z.strictObject({
    image: image.describe(
      'What makes the changes. A repository whose last part is `image-update` is this program itself, and runs without a container.',
    ),
    command: z.array(word).max(64).optional().describe("In place of the image's entry point."),
    args: imageArgs.default([]).describe('Arguments.'),
    env: z.array(envSchema).max(128).default([]).describe('Environment; literal values alone.'),
    contract: z
      .enum(['WorkingDirectory', 'Function'])
      .default('WorkingDirectory')
      .describe('`WorkingDirectory`: the files are at `/workspace`. `Function`: a ResourceList on stdin and stdout.'),
    functionConfig: z
      .record(z.string().max(253), z.unknown())
      .optional()
      .describe(
        'The functionConfig, with `Function` alone; for `image-update` an [ImageUpdate](function.md#functionconfig).',
      ),
    network: z.boolean().default(false).describe('The container may use the network.'),
    resources: resourcesSchema.optional().describe('Limits of the container.'),
    imagePullSecrets: secretRefs
      .default([])
      .describe(
        "Secrets to pull the image with, in a cluster. Outside of one the container program's own login is used.",
      ),
    timeout: duration.default('5m').describe('For the run of the image.'),
    allow: allowSchema
      .default({ create: false, delete: false, maxFiles: 1000 })
      .describe('What the image may do beside changing files that are there.'),
  }),
  [
    {
      rule: "!has(self.functionConfig) || self.contract == 'Function'",
      message: 'it needs contract: Function',
      check: (run) => run.functionConfig === undefined || run.contract === 'Function',
      path: ['functionConfig'],
    },
  ],
);

export type Run = z.output<typeof runSchema>;

/**
 * Whether a run is this program's own engine, needing no container: any repository whose last part is `image-update`, whatever
 * its registry, tag or digest. With a command, arguments or an environment it is what those make of it, and runs as any image.
 */
export function runsInProcess({ image, command, args, env }: Pick<Run, 'image' | 'command' | 'args' | 'env'>): boolean {
  const name = parseReference(image)?.name ?? '';
  const plain = command === undefined && args.length === 0 && env.length === 0;
  return plain && name.slice(name.lastIndexOf('/') + 1) === 'image-update';
}

/** The same in CEL, of a run at a path. */
export function runsInProcessRule(run: string): string {
  const image = String.raw`${run}.image.matches(r'^([^@]*/)?image-update(:[^/@]*)?(@.*)?$')`;
  return `(${image} && !has(${run}.command) && size(${run}.args) == 0 && size(${run}.env) == 0)`;
}
