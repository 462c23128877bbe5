import type { Config } from './config/config.ts';
import type { ExplicitUpdate } from './config/image-update.ts';
import { settleDigest, unwantedDigest, wantsDigest, type Goal } from './digests.ts';
import type { Automation } from './find/annotations.ts';
import type { ImageField } from './find/find.ts';
import type { Marker } from './find/markers.ts';
import type { Change } from './find/slots.ts';
import { policyLabel, policyStatus, type Answers, type PolicyObject } from './lookup/answers.ts';
import type { Lookup, Need } from './lookup/lookup.ts';
import type { ImageMetadata } from './lookup/metadata.ts';
import type { Note } from './note.ts';
import { choose, type Choice, type Current } from './policy/choose.ts';
import { compilePattern } from './policy/pattern.ts';
import { compilePolicy } from './policy/policy.ts';
import type { Malformed, Rule } from './policy/rule.ts';
import { canonicalName, type Reference } from './reference.ts';
import { remember } from './remember.ts';

/** What governs a field: an explicit update before markers, markers before annotations. */
export type Governor =
  | { by: 'update'; update: ExplicitUpdate }
  | { by: 'marker'; markers: Marker[] }
  | { by: 'annotation'; automation: Automation };

/** What is to be written to a field, and who says so; or why nothing is. An empty change is a field that is up to date. */
export interface Decision {
  change: Change;
  /** For people and the tag `policy`: `semver:~1.2`, `ImagePolicy default/app`, `update of ghcr.io/org/app`. */
  policy: string;
  /** Stable, for the tag `reason`. */
  reason: string;
  notes: Note[];
  /** The one of the notes that says why nothing is written. */
  held?: Note;
  /** The repository that an ImagePolicy speaks of. */
  image?: string;
  /** The choice that it rests on, if there was one to make. */
  choice?: Chosen;
}

/** A choice, and what it was made of and by: enough to make it again with every tag accounted for. */
export interface Chosen extends Pick<Choice, 'chosen' | 'outcome' | 'reason' | 'message' | 'warnings'> {
  rule: Rule;
  metadata: ImageMetadata;
  current: Current;
}

/** What deciding asks of a field. */
interface Candidate {
  field: ImageField;
  reference: Reference;
  governor: Governor;
}

/** What Flux v1 takes when a container has no filter: any tag but `latest`. */
const ANY_TAG = 'glob:*';

/** Decides field by field; remembers compiled rules and choices, as many fields share them. */
export class Decider {
  readonly #config: Config;
  readonly #answers: Answers;
  readonly #lookup: Lookup | undefined;
  #patterns = new Map<string, Rule | Malformed>();
  #policies = new Map<PolicyObject, Rule | Malformed>();
  #choices = new Map<Rule, Map<ImageMetadata, Map<string, Chosen>>>();
  #needs = new Map<string, Need[]>();
  #scans = new Map<string, Promise<ImageMetadata | Note>>();
  #digests = new Map<string, Promise<string | Note>>();

  constructor(config: Config, answers: Answers, lookup?: Lookup) {
    this.#config = config;
    this.#answers = answers;
    this.#lookup = lookup;
  }

  /**
   * Asks the look-up for all that deciding on these fields will need: at once, and each repository for all of its rules
   * together. Answers are remembered, so that `decide` then asks for nothing.
   */
  async askAhead(fields: readonly Candidate[]): Promise<void> {
    await Promise.all(fields.map((candidate) => this.decide(candidate)));
  }

  /** Decides what becomes of a field with a readable reference. */
  async decide({ field, reference, governor }: Candidate): Promise<Decision> {
    switch (governor.by) {
      case 'update':
        return this.#byUpdate(reference, governor.update);
      case 'marker':
        return this.#byMarkers(reference, governor.markers);
      case 'annotation':
        return this.#byAnnotation(field, reference, governor.automation);
    }
  }

  async #byUpdate(reference: Reference, update: ExplicitUpdate): Promise<Decision> {
    if (update.policyRef) return this.#byPolicy(reference, update.policyRef.name, update.policyRef.namespace);
    const to = update.to!;
    const policy = `update of ${update.image}`;
    if (this.#config.setImage) return decided(setImageChange(reference, to), policy, 'set');
    const digest = to.digest ?? this.#knownDigest(to.name ?? reference.name, to.tag);
    const goal: Goal = {
      ...(to.name !== undefined && { name: to.name }),
      ...(to.tag !== undefined && { tag: to.tag }),
      ...(digest !== undefined && { digest }),
      writeDigest: to.digest !== undefined,
    };
    const dropped = to.tag !== undefined && to.digest !== undefined && this.#config.spec.digests === 'tag';
    return this.#settled(reference, goal, policy, 'set', dropped ? [unwantedDigest()] : []);
  }

  async #byAnnotation(field: ImageField, reference: Reference, automation: Automation): Promise<Decision> {
    const pattern = automation.filters.get(field.container)?.pattern ?? ANY_TAG;
    const rule = remember(this.#patterns, pattern, () => compilePattern(pattern));
    if ('error' in rule) return refused(rule.error, pattern);
    const metadata = await this.#metadata(reference.name, needOf(rule, reference));
    if ('reason' in metadata) return refused(metadata, rule.text);
    const choice = this.#choose(rule, metadata, reference);
    const goal = this.#goalOf(choice, reference.name);
    const notes = [...rule.warnings, ...choice.warnings];
    if (!goal) return { ...refused({ reason: choice.reason, message: choice.message }, rule.text, notes), choice };
    return { ...(await this.#settled(reference, goal, rule.text, choice.reason, notes)), choice };
  }

  async #byMarkers(reference: Reference, markers: Marker[]): Promise<Decision> {
    const [{ policy: name, namespace }] = markers as [Marker];
    const label = policyLabel(name, namespace);
    const other = markers.find((marker) => policyLabel(marker.policy, marker.namespace) !== label);
    if (other)
      return refused(
        {
          reason: 'markers-disagree',
          message: `its parts are marked for two ImagePolicies, ${label} and ${policyLabel(other.policy, other.namespace)}; one image follows one policy, so mark them alike`,
        },
        `ImagePolicy ${label}`,
      );
    const parts = new Set(markers.map(({ part }) => part));
    const keepName = !parts.has('whole') && !parts.has('name');
    const whole = await this.#byPolicy(reference, name, namespace, keepName);
    if (parts.has('whole')) return whole;
    const { change } = whole;
    if (!parts.has('tag') && change.tag !== undefined && reference.tag !== undefined)
      return heldBack(whole, halfMarked(parts, label));
    if (change.digest === null && reference.tag === undefined && !parts.has('tag'))
      return heldBack(whole, unwantedDigest());
    const wanted: Change = {};
    if (parts.has('name') && change.name !== undefined) wanted.name = change.name;
    if (parts.has('tag') && change.tag !== undefined) wanted.tag = change.tag;
    // A digest is written with its tag even where only the tag is marked: half a change is none.
    const moves = wanted.tag !== undefined || wanted.name !== undefined;
    const hasPlace = reference.digest !== undefined || parts.has('digest');
    if (change.digest !== undefined && hasPlace && (moves || parts.has('digest'))) wanted.digest = change.digest;
    return { ...whole, change: wanted };
  }

  async #byPolicy(
    reference: Reference,
    name: string,
    namespace: string | undefined,
    keepName = false,
  ): Promise<Decision> {
    const policy = this.#answers.policy(name, namespace);
    const label = `ImagePolicy ${policyLabel(name, namespace)}`;
    if ('reason' in policy) return refused(policy, label);
    const status = policyStatus(policy);
    if (status.state === 'unusable') return refused(status.note, label);
    if (status.state === 'none') return this.#evaluate(reference, policy, label, keepName);
    const { name: image, tag, digest } = status;
    const known = digest ?? this.#knownDigest(image, tag);
    const goal: Goal = {
      ...renamed(reference, image),
      keepName,
      ...(tag !== undefined && { tag }),
      ...(known !== undefined && { digest: known }),
      writeDigest: digest !== undefined,
    };
    return { ...(await this.#settled(reference, goal, label, 'policy-result', [])), image };
  }

  /** A policy without a result, whose repository's metadata is at hand, is evaluated as its controller would. */
  async #evaluate(reference: Reference, policy: PolicyObject, label: string, keepName: boolean): Promise<Decision> {
    const rule = remember(this.#policies, policy, () => compilePolicy(policy.spec));
    if ('error' in rule) return refused(rule.error, label);
    const image = this.#answers.repositoryOf(policy);
    if (typeof image !== 'string') return refused(image, label);
    // A tag that is marked without its name belongs to the policy's repository, whatever mirror it is pulled from.
    const same = keepName || canonicalName(image) === canonicalName(reference.name);
    const current = same ? reference : {};
    const metadata = await this.#metadata(image, needOf(rule, current));
    if ('reason' in metadata) return { ...refused(metadata, label), image };
    const choice = this.#choose(rule, metadata, current);
    const goal = this.#goalOf(choice, image);
    const notes = [...rule.warnings, ...choice.warnings];
    if (!goal) return { ...refused({ reason: choice.reason, message: choice.message }, label, notes), image, choice };
    const present = reference.digest !== undefined && reference.tag === goal.tag;
    const writeDigest = rule.digest === 'Always' || (rule.digest === 'IfNotPresent' && !present);
    return {
      ...(await this.#settled(
        reference,
        { ...renamed(reference, image), keepName, ...goal, writeDigest },
        label,
        choice.reason,
        notes,
      )),
      image,
      choice,
    };
  }

  async #settled(reference: Reference, goal: Goal, policy: string, reason: string, notes: Note[]): Promise<Decision> {
    const mode = this.#config.spec.digests;
    if (this.#lookup && goal.tag !== undefined && goal.digest === undefined && wantsDigest(reference, goal, mode)) {
      const digest = await this.#digest(this.#lookup, goal.name ?? reference.name, goal.tag);
      if (typeof digest !== 'string') return refused(digest, policy, notes);
      goal = { ...goal, digest };
    }
    const change = settleDigest(reference, goal, mode);
    return 'reason' in change ? refused(change, policy, notes) : { change, policy, reason, notes };
  }

  #choose(rule: Rule, metadata: ImageMetadata, { tag, digest }: Partial<Reference>): Chosen {
    const current: Current = { ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
    const choices = remember(this.#choices, rule, () => new Map<ImageMetadata, Map<string, Chosen>>());
    const ofRepository = remember(choices, metadata, () => new Map<string, Chosen>());
    const { ties, unknownCurrent } = this.#config.spec;
    return remember(ofRepository, `${tag ?? ''} ${digest ?? ''}`, () => {
      // Candidates and rejected tags are for those who ask; remembering them would take the memory of all metadata again.
      const { chosen, outcome, reason, message, warnings } = choose(rule, metadata, current, { ties, unknownCurrent });
      return { chosen, outcome, reason, message, warnings, rule, metadata, current };
    });
  }

  /** What was given of a repository, else what the look-up says: with one, nothing that was given is asked for again. */
  async #metadata(image: string, need: Need): Promise<ImageMetadata | Note> {
    const given = this.#answers.metadata(image);
    if (given) return given;
    const lookup = this.#lookup;
    if (!lookup) return missing(image, this.#config);
    const name = canonicalName(image);
    const asked = this.#scans.get(name);
    if (asked) return asked;
    const needs = remember(this.#needs, name, () => [] as Need[]);
    if (!needs.some(({ rule, current }) => rule === need.rule && current === need.current)) needs.push(need);
    // Decisions that were begun together all say what they need before the first of them goes on.
    await Promise.resolve();
    return remember(this.#scans, name, () => lookup.metadata(image, needs));
  }

  /** A digest is told only by what was given: a scan may know it from an earlier run, and what is written is asked for anew. */
  #goalOf({ outcome, chosen }: Chosen, image: string): Goal | undefined {
    if (!chosen || (outcome !== 'move' && outcome !== 'current')) return undefined;
    const digest = this.#answers.metadata(image) && chosen.digest;
    return { tag: chosen.name, ...(digest !== undefined && { digest }) };
  }

  #knownDigest(image: string, tag: string | undefined): string | undefined {
    return tag === undefined ? undefined : this.#answers.metadata(image)?.tags.find(({ name }) => name === tag)?.digest;
  }

  async #digest(lookup: Lookup, image: string, tag: string): Promise<string | Note> {
    return remember(this.#digests, `${canonicalName(image)}:${tag}`, () => lookup.digest(image, tag));
  }
}

function needOf(rule: Rule, { tag }: Partial<Reference>): Need {
  return { rule, ...(tag !== undefined && { current: tag }) };
}

/** A name is written only where it is another repository: the author's spelling of the same one stays. */
function renamed(reference: Reference, image: string): Pick<Goal, 'name'> {
  return canonicalName(image) === canonicalName(reference.name) ? {} : { name: image };
}

/**
 * The catalog's set-image: tag and digest replace each other, a new name keeps both. Given together both are written, where
 * set-image documents an error and writes the digest alone (reference/krm-function.md C1).
 */
function setImageChange(reference: Reference, { name, tag, digest }: NonNullable<ExplicitUpdate['to']>): Change {
  const change: Change = {};
  if (name !== undefined && name !== reference.name) change.name = name;
  if (tag === undefined && digest === undefined) return change;
  if (tag !== reference.tag) change.tag = tag ?? null;
  if (digest !== reference.digest) change.digest = digest ?? null;
  return change;
}

/** Nobody was there to say what tags a repository has. */
export function missing(image: string, { toAsk = 'set "lookup: registry"' }: Config): Note {
  return {
    reason: 'metadata-missing',
    message: `no metadata of ${image} was given, so its tags are not known; give an ImageMetadata as an item or with --metadata, or ${toAsk}`,
  };
}

/** The same decision, with nothing to write and the reason. */
function heldBack(decision: Decision, note: Note): Decision {
  return { ...decision, change: {}, notes: [...decision.notes, note], held: note };
}

function halfMarked(parts: ReadonlySet<Marker['part']>, label: string): Note {
  return {
    reason: 'half-marked',
    message: `only the ${[...parts].toSorted().join(' and the ')} is marked for ImagePolicy ${label}, which also moves the tag; mark the tag too`,
  };
}

function decided(change: Change, policy: string, reason: string): Decision {
  return { change, policy, reason, notes: [] };
}

function refused(note: Note, policy: string, notes: Note[] = []): Decision {
  return { change: {}, policy, reason: note.reason, notes: [...notes, note], held: note };
}
