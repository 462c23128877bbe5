import type { Forbidden } from './allow.ts';
import type { Decider, Decision } from './decide.ts';
import type { FilePlace, Places } from './document.ts';
import { offsetOf, scalarsOfSlots, type ImageField } from './find/field.ts';
import { applied, change } from './find/slots.ts';
import type { Finding, Found, GovernedField } from './governed.ts';
import { loneWrites } from './lone.ts';
import type { Note } from './note.ts';
import { showReference, type Reference } from './reference.ts';
import type { Write } from './yaml/check.ts';

/** A field that moves. */
export interface PlannedChange {
  field: ImageField;
  from: Reference;
  to: Reference;
  /** The first is the scalar at the field's path. */
  writes: [Write, ...Write[]];
  policy: string;
  reason: string;
  /** The repository: of a marked part that stands without its name, the policy's. */
  image?: string;
}

/** What becomes of a document, before its text is touched. */
export interface Plan {
  place: FilePlace;
  places?: Places;
  /** Of each governed field, in their order. */
  decisions: Decision[];
  changes: PlannedChange[];
  notes: Finding[];
}

/** Why a change that nothing else is against is not made after all: the caller's own reason. */
export type Hold = (change: PlannedChange, file: string | undefined) => Note | undefined;

/**
 * Decides each governed field, and leaves out what may not be written: locked, not allowed, held by the caller, or against a
 * shared anchor.
 */
export async function planDocument(found: Found, decider: Decider, forbidden: Forbidden, hold?: Hold): Promise<Plan> {
  const { place, places, governed, fields } = found;
  const plan: Plan = { place, ...(places && { places }), decisions: [], changes: [], notes: [...found.notes] };
  for (const candidate of governed) {
    const decision = await decider.decide(candidate);
    plan.decisions.push(decision);
    for (const note of decision.notes) addNote(plan, candidate, note, decision.image, note === decision.held);
    const planned = plannedChange(candidate, decision);
    if (!planned) continue;
    if ('message' in planned) {
      addNote(plan, candidate, planned, decision.image, true);
      continue;
    }
    const note = held(candidate, planned) ?? forbiddenName(decision, planned, forbidden) ?? hold?.(planned, place.file);
    if (note) addNote(plan, candidate, note, decision.image, true);
    else plan.changes.push(planned);
  }
  return plan.changes.length === 0 ? plan : agreed(plan, fields);
}

function plannedChange(
  { field, reference, governor }: GovernedField,
  { change: to, policy, reason, image }: Decision,
): PlannedChange | Note | undefined {
  if (Object.keys(to).length === 0) return undefined;
  const writes =
    field.origin === 'marker' && governor.by === 'marker'
      ? loneWrites(field.slots, governor.markers, reference, to)
      : change(field.slots, to);
  if ('cannot' in writes)
    return {
      reason: 'cannot-be-written',
      message: `${showReference(applied(reference, to))} is not written: ${writes.cannot}`,
    };
  const [first, ...rest] = writes;
  if (!first) return undefined;
  const known = reference.name || image;
  return {
    field,
    from: reference,
    to: applied(reference, to),
    writes: [first, ...rest],
    policy,
    reason,
    ...(known !== undefined && { image: known }),
  };
}

/** Neither what stands there nor what would may be off limits; a marked part that stands alone has its policy's name. */
function forbiddenName({ image }: Decision, { from, to }: PlannedChange, forbidden: Forbidden): Note | undefined {
  for (const name of new Set([from.name || image, to.name || image])) {
    const note = name === undefined ? undefined : forbidden(name);
    if (note) return note;
  }
  return undefined;
}

/** Locks and `ignore` hold whatever asks for the change (reference/flux-v1-mode.md §3.2: automated and manual alike). */
function held({ automation }: GovernedField, { from, to }: PlannedChange): Note | undefined {
  if (automation?.locked) {
    const by = automation.lockedBy ? ` by ${automation.lockedBy}` : '';
    const why = automation.lockedMessage ? ` (${automation.lockedMessage})` : '';
    return {
      reason: 'locked',
      message: `it is locked${by}${why}, so it stays at ${showReference(from)} and does not become ${showReference(to)}; unlock it to update it`,
    };
  }
  if (!automation?.ignored) return undefined;
  return {
    reason: 'ignored',
    message: `its annotation ignore keeps it at ${showReference(from)}; it does not become ${showReference(to)}`,
  };
}

/**
 * An anchored scalar is changed only if all image fields that use it come to the same text; a use that is no image field
 * follows. Otherwise it is left, and each field that wanted to move says so (issue: anchors; reference/krm-function.md D2).
 */
function agreed(plan: Plan, fields: readonly ImageField[]): Plan {
  const users = new Map<number, Set<ImageField>>();
  for (const field of fields)
    for (const { start } of scalarsOfSlots(field.slots)) users.set(start, (users.get(start) ?? new Set()).add(field));
  const notes = [...plan.notes];
  // A field that is left may share another scalar with one that was to move: looked at again until none is left.
  for (let changes = plan.changes; ;) {
    const disagreed = disagreement(changes, users);
    const kept = changes.filter((planned) => !against(planned, disagreed));
    if (kept.length === changes.length) return { ...plan, changes, notes };
    for (const planned of changes) {
      const write = against(planned, disagreed);
      if (write) notes.push(sharedNote(planned, users.get(write.scalar.start)));
    }
    changes = kept;
  }
}

/** Tells of the start of a scalar whether its users come to different texts, or some of them to none. */
function disagreement(changes: readonly PlannedChange[], users: Map<number, Set<ImageField>>) {
  const wishes = new Map<number, Map<ImageField, string>>();
  for (const { field, writes } of changes)
    for (const { scalar, value } of writes)
      wishes.set(scalar.start, (wishes.get(scalar.start) ?? new Map<ImageField, string>()).set(field, value));
  const disagreed = new Set<number>();
  for (const [start, wished] of wishes) {
    const using = users.get(start);
    if (new Set(wished.values()).size > 1 || (using && [...using].some((field) => !wished.has(field))))
      disagreed.add(start);
  }
  return (start: number): boolean => disagreed.has(start);
}

function against({ writes }: PlannedChange, disagreed: (start: number) => boolean): Write | undefined {
  return writes.find(({ scalar }) => disagreed(scalar.start));
}

function sharedNote({ field }: PlannedChange, users: Iterable<ImageField> = []): Finding {
  const others: string[] = [];
  for (const other of users) {
    if (other === field) continue;
    others.push(others.length < MAX_NAMES ? label(other) : '…');
    if (others.length > MAX_NAMES) break;
  }
  return {
    resource: field.resource,
    field,
    holds: true,
    note: {
      reason: 'anchor-shared',
      message: `its text is an anchor that ${others.join(', ')} uses too, which does not move alike; give it a text of its own, or automate all of them alike`,
      ...located(field),
    },
  };
}

/** As many names as a message can carry. */
const MAX_NAMES = 20;

function label({ resource, container }: ImageField): string {
  return `${resource.kind} ${resource.name} ${container}`.trim();
}

function addNote(
  plan: Plan,
  { field, reference }: GovernedField,
  note: Note,
  policyImage: string | undefined,
  holds: boolean,
): void {
  const image = reference.name || policyImage;
  plan.notes.push({
    resource: field.resource,
    field,
    holds,
    note: { ...located(field), ...(image !== undefined && { image }), ...note },
  });
}

function located(field: ImageField): Pick<Note, 'path' | 'container' | 'offset'> {
  const offset = offsetOf(field);
  return {
    path: field.path,
    ...(field.container !== '' && { container: field.container }),
    ...(offset !== undefined && { offset }),
  };
}
