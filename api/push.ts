import * as z from 'zod';
import { bounded, formed } from './fields.ts';
import { refName } from './git.ts';
import { RULES, type Rule } from './rule.ts';

/** Where commits go (reference/controllers.md A2): `push` of UpdateJob and of the automations. */

const printable = (value: string) =>
  /^[\x20-\x7E]*$/.test(value) ? undefined : 'a push option has printable ASCII characters alone';
const optionName = formed({ max: 512, problem: printable });
const optionValue = formed({ max: 512, min: 0, problem: printable, pattern: '^[ -~]*$' });

export const pushSchema = z
  .strictObject({
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
    options: bounded(z.record(optionName, optionValue), 32, 'options')
      .meta({
        maxProperties: 32,
        [RULES]: [
          {
            rule: "self.all(key, size(key) <= 512 && key.matches('^[ -~]+$'))",
            message: 'the name of a push option has printable ASCII characters alone, 512 at most',
          },
        ],
      })
      .default({})
      .describe('Push options, for forges that open a merge request.'),
  })
  .default({ mode: 'Push', branchStrategy: 'FastForward', maxRaceRetries: 10, options: {} });

/** A spec as far as its branches go. */
interface Branches {
  git: { ref: { branch?: string | undefined } };
  push: z.output<typeof pushSchema>;
}

/** A rebuilt branch holds nothing but what the job makes, so it may not be the one that people push to. */
export const rebuildElsewhere: Rule<Branches> = {
  rule: "self.push.branchStrategy != 'Rebuild' || (has(self.push.branch) && (!has(self.git.ref.branch) || self.push.branch != self.git.ref.branch))",
  message: 'Rebuild needs a push.branch other than git.ref.branch: it throws away what the branch holds',
  check: ({ git, push }) =>
    push.branchStrategy !== 'Rebuild' || (push.branch !== undefined && push.branch !== git.ref.branch),
  path: ['push', 'branchStrategy'],
};
