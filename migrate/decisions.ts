import { Decider, type Decision } from '../fn/decide.ts';
import { defaultSpec } from '../fn/config/defaults.ts';
import { findImages, type GovernedField } from '../fn/governed.ts';
import type { Answers } from '../fn/lookup/answers.ts';
import type { Lookup, Need } from '../fn/lookup/lookup.ts';
import type { ImageMetadata } from '../fn/lookup/metadata.ts';
import { choose } from '../fn/policy/choose.ts';
import { compilePattern } from '../fn/policy/pattern.ts';
import { compilePolicy } from '../fn/policy/policy.ts';
import { canonicalName } from '../fn/reference.ts';
import { documentsWith, type Source } from '../fn/source.ts';
import { wordsOf } from '../fn/words.ts';
import type { ImageField } from '../fn/find/find.ts';
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
export async function decideAfter(sources: readonly Source[], answers: Answers): Promise<ReadonlyMap<string, Verdict>> {
  const config = { spec: defaultSpec(), setImage: false };
  const decider = new Decider(config, answers);
  const words = wordsOf(config.spec);
  const verdicts = new Map<string, Verdict>();
  for (const source of sources)
    for (const slice of documentsWith(source.text, source.documents, words)) {
      const { governed } = await findImages(source, slice, config);
      for (const candidate of governed)
        verdicts.set(placeOf(source, candidate.field), verdictOf(candidate, await decider.decide(candidate)));
    }
  return verdicts;
}

/** What tells a field of a file from others, before and after it was edited. */
export function placeOf({ path = '' }: Source, { resource, path: field }: ImageField): string {
  const { kind, namespace = '', name } = resource;
  return [path, kind, namespace, name, field].join(' ');
}

/** Notes of a decision that did what it would do. */
const DONE = new Set(['up-to-date']);

function verdictOf({ reference, automation }: GovernedField, { change, reason, notes }: Decision): Verdict {
  const { tag: current } = reference;
  const why = notes.find((note) => note.reason === reason)?.message;
  if (automation?.locked || automation?.ignored)
    return current === undefined ? { unknown: 'it is locked' } : { tag: current, why: 'it is locked' };
  if (typeof change.tag === 'string') return { tag: change.tag };
  if (UNKNOWN.test(reason) || current === undefined) return { unknown: why ?? reason };
  return { tag: current, ...(why !== undefined && !DONE.has(reason) && { why }) };
}

/** Reasons why nothing is known of what could be chosen. */
const UNKNOWN = /^(?:metadata-|policy-|repository-|filter-malformed|markers-disagree)/;
