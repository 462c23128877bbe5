import * as z from 'zod';

const field = z.preprocess((v) => (typeof v === 'number' ? String(v) : v), z.string().min(1).max(512));

/** Kind `SetImage` of the function catalog (reference/krm-function.md C1), so that this function is a drop-in for it. */
export const setImageSchema = z.strictObject({
  image: z.strictObject({
    name: field.optional(),
    newName: field.optional(),
    newTag: field.optional(),
    digest: field.optional(),
  }),
  additionalImageFields: z
    .array(
      z.strictObject({
        group: z.string().optional(),
        version: z.string().optional(),
        kind: field,
        path: field,
        // Asks to make a missing field; there is nothing to put an image into, so it changes nothing here.
        create: z.boolean().optional(),
      }),
    )
    .max(1000)
    .default([]),
});
