import type { Config } from '../fn/config/config.ts';
import type { Answers } from '../fn/lookup/answers.ts';
import type { Lookup, Need } from '../fn/lookup/lookup.ts';
import type { ImageMetadata } from '../fn/lookup/metadata.ts';
import { choose } from '../fn/policy/choose.ts';
import { compilePattern } from '../fn/policy/pattern.ts';
import { compilePolicy } from '../fn/policy/policy.ts';
import { canonicalName } from '../fn/reference.ts';
import type { Source } from '../fn/source.ts';
import { survey, type SurveyedField } from '../fn/survey.ts';
import { isSite, isTerms, type Intent } from './intent.ts';

/** What somebody decides of a field: the tag that it then has, or why that is not known. `why` says why it stays, too. */
export type Verdict = { tag: string; why?: string } | { unknown: string };

/** Asks for the tags of every image that a rule is about, and makes them answers; of those that could not be had, why. */
export async function gather(
  intents: readonly Intent[],
  answers: Answers,
  lookup: Lookup | undefined,
): Promise<Map<string, string>> {
  const needs = new Map<string, { image: string; needs: Need[] }>();
  for (const intent of intents) {
    const { image, before, meaning, site } = intent;
    if (image === '' || answers.metadata(image)) continue;
    const known = needs.get(canonicalName(image)) ?? { image, needs: [] };
    needs.set(canonicalName(image), known);
    const tag = isSite(site) ? site.field.reference?.tag : undefined;
    const ours = isTerms(meaning) ? compilePolicy(meaning.policy) : undefined;
    const filter = isTerms(meaning) && 'text' in meaning.filter ? compilePattern(meaning.filter.text) : undefined;
    for (const rule of ['rule' in before ? before.rule : undefined, ours, filter])
      if (rule && !('error' in rule)) known.needs.push({ rule, ...(tag !== undefined && { current: tag }) });
  }
  const failures = new Map<string, string>();
  await Promise.all(
    [...needs].map(async ([name, { image, needs: asked }]) => {
      const found = lookup ? await lookup.metadata(image, asked) : { message: NOT_GIVEN };
      if ('message' in found) failures.set(name, found.message);
      else answers.add({ apiVersion: 'image-update.dev/v1alpha1', kind: 'ImageMetadata', ...found });
    }),
  );
  return failures;
}

const NOT_GIVEN = 'its tags are not known; give them by --metadata, or leave --offline out';

/** What the other tool would decide, by its rule on the tags that are known. */
export function decideBefore(
  { before, image }: Intent,
  current: string | undefined,
  answers: Answers,
  failures: ReadonlyMap<string, string>,
): Verdict {
  const metadata = answers.metadata(image);
  const { selected } = before;
  if ('unknown' in before || !metadata) {
    if (selected !== undefined) return { tag: selected, why: 'as its status says' };
    return { unknown: 'unknown' in before ? before.unknown : (failures.get(canonicalName(image)) ?? NOT_GIVEN) };
  }
  return decideBy(before.rule, metadata, current);
}

function decideBy(rule: Need['rule'], metadata: ImageMetadata, current: string | undefined): Verdict {
  const { chosen, message } = choose(rule, metadata, current === undefined ? {} : { tag: current });
  if (chosen) return { tag: chosen.name };
  return current === undefined ? { unknown: message } : { tag: current, why: message };
}

/** What the engine decides of each field of files as they stand, by the place of the field. */
export async function decideAfter(
  sources: readonly Source[],
  config: Config,
  answers: Answers,
): Promise<ReadonlyMap<string, Verdict>> {
  const { fields } = await survey(sources, config, answers);
  return new Map(fields.map((field) => [placeOf(field), verdictOf(field)]));
}

/** What tells a field of a file from others, before and after it was edited. */
export function placeOf({ source, resource, path }: Pick<SurveyedField, 'source' | 'resource' | 'path'>): string {
  const { kind, namespace = '', name } = resource;
  return [source.path, kind, namespace, name, path].join(' ');
}

function verdictOf({ fate, from }: SurveyedField): Verdict {
  const current = from?.tag;
  if (fate.state === 'moves' && fate.to.tag !== undefined) return { tag: fate.to.tag };
  if (current === undefined || fate.state === 'not-automated') return { unknown: fate.message };
  if (fate.state !== 'stays') return { tag: current };
  return UNKNOWN.test(fate.reason) ? { unknown: fate.message } : { tag: current, why: fate.message };
}

/** Reasons why nothing is known of what could be chosen. */
const UNKNOWN = /^(?:metadata-|policy-|repository-|filter-malformed|markers-disagree)/;
