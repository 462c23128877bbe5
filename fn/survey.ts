/** What `update` would do, field by field, and why: for whoever wants to show it, ask about it or write it down. */
import type { Config } from './config/config.ts';
import { missing, type Chosen, type Decision, type Governor } from './decide.ts';
import { locator, type Locate, type Told } from './edit.ts';
import { pathOf, placeAt, readSlice } from './document.ts';
import { readAutomation, readLocks, type Automation } from './find/annotations.ts';
import { nameOf, offsetOf, type ImageField } from './find/field.ts';
import type { Marker } from './find/markers.ts';
import { applied } from './find/slots.ts';
import { fieldsOf, type Workload } from './governed.ts';
import { policyLabel, type Answers } from './lookup/answers.ts';
import type { Lookup } from './lookup/lookup.ts';
import type { ImageMetadata } from './lookup/metadata.ts';
import { remembering } from './lookup/remembering.ts';
import type { Note } from './note.ts';
import type { PlannedChange } from './plan.ts';
import { accountFor, type Account } from './policy/account.ts';
import { choose } from './policy/choose.ts';
import type { Reference } from './reference.ts';
import { remember } from './remember.ts';
import { noteResult, type ResourceRef, type Result } from './result.ts';
import { documentsWith, type Slice, type Source, type Words } from './source.ts';
import { update, type Outcome, type Seen } from './update.ts';
import { workloadId } from './workloads.ts';
import { wordsOf } from './words.ts';
import { textOf, type ScalarNode } from './yaml/tree.ts';

/** A place that holds an image, governed or not, and what becomes of it. */
export interface SurveyedField {
  source: Source;
  slice: Slice;
  /** Where it stands: file, position of its document, and line from 1, as far as they are known. */
  file?: string;
  index?: number;
  line?: number;
  resource: ResourceRef;
  /** `namespace:kind/name`; empty for what has no name. */
  workload: string;
  /** What people call it by: container, alias, key of Helm values; empty for a marked text that is no known field. */
  container: string;
  /** Field path below the resource. */
  path: string;
  /** The repository: of a marked part that stands without its name, the policy's; empty if it cannot be told. */
  image: string;
  /** What stands there; undefined if it is no reference, and `problem` says why. */
  from: Reference | undefined;
  problem?: string;
  locked: boolean;
  ignored: boolean;
  /** Undefined if nothing would ever update it. */
  governor?: GovernedBy;
  /** The filter that its resource's annotations have for it, whether they automate it or not. */
  filter?: Written;
  /** For people: `semver:~1.2`, `ImagePolicy default/app`, `update of ghcr.io/org/app`. */
  policy?: string;
  fate: Fate;
  /** Everything that `update` says of this field. */
  results: Result[];
  /** What it says of the resource that the field is in. */
  around: Result[];
  /** What the fate rests on, if tags were chosen from; the survey's `account` has all of them. */
  choice?: Chosen;
}

/** Something that an author wrote, with its line. */
interface Written {
  key: string;
  value: string;
  line?: number;
}

/** What governs a field. */
export type GovernedBy =
  | { by: 'update'; image: string }
  | { by: 'marker'; policy: string; line?: number }
  | { by: 'annotation'; automatedBy?: Written };

/**
 * What becomes of a field that something governs. `reason` is stable and as results have it: of a change why that value, of a
 * field that stays what holds it. `message` is a sentence for people.
 */
export type Fate =
  | { state: 'moves'; reason: string; message: string; to: Reference; change: PlannedChange }
  | { state: 'up-to-date'; reason: 'up-to-date'; message: string }
  /** `wanted` is what it would become if nothing held it. */
  | { state: 'stays'; reason: string; message: string; wanted?: Reference }
  | { state: 'not-automated'; message: string };

export interface Survey {
  /** In the order of the sources and their texts. */
  fields: SurveyedField[];
  /** What `update` itself comes to: the edits that `moves` stands for, and all results. */
  outcome: Outcome;
  /** The results that are about no field: of resources without any, of files, of answers. */
  others: Result[];
  /** Of documents that cannot be read. Those that ask for an update are among the results, the rest is no matter to `update`. */
  unread: Result[];
  /** Every tag of what a field's fate rests on, accounted for; undefined if nothing was chosen. */
  account(field: SurveyedField): Account | undefined;
  /** The tags of a field's repository: those that its fate rests on, else what was given of it or a look-up says. */
  tags(field: SurveyedField): Promise<ImageMetadata | Note>;
}

/**
 * Runs `update` and keeps what it knows of each field. Fields that nothing governs are looked for too, in every document that
 * could have one. `earlier` are results of reading the sources.
 */
export async function survey(
  sources: readonly Source[],
  config: Config,
  answers: Answers,
  lookup?: Lookup,
  earlier: readonly Result[] = [],
): Promise<Survey> {
  const ask = lookup && remembering(lookup);
  const seen = new Map<Slice, SurveyedField[] | Result>();
  const outcome = await update(sources, config, answers, ask, earlier, undefined, (one) => {
    seen.set(one.document, fieldsSeen(one, config));
  });
  const fields: SurveyedField[] = [];
  const unread: Result[] = [];
  const words = wordsOfFields(config);
  for (const source of sources)
    for (const slice of documentsWith(source.text, source.documents, words)) {
      const found = seen.get(slice) ?? (await fieldsUnseen(source, slice, config));
      if (Array.isArray(found)) fields.push(...found);
      else unread.push(found);
    }
  const about = new Set(fields.flatMap(({ results, around }) => [...results, ...around]));
  const accounts = new Map<Chosen, Account>();
  return {
    fields,
    outcome,
    others: outcome.results.filter((result) => !about.has(result)),
    unread,
    account: ({ choice }) => choice && remember(accounts, choice, () => accountOf(choice, config)),
    tags: async ({ choice, image }) =>
      choice?.metadata ?? answers.metadata(image) ?? (await ask?.metadata(image, [])) ?? missing(image, config),
  };
}

/** What a document must contain to have an image field in it: of a Kustomization without a kind, `images`. */
function wordsOfFields({ spec }: Config): Words {
  const { keys, anywhere } = wordsOf(spec);
  return { keys, anywhere: [...anywhere, ...FIELD_WORDS] };
}

/** What a file must contain to have an image field in it. */
export const FIELD_WORDS = ['kind', 'images'] as const;

function accountOf({ rule, metadata, current }: Chosen, { spec: { ties, unknownCurrent } }: Config): Account {
  return accountFor(metadata, rule, choose(rule, metadata, current, { ties, unknownCurrent }));
}

/** A document, as far as places in it are told. */
interface Context {
  source: Source;
  slice: Slice;
  locate: Locate;
}

/** What governs a field, and what it comes to. */
interface Governance {
  governor: Governor;
  decision?: Decision;
  automation?: Automation | undefined;
}

/** The fields of a document that the update has gone through; or that it cannot be read. */
function fieldsSeen({ source, document, found, plan, told }: Seen, config: Config): SurveyedField[] | Result {
  const { problem, governed, unreadable, workloads } = found;
  const context: Context = { source, slice: document, locate: locator(source, document, found) };
  if (problem) return told[0]?.result ?? noteResult(problem, context.locate(problem.offset));
  const governance = new Map<ImageField, Governance>();
  for (const { field, governor } of unreadable) governance.set(field, { governor });
  for (const [i, { field, governor, automation }] of governed.entries())
    governance.set(field, { governor, automation, decision: plan.decisions[i]! });
  const ofField = Map.groupBy(told, ({ field }) => field);
  const ofResource = Map.groupBy(ofField.get(undefined) ?? [], ({ resource }) => resource);
  const changes = new Map(plan.changes.map((change) => [change.field, change]));

  function surveyed(field: ImageField, automation: Automation | undefined): SurveyedField {
    const own = ofField.get(field) ?? [];
    const by = governance.get(field);
    return {
      ...fieldIn(context, field, by?.automation ?? automation),
      ...(by && governedBy(context, field, by)),
      fate: by ? fateOf(field, by, changes.get(field), own) : NOT_AUTOMATED,
      results: own.map(({ result }) => result),
      around: (ofResource.get(field.resource) ?? []).map(({ result }) => result),
    };
  }
  const listed = new Set<ImageField>();
  const fields: SurveyedField[] = [];
  for (const workload of workloads)
    for (const field of allFields(workload, config)) {
      listed.add(field);
      fields.push(surveyed(field, workload.automation));
    }
  // Marked texts that are no field of a workload.
  for (const { field } of governed) if (!listed.has(field)) fields.push(surveyed(field, undefined));
  return inOrder(fields);
}

/** Where nothing could govern a workload, the update has not looked for its fields. */
function allFields({ resource, fields, path }: Workload, { spec }: Config): readonly ImageField[] {
  return fields.length > 0 ? fields : fieldsOf(resource, spec, path).fields;
}

/** The fields of a document without a word that could matter to the update; or that it cannot be read. */
async function fieldsUnseen(source: Source, slice: Slice, { spec }: Config): Promise<SurveyedField[] | Result> {
  const document = await readSlice(source, slice);
  if ('problem' in document) {
    const locate = locator(source, slice, { place: placeAt(source.path, slice.index) });
    return noteResult(document.problem, locate(document.problem.offset));
  }
  const context: Context = { source, slice, locate: locator(source, slice, document) };
  const surveyed = document.resources.flatMap((resource) => {
    const { fields } = fieldsOf(resource, spec, pathOf(document, resource));
    const automation = spec.annotations ? readAutomation(resource, []) : readLocks(resource);
    return fields.map((field) => ({
      ...fieldIn(context, field, automation),
      fate: NOT_AUTOMATED,
      results: [],
      around: [],
    }));
  });
  return inOrder(surveyed);
}

/** As they stand in the text: pods have their containers before those that run first. */
function inOrder(fields: readonly SurveyedField[]): SurveyedField[] {
  return fields.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

const NOT_AUTOMATED: Fate = { state: 'not-automated', message: 'nothing updates it' };

/** What can be said of a field whatever becomes of it. */
function fieldIn(
  { source, slice, locate }: Context,
  field: ImageField,
  automation: Automation | undefined,
): Omit<SurveyedField, 'fate' | 'results' | 'around'> {
  const { resource, container, path, reference, problem } = field;
  const { file, index, line } = locate(offsetOf(field), resource);
  const filter = automation?.filters.get(container);
  return {
    source,
    slice,
    ...placeAt(file, index),
    ...(line !== undefined && { line }),
    resource,
    workload: resource.name === '' || resource.kind === '' ? '' : workloadId(resource),
    container,
    path,
    image: nameOf(field),
    from: reference,
    ...(problem !== undefined && { problem }),
    locked: automation?.locked ?? false,
    ignored: automation?.ignored ?? false,
    ...(filter && { filter: written(filter.key, filter.scalar, locate) }),
  };
}

function written(key: string, scalar: ScalarNode, locate: Locate): Written {
  const { line } = locate(scalar.start);
  return { key, value: textOf(scalar) ?? '', ...(line !== undefined && { line }) };
}

function governedBy(
  { locate }: Context,
  field: ImageField,
  { governor, decision }: Governance,
): Pick<SurveyedField, 'governor' | 'policy' | 'choice'> & { image?: string } {
  const { policy, image, choice } = decision ?? {};
  const name = nameOf(field) || image;
  return {
    governor: governorOf(governor, locate),
    ...(policy !== undefined && { policy }),
    ...(name !== undefined && { image: name }),
    ...(choice && { choice }),
  };
}

function governorOf(governor: Governor, locate: Locate): GovernedBy {
  switch (governor.by) {
    case 'update':
      return { by: 'update', image: governor.update.image };
    case 'marker': {
      const [{ policy, namespace, offset }] = governor.markers as [Marker];
      const { line } = locate(offset);
      return { by: 'marker', policy: policyLabel(policy, namespace), ...(line !== undefined && { line }) };
    }
    case 'annotation': {
      const { automatedBy } = governor.automation;
      return {
        by: 'annotation',
        ...(automatedBy && { automatedBy: written(automatedBy.key, automatedBy.scalar, locate) }),
      };
    }
  }
}

/** What holds a field is why it stays; what is neither held nor changed is as it should be. */
function fateOf(field: ImageField, by: Governance, change: PlannedChange | undefined, own: readonly Told[]): Fate {
  const { decision } = by;
  const held = own.findLast(({ holds }) => holds)?.result;
  if (held) {
    const wanted = decision && wantedOf(field, decision);
    return { state: 'stays', reason: held.tags!['reason']!, message: held.message, ...(wanted && { wanted }) };
  }
  if (change)
    return { state: 'moves', reason: change.reason, message: whyMoves(change, decision!), to: change.to, change };
  const { choice, policy } = decision!;
  const message = choice?.outcome === 'current' ? choice.message : `it is what ${policy} wants`;
  return { state: 'up-to-date', reason: 'up-to-date', message };
}

/** What a field would become if nothing held it, as far as that was decided. */
function wantedOf({ reference }: ImageField, { change, choice }: Decision): Reference | undefined {
  if (!reference) return undefined;
  if (Object.keys(change).length > 0) return applied(reference, change);
  return choice?.outcome === 'move' ? applied(reference, { tag: choice.chosen!.name }) : undefined;
}

function whyMoves({ from, to, policy }: PlannedChange, { choice }: Decision): string {
  if (choice?.outcome === 'move') return choice.message;
  if (from.tag === to.tag && from.name === to.name) return 'the tag stays, and the digest beside it is written';
  return `it is what ${policy} wants`;
}
