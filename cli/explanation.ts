import { turnedAway, type Account, type TurnedAway } from '../fn/policy/account.ts';
import { showReference } from '../fn/reference.ts';
import { filledIn, remedyFor, type Subject } from '../fn/remedies.ts';
import type { ResourceRef, Result } from '../fn/result.ts';
import type { Fate, SurveyedField } from '../fn/survey.ts';
import { workloadId } from '../fn/workloads.ts';
import type { Surveyed } from './surveyed.ts';

/** What `tk-image explain` prints, as data. */
export interface Explanation {
  fields: FieldExplanation[];
  /** Warnings about no field in particular: of workloads, of files, of answers. */
  others: Advice[];
  summary: Summary;
}

export interface Summary {
  moves: number;
  upToDate: number;
  stays: number;
  notAutomated: number;
  files: number;
  /** Documents that are no YAML that can be read, and ask for no update. */
  unreadDocuments: number;
}

export interface FieldExplanation {
  file: string | null;
  line: number | null;
  /** `namespace:kind/name`, or null for what has no name. */
  workload: string | null;
  resource: ResourceRef;
  container: string;
  /** Field path below the resource. */
  path: string;
  /** What stands there; null if it is no image reference. */
  image: string | null;
  locked: boolean;
  ignored: boolean;
  governor: SurveyedField['governor'] | null;
  filter: SurveyedField['filter'] | null;
  policy: string | null;
  state: Fate['state'];
  /** Null of what nothing governs. */
  reason: string | null;
  message: string;
  /** What it would become, or would if nothing held it; or null. */
  becomes: string | null;
  /** What to do about a field that stays, or to have one updated. */
  remedy: string | null;
  /** The best, first, and how many there are; null if there was nothing to choose from. */
  candidates: string[] | null;
  accepted: number | null;
  /** The commonest rule first, each with some of its tags. */
  turnedAway: TurnedAway[];
  warnings: Advice[];
  /** Of the workload that it is in. */
  workloadWarnings: Advice[];
}

/** A warning, and what to do about it. */
export interface Advice {
  severity: Result['severity'];
  reason: string;
  message: string;
  file: string | null;
  line: number | null;
  workload: string | null;
  remedy: string | null;
}

/** All candidates of each image would be too much of a directory; `tk-image choose` has them. */
const SHOWN = 5;

/** A survey as data. */
export function explanationOf(surveyed: Surveyed): Explanation {
  const { fields, files, unread, others } = surveyed;
  const told = new Set(others);
  const count = (state: Fate['state']) => fields.filter(({ fate }) => fate.state === state).length;
  return {
    fields: fields.map((field) => explained(field, surveyed.account(field))),
    others: others.map((result) => adviceOf(result, {})),
    summary: {
      moves: count('moves'),
      upToDate: count('up-to-date'),
      stays: count('stays'),
      notAutomated: count('not-automated'),
      files,
      unreadDocuments: unread.filter((result) => !told.has(result)).length,
    },
  };
}

function explained(field: SurveyedField, account: Account | undefined): FieldExplanation {
  const { file, line, workload, resource, container, path, from, fate } = field;
  const subject = { workload, container, file, image: field.image };
  const about = (result: Result) => adviceOf(result, subject);
  return {
    file: file ?? null,
    line: line ?? null,
    workload: workload || null,
    resource,
    container,
    path,
    image: from ? showReference(from) : null,
    locked: field.locked,
    ignored: field.ignored,
    governor: field.governor ?? null,
    filter: field.filter ?? null,
    policy: field.policy ?? null,
    state: fate.state,
    reason: fate.state === 'not-automated' ? null : fate.reason,
    message: field.governor ? fate.message : (field.problem ?? fate.message),
    becomes: becomes(fate),
    remedy: remedyOf(fate, subject) ?? null,
    candidates: account?.candidates.slice(0, SHOWN) ?? null,
    accepted: account?.candidates.length ?? null,
    turnedAway: account ? turnedAway(account) : [],
    warnings: field.results.filter((result) => result.severity !== 'info' && !tells(result, fate)).map(about),
    workloadWarnings: field.around.map(about),
  };
}

/** Whether a result says no more than the fate does. */
function tells({ message, tags }: Result, fate: Fate): boolean {
  return fate.state === 'stays' && message === fate.message && tags?.['reason'] === fate.reason;
}

function becomes(fate: Fate): string | null {
  if (fate.state === 'moves') return showReference(fate.to);
  return fate.state === 'stays' && fate.wanted ? showReference(fate.wanted) : null;
}

function remedyOf(fate: Fate, subject: Subject): string | undefined {
  if (fate.state === 'stays') return remedyFor(fate.reason, subject);
  if (fate.state !== 'not-automated') return undefined;
  return subject.workload ? automate(subject) : MARK;
}

/** How to have an image updated. */
export function automate(subject: Subject): string {
  return filledIn('to have it updated: `tk-image automate {file} -w {workload}`', subject);
}

/** What has no name cannot be annotated by it. */
const MARK = 'to have it updated, mark it for an ImagePolicy: `# {"$imagepolicy": "NAMESPACE:NAME:tag"}`';

function adviceOf({ severity, message, file, resourceRef, tags = {} }: Result, subject: Subject): Advice {
  const { reason = '', container, image, line } = tags;
  const about: Subject = {
    ...subject,
    ...(resourceRef && { workload: workloadId(resourceRef) }),
    ...(container && { container }),
    ...(image && { image }),
    ...(file && { file: file.path }),
  };
  return {
    severity,
    reason,
    message,
    file: file?.path ?? null,
    line: line === undefined ? null : Number(line),
    workload: about.workload ?? null,
    remedy: remedyFor(reason, about) ?? null,
  };
}
