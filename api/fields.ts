import * as z from 'zod';
import { targetSchema as updateTarget, text } from '../fn/config/image-update.ts';
import { compileRegexp } from '../fn/policy/regexp.ts';
import { isName, explainReference, parseReference } from '../fn/reference.ts';
import { DURATION, milliseconds } from './duration.ts';
import { RULES, ruled, widened, type ServerRule } from './rule.ts';

/** Fields that several kinds have (reference/controllers.md A1). Every text, list and map has a bound. */

/** A form of text: what our own check has against it, and what the API server can tell, which may be less. */
interface Form {
  /** Characters. */
  max: number;
  min?: number;
  /** What is wrong, in words that follow the value. */
  problem: (value: string) => string | undefined;
  pattern?: string;
  rules?: ServerRule[];
}

/** A text of a form. */
export function formed({ max, min = 1, problem, pattern, rules }: Form) {
  return text(z.string().min(min).max(max))
    .superRefine((value, ctx) => {
      const wrong = problem(value);
      if (wrong !== undefined) ctx.addIssue(`${JSON.stringify(value)}: ${wrong}`);
    })
    .meta({ ...(pattern !== undefined && { pattern }), ...(rules && { [RULES]: rules }) });
}

/** What follows a path or a URL in a sentence, as one of its own. */
export function it(problem: (value: string) => string | undefined) {
  return (value: string) => {
    const wrong = problem(value);
    return wrong === undefined ? undefined : `it ${wrong}`;
  };
}

/** Any text. */
export function anyText(max: number, min = 0) {
  return text(z.string().min(min).max(max));
}

export const word = anyText(512, 1);

export const line = formed({
  max: 256,
  problem: (value) => {
    if (value.trim() === '') return 'it is blank';
    return /[\p{Cc}<>]/u.test(value) ? 'it may hold no control character, "<" or ">"' : undefined;
  },
  rules: [
    {
      rule: String.raw`self.matches(r'^[^\pC<>]*[^\pC\pZ<>][^\pC<>]*$')`,
      message: 'it may not be blank, and hold no control character, "<" or ">"',
    },
  ],
});

export const objectName = formed({
  max: 253,
  problem: (value) =>
    /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(value)
      ? undefined
      : 'a name has lower-case letters, digits, "-" and ".", and begins and ends with a letter or digit',
  pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$',
});

/** A century, beyond which Go's durations, and with them CEL's, soon end. */
const MAX_HOURS = 876_000;

export const duration = formed({
  max: 32,
  problem: (value) => {
    if (!DURATION.test(value)) return 'it is no duration, such as 90s, 5m or 1h30m';
    return milliseconds(value) > MAX_HOURS * 3_600_000 ? 'it is longer than a century' : undefined;
  },
  pattern: String.raw`^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`,
  rules: [{ rule: `duration(self) <= duration('${MAX_HOURS}h')`, message: 'it is longer than a century' }],
});

/** A map of texts, such as labels. */
export const labels = bounded(z.record(z.string().max(317), z.string().max(4096)), 64, 'entries').meta({
  maxProperties: 64,
  [RULES]: [{ rule: 'self.all(key, size(key) <= 317)', message: 'a key has more than 317 characters' }],
});

/** A map with no more than `max` entries. */
export function bounded<T extends z.core.$ZodType<Record<string, unknown>>>(map: T, max: number, what: string): T {
  const isFew = (value: unknown) => Object.keys(value as object).length <= max;
  return widened(map).refine(isFew, `it holds more than ${max} ${what}`) as unknown as T;
}

/** A reference to a Secret of the same namespace. */
export const secretRef = z.strictObject({ name: objectName.describe('Name of the Secret.') });
export const secretRefs = z.array(secretRef).max(16);

/** A cloud whose own identity logs in to its registry. */
export const ambient = z.enum(['aws', 'gcp', 'azure']);

const HOST = '([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])';
const COMPONENT = String.raw`[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`;
/** The grammar of fn/reference.ts, for the API server. */
const NAME = String.raw`((${HOST}(\.${HOST})*|\[[0-9a-fA-F:]+\])(:[0-9]+)?/)?${COMPONENT}(/${COMPONENT})*`;

/** An image repository, without tag and digest. */
export const repository = formed({
  max: 255,
  problem: (value) => {
    if (value.includes('://')) return 'write it without a protocol';
    if (isName(value)) return undefined;
    const reference = parseReference(value);
    return reference ? 'it must be a repository alone, without tag and digest' : explainReference(value);
  },
  rules: [
    { rule: "!self.contains('://')", message: 'write it without a protocol' },
    {
      rule: `self.contains('://') || self.matches(r'^${NAME}$')`,
      message: 'it must be a repository alone, such as ghcr.io/org/app, without tag and digest',
    },
  ],
});

/** Any image reference. */
export const image = formed({
  max: 512,
  problem: (value) => (parseReference(value) ? undefined : explainReference(value)),
  rules: [
    {
      rule: String.raw`self.matches(r'^${NAME}(:\w[\w.-]{0,127})?(@[a-z0-9]+([.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,})?$')`,
      message: 'it is no image, such as ghcr.io/org/app:v1',
    },
  ],
});

/** A regular expression in RE2's dialect. */
export const pattern = formed({
  max: 1024,
  problem: (value) => {
    const compiled = compileRegexp(value);
    return typeof compiled === 'string' ? compiled : undefined;
  },
  // A pattern that cannot be compiled is an error of the rule, which refuses the value as well.
  rules: [{ rule: "''.matches(self) in [true, false]", message: 'it is no regular expression of RE2' }],
});

const selectorKey = anyText(317, 1);
const selectorValue = anyText(63);

/** A label selector of Kubernetes; one that says nothing selects everything. */
export const labelSelector = z.strictObject({
  matchLabels: labels.optional().describe('Labels that must have these values.'),
  matchExpressions: z
    .array(
      ruled(
        z.strictObject({
          key: selectorKey.describe('Key of the label.'),
          operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('How to compare.'),
          values: z.array(selectorValue).max(64).optional().describe('The values of `In` and `NotIn`.'),
        }),
        [
          {
            rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            message: 'In and NotIn need values, Exists and DoesNotExist have none',
            check: ({ operator, values = [] }) => (operator === 'In' || operator === 'NotIn') === values.length > 0,
            path: ['values'],
          },
        ],
      ),
    )
    .max(64)
    .optional()
    .describe('Conditions on labels, all of which must hold.'),
});

/** Which resources and fields of a directory are meant, as in the function's configuration. */
const targetSchema = z.strictObject(updateTarget.shape);

const targetFields = Object.keys(targetSchema.shape);

export const target = ruled(targetSchema, [
  {
    rule: targetFields.map((field) => `has(self.${field})`).join(' || '),
    message: 'needs at least one of its fields',
    check: (value) => Object.values(value).some((field) => field !== undefined),
  },
  {
    rule: '!(has(self.container) && has(self.field))',
    message: 'has both container and field; one will do',
    check: ({ container, field }) => container === undefined || field === undefined,
  },
]);
