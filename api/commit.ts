import * as z from 'zod';
import { line, secretRef } from './fields.ts';

/** How commits look (reference/controllers.md A2): `commit` of UpdateJob and of the automations. */
export const commitSchema = z.strictObject({
  author: z
    .strictObject({
      name: line.default('image-update').describe('Name of author and committer.'),
      email: line.describe('Their address.'),
    })
    .describe('Author and committer.'),
  messageTemplate: z
    .string()
    .min(1)
    .max(16_384)
    .optional()
    .describe(
      "Template of the commit message: see [Commit messages](update-job.md#commit-messages). Flux v1's text if left out.",
    ),
  grouping: z
    .enum(['Run', 'Image', 'Workload', 'Directory'])
    .default('Run')
    .describe('One commit for each of these: see [Commits](update-job.md#commits).'),
  signing: z
    .strictObject({
      type: z
        .enum(['ssh', 'openpgp'])
        .describe('Kind of the key. `ssh` with ed25519 or RSA gives the same commit again.'),
      secretRef: secretRef.describe('Secret with the key: see [Secrets](update-job.md#secrets).'),
    })
    .optional()
    .describe('Signs the commits.'),
});
