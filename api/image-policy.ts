import * as z from 'zod';
import { readRange } from '../fn/policy/range.ts';
import { readDuration } from '../fn/policy/time.ts';
import { anyText, duration, formed, objectName, pattern } from './fields.ts';
import { commonColumns, commonStatus, count, suspend, time, written, type Kind } from './kind.ts';
import { exactlyOne, ruled, type Rule } from './rule.ts';

/** The kind `ImagePolicy` (reference/controllers.md A4): which tag of a repository is selected. What it takes, `compilePolicy` evaluates. */

const range = formed({
  max: 512,
  problem: (value) => {
    const range = readRange(value, 'group');
    return typeof range === 'string' ? range : undefined;
  },
});

const minimumAge = formed({
  max: 32,
  problem: (value) => (readDuration(value) === undefined ? 'it is no duration, such as 72h, 90m or 3d' : undefined),
  pattern: String.raw`^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$`,
});

function ordered(meaning: string) {
  return z.strictObject({ order: z.enum(['asc', 'desc']).default('asc').describe(meaning) }).optional();
}

const orderSchema = ruled(
  z.strictObject({
    semver: z
      .strictObject({
        range: range.describe('Such as `~1.2` or `>=1.0.0 <2.0.0`; `*` is any release.'),
      })
      .optional()
      .describe('The highest version in a range.'),
    numerical: ordered('`asc` takes the greatest, `desc` the least.').describe('By number.'),
    alphabetical: ordered('`asc` takes the last, `desc` the first.').describe('By the alphabet, byte by byte.'),
    newest: ordered('`asc` takes the newest, `desc` the oldest.').describe('By time.'),
  }),
  [exactlyOne(['semver', 'numerical', 'alphabetical', 'newest'])],
);

const filterSchema = ruled(
  z.strictObject({
    regexp: pattern.optional().describe('Regular expression (RE2), which need not match the whole tag.'),
    glob: anyText(512, 1).optional().describe('Glob that fits the whole tag: `*` is any run of characters.'),
    extract: anyText(512, 1)
      .optional()
      .describe('What the policy compares in place of the tag, made of the groups of `regexp`: `$1`, `${name}`.'),
  }),
  [
    exactlyOne(['regexp', 'glob']),
    {
      rule: '!has(self.extract) || has(self.regexp)',
      message: 'it needs regexp, whose groups it names',
      check: ({ extract, regexp }) => extract === undefined || regexp !== undefined,
      path: ['extract'],
    },
  ],
);

/** What says which tag is chosen: an ImagePolicy's, and that of an automation's own updates. */
export const choosing = {
  filter: filterSchema.optional().describe('Which tags count; all if left out.'),
  exclude: z.array(pattern).max(25).default([]).describe('Regular expressions (RE2) of tags that never count.'),
  policy: orderSchema.describe('Which of them is selected: exactly one of the four.'),
  minimumAge: minimumAge.optional().describe('A younger tag is not selected, such as `72h` or `3d`.'),
  downgrade: z
    .enum(['Hold', 'Follow'])
    .default('Hold')
    .describe(
      '`Hold`: never below what is selected, as long as the policy accepts that. `Follow`: as the listing says.',
    ),
};

const fields = z.strictObject({
  imageRepositoryRef: z
    .strictObject({
      name: objectName.describe('Its name.'),
      namespace: objectName.optional().describe("Its namespace, if another; that one's `access` must allow it."),
    })
    .describe('The ImageRepository.'),
  ...choosing,
  digest: z
    .enum(['Never', 'IfNotPresent', 'Always'])
    .default('Never')
    .describe('Whether the digest is looked up too: never, once for each tag, or at every `interval`.'),
  interval: duration.optional().describe('How often the digest is looked up, with `digest: Always` alone.'),
  suspend,
});

type Spec = z.output<typeof fields>;

const rules: Rule<Spec>[] = [
  {
    rule: "!has(self.interval) || self.digest == 'Always'",
    message: 'it needs digest: Always',
    check: ({ interval, digest }) => interval === undefined || digest === 'Always',
    path: ['interval'],
  },
];

const selected = z.object({
  name: written(512).describe('The repository as its ImageRepository spells it.'),
  tag: written(128).describe('The tag.'),
  digest: written(256).optional().describe('Its digest, if looked up.'),
  created: time.optional().describe('When the image was built, if known.'),
});

const statusSchema = z.object({
  ...commonStatus,
  latest: selected
    .optional()
    .describe('The image that is selected; it counts while `Ready` is `True` at the generation of the spec.'),
  previous: selected.optional().describe('The image that was selected before.'),
  observedRevision: written(128).optional().describe('The `lastScan.revision` that it was selected from.'),
  candidates: count.optional().describe('How many tags the policy accepts.'),
  changedAt: time.optional().describe('When `latest` last changed.'),
});

export const imagePolicy = {
  kind: 'ImagePolicy',
  plural: 'imagepolicies',
  shortNames: ['iupol'],
  scope: 'Namespaced',
  about: 'Which tag of an ImageRepository is selected.',
  spec: ruled(fields, rules),
  status: statusSchema,
  immutable: [],
  columns: [
    { name: 'Repository', type: 'string', jsonPath: '.spec.imageRepositoryRef.name' },
    { name: 'Tag', type: 'string', jsonPath: '.status.latest.tag' },
    { name: 'Digest', type: 'string', jsonPath: '.status.latest.digest', priority: 1 },
    { name: 'Candidates', type: 'integer', jsonPath: '.status.candidates', priority: 1 },
    ...commonColumns,
  ],
} satisfies Kind;
