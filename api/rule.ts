import type * as z from 'zod';

/**
 * What must hold between the fields of a value, said twice: to the API server in CEL, and to our own check. `test/api/` holds
 * both against the same cases.
 */
export interface Rule<T> {
  /** CEL, of `self`. */
  rule: string;
  /** What to write instead; it follows the path of the field. */
  message: string;
  check: (value: T) => boolean;
  /** The field below the value that is to be changed; the value itself if left out. */
  path?: readonly string[];
}

/** A rule as the API server takes it. */
export interface ServerRule {
  rule: string;
  message: string;
}

/** The keyword of a schema that holds rules. */
export const RULES = 'x-kubernetes-validations';

/** A schema with rules: a refinement for our own check, and `x-kubernetes-validations` for the API server's. */
export function ruled<T extends z.core.$ZodType>(schema: T, rules: readonly Rule<z.output<T>>[]): T {
  return widened(schema)
    .superRefine((value, ctx) => {
      for (const { message, check, path = [] } of rules)
        if (!check(value as z.output<T>)) ctx.addIssue({ code: 'custom', path: [...path], message });
    })
    .meta({
      [RULES]: rules.map(({ rule, message, path }) => ({
        rule,
        message,
        ...(path && { fieldPath: `.${path.join('.')}` }),
      })),
    }) as unknown as T;
}

/** Every schema has these methods; to let the compiler prove it of each one takes longer than all its other work. */
export function widened(schema: z.core.$ZodType): z.ZodType {
  return schema as z.ZodType;
}

/** The rule of a union: exactly one of its arms is there. */
export function exactlyOne<T extends object>(arms: readonly string[]): Rule<T> {
  return {
    rule: `[${arms.map((arm) => `has(self.${arm})`).join(', ')}].filter(there, there).size() == 1`,
    message: `needs exactly one of ${words(arms)}`,
    check: (value) => arms.filter((arm) => (value as Record<string, unknown>)[arm] !== undefined).length === 1,
  };
}

function words(list: readonly string[]): string {
  return `${list.slice(0, -1).join(', ')} and ${list.at(-1)}`;
}
