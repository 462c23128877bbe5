import * as z from 'zod';
import { milliseconds } from './duration.ts';
import { ambient, duration, labelSelector, objectName, pattern, repository, secretRef, secretRefs } from './fields.ts';
import { commonColumns, commonStatus, count, suspend, time, written, type Kind } from './kind.ts';
import { ruled, type Rule } from './rule.ts';

/** The kind `ImageRepository` (reference/controllers.md A3): a repository to scan. */

const authSchema = ruled(
  z.strictObject({
    secretRefs: secretRefs
      .optional()
      .describe("Secrets of type `kubernetes.io/dockerconfigjson`; the registry's host and port decide which entry."),
    serviceAccountName: objectName
      .optional()
      .describe('A service account whose `imagePullSecrets` are used; it gets no token.'),
    ambient: ambient
      .optional()
      .describe("The cloud whose identity the controller has; it must have been allowed at the controller's start."),
  }),
  [
    {
      rule: '!has(self.ambient) || !(has(self.secretRefs) || has(self.serviceAccountName))',
      message: 'ambient stands alone, without secretRefs and serviceAccountName',
      check: ({ ambient, secretRefs, serviceAccountName }) =>
        ambient === undefined || (secretRefs === undefined && serviceAccountName === undefined),
      path: ['ambient'],
    },
  ],
);

const fields = z.strictObject({
  image: repository.describe('The repository, without tag and digest.'),
  interval: duration.default('10m').describe('How often it is scanned; at least `60s`.'),
  timeout: duration.default('60s').describe('For a scan, logging in included; at most `interval`.'),
  auth: authSchema.optional().describe('How to log in; without it as anybody.'),
  certSecretRef: secretRef
    .optional()
    .describe("Secret with `ca.crt`, an authority to trust, or `tls.crt` and `tls.key`, the client's certificate."),
  insecure: z
    .boolean()
    .default(false)
    .describe('Plain `http://`; no credentials are sent unless the controller allows it for the host.'),
  exclude: z
    .array(pattern)
    .max(25)
    .default([String.raw`\.(sig|att|sbom)$`])
    .describe(
      'Regular expressions (RE2) of tags that are left out. A list of your own takes the place of the default.',
    ),
  metadata: z
    .strictObject({
      level: z
        .enum(['Tags', 'Created'])
        .default('Tags')
        .describe('`Tags`: names alone. `Created`: also when images were built, two requests for each new tag.'),
      maxLookups: z
        .int()
        .min(1)
        .max(10_000)
        .default(200)
        .describe('Most tags that a scan looks up, those first that look newest.'),
    })
    .default({ level: 'Tags', maxLookups: 200 })
    .describe('What is looked up of a tag.'),
  access: z
    .strictObject({
      namespaceSelectors: z
        .array(labelSelector)
        .max(64)
        .default([])
        .describe('Labels of namespaces; any of these will do, and `{}` is every namespace.'),
    })
    .optional()
    .describe('Which other namespaces may have ImagePolicies of this repository; none if left out.'),
  suspend,
});

type Spec = z.output<typeof fields>;

const MIN_INTERVAL = 60_000;

const rules: Rule<Spec>[] = [
  {
    rule: "duration(self.interval) >= duration('60s')",
    message: 'a registry is not asked more often than every 60s',
    check: ({ interval }) => milliseconds(interval) >= MIN_INTERVAL,
    path: ['interval'],
  },
  {
    rule: 'duration(self.timeout) <= duration(self.interval)',
    message: 'a timeout may not be longer than the interval',
    check: ({ timeout, interval }) => milliseconds(timeout) <= milliseconds(interval),
    path: ['timeout'],
  },
];

const statusSchema = z.object({
  ...commonStatus,
  canonicalImage: written(512).optional().describe('The repository with its registry, in the one spelling.'),
  lastScan: z
    .object({
      time: time.describe('When it ended.'),
      revision: written(128).describe('SHA-256 of the sorted tags.'),
      tagCount: count.describe('How many tags there are.'),
      pages: count.optional().describe('In how many pages they came.'),
      durationMs: count.optional().describe('How long it took, in milliseconds.'),
      latestTags: z.array(written(128)).max(10).describe('Some tags, the last by name first.'),
    })
    .optional()
    .describe('The last scan that succeeded.'),
  nextScanTime: time.optional().describe('When it is scanned next.'),
  consecutiveFailures: count.optional().describe('Scans that failed since the last that succeeded.'),
  observedExclude: z.array(written(1024)).max(25).optional().describe('The `exclude` of the last scan.'),
});

export const imageRepository = {
  kind: 'ImageRepository',
  plural: 'imagerepositories',
  shortNames: ['iurepo'],
  scope: 'Namespaced',
  about: 'A repository of images whose tags are scanned.',
  spec: ruled(fields, rules),
  status: statusSchema,
  immutable: [],
  columns: [
    { name: 'Image', type: 'string', jsonPath: '.spec.image' },
    { name: 'Tags', type: 'integer', jsonPath: '.status.lastScan.tagCount' },
    { name: 'Last scan', type: 'date', jsonPath: '.status.lastScan.time' },
    ...commonColumns,
  ],
} satisfies Kind;
