import { allowList } from './allow.ts';
import type { Config } from './config/config.ts';
import type { ExplicitUpdate } from './config/image-update.ts';
import { Decider } from './decide.ts';
import type { Replacement } from './replace.ts';
import { editDocument, type EditedDocument } from './edit.ts';
import { findImages, type Found } from './governed.ts';
import type { Answers } from './lookup/answers.ts';
import type { Lookup } from './lookup/lookup.ts';
import type { Note } from './note.ts';
import { planDocument, type Hold, type Plan } from './plan.ts';
import { noteResult, sortResults, type Result } from './result.ts';
import type { Scope } from './scope.ts';
import { documentsWith, type Slice, type Source } from './source.ts';
import { wordsOf } from './words.ts';

/** What an update comes to. Nothing is written yet. */
export interface Outcome {
  /** The replacements of each source that changes, in order of the text. Empty if the run failed. */
  edits: Map<Source, Replacement[]>;
  /** One `info` a changed field, a `warning` for what was asked for and not done, an `error` only if the run failed. */
  results: Result[];
  failed: boolean;
}

/** A document that was gone through, for who wants to know more than the outcome. */
export interface Seen extends EditedDocument {
  source: Source;
  document: Slice;
  found: Found;
  plan: Plan;
}

/**
 * The whole algorithm: find the image fields of each document that could have any, look up and choose what each becomes,
 * and replace exactly the characters that change. With a look-up, all of it is asked before anything is decided. `earlier` are
 * results of reading the sources, which `strict` also judges; `hold` may keep a field where it is; `see` is shown each document.
 */
export async function update(
  sources: readonly Source[],
  config: Config,
  answers: Answers,
  lookup?: Lookup,
  earlier: readonly Result[] = [],
  hold?: Hold,
  see?: (seen: Seen) => void,
): Promise<Outcome> {
  const decider = new Decider(config, answers, lookup);
  const forbidden = allowList(config.spec.allow, config.spec.deny);
  const words = wordsOf(config.spec);
  const edits = new Map<Source, Replacement[]>();
  const results: Result[] = [...earlier, ...answers.notes.map((note) => noteResult(note, {}))];

  const ahead = lookup ? await findAll(sources, config) : undefined;
  if (ahead) await decider.askAhead([...ahead.values()].flatMap(({ governed }) => governed));
  const matched = new Set<ExplicitUpdate>();
  for (const source of sources) {
    const replacements: Replacement[] = [];
    for (const document of documentsWith(source.text, source.documents, words)) {
      const found = ahead?.get(document) ?? (await find(source, document, config));
      for (const update of found.updates) matched.add(update);
      const plan = await planDocument(found, decider, forbidden, hold);
      const edited = await editDocument(source, document, plan);
      replacements.push(...edited.replacements);
      for (const { result } of edited.told) results.push(result);
      see?.({ source, document, found, plan, ...edited });
    }
    if (replacements.length > 0) edits.set(source, replacements);
  }
  if (lookup) results.push(...lookup.notes.map((note) => noteResult(note, {})));
  for (const explicit of config.spec.updates)
    if (!matched.has(explicit)) results.push(noteResult(unmatched(explicit), {}));
  return conclude(edits, results, config);
}

/** What all documents have, for a look-up, which takes long where it is asked one thing after the other. */
async function findAll(sources: readonly Source[], config: Config): Promise<Map<Slice, Found>> {
  const words = wordsOf(config.spec);
  const all = new Map<Slice, Found>();
  for (const source of sources)
    for (const document of documentsWith(source.text, source.documents, words))
      all.set(document, await find(source, document, config));
  return all;
}

async function find(source: Source, document: Slice, config: Config): Promise<Found> {
  const found = await findImages(source, document, config);
  return config.scope ? within(config.scope, found) : found;
}

/** What is found of what a run is about. */
function within(scope: Scope, found: Found): Found {
  return {
    ...found,
    governed: found.governed.filter(({ field, reference }) => scope.has(field.resource, reference.name)),
    unreadable: found.unreadable.filter(({ field }) => scope.has(field.resource, '')),
    notes: found.notes.filter(({ resource, note }) => !resource || scope.has(resource, note.image ?? '')),
  };
}

function unmatched({ image, targets }: ExplicitUpdate): Note {
  return {
    reason: 'update-unmatched',
    message: `no field holds the image ${image}${targets ? ' at the targets given' : ''}, or an earlier update has them all; check its spelling`,
    image,
  };
}

/** Applies `strict` and `maxChanges`; a failed run has no edits. */
function conclude(edits: Outcome['edits'], results: Result[], { spec: { strict, maxChanges } }: Config): Outcome {
  const changes = results.filter(({ severity }) => severity === 'info').length;
  if (maxChanges > 0 && changes > maxChanges)
    results.push({
      message: `${changes} fields would change, more than maxChanges (${maxChanges}) allows; nothing was written`,
      severity: 'error',
      tags: { reason: 'too-many-changes' },
    });
  if (strict) for (const result of results) if (result.severity === 'warning') result.severity = 'error';
  const failed = results.some(({ severity }) => severity === 'error');
  // An orchestrator shows these lines as what was done.
  if (failed)
    for (const result of results) if (result.severity === 'info') result.message = `not written: ${result.message}`;
  return { edits: failed ? new Map() : edits, results: sortResults(results), failed };
}
