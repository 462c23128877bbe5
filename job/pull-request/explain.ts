import type { Answers } from '../../fn/lookup/answers.ts';
import type { Lookup } from '../../fn/lookup/lookup.ts';
import type { ImageMetadata, TagMetadata } from '../../fn/lookup/metadata.ts';
import { accountFor } from '../../fn/policy/account.ts';
import { choose } from '../../fn/policy/choose.ts';
import { compilePattern } from '../../fn/policy/pattern.ts';
import { compilePolicy } from '../../fn/policy/policy.ts';
import type { Rule } from '../../fn/policy/rule.ts';
import { compareTimes, isEpochDay, readTime } from '../../fn/policy/time.ts';
import { parseReference } from '../../fn/reference.ts';
import type { Change } from '../change.ts';
import type { Facts } from './body.ts';

/** Where facts come from: what was given, and whom to ask for the rest. */
export interface Known {
  answers: Answers;
  lookup: Lookup | undefined;
}

/** What led to a change, as far as it can be found out again: nothing that is not known is an error here. */
export async function explain(change: Change, { answers, lookup }: Known): Promise<Facts> {
  const [from, to] = [parseReference(change.from), parseReference(change.to)];
  if (!from || !to) return {};
  const rule = ruleOf(change.policy, answers);
  const metadata = answers.metadata(to.name) ?? (rule && (await ask(lookup, to.name, rule, from.tag)));
  if (!metadata) return {};
  const since = sinceOf(
    metadata.tags.find(({ name }) => name === to.tag),
    metadata.scannedAt,
  );
  if (!rule) return since ? { since } : {};
  const current = { ...(from.tag !== undefined && { tag: from.tag }) };
  const account = accountFor(metadata, rule, choose(rule, metadata, current));
  return { account, ...(since && { since }) };
}

/** The rule by what a change calls its policy: a pattern, or an ImagePolicy that was given. */
function ruleOf(policy: string | undefined, answers: Answers): Rule | undefined {
  const [, namespace, name] = /^ImagePolicy (?:([^/]+)\/)?(.+)$/.exec(policy ?? '') ?? [];
  if (policy === undefined || policy.startsWith('update of ')) return undefined;
  if (name === undefined) {
    const rule = compilePattern(policy);
    return 'error' in rule ? undefined : rule;
  }
  const object = answers.policy(name, namespace);
  const rule = 'reason' in object ? undefined : compilePolicy(object.spec);
  return !rule || 'error' in rule ? undefined : rule;
}

async function ask(
  lookup: Lookup | undefined,
  image: string,
  rule: Rule,
  current: string | undefined,
): Promise<ImageMetadata | undefined> {
  const metadata = await lookup?.metadata(image, [{ rule, ...(current !== undefined && { current }) }]);
  return !metadata || 'reason' in metadata ? undefined : metadata;
}

/**
 * By the clock that ages go by: the push, else the later of the first scan and the build (fn/policy/rank.ts). What this very scan
 * has seen first, it may have seen first as there is no memory of others: then each run would tell another time.
 */
function sinceOf(tag: TagMetadata | undefined, scannedAt: string | undefined): Facts['since'] {
  const told = (['pushed', 'firstSeen', 'created'] as const).flatMap((clock) => {
    const time = readTime(tag?.[clock]);
    const isNow = clock === 'firstSeen' && tag?.firstSeen === scannedAt;
    return time && !isNow && !isEpochDay(time) ? [{ clock, time, text: tag![clock]! }] : [];
  });
  const [first, other] = told;
  if (!first) return undefined;
  const { clock, text } =
    other && first.clock === 'firstSeen' && compareTimes(first.time, other.time) < 0 ? other : first;
  return { time: text, clock };
}
