import * as z from 'zod';
import { parsePath } from '../find/path.ts';
import { explainReference, isDigest, isTag, parseReference } from '../reference.ts';

/**
 * The function's configuration, kind `ImageUpdate`. This schema is the one source of the type, the check and the
 * reference table in docs/function.md.
 */

/** YAML reads an unquoted `5` or `true` as no text; where a text is meant, it is one. */
export function text<T extends z.core.$ZodType>(schema: T) {
  return z.preprocess((v) => (typeof v === 'number' || typeof v === 'boolean' ? String(v) : v), schema);
}

const word = text(z.string().min(1).max(512));
const words = z.array(word).max(1000);

const repository = text(z.string()).superRefine((value, ctx) => {
  const reference = parseReference(value);
  if (!reference) ctx.addIssue(`"${value}" is not an image: ${explainReference(value)}`);
  else if (reference.name !== value)
    ctx.addIssue(`"${value}" must be a repository alone; say the tag or digest under "to"`);
});
const tag = text(z.string().refine(isTag, { error: (issue) => `"${String(issue.input)}" is not a tag` }));
const digest = text(
  z.string().refine(isDigest, { error: (issue) => `"${String(issue.input)}" is not a digest, such as sha256:…` }),
);

const fieldPath = word.refine((path) => parsePath(path) !== undefined, {
  error: (issue) => `"${String(issue.input)}" is not a path, such as spec.pods[].image`,
});

export const targetSchema = z
  .strictObject({
    kind: word.optional().describe('Kind of the resource, such as `Deployment`.'),
    name: word.optional().describe('Name of the resource.'),
    namespace: word.optional().describe('Namespace as written in the file.'),
    container: word
      .optional()
      .describe('Container, or alias or key of a HelmRelease, or `name` of a Kustomization image.'),
    path: word.optional().describe('Glob of the file below the directory: `*` stays in a folder, `**` does not.'),
    field: word.optional().describe('Field path, such as `spec.template.spec.containers[0].image`.'),
  })
  .refine((target) => Object.keys(target).length > 0, 'a target needs at least one of its fields');

export const updateSchema = z
  .strictObject({
    image: repository.describe('The image repository whose fields are set, in any spelling.'),
    to: z
      .strictObject({
        tag: tag.optional().describe('The tag to write.'),
        digest: digest.optional().describe('The digest to write.'),
        name: repository.optional().describe('The repository to write in place of `image`.'),
      })
      .refine((to) => Object.keys(to).length > 0, 'needs at least one of tag, digest and name')
      .optional()
      .describe('What to write; or give `policyRef`.'),
    policyRef: z
      .strictObject({
        name: word.describe('Name of the ImagePolicy.'),
        namespace: word.optional().describe('Its namespace; may be left out where one policy alone has that name.'),
      })
      .optional()
      .describe('The ImagePolicy whose result is written; or give `to`.'),
    targets: z.array(targetSchema).max(1000).optional().describe('Only the fields that any of these selects.'),
  })
  .refine((update) => Boolean(update.to) !== Boolean(update.policyRef), 'needs exactly one of to and policyRef');

export const fieldSchema = z.strictObject({
  group: z.string().optional().describe('API group of the kind; any group if left out.'),
  kind: word.describe('Kind whose images stand there.'),
  path: fieldPath.describe('Path of the image, such as `spec.pods[].image`; `[]` is every item, `\\.` a dot in a key.'),
  container: word
    .optional()
    .describe('Name by which filters and targets call it; the last key of the path if left out.'),
});

export const specSchema = z.strictObject({
  annotations: z
    .boolean()
    .default(true)
    .describe('Obey Flux-v1 annotations on workloads (easy mode). Locks hold in any case.'),
  markers: z.boolean().default(true).describe('Obey `{"$imagepolicy": "ns:name[:tag|:name|:digest]"}` comments.'),
  updates: z
    .array(updateSchema)
    .max(1000)
    .default([])
    .describe('Explicit updates. They win over markers, markers over annotations.'),
  fields: z.array(fieldSchema).max(1000).default([]).describe('Where kinds that are not built in keep images.'),
  lookup: z
    .enum(['none', 'registry'])
    .default('none')
    .describe('`registry` scans what no metadata was given for; it needs the network.'),
  digests: z
    .enum(['keep', 'pin', 'tag'])
    .default('keep')
    .describe(
      '`keep`: a digest moves only with its tag, when known. `pin`: write tag@digest. `tag`: write the tag alone.',
    ),
  allow: words.default([]).describe('Globs of image repositories that may be written; all if empty.'),
  deny: words.default([]).describe('Globs of image repositories that are never written.'),
  maxChanges: z
    .int()
    .min(0)
    .default(0)
    .describe('More changed fields than this fail the run, and nothing is written; 0 is no limit.'),
  strict: z.boolean().default(false).describe('Warnings become errors: exit status 1, nothing written.'),
  deepHelmValues: z
    .boolean()
    .default(false)
    .describe('Look for images at any depth of HelmRelease values, with dotted names, not at the first level alone.'),
  unknownCurrent: z
    .enum(['move', 'hold'])
    .default('move')
    .describe('Order by time, and the current tag is not in the registry: `move` on, or `hold` as Flux v1 did.'),
  ties: z
    .enum(['compat', 'version'])
    .default('compat')
    .describe(
      'Order by time, and times are equal: the smallest tag as in Flux v1 (`compat`), or the highest `version`.',
    ),
});

export type Spec = z.output<typeof specSchema>;
export type ExplicitUpdate = z.output<typeof updateSchema>;
export type Target = z.output<typeof targetSchema>;
export type DeclaredField = z.output<typeof fieldSchema>;
