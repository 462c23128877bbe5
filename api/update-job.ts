import * as z from 'zod';
import { commitSchema } from './commit.ts';
import { anyText, duration, labels, objectName, word } from './fields.ts';
import { anyRef } from './git.ts';
import { commonColumns, commonStatus, count, suspend, time, written, type Kind } from './kind.ts';
import { pushSchema, rebuildElsewhere } from './push.ts';
import { ruled, type Rule } from './rule.ts';
import { runSchema, runsInProcess, runsInProcessRule } from './run.ts';

/** The kind `UpdateJob` (reference/controllers.md A2): one update of one branch. */

const podTemplateSchema = z.strictObject({
  labels: labels.optional().describe('Labels of the Pod.'),
  annotations: labels.optional().describe('Annotations of the Pod.'),
  nodeSelector: labels.optional().describe('Labels that its node must have.'),
  tolerations: z
    .array(
      z.strictObject({
        key: word.optional().describe('Key of the taint.'),
        operator: z.enum(['Exists', 'Equal']).optional().describe('How to compare.'),
        value: anyText(512).optional().describe('Value of the taint.'),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional().describe('Effect of the taint.'),
        tolerationSeconds: z.int().optional().describe('How long it is tolerated.'),
      }),
    )
    .max(64)
    .optional()
    .describe('Taints that it tolerates.'),
  serviceAccountName: objectName.optional().describe('Its service account. The token is never mounted.'),
});

const fields = z.strictObject({
  git: anyRef.describe('The repository.'),
  run: runSchema.describe('What makes the changes.'),
  commit: commitSchema.describe('How the commits look.'),
  push: pushSchema.describe('Where they go.'),
  suspend,
  backoffLimit: z
    .int()
    .min(0)
    .max(100)
    .default(4)
    .describe('Attempts after the first, where one more may help. `tk-image run` starts again only after a race.'),
  activeDeadline: duration.default('15m').describe('For the whole job.'),
  ttlAfterFinished: duration.default('24h').describe('A finished UpdateJob is deleted after this time, in a cluster.'),
  podTemplate: podTemplateSchema.optional().describe('The Pod in a cluster.'),
});

export type JobSpec = z.output<typeof fields>;

const rules: Rule<JobSpec>[] = [
  {
    rule: "has(self.git.ref.branch) || has(self.push.branch) || self.push.mode == 'DryRun'",
    message: 'git.ref names no branch, so say which branch to push to, or mode: DryRun',
    check: ({ git, push }) => git.ref.branch !== undefined || push.branch !== undefined || push.mode === 'DryRun',
    path: ['push', 'branch'],
  },
  rebuildElsewhere,
  {
    rule: `!(self.commit.grouping in ['Image', 'Workload']) || ${runsInProcessRule('self.run')}`,
    message:
      'Image and Workload need the image-update image, without command, args and env: whole files alone are known of any other; write Run or Directory',
    check: ({ commit: { grouping }, run }) => (grouping !== 'Image' && grouping !== 'Workload') || runsInProcess(run),
    path: ['commit', 'grouping'],
  },
];

const changeSchema = z.object({
  file: written(4096).describe('Path of the file.'),
  object: written(1024).describe('`group/Kind/namespace/name`.'),
  field: written(1024).describe('Path of the field.'),
  container: written(512).optional().describe('Name of the container.'),
  image: written(512).describe('The image repository that stood there.'),
  from: written(1024).describe('What stood there.'),
  to: written(1024).describe('What stands there now.'),
  policy: written(2048).optional().describe('What governs the field.'),
});

const resultSchema = z.object({
  outcome: z.enum(['Pushed', 'NothingToChange', 'DryRun']).describe('How it ended.'),
  baseCommit: written(64).describe('The commit that it started from.'),
  commit: written(64).optional().describe('What was pushed; set exactly when the branch was seen to contain it.'),
  branch: written(255).optional().describe('The branch that was pushed to.'),
  imageDigest: written(256).optional().describe('Digest of the image that ran in a container.'),
  filesChanged: count.describe('How many files changed.'),
  changesCount: count.describe('How many image fields changed.'),
  files: z.array(written(4096)).max(100).describe('The first files.'),
  changes: z.array(changeSchema).max(100).describe('The first image fields.'),
  truncated: z.boolean().describe('Whether there are more than are listed.'),
});

const failureSchema = z.object({
  class: written(64).describe('Who must act: see [the classes](update-job.md#status).'),
  reason: written(256).describe('A finer word.'),
  message: written(4096).describe('What went wrong.'),
  retriable: z.boolean().describe('Whether the same job may do better later.'),
});

const attemptSchema = z.object({
  number: count.describe('From 1.'),
  pod: written(253).optional().describe('Its Pod.'),
  baseCommit: written(64).optional().describe('The commit that it started from.'),
  reason: written(256).optional().describe('How it ended.'),
  exitCode: z.int().optional().describe('Exit status of the container that ended it.'),
  time: time.optional().describe('When it ended.'),
});

const statusSchema = z.object({
  ...commonStatus,
  phase: z
    .enum(['Pending', 'Queued', 'Running', 'Succeeded', 'Failed'])
    .optional()
    .describe('For people; programs read the conditions.'),
  key: written(64).optional().describe('Of the repository and branch: one job runs at a time for each.'),
  startTime: time.optional().describe('When it started.'),
  completionTime: time.optional().describe('When it ended.'),
  attempt: count.optional().describe('The attempt that runs or ran last, from 1.'),
  jobRef: z
    .object({ name: written(253).describe('Its name.'), uid: written(64).describe('Its uid.') })
    .optional()
    .describe('The Job of the attempt.'),
  result: resultSchema.optional().describe('What came of it.'),
  failure: failureSchema.optional().describe('Why nothing came of it.'),
  attempts: z.array(attemptSchema).max(20).optional().describe('The last attempts.'),
});

export const updateJob = {
  kind: 'UpdateJob',
  plural: 'updatejobs',
  shortNames: ['uj'],
  scope: 'Namespaced',
  about: 'One update of one branch: check out, run an image, commit, push.',
  spec: ruled(fields, rules),
  status: statusSchema,
  immutable: ['git', 'run', 'commit', 'push'],
  columns: [
    { name: 'Branch', type: 'string', jsonPath: '.spec.git.ref.branch' },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
    { name: 'Outcome', type: 'string', jsonPath: '.status.result.outcome' },
    { name: 'Commit', type: 'string', jsonPath: '.status.result.commit' },
    { name: 'Attempt', type: 'integer', jsonPath: '.status.attempt', priority: 1 },
    ...commonColumns,
  ],
} satisfies Kind;
