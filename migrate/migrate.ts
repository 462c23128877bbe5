import type { Config } from '../fn/config/config.ts';
import type { Resource } from '../fn/find/resources.ts';
import { Answers } from '../fn/lookup/answers.ts';
import type { Lookup } from '../fn/lookup/lookup.ts';
import { addDocuments } from '../fn/lookup/read.ts';
import type { Values } from '../fn/lookup/values.ts';
import { showReference } from '../fn/reference.ts';
import { replaceAll, type Replacement } from '../fn/replace.ts';
import type { ResourceRef } from '../fn/result.ts';
import { InputError } from '../fn/run.ts';
import { lineIn, type Source } from '../fn/source.ts';
import { offsetOf } from '../fn/find/field.ts';
import { splitStream } from '../fn/yaml/documents.ts';
import * as annotations from './annotations.ts';
import * as argocd from './argocd-image-updater.ts';
import { decideAfter, decideBefore, gather, placeOf, type Verdict } from './decisions.ts';
import { editsOf, type Unedited } from './edits.ts';
import { Forest, type Leaf } from './forest.ts';
import { isSite, isTerms, SOURCES, type From, type Intent, type To } from './intent.ts';
import * as keel from './keel.ts';
import type { Outcome, Plan, Status } from './outcome.ts';
import { FLUX, objectsOf, OURS, read as readPolicies, type Objects } from './policies.ts';
import * as renovate from './renovate.ts';
import { planAnnotations } from './write-annotations.ts';
import { addEdits, planPolicies } from './write-policies.ts';

/** What is asked for. */
export interface Request {
  /** Whose rules; whatever is found, if empty. */
  from: readonly From[];
  to: To;
  /** Of new objects. */
  namespace: string;
  /** Whether what the other tool reads is taken away. */
  remove: boolean;
  /** Objects that stand in no file of the directory, such as those of `--metadata` and of `--output`. */
  given: readonly unknown[];
  /** What the files will be updated with. */
  config: Config;
}

/** One image, with the rules of both and what each decides. */
export interface Row {
  file: string;
  line: number;
  resource?: ResourceRef;
  container: string;
  /** Path of the field, empty where none was found. */
  field: string;
  image: string;
  from: From;
  written: string;
  /** Our rule; undefined if none is written. */
  ours?: string;
  status: Status;
  current?: string;
  before: Verdict;
  /** Undefined if nothing is migrated. */
  after?: Verdict;
  verdict: 'equal' | 'different' | 'unknown';
  notes: readonly string[];
}

/** What a migration comes to. Nothing is written yet. */
export interface Migration {
  edits: Map<Source, Replacement[]>;
  /** New objects, for a file of their own. */
  objects: Values[];
  rows: Row[];
  /** What is to be done of which no row tells. */
  notes: string[];
}

/**
 * Migrates the rules of other tools to ours, or ours to Flux v2: reads what governs which image, plans what says the same,
 * edits the files, and lets the engine decide on what came of it, beside what the other tool would have decided.
 * @throws InputError where `remove` cannot be done without harm.
 */
export async function migrate(
  sources: readonly Source[],
  request: Request,
  answers: Answers,
  lookup?: Lookup,
): Promise<Migration> {
  const forest = new Forest(sources, request.config.spec);
  const { intents, flux, ours } = await readAll(forest, request);
  const plan = planFor(forest, intents, request, flux, ours);
  // Before anything is taken away, as only what was written takes its place.
  for (const each of (await editsOf(plan)).unedited) refuse(each, plan);
  if (request.remove) takeAway(intents, request.to, plan);
  const { edits, unedited } = await editsOf(plan);
  const [stuck] = unedited;
  if (stuck)
    throw new InputError(
      `${stuck.leaf.source.path}: what the other tool reads cannot be taken away: ${stuck.problem.message}; nothing was written, leave --remove out or do it by hand first`,
    );

  const failures = await gather(intents, answers, lookup);
  const edited = sources.map((source) => editedSource(source, edits.get(source) ?? []));
  const known = new Answers();
  for (const metadata of answers.allMetadata())
    known.add({ apiVersion: `${OURS}/v1alpha1`, kind: 'ImageMetadata', ...metadata });
  for (const value of request.given) known.add(value);
  for (const { text, documents } of edited) await addDocuments(known, text, documents);
  for (const object of plan.objects) known.add(object);
  // Of other files there is nothing to tell, and there may be many.
  const concerned = new Set(intents.flatMap(({ site }) => (isSite(site) ? site.leaf.source : [])));
  const verdicts = await decideAfter(
    edited.filter((_, i) => concerned.has(sources[i]!)),
    request.config,
    known,
  );
  const rows = intents.map((intent) => rowOf(intent, plan.outcomes.get(intent)!, { answers, failures, verdicts }));
  return { edits, objects: plan.objects, rows: rows.toSorted(byPlace), notes: plan.notes };
}

interface Reading {
  intents: Intent[];
  flux: Objects;
  ours: Objects;
}

/** Ours are read only on the way to another kind of ours, if that is asked for, or to Flux v2. */
async function readAll(forest: Forest, { from, to, given, config }: Request): Promise<Reading> {
  const [flux, ours] = [await objectsOf(forest, FLUX, given), await objectsOf(forest, OURS, given)];
  const readers: Record<From, () => Promise<Intent[]>> = {
    'argocd-image-updater': () => argocd.read(forest),
    keel: () => keel.read(forest),
    renovate: () => renovate.read(forest),
    'flux-v2': () => readPolicies(forest, 'flux-v2', flux, ours, config),
    annotations: () => annotations.read(forest),
    policies: () => readPolicies(forest, 'policies', ours, flux, config),
  };
  const wanted = from.length > 0 ? from : SOURCES.filter((source) => isForeign(source) === (to !== 'flux-v2'));
  const intents: Intent[] = [];
  for (const source of SOURCES)
    if (wanted.includes(source) && source !== to) intents.push(...(await readers[source]()));
  return { intents, flux, ours };
}

function isForeign(source: From): boolean {
  return source !== 'annotations' && source !== 'policies';
}

function planFor(
  forest: Forest,
  intents: readonly Intent[],
  { from, to, namespace, remove }: Request,
  flux: Objects,
  ours: Objects,
): Plan {
  if (to === 'annotations') return planAnnotations(forest, intents);
  const [present, others] = to === 'policies' ? [ours, flux] : [flux, ours];
  // Objects are converted only if their kind is among what is migrated.
  const source = to === 'policies' ? 'flux-v2' : 'policies';
  const converts = from.length === 0 || from.includes(source);
  return planPolicies(intents, {
    to,
    namespace,
    remove,
    present,
    others: converts ? others : { ...others, all: [] },
  });
}

/** Takes away what the other tool reads, where all that it says has been migrated. */
function takeAway(intents: readonly Intent[], to: To, plan: Plan): void {
  const blocked = new Set<Resource | number>();
  for (const { remnants } of intents.filter((intent) => plan.outcomes.get(intent)!.status === 'cannot'))
    for (const remnant of remnants) blocked.add('resource' in remnant ? remnant.resource : remnant.comment.start);
  for (const intent of intents) {
    // The marker of a policy stays, so that it names the new one.
    if (intent.policy && to !== 'annotations') continue;
    for (const remnant of intent.remnants) {
      if (blocked.has('resource' in remnant ? remnant.resource : remnant.comment.start)) continue;
      if ('comment' in remnant) takeComment(plan, remnant.leaf, remnant.comment);
      else takeKeys(plan, remnant.leaf, remnant.resource, remnant.keys);
    }
  }
}

function takeComment(plan: Plan, leaf: Leaf, comment: { start: number; end: number }): void {
  const replaced = plan.comments.get(leaf)?.some((edit) => edit.comment?.start === comment.start);
  if (!replaced) addEdits(plan, leaf, [{ at: comment.start, comment }]);
}

function takeKeys(plan: Plan, leaf: Leaf, resource: Resource, keys: readonly string[]): void {
  const ofLeaf = plan.annotations.get(leaf) ?? new Map<Resource, { set: Map<string, string>; remove: Set<string> }>();
  const edit = ofLeaf.get(resource) ?? { set: new Map<string, string>(), remove: new Set<string>() };
  for (const key of keys) edit.remove.add(key);
  plan.annotations.set(leaf, ofLeaf.set(resource, edit));
}

/** What was planned for a document that is not edited cannot be migrated. */
function refuse({ leaf, problem }: Unedited, { outcomes, annotations, comments }: Plan): void {
  annotations.delete(leaf);
  comments.delete(leaf);
  for (const [intent, outcome] of outcomes)
    if (outcome.status === 'written' && isSite(intent.site) && intent.site.leaf === leaf)
      outcomes.set(intent, { status: 'cannot', notes: [problem.message, ...outcome.notes] });
}

function editedSource(source: Source, replacements: readonly Replacement[]): Source {
  if (replacements.length === 0) return source;
  const text = replaceAll(source.text, replacements);
  const path = source.documents.find((document) => document.path !== undefined)?.path;
  const documents = splitStream(text).map((part) => ({ ...part, ...(path !== undefined && { path }) }));
  return { ...source, text, documents };
}

interface Decisions {
  answers: Answers;
  failures: ReadonlyMap<string, string>;
  verdicts: ReadonlyMap<string, Verdict>;
}

function rowOf(intent: Intent, { status, ours, notes }: Outcome, { answers, failures, verdicts }: Decisions): Row {
  const { site, leaf, offset, from, written, image } = intent;
  const field = isSite(site) ? site.field : undefined;
  const current = field?.reference?.tag ?? field?.slots.tag?.value;
  const where = isSite(site) ? { leaf: site.leaf, offset: offsetOf(site.field) ?? offset } : { leaf, offset };
  const before = isSite(site)
    ? decideBefore(intent, current, answers, failures)
    : { unknown: 'the image was not found' };
  const after =
    isSite(site) && (status === 'written' || status === 'there')
      ? verdicts.get(placeOf({ ...site.field, source: site.leaf.source }))
      : undefined;
  const resource = field?.resource.name ? field.resource : undefined;
  return {
    file: where.leaf.source.path ?? '',
    line: lineIn(where.leaf.source, where.offset),
    ...(resource && { resource }),
    container: field?.container ?? '',
    field: field?.path ?? '',
    image: image || (field?.reference ? showReference({ name: field.reference.name }) : ''),
    from,
    written,
    ...(ours !== undefined && { ours }),
    status,
    ...(current !== undefined && { current }),
    before,
    ...(after && { after }),
    verdict: compare(before, after, status, intent),
    notes,
  };
}

function compare(before: Verdict, after: Verdict | undefined, status: Status, { meaning }: Intent): Row['verdict'] {
  if (status === 'held') return isTerms(meaning) ? 'unknown' : 'equal';
  if (!after || 'unknown' in before || 'unknown' in after) return 'unknown';
  return before.tag === after.tag ? 'equal' : 'different';
}

function byPlace(a: Row, b: Row): number {
  return a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1;
}
