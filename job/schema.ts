import * as z from 'zod';
import { text } from '../fn/config/image-update.ts';
import { explainReference, parseReference } from '../fn/reference.ts';
import { pathProblem } from '../git/path.ts';
import { urlProblem } from '../git/url.ts';
import { DURATION } from './duration.ts';
import { refProblem } from './ref.ts';

/**
 * The kind `UpdateJob` (reference/controllers.md A1, A2). This schema is the one source of the type, the check, the table in
 * docs/update-job.md, and the CRD. Every text and every list has a bound.
 */

/** A text, and what `problem` has against it. */
function checked(max: number, problem: (value: string) => string | undefined, min = 1) {
  return text(z.string().min(min).max(max)).superRefine((value, ctx) => {
    const wrong = problem(value);
    if (wrong !== undefined) ctx.addIssue(`${JSON.stringify(value)}: ${wrong}`);
  });
}

/** What follows a path or a URL in a sentence, as one of its own. */
function it(problem: (value: string) => string | undefined) {
  return (value: string) => {
    const wrong = problem(value);
    return wrong === undefined ? undefined : `it ${wrong}`;
  };
}

const word = text(z.string().min(1).max(512));
const line = checked(256, (value) => {
  if (value.trim() === '') return 'it is blank';
  return /[\p{Cc}<>]/u.test(value) ? 'it may hold no control character, "<" or ">"' : undefined;
});
export const objectName = checked(253, (value) =>
  /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(value)
    ? undefined
    : 'a name has lower-case letters, digits, "-" and ".", and begins and ends with a letter or digit',
);
const duration = checked(32, (value) =>
  DURATION.test(value) ? undefined : 'it is no duration, such as 90s, 5m or 1h30m',
);
const refName = checked(255, refProblem);
const quantity = checked(32, (value) =>
  /^\d+(?:\.\d+)?(?:m|[kMGTPE]|[KMGTPE]i)?$/.test(value) ? undefined : 'it is no quantity, such as 500m or 256Mi',
);
const labels = z
  .record(z.string().max(317), z.string().max(4096))
  .refine((map) => Object.keys(map).length <= 64, 'it holds more than 64 entries');
const secretRef = z.strictObject({ name: objectName.describe('Name of the Secret.') });

const refSchema = z
  .strictObject({
    branch: refName.optional().describe('A branch, without `refs/heads/`.'),
    tag: refName.optional().describe('A tag, without `refs/tags/`.'),
    commit: checked(64, (value) =>
      /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value) ? undefined : 'it is no full commit id',
    )
      .optional()
      .describe('A commit, by its full id.'),
  })
  .refine((ref) => Object.keys(ref).length === 1, 'needs exactly one of branch, tag and commit');

const gitSchema = z.strictObject({
  url: checked(
    2048,
    it((url) => urlProblem(url, ['https:', 'ssh:', 'http:'])),
  ).describe(
    'The repository: `https://` or `ssh://` (`http://` if allowed). No password in it. `tk-image` takes `git@host:path` too.',
  ),
  ref: refSchema.describe('What to start from: exactly one of the three.'),
  secretRef: secretRef
    .optional()
    .describe('Secret to log in with, with the keys that Flux uses: see [Secrets](#secrets).'),
  depth: z.int().min(0).max(1_000_000).default(1).describe('Commits to fetch; 0 is all. 1 is enough.'),
  paths: z
    .array(checked(1024, it(pathProblem)))
    .max(64)
    .default([])
    .describe('Directories that are fetched, and the only places that may change; the whole repository if empty.'),
  timeout: duration.default('60s').describe('For each operation over the network.'),
});

const envSchema = z.strictObject({
  name: checked(256, (value) =>
    /^[A-Za-z_][\w.-]*$/.test(value) ? undefined : 'it is no name of a variable',
  ).describe('Name of the variable.'),
  value: text(z.string().max(32_768)).default('').describe('Its value, as it stands.'),
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

const runSchema = z
  .strictObject({
    image: checked(512, (value) => (parseReference(value) ? undefined : explainReference(value))).describe(
      'What makes the changes. A repository whose last part is `image-update` is this program itself, and runs without a container.',
    ),
    command: z.array(word).max(64).optional().describe("In place of the image's entry point."),
    args: z
      .array(text(z.string().max(32_768)))
      .max(256)
      .default([])
      .describe('Arguments.'),
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
    imagePullSecrets: z
      .array(secretRef)
      .max(16)
      .default([])
      .describe(
        "Secrets to pull the image with, in a cluster. Outside of one the container program's own login is used.",
      ),
    timeout: duration.default('5m').describe('For the run of the image.'),
    allow: allowSchema
      .default({ create: false, delete: false, maxFiles: 1000 })
      .describe('What the image may do beside changing files that are there.'),
  })
  .refine((run) => run.functionConfig === undefined || run.contract === 'Function', {
    path: ['functionConfig'],
    error: 'it needs contract: Function',
  });

const commitSchema = z.strictObject({
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
    .describe("Template of the commit message: see [Commit messages](#commit-messages). Flux v1's text if left out."),
  grouping: z
    .enum(['Run', 'Image', 'Workload', 'Directory'])
    .default('Run')
    .describe('One commit for each of these: see [Commits](#commits).'),
  signing: z
    .strictObject({
      type: z
        .enum(['ssh', 'openpgp'])
        .describe('Kind of the key. `ssh` with ed25519 or RSA gives the same commit again.'),
      secretRef: secretRef.describe('Secret with the key: see [Secrets](#secrets).'),
    })
    .optional()
    .describe('Signs the commits.'),
});

const printable = (value: string) =>
  /^[\x20-\x7E]*$/.test(value) ? undefined : 'a push option has printable ASCII characters alone';
const optionName = checked(512, printable);
const optionValue = checked(512, printable, 0);

const pushSchema = z.strictObject({
  branch: refName.optional().describe('Where to push, without `refs/heads/`; `git.ref.branch` if left out.'),
  mode: z
    .enum(['Push', 'DryRun'])
    .default('Push')
    .describe('`DryRun` does everything but the push, and tells what would change.'),
  branchStrategy: z
    .enum(['FastForward', 'Rebuild'])
    .default('FastForward')
    .describe(
      '`FastForward` adds to the branch. `Rebuild` makes it anew from `git.ref`, and never over commits that it has not seen.',
    ),
  maxRaceRetries: z
    .int()
    .min(0)
    .max(100)
    .default(10)
    .describe('How often to try again when somebody else pushed first.'),
  options: z
    .record(optionName, optionValue)
    .refine((map) => Object.keys(map).length <= 32, 'it holds more than 32 options')
    .default({})
    .describe('Push options, for forges that open a merge request.'),
});

const podTemplateSchema = z.strictObject({
  labels: labels.optional().describe('Labels of the Pod.'),
  annotations: labels.optional().describe('Annotations of the Pod.'),
  nodeSelector: labels.optional().describe('Labels that its node must have.'),
  tolerations: z
    .array(
      z.strictObject({
        key: word.optional().describe('Key of the taint.'),
        operator: z.enum(['Exists', 'Equal']).optional().describe('How to compare.'),
        value: text(z.string().max(512)).optional().describe('Value of the taint.'),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional().describe('Effect of the taint.'),
        tolerationSeconds: z.int().optional().describe('How long it is tolerated.'),
      }),
    )
    .max(64)
    .optional()
    .describe('Taints that it tolerates.'),
  serviceAccountName: objectName.optional().describe('Its service account. The token is never mounted.'),
});

export const specSchema = z
  .strictObject({
    git: gitSchema.describe('The repository.'),
    run: runSchema.describe('What makes the changes.'),
    commit: commitSchema.describe('How the commits look.'),
    push: pushSchema
      .default({ mode: 'Push', branchStrategy: 'FastForward', maxRaceRetries: 10, options: {} })
      .describe('Where they go.'),
    suspend: z.boolean().default(false).describe('Start no new work.'),
    backoffLimit: z
      .int()
      .min(0)
      .max(100)
      .default(4)
      .describe('Attempts after the first, where one more may help. `tk-image run` starts again only after a race.'),
    activeDeadline: duration.default('15m').describe('For the whole job.'),
    ttlAfterFinished: duration
      .default('24h')
      .describe('A finished UpdateJob is deleted after this time, in a cluster.'),
    podTemplate: podTemplateSchema.optional().describe('The Pod in a cluster.'),
  })
  .superRefine(({ git: { ref }, push, commit, run }, ctx) => {
    const issue = (message: string, ...path: string[]) => ctx.addIssue({ code: 'custom', path, message });
    if (ref.branch === undefined && push.branch === undefined && push.mode === 'Push')
      issue('git.ref names no branch, so say which branch to push to, or mode: DryRun', 'push', 'branch');
    if (push.branchStrategy === 'Rebuild' && (push.branch === undefined || push.branch === ref.branch))
      issue(
        'Rebuild needs a push.branch other than git.ref.branch: it throws away what the branch holds',
        'push',
        'branchStrategy',
      );
    if ((commit.grouping === 'Image' || commit.grouping === 'Workload') && !runsInProcess(run))
      issue(
        `${commit.grouping} needs the image-update image, without command, args and env: whole files alone are known of any other; write Run or Directory`,
        'commit',
        'grouping',
      );
  });

export type JobSpec = z.output<typeof specSchema>;

/**
 * Whether a run is this program's own engine, needing no container: any repository whose last part is `image-update`, whatever
 * its registry, tag or digest. With a command, arguments or an environment it is what those make of it, and runs as any image.
 */
export function runsInProcess({
  image,
  command,
  args,
  env,
}: Pick<JobSpec['run'], 'image' | 'command' | 'args' | 'env'>): boolean {
  const name = parseReference(image)?.name ?? '';
  const plain = command === undefined && args.length === 0 && env.length === 0;
  return plain && name.slice(name.lastIndexOf('/') + 1) === 'image-update';
}
