import type { Config } from '../fn/config/config.ts';
import type { ImageMetadata, TagMetadata } from '../fn/lookup/metadata.ts';
import type { Note } from '../fn/note.ts';
import { choose, type Rejection } from '../fn/policy/choose.ts';
import { listTags, orderFor } from '../fn/policy/listing.ts';
import { compilePattern } from '../fn/policy/pattern.ts';
import type { RefusalRule, Rule } from '../fn/policy/rule.ts';
import type { SurveyedField } from '../fn/survey.ts';

/** A container with the tags of its image: what `tk-image list` prints, as data. */
export interface ContainerListing {
  /** `namespace:kind/name`, or null for what has no name. */
  workload: string | null;
  file: string | null;
  line: number | null;
  container: string;
  /** Field path below the resource. */
  path: string;
  /** The repository; null where it cannot be told. */
  image: string | null;
  /** Without a tag: null, as far as there is none. */
  current: { tag: string | null; digest: string | null; created: string | null; listed: boolean };
  /** The tag that an update would write or leave there; null if it would do neither. */
  chosen: string | null;
  /** The tag that an update would write if nothing held it back. */
  wanted: string | null;
  /** What governs it, or the filter that it has without being automated. */
  policy: string | null;
  state: SurveyedField['fate']['state'];
  /** Null of what nothing governs. */
  reason: string | null;
  message: string;
  locked: boolean;
  /** What `available` is ordered by. */
  orderedBy: Rule['order']['by'] | null;
  /** Best first; null where nothing is known of the repository, and `problem` says why. */
  available: ListedTag[] | null;
  counts: { available: number; newer: number; accepted: number; newerAccepted: number };
  problem: string | null;
}

export interface ListedTag extends TagMetadata {
  /** The rule that turned it away. */
  rejected?: RefusalRule;
  /** The pattern, range or time that decided. */
  detail?: string;
}

/** A field with the tags that are known of its repository. */
export function listingOf(field: SurveyedField, known: ImageMetadata | Note, config: Config): ContainerListing {
  const { workload, file, line, container, path, image, from, policy, filter, fate, locked } = field;
  const all = 'reason' in known ? undefined : orderedTags(field, known, config);
  const { tags = [], place = 0, current } = all ?? {};
  const accepted = tags.map(({ rejected }) => rejected === undefined);
  return {
    workload: workload || null,
    file: file ?? null,
    line: line ?? null,
    container,
    path,
    image: image || null,
    current: {
      tag: from?.tag ?? null,
      digest: from?.digest ?? null,
      created: current?.created ?? null,
      listed: current !== undefined && tags[place]?.name === current.name,
    },
    chosen: chosenTag(field),
    wanted: (fate.state === 'stays' && fate.wanted?.tag) || null,
    policy: policy ?? filter?.value ?? null,
    state: fate.state,
    reason: fate.state === 'not-automated' ? null : fate.reason,
    message: fate.message,
    locked,
    orderedBy: all?.rule.order.by ?? null,
    available: all ? tags : null,
    counts: {
      available: tags.length,
      newer: place,
      accepted: accepted.filter(Boolean).length,
      newerAccepted: accepted.slice(0, place).filter(Boolean).length,
    },
    problem: field.problem ?? ('reason' in known ? known.message : null),
  };
}

/** Tags in order, and where the current one stands among them or would stand; behind all if there is none. */
interface OrderedTags {
  rule: Rule;
  tags: ListedTag[];
  place: number;
  current: TagMetadata | undefined;
}

function orderedTags(field: SurveyedField, metadata: ImageMetadata, config: Config): OrderedTags {
  const { ties, unknownCurrent } = config.spec;
  const governing = ruleOf(field);
  const rule = governing ?? orderFor(metadata);
  const name = field.from?.tag;
  const listed = metadata.tags.find((tag) => tag.name === name);
  const unlisted =
    listed || name === undefined ? undefined : (metadata.gone?.find((tag) => tag.name === name) ?? { name });
  const choice = choose(rule, metadata, name === undefined ? {} : { tag: name }, { ties, unknownCurrent });
  const all = listTags(rule, metadata, choice, unlisted);
  const place = all.findIndex(({ tag }) => tag === (listed ?? unlisted));
  return {
    rule,
    // Where nothing governs, nothing is turned away.
    tags: all
      .filter(({ tag }) => tag !== unlisted)
      .map(({ tag, rejection }) => ({ ...tag, ...(governing && rejection && refusal(rejection)) })),
    place: place < 0 ? all.length : place,
    current: listed ?? unlisted,
  };
}

/** The rule that a field's tags are chosen by, or would be if it were automated. */
function ruleOf({ choice, filter, governor }: SurveyedField): Rule | undefined {
  if (choice) return choice.rule;
  if (!filter || (governor && governor.by !== 'annotation')) return undefined;
  const rule = compilePattern(filter.value);
  return 'error' in rule ? undefined : rule;
}

function refusal({ rule, detail }: Rejection): Pick<ListedTag, 'rejected' | 'detail'> {
  return { rejected: rule, ...(detail !== undefined && { detail }) };
}

function chosenTag({ fate, from }: SurveyedField): string | null {
  if (fate.state === 'moves') return fate.to.tag ?? null;
  return fate.state === 'up-to-date' ? (from?.tag ?? null) : null;
}
