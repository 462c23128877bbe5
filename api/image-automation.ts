import * as z from 'zod';
import { commitSchema } from './commit.ts';
import { ambient, duration, image, labelSelector, objectName, repository, secretRefs, target, word } from './fields.ts';
import { gitSchema, refName } from './git.ts';
import { choosing } from './image-policy.ts';
import { commonColumns, commonStatus, count, suspend, time, written, type Kind } from './kind.ts';
import { pushSchema, rebuildElsewhere } from './push.ts';
import { exactlyOne, ruled, type Rule } from './rule.ts';
import { imageArgs, runSchema } from './run.ts';

/** The kinds `ImageAutomation` and `ClusterImageAutomation` (reference/controllers.md A5, A6): what keeps a branch up to date. */

const inlineSchema = z.strictObject({
  image: repository.optional().describe('The repository to choose from; the one that stands in the field if left out.'),
  ...choosing,
});

const updateSchema = ruled(
  z.strictObject({
    target: target.describe('The fields that are updated: those that all of these select.'),
    policyRef: z
      .strictObject({
        name: objectName.describe('Its name.'),
        namespace: objectName.optional().describe("Its namespace; the automation's if left out."),
      })
      .optional()
      .describe('The ImagePolicy whose result is written; or give `inline`.'),
    inline: inlineSchema.optional().describe('A rule that stands here; or give `policyRef`.'),
  }),
  [exactlyOne(['policyRef', 'inline'])],
);

const discoverySchema = ruled(
  z.strictObject({
    mode: z
      .enum(['FluxV1Annotations', 'Setters', 'Explicit'])
      .default('FluxV1Annotations')
      .describe(
        '`FluxV1Annotations`: workloads say it by [annotations](flux-v1-annotations.md). `Setters`: `$imagepolicy` [markers](image-policies.md). `Explicit`: `updates`.',
      ),
    updates: z.array(updateSchema).max(200).optional().describe('What is updated, with `Explicit` alone.'),
  }),
  [
    {
      rule: "(self.mode == 'Explicit') == (has(self.updates) && size(self.updates) > 0)",
      message: 'mode: Explicit needs updates, and any other mode takes none',
      check: ({ mode, updates = [] }) => (mode === 'Explicit') === updates.length > 0,
      path: ['updates'],
    },
  ],
);

const credentialSchema = ruled(
  z.strictObject({
    registry: word.describe('Host of a registry, or the beginning of a repository: `ghcr.io`, `ghcr.io/org`.'),
    secretRefs: secretRefs.optional().describe('Secrets of type `kubernetes.io/dockerconfigjson`; or give `ambient`.'),
    ambient: ambient.optional().describe('The cloud whose identity logs in; or give `secretRefs`.'),
  }),
  [exactlyOne(['secretRefs', 'ambient'])],
);

const imagesSchema = z.strictObject({
  interval: duration.default('10m').describe('How often the repositories that it needs are scanned.'),
  credentials: z
    .array(credentialSchema)
    .max(64)
    .refine(
      (list) => new Set(list.map(({ registry }) => registry)).size === list.length,
      'a registry stands there twice',
    )
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['registry'] })
    .default([])
    .describe('How to log in; the longest `registry` that fits wins.'),
  allow: z.array(word).max(64).default([]).describe('Globs of images that may be scanned and written; all if empty.'),
});

const actionSchema = ruled(
  z.strictObject({
    updateJob: ruled(
      z.strictObject({
        image: image.optional().describe("What makes the changes; the controller's own image if left out."),
        args: imageArgs.optional().describe('Its arguments.'),
        run: runSchema.optional().describe('The whole `run` of the UpdateJobs, in place of `image` and `args`.'),
        batch: z
          .enum(['All', 'PerNamespace', 'PerWorkload'])
          .default('All')
          .describe('An UpdateJob for everything that is pending, or for each of these.'),
      }),
      [
        {
          rule: '!has(self.run) || !(has(self.image) || has(self.args))',
          message: 'it says image and args itself; leave those out',
          check: ({ run, image, args }) => run === undefined || (image === undefined && args === undefined),
          path: ['run'],
        },
      ],
    )
      .optional()
      .describe('UpdateJobs.'),
    template: z
      .looseObject({
        apiVersion: word.describe('Its API version.'),
        kind: word.describe('Its kind.'),
      })
      .optional()
      .describe(
        'Any object that is created in place of an UpdateJob: `${json(plan)}`, `${plan.summary}` and `${head}` are filled in.',
      ),
  }),
  [exactlyOne(['updateJob', 'template'])],
);

const automation = {
  git: gitSchema(
    z
      .strictObject({ branch: refName.describe('The branch, without `refs/heads/`.') })
      .describe('What to keep up to date.'),
  ).describe('The repository.'),
  interval: duration.default('5m').describe('How often the branch is asked for new commits.'),
  discovery: discoverySchema.default({ mode: 'FluxV1Annotations' }).describe('How it is known what to update.'),
  images: imagesSchema
    .default({ interval: '10m', credentials: [], allow: [] })
    .describe('The ImageRepositories that it makes.'),
  action: actionSchema
    .default({ updateJob: { batch: 'All' } })
    .describe('What is made when something is to be updated: exactly one of the two.'),
  commit: commitSchema.describe('How the commits look.'),
  push: pushSchema.describe('Where they go.'),
  settle: duration.default('30s').describe('How long to wait after a change for others to arrive.'),
  history: z
    .strictObject({
      succeeded: z.int().min(0).max(100).default(3).describe('UpdateJobs that succeeded.'),
      failed: z.int().min(0).max(100).default(3).describe('UpdateJobs that failed.'),
    })
    .default({ succeeded: 3, failed: 3 })
    .describe('How many finished UpdateJobs are kept, beside their `ttlAfterFinished`.'),
  suspend,
};

const rules: Rule<z.output<z.ZodObject<typeof automation>>>[] = [rebuildElsewhere];

const passedOver = z.object({
  file: written(4096).optional().describe('Path of the file.'),
  object: written(1024).optional().describe('The workload, as `namespace:kind/name`.'),
  reason: written(256).describe('A word for programs.'),
  message: written(4096).describe('Why it was passed over.'),
});

const pendingSchema = z.object({
  file: written(4096).describe('Path of the file.'),
  object: written(1024).describe('`group/Kind/namespace/name`.'),
  field: written(1024).describe('Path of the field.'),
  from: written(1024).describe('What stands there.'),
  to: written(1024).describe('What will.'),
  policy: written(2048).optional().describe('What governs the field.'),
});

const statusSchema = z.object({
  ...commonStatus,
  source: z
    .object({
      commit: written(64).describe('The commit that was looked at last.'),
      time: time.describe('When.'),
      files: count.describe('How many files it has.'),
      objects: count.describe('How many objects they have.'),
      automated: count.describe('How many image fields are automated.'),
      errors: z.array(passedOver).max(20).optional().describe('What was passed over, and why; the first of them.'),
    })
    .optional()
    .describe('What stands in git.'),
  inventory: z
    .object({
      repositories: count.describe('ImageRepositories that it needs.'),
      policies: count.describe('ImagePolicies that it needs.'),
      waiting: z.array(written(512)).max(50).optional().describe('Those that have no result yet.'),
    })
    .optional()
    .describe('The objects that it makes or uses.'),
  pending: z.array(pendingSchema).max(100).optional().describe('The first fields that are to be updated.'),
  pendingCount: count.optional().describe('How many fields are to be updated.'),
  lastJob: z
    .object({
      namespace: written(253).optional().describe('Its namespace.'),
      name: written(253).describe('Its name.'),
      uid: written(64).optional().describe('Its uid.'),
    })
    .optional()
    .describe('What was made last.'),
  lastPush: z
    .object({ commit: written(64).describe('The commit.'), time: time.describe('When.') })
    .optional()
    .describe('The last commit that was pushed.'),
});

const columns = [
  { name: 'Branch', type: 'string', jsonPath: '.spec.git.ref.branch' },
  { name: 'Pending', type: 'integer', jsonPath: '.status.pendingCount' },
  { name: 'Last push', type: 'date', jsonPath: '.status.lastPush.time' },
  { name: 'Commit', type: 'string', jsonPath: '.status.lastPush.commit', priority: 1 },
  ...commonColumns,
] as const;

export const imageAutomation = {
  kind: 'ImageAutomation',
  plural: 'imageautomations',
  shortNames: ['iuauto'],
  scope: 'Namespaced',
  about: 'A branch whose image references are kept up to date.',
  spec: ruled(z.strictObject(automation), rules),
  status: statusSchema,
  immutable: [],
  columns,
} satisfies Kind;

export const clusterImageAutomation = {
  kind: 'ClusterImageAutomation',
  plural: 'clusterimageautomations',
  shortNames: ['ciuauto'],
  scope: 'Cluster',
  about: 'An ImageAutomation of the whole cluster, for whoever runs it.',
  spec: ruled(
    z.strictObject({
      targetNamespace: objectName.describe('Where the objects that it makes live, and the Secrets that it names.'),
      namespaceSelector: labelSelector
        .optional()
        .describe('Labels of the namespaces whose objects in git are updated; all if left out.'),
      credentialDiscovery: z
        .enum(['None', 'WorkloadPullSecrets'])
        .default('None')
        .describe(
          '`WorkloadPullSecrets`: log in to a registry with the pull secrets of the first workload that uses the image, which needs a ClusterRole of its own.',
        ),
      ...automation,
    }),
    rules,
  ),
  status: statusSchema,
  immutable: ['targetNamespace'],
  columns: [{ name: 'Namespace', type: 'string', jsonPath: '.spec.targetNamespace' }, ...columns],
} satisfies Kind;
