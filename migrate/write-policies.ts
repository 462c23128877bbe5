import { policyLabel } from '../fn/lookup/answers.ts';
import { asMap, asText, type Values } from '../fn/lookup/values.ts';
import { compilePolicy, type PolicySpec } from '../fn/policy/policy.ts';
import { canonicalName } from '../fn/reference.ts';
import { restOfLine } from '../fn/yaml/layout.ts';
import type { ScalarNode } from '../fn/yaml/tree.ts';
import { convert, policyObject, repositoryObject, sortedText, type Kinds } from './convert.ts';
import type { Leaf } from './forest.ts';
import type { Intent, Site } from './intent.ts';
import { emptyPlan, sayable, type CommentEdit, type Plan, type Sayable } from './outcome.ts';
import { labelOf, type Objects } from './policies.ts';

export interface PolicyRequest {
  to: Kinds;
  /** Of new objects. */
  namespace: string;
  /** Whether a comment of the other tool makes room for a marker. */
  remove: boolean;
  /** What there is of the kinds that are written, and of those that they are made from. */
  present: Objects;
  others: Objects;
}

/**
 * Plans ImagePolicy objects and the markers that name them. Objects of the other group become ones of this by the same
 * names, so that their markers stay as they are.
 */
export function planPolicies(intents: readonly Intent[], request: PolicyRequest): Plan {
  const plan = emptyPlan();
  const present = [...request.present.all];
  planObjects(request, present, plan);
  const book = new Book(request, present, plan);
  for (const each of sayable(intents, plan)) {
    if (each.intent.policy) planKnown(each, each.intent.policy, request, present, plan);
    else planNew(each, request, book, plan);
  }
  return plan;
}

/** Converts the objects of the other group that have no namesake in this one. */
function planObjects({ to, others }: PolicyRequest, present: Values[], plan: Plan): void {
  for (const value of others.all) {
    const kind = asText(value['kind']);
    const label = `${kind} ${labelOf(value)}`;
    if (kind === 'ImageUpdateAutomation' || kind === 'ImageAutomation' || kind === 'UpdateJob') {
      plan.notes.push(
        `${label} stays as it is: ${to === 'policies' ? 'tk-image create automation prints what takes its place' : 'flux create image update prints what takes its place'}; suspend it before the other one runs`,
      );
      continue;
    }
    if (kind !== 'ImageRepository' && kind !== 'ImagePolicy') continue;
    if (present.some((object) => isNamesake(object, value))) continue;
    const converted = convert(value, to);
    if ('cannot' in converted) {
      plan.notes.push(`${label} is not migrated: ${converted.cannot}`);
      continue;
    }
    plan.notes.push(...converted.notes.map((note) => `${label}: ${note}`));
    plan.objects.push(converted.object);
    present.push(converted.object);
  }
}

function isNamesake(a: Values, b: Values): boolean {
  return a['kind'] === b['kind'] && labelOf(a) === labelOf(b);
}

/** A marker stays; its policy is there, was converted, or could not be. */
function planKnown(
  { intent, terms }: Sayable,
  { namespace, name }: NonNullable<Intent['policy']>,
  request: PolicyRequest,
  present: readonly Values[],
  plan: Plan,
): void {
  const labels = new Set([policyLabel(name, namespace), name]);
  const object = present.find((value) => value['kind'] === 'ImagePolicy' && labels.has(labelOf(value)));
  if (!object) {
    const old = request.others.all.find((value) => value['kind'] === 'ImagePolicy' && labels.has(labelOf(value)));
    const converted = old && convert(old, request.to);
    const why = converted && 'cannot' in converted ? converted.cannot : 'its ImagePolicy is not among what is migrated';
    plan.outcomes.set(intent, { status: 'cannot', notes: [why, ...intent.notes] });
    return;
  }
  const status = plan.objects.includes(object) ? 'written' : 'there';
  plan.outcomes.set(intent, {
    status,
    ours: describe(labelOf(object), terms.policy),
    notes: notesOf({ intent, terms }, request.to),
  });
}

/** Policies are found by what they say: a second field with the same image and rule follows the same one. */
function planNew(each: Sayable, request: PolicyRequest, book: Book, plan: Plan): void {
  const { intent, site, terms } = each;
  const image = intent.image || site.field.reference?.name || '';
  const marks = marksOf(site, request, intent);
  if ('cannot' in marks) {
    plan.outcomes.set(intent, { status: 'cannot', notes: [marks.cannot, ...intent.notes] });
    return;
  }
  const policy = book.policyFor(image, terms.policy);
  if ('cannot' in policy) {
    plan.outcomes.set(intent, { status: 'cannot', notes: [policy.cannot, ...intent.notes] });
    return;
  }
  const label = policyLabel(policy.name, request.namespace);
  const edits: CommentEdit[] = [];
  for (const { scalar, part, comment } of marks.places) {
    const text = `# {"$imagepolicy": "${request.namespace}:${policy.name}${part}"}`;
    const there = scalar.comment && site.leaf.source.text.slice(scalar.comment.start, scalar.comment.end);
    if (there === text) continue;
    if (there !== undefined && !comment) {
      const why = /\$imagepolicy/.test(there)
        ? `it is marked already: ${there}`
        : `its line has a comment already (${there}), which is not touched; move that to the line above`;
      plan.outcomes.set(intent, { status: 'cannot', notes: [why, ...intent.notes] });
      return;
    }
    edits.push({ at: scalar.end, text, ...(comment && { comment }) });
  }
  book.take(policy);
  addEdits(plan, site.leaf, edits);
  plan.outcomes.set(intent, {
    status: edits.length > 0 || policy.objects.length > 0 ? 'written' : 'there',
    ours: describe(label, terms.policy),
    notes: [...notesOf(each, request.to), ...policy.notes],
  });
}

export function addEdits(plan: Plan, leaf: Leaf, edits: readonly CommentEdit[]): void {
  const known = plan.comments.get(leaf) ?? [];
  const fresh = edits.filter((edit) => !known.some(({ at }) => at === edit.at));
  if (fresh.length > 0) plan.comments.set(leaf, [...known, ...fresh]);
}

function notesOf({ intent, terms }: Pick<Sayable, 'intent' | 'terms'>, to: Kinds): string[] {
  return [
    ...terms.notes.filter(() => intent.from !== 'flux-v2' || to === 'policies'),
    ...(terms.policyNotes ?? []),
    ...intent.notes,
  ];
}

function describe(label: string, spec: PolicySpec): string {
  const rule = compilePolicy(spec);
  return `ImagePolicy ${label}${'error' in rule ? '' : ` (${rule.text})`}`;
}

interface Mark {
  scalar: ScalarNode;
  part: '' | ':tag' | ':digest';
  /** A comment that is taken away to make room. */
  comment?: NonNullable<ScalarNode['comment']>;
}

/** Which scalars of an image are marked, and as what; the name is not, so that a mirror stays one. */
function marksOf(
  { leaf, field }: Site,
  { remove }: PolicyRequest,
  { remnants }: Intent,
): { places: Mark[] } | { cannot: string } {
  const { whole, tag, digest } = field.slots;
  const places: Mark[] = whole
    ? [{ scalar: whole, part: '' }]
    : [
        ...(tag ? [{ scalar: tag, part: ':tag' as const }] : []),
        ...(digest ? [{ scalar: digest, part: ':digest' as const }] : []),
      ];
  if (!whole && !tag) return { cannot: 'there is no tag to mark; write one beside the name' };
  for (const place of places) {
    const { scalar } = place;
    if (scalar.style === 'literal' || scalar.style === 'folded' || scalar.style === 'empty')
      return {
        cannot: 'what stands there is no text on a line, which alone can be marked; write the value behind its key',
      };
    if (!/^[ \t]*(?:[ \t]#.*)?$/.test(restOfLine(leaf.source.text, scalar.end)))
      return { cannot: 'something else stands behind it on its line, as in braces; write it on a line of its own' };
    const old = remnants.find((remnant) => 'comment' in remnant && remnant.comment.start === scalar.comment?.start);
    if (remove && old && scalar.comment) place.comment = scalar.comment;
  }
  return { places };
}

/** The objects of one namespace that are there and those that are new, by what they say. */
class Book {
  readonly #to: Kinds;
  readonly #namespace: string;
  readonly #plan: Plan;
  /** Names of repositories by their images, and of policies by their specs. */
  readonly #repositories = new Map<string, string>();
  readonly #policies = new Map<string, string>();
  readonly #taken = new Set<string>();

  constructor({ to, namespace }: PolicyRequest, present: readonly Values[], plan: Plan) {
    this.#to = to;
    this.#namespace = namespace;
    this.#plan = plan;
    for (const value of present) this.#note(value);
  }

  /** The policy for an image by a rule, with the objects that are not there yet. */
  policyFor(
    image: string,
    spec: PolicySpec,
  ): { name: string; objects: Values[]; notes: string[] } | { cannot: string } {
    const base = nameOf(image);
    const known = this.#repositories.get(canonicalName(image));
    const repository = known ?? this.#free('ImageRepository', base);
    const wanted = policyObject('', this.#namespace, repository, spec, this.#to);
    if ('cannot' in wanted) return wanted;
    const same = this.#policies.get(sortedText(wanted.object['spec']));
    if (same !== undefined) return { name: same, objects: [], notes: wanted.notes };
    const fresh = this.#free('ImagePolicy', base);
    const object = { ...wanted.object, metadata: { name: fresh, namespace: this.#namespace } };
    const objects = [
      ...(known === undefined
        ? [repositoryObject(repository, this.#namespace, image, spec.policy.newest !== undefined, this.#to)]
        : []),
      object,
    ];
    return { name: fresh, objects, notes: wanted.notes };
  }

  /** Makes new objects known, to whoever asks next. */
  take({ objects }: { objects: readonly Values[] }): void {
    for (const object of objects) this.#note(object);
    this.#plan.objects.push(...objects);
  }

  /** Of those that say the same the first counts. */
  #note(value: Values): void {
    if ((asText(asMap(value['metadata'])?.['namespace']) ?? this.#namespace) !== this.#namespace) return;
    const { kind, spec } = value;
    this.#taken.add(`${asText(kind)} ${name(value)}`);
    const image = canonicalName(asText(asMap(spec)?.['image']) ?? '');
    if (kind === 'ImageRepository' && !this.#repositories.has(image)) this.#repositories.set(image, name(value));
    const text = sortedText(spec);
    if (kind === 'ImagePolicy' && !this.#policies.has(text)) this.#policies.set(text, name(value));
  }

  #free(kind: string, base: string): string {
    let free = base;
    for (let i = 2; this.#taken.has(`${kind} ${free}`); i++) free = `${base}-${i}`;
    return free;
  }
}

function name(value: Values): string {
  return asText(asMap(value['metadata'])?.['name']) ?? '';
}

const MAX_NAME = 50;

/** The last part of a repository's path, as Kubernetes names objects. */
function nameOf(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1).toLowerCase();
  return (
    last
      .replaceAll(/[^a-z0-9-]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, MAX_NAME) || 'image'
  );
}
