import { editDistance, nearest } from '../nearest.ts';
import type { Note } from '../note.ts';
import { at, get, textOf, type Node, type ScalarNode } from '../yaml/tree.ts';
import type { Resource } from './resources.ts';

/** What the annotations of a workload say about its images (reference/flux-v1-mode.md §3, with §17's choices). */
export interface Automation {
  automated: boolean;
  /** The annotation that automates it. */
  automatedBy?: { key: string; scalar: ScalarNode };
  locked: boolean;
  lockedBy?: string;
  lockedMessage?: string;
  ignored: boolean;
  /** By container, alias or key of Helm values. */
  filters: Map<string, Filter>;
  /** What was written and does not mean what its author most likely meant. */
  notes: Note[];
}

export interface Filter {
  /** As written; whether it compiles is the policy's affair. */
  pattern: string;
  /** The annotation's key. */
  key: string;
  scalar: ScalarNode;
}

/** In order of precedence, which is the order in which Flux v1 edited them. */
export const PREFIXES = ['fluxcd.io/', 'flux.weave.works/', 'filter.fluxcd.io/'] as const;
const FILTER_PREFIX = 'filter.fluxcd.io/';
/** Prefixes that mean something here; the last three locate images, see aliases.ts. */
const KNOWN_PREFIXES = [...PREFIXES, 'repository.fluxcd.io/', 'registry.fluxcd.io/', 'tag.fluxcd.io/'];

const BOOLEANS = ['automated', 'locked', 'ignore'];
const TEXTS = ['locked_user', 'locked_msg'];
/** Policies that belong to sync. */
const SYNC = new Set(['sync-checksum', 'sync-gc-mark']);
const TAG = 'tag.';

/** Reads the annotations of a workload that has these containers. */
export function readAutomation({ node, annotations }: Resource, containers: readonly string[]): Automation {
  const notes: Note[] = [];
  const automation: Automation = { automated: false, locked: false, ignored: false, filters: new Map(), notes };
  for (const [name, policy] of readPolicies(annotations, notes)) apply(name, policy, automation);
  if (automation.filters.size > 0) tellUnused(automation.filters, containers, notes);
  tellMisplaced(node, notes);
  return automation;
}

const LOCKS: ReadonlySet<string> = new Set(['locked', 'ignore', ...TEXTS]);

/** Of the annotations of a workload only what holds it as it is, whoever asks: locks and `ignore`. */
export function readLocks({ annotations }: Resource): Automation {
  const automation: Automation = { automated: false, locked: false, ignored: false, filters: new Map(), notes: [] };
  // What else is wrong with annotations is nobody's concern where they are switched off.
  for (const [name, policy] of readPolicies(annotations, [])) if (LOCKS.has(name)) apply(name, policy, automation);
  return automation;
}

/** The annotation that says a policy. */
interface Policy {
  key: string;
  rank: number;
  scalar: ScalarNode;
}

/** Policies by name, of each the annotation that takes precedence. */
function readPolicies(annotations: Resource['annotations'], notes: Note[]): Map<string, Policy> {
  const policies = new Map<string, Policy>();
  for (const [key, scalar] of annotations) {
    const rank = rankOf(key);
    if (rank < 0) {
      const note = strangePrefix(key, scalar);
      if (note) notes.push(note);
      continue;
    }
    const rest = key.slice(PREFIXES[rank]!.length);
    const name = rank === 2 ? TAG + rest : rest;
    const other = policies.get(name);
    const policy: Policy = { key, rank, scalar };
    if (other && valueOf(other.scalar) !== valueOf(scalar)) notes.push(conflict(other, policy));
    if (!other || rank < other.rank) policies.set(name, policy);
  }
  return policies;
}

/** The place of a key's prefix in the order of precedence; -1 for any other. */
function rankOf(key: string): number {
  for (let rank = 0; rank < PREFIXES.length; rank++) if (key.startsWith(PREFIXES[rank]!)) return rank;
  return -1;
}

function valueOf(scalar: ScalarNode): string {
  return textOf(scalar) ?? '';
}

function apply(name: string, policy: Policy, automation: Automation): void {
  const { filters, notes } = automation;
  switch (name) {
    case 'automated':
      automation.automated = isTrue(policy, 'the workload is not automated', notes);
      if (automation.automated) automation.automatedBy = policy;
      return;
    case 'locked':
      automation.locked = isTrue(policy, 'the workload is not locked', notes);
      return;
    case 'ignore':
      if (valueOf(policy.scalar) !== 'sync_only')
        automation.ignored = isTrue(policy, 'the workload is not ignored', notes);
      return;
    case 'locked_user':
      if (valueOf(policy.scalar)) automation.lockedBy = valueOf(policy.scalar);
      return;
    case 'locked_msg':
      if (valueOf(policy.scalar)) automation.lockedMessage = valueOf(policy.scalar);
      return;
    default: {
      const container = name.startsWith(TAG) ? name.slice(TAG.length) : '';
      if (container)
        filters.set(container, { pattern: valueOf(policy.scalar), key: policy.key, scalar: policy.scalar });
      else if (!SYNC.has(name)) notes.push(unknownPolicy(name, policy));
    }
  }
}

/** Plain words that YAML 1.1 reads as a boolean, which then counts as the text `true` or `false` (§3.2). */
const YAML_TRUE = /^(?:true|yes|on)$/i;
const YAML_BOOLEAN = /^(?:true|false|yes|no|on|off)$/i;
const FALSE = /^(?:false|no|off|0|)$/i;

/** Exactly the text `true` is true. Notes whatever else its author may have taken for it. */
function isTrue({ key, scalar }: Policy, otherwise: string, notes: Note[]): boolean {
  const value = valueOf(scalar);
  const plain = scalar.style === 'plain' && !scalar.tag?.endsWith('str');
  if (plain && YAML_BOOLEAN.test(value)) {
    notes.push({
      reason: 'annotation-not-text',
      message: `${key}: ${value} is no text, and the API server takes only texts; write "${YAML_TRUE.test(value)}" in quotes`,
      offset: scalar.start,
    });
    return YAML_TRUE.test(value);
  }
  if (value === 'true') return true;
  if (FALSE.test(value)) return false;
  notes.push({
    reason: 'annotation-not-true',
    message: `${key} is ${quote(value)}, which is not exactly "true", so ${otherwise}; write "true" or "false"`,
    offset: scalar.start,
  });
  return false;
}

function quote(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 79)}…` : value);
}

function conflict(a: Policy, b: Policy): Note {
  const [wins, loses] = a.rank < b.rank ? [a, b] : [b, a];
  return {
    reason: 'annotation-conflict',
    message: `${wins.key} is ${quote(valueOf(wins.scalar))} and ${loses.key} is ${quote(valueOf(loses.scalar))}; the first counts, remove one`,
    offset: loses.scalar.start,
  };
}

function unknownPolicy(name: string, { key, scalar }: Policy): Note {
  return {
    reason: 'annotation-unknown',
    message: `annotation ${key} means nothing here and is ignored; ${advice(name)}`,
    offset: scalar.start,
  };
}

/** What the author of an unknown policy may have meant. */
function advice(name: string): string {
  if (name === 'tag_all') return `name the container instead: ${FILTER_PREFIX}CONTAINER`;
  const dot = name.search(/[./]/);
  const head = dot < 0 ? name : name.slice(0, dot);
  const rest = dot < 0 ? 'CONTAINER' : name.slice(dot + 1) || 'CONTAINER';
  if (dot >= 0 && nearest(head, ['tag', 'tags', 'filter'])) return `did you mean ${FILTER_PREFIX}${rest}?`;
  const near = nearest(name, [...BOOLEANS, ...TEXTS, 'tag_all']) ?? BOOLEANS.find((known) => known.startsWith(name));
  if (near === 'tag_all') return advice(near);
  if (near) return `did you mean fluxcd.io/${near}?`;
  return `known are ${[...BOOLEANS, ...TEXTS, 'tag.CONTAINER'].join(', ')}`;
}

/**
 * Prefixes judged before: the same few occur in every manifest. The known prefix that each most likely meant, if any.
 */
const judged = new Map<string, string | undefined>();
const MAX_JUDGED = 1000;
/** One edit more would take other projects' prefixes for ours. */
const MAX_EDITS = 2;

function strangePrefix(key: string, { start }: ScalarNode): Note | undefined {
  const slash = key.indexOf('/');
  const prefix = slash < 0 ? key : key.slice(0, slash + 1);
  if (slash >= 0 && KNOWN_PREFIXES.includes(prefix)) return undefined;
  const meant = judged.has(prefix) ? judged.get(prefix) : judge(prefix);
  if (!meant) return undefined;
  const rest = key.slice(slash < 0 ? meant.length : slash + 1);
  return {
    reason: 'annotation-unknown',
    message: `annotation ${key} means nothing here and is ignored; did you mean ${meant}${rest}?`,
    offset: start,
  };
}

function judge(prefix: string): string | undefined {
  const lower = prefix.toLowerCase();
  let meant: string | undefined;
  let least = MAX_EDITS + 1;
  for (const known of KNOWN_PREFIXES) {
    // Without a slash at all, the key must start with the prefix but for that.
    const distance = prefix.endsWith('/')
      ? editDistance(lower, known, least)
      : lower.startsWith(known.slice(0, -1)) && lower.length > known.length
        ? 1
        : least;
    if (distance < least) [meant, least] = [known, distance];
  }
  if (judged.size < MAX_JUDGED) judged.set(prefix, meant);
  return meant;
}

/**
 * Filters for containers that the workload does not have: a mistyped one leaves its container open to any tag (§3.1).
 */
function tellUnused(filters: Automation['filters'], containers: readonly string[], notes: Note[]): void {
  const names = [...new Set(containers)];
  for (const [container, { key, scalar }] of filters) {
    if (names.includes(container)) continue;
    const bare = container.startsWith(TAG) ? container.slice(TAG.length) : container;
    const near = names.includes(bare) ? bare : nearest(container, names);
    const there =
      names.length === 0
        ? 'no container was found'
        : `there ${names.length === 1 ? 'is' : 'are'} ${names.slice(0, MAX_NAMES).join(', ')}${names.length > MAX_NAMES ? ', …' : ''}`;
    notes.push({
      reason: 'filter-unused',
      message: `${key} is for no container of this workload; ${there}${near ? `; did you mean ${FILTER_PREFIX}${near}?` : ''}`,
      offset: scalar.start,
      container,
    });
  }
}

/** As many names as a message can carry. */
const MAX_NAMES = 20;

/** Annotations and labels where they mean nothing, though people put them there. */
function tellMisplaced(node: Resource['node'], notes: Note[]): void {
  tellAt(at(node, 'metadata', 'labels'), 'metadata.labels', notes);
  const spec = get(node, 'spec');
  const job = get(spec, 'jobTemplate');
  tellAt(at(spec, 'template', 'metadata', 'annotations'), 'spec.template.metadata.annotations', notes);
  if (!job) return;
  tellAt(at(job, 'metadata', 'annotations'), 'spec.jobTemplate.metadata.annotations', notes);
  const template = at(job, 'spec', 'template', 'metadata', 'annotations');
  tellAt(template, 'spec.jobTemplate.spec.template.metadata.annotations', notes);
}

function tellAt(map: Node | undefined, place: string, notes: Note[]): void {
  if (map?.kind !== 'map') return;
  for (const { key } of map.entries) {
    const rank = rankOf(key.value);
    if (rank < 0 || SYNC.has(key.value.slice(PREFIXES[rank]!.length))) continue;
    notes.push({
      reason: 'annotation-misplaced',
      message: `${key.value} means nothing under ${place}; move it to metadata.annotations of the workload`,
      offset: key.start,
    });
  }
}
