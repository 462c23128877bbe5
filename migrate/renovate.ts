import { lineEnd, lineStart, nextLine } from '../fn/lines.ts';
import { versionOrder } from '../fn/policy/orders.ts';
import { readRange } from '../fn/policy/range.ts';
import { compileRegexp } from '../fn/policy/regexp.ts';
import { turnAway, type Rule } from '../fn/policy/rule.ts';
import { readFullVersion, readVersion, type Version } from '../fn/policy/version.ts';
import type { Span } from '../fn/yaml/tree.ts';
import { scalarsIn, type Forest, type Leaf, type Placed } from './forest.ts';
import type { Before, Intent, Meaning, Site } from './intent.ts';
import * as rules from './rules.ts';

/** Renovate: comments `# renovate: datasource=docker depName=…` above or behind the line of an image or its tag. */

const WORDS = ['renovate:'] as const;

/** What a comment says, by its keys. */
export type Comment = ReadonlyMap<string, string>;

/** The versioning of a comment in our terms, for the tag that stands there, and how Renovate decides by it. */
export function meaningOf(comment: Comment, tag: string | undefined): { meaning: Meaning; before: Before } {
  if (comment.has('ignore'))
    return { meaning: { hold: 'Renovate ignores it' }, before: { rule: rules.onlyTag(tag ?? '') } };
  const extract = comment.get('extractVersion');
  if (extract !== undefined)
    return unsaid(
      `extractVersion=${extract} writes a part of the tag, and here the whole tag is written; let the manifest hold the whole tag, then leave extractVersion out`,
    );
  if (tag === undefined) return unsaid('it has no tag to start from; write one');
  const versioning = comment.get('versioning') ?? 'docker';
  if (versioning === 'docker') return byShape(tag);
  if (versioning === 'semver') return bySemver(tag);
  if (versioning.startsWith('regex:')) return byRegex(versioning.slice('regex:'.length), tag);
  return unsaid(
    `versioning=${versioning} has no like here; say by an ImagePolicy which tags count and how they are ordered (filter, extract)`,
  );
}

function unsaid(cannot: string): { meaning: Meaning; before: Before } {
  return { meaning: { cannot }, before: { unknown: cannot } };
}

/** Higher versions with as many numbers and the very same suffix, as Renovate takes Docker's tags. */
function byShape(tag: string): { meaning: Meaning; before: Before } {
  const shape = rules.shapeOf(tag);
  if (!shape) return unsaid(`the tag ${tag} is no version of up to three numbers; Renovate pins its digest at most`);
  const why = rules.whyNoFilter(shape);
  const refusal = turnAway('filter');
  const filter: Rule['filter'] = (name) => {
    const other = rules.shapeOf(name);
    return other?.numbers === shape.numbers && other.suffix === shape.suffix
      ? name.replace(/^v/, '').slice(0, shape.suffix === '' ? undefined : -shape.suffix.length - 1)
      : refusal;
  };
  return {
    meaning: {
      policy: rules.policyOfShape(shape, '*'),
      filter: why === undefined ? { text: 'strict-semver:*' } : { cannot: why },
      notes: [],
    },
    before: {
      rule: rules.foreignRule(
        'versioning docker',
        rules.above(anyVersion(readVersion), numbersOf(tag, shape.suffix)),
        filter,
      ),
    },
  };
}

function numbersOf(tag: string, suffix: string): string {
  return suffix === '' ? tag : tag.slice(0, -suffix.length - 1);
}

function anyVersion(read: (text: string) => Version | undefined, text = '*') {
  const range = readRange(text, 'group');
  if (typeof range === 'string') throw new TypeError(range);
  return versionOrder(text, range, read);
}

function bySemver(tag: string): { meaning: Meaning; before: Before } {
  const shape = rules.shapeOf(tag);
  if (shape?.numbers !== 3)
    return unsaid(`the tag ${tag} is no version of three numbers, from which versioning=semver starts`);
  if (shape.suffix !== '')
    return unsaid(`the tag ${tag} is a prerelease, and what Renovate takes after one depends on its configuration`);
  return {
    meaning: { policy: { policy: { semver: { range: '*' } } }, filter: { text: 'strict-semver:*' }, notes: [] },
    before: { rule: rules.foreignRule('versioning semver', rules.above(anyVersion(readFullVersion), tag)) },
  };
}

const NUMBERS = ['major', 'minor', 'patch'];

function byRegex(pattern: string, tag: string): { meaning: Meaning; before: Before } {
  const regexp = compileRegexp(pattern);
  if (typeof regexp === 'string') return unsaid(`versioning=regex:${pattern} cannot be read: ${regexp}`);
  const { groupNames } = regexp;
  const other = Object.keys(groupNames).find((name) => !NUMBERS.includes(name));
  if (other !== undefined)
    return unsaid(
      `versioning=regex has the group ${other}, which no policy has; write what it must be into the pattern of an ImagePolicy`,
    );
  const template = NUMBERS.map((name) => (name in groupNames ? `\${${name}}` : '0')).join('.');
  const refusal = turnAway('filter');
  const filter: Rule['filter'] = (name) => {
    const groups = regexp.match(name);
    if (!groups) return refusal;
    return NUMBERS.map((number) => (number in groupNames ? groups[groupNames[number]!] || '0' : '0')).join('.');
  };
  const current = filter(tag);
  if (typeof current !== 'string') return unsaid(`the tag ${tag} does not match versioning=regex:${pattern}`);
  return {
    meaning: {
      policy: { filter: { regexp: pattern, extract: template }, policy: { semver: { range: '*' } } },
      filter: { cannot: 'an annotation does not order tags by a part of them; --to policies can' },
      notes: [],
    },
    before: { rule: rules.foreignRule('versioning regex', rules.above(anyVersion(readVersion), current), filter) },
  };
}

/** Reads the comments of all files. */
export async function read(forest: Forest): Promise<Intent[]> {
  const intents: Intent[] = [];
  for (const leaf of await forest.leavesWith(WORDS)) {
    const scalars = scalarsIn(leaf.document.root);
    for (const found of commentsIn(leaf)) {
      const intent = intentOf(forest, leaf, scalars, found);
      if (intent) intents.push(intent);
    }
  }
  return intents;
}

interface FoundComment {
  /** From `#` to the end of the line. */
  span: Span;
  /** Whether it has a line of its own. */
  alone: boolean;
  comment: Comment;
}

const COMMENT = /#[ \t]*renovate:[ \t]*([^\r\n]*)/g;

function commentsIn({ source: { text }, slice: { start, end } }: Leaf): FoundComment[] {
  const found: FoundComment[] = [];
  COMMENT.lastIndex = start;
  for (let match = COMMENT.exec(text); match && match.index < end; match = COMMENT.exec(text)) {
    const { index } = match;
    const before = text.slice(lineStart(text, index), index);
    if (before !== '' && !/\s$/.test(before)) continue;
    found.push({
      span: { start: index, end: lineEnd(text, index, end) },
      alone: before.trim() === '',
      comment: readComment(match[1] ?? ''),
    });
  }
  return found;
}

function readComment(body: string): Comment {
  return new Map(
    body
      .split(/\s+/)
      .filter(Boolean)
      .map((word) => {
        const equals = word.indexOf('=');
        return equals < 0 ? [word, ''] : [word.slice(0, equals), word.slice(equals + 1)];
      }),
  );
}

const CONFIGURATION =
  'what renovate.json says (packageRules, schedule, minimumReleaseAge, automerge) is not read; where it narrows this image, narrow the rule, too';

function intentOf(
  forest: Forest,
  leaf: Leaf,
  scalars: readonly Placed[],
  { span, alone, comment }: FoundComment,
): Intent | undefined {
  if (!comment.has('ignore') && comment.get('datasource') !== 'docker') return undefined;
  const site = siteOf(forest, leaf, scalars, span, alone);
  const reference = 'field' in site ? site.field.reference : undefined;
  return {
    from: 'renovate',
    leaf,
    offset: span.start,
    written: comment.has('ignore') ? 'ignore' : `versioning ${comment.get('versioning') ?? 'docker'}`,
    image: imageOf(comment) ?? reference?.name ?? '',
    site,
    notes: comment.has('ignore') ? [] : [CONFIGURATION],
    remnants: [{ leaf, comment: span }],
    ...meaningOf(comment, reference?.tag ?? ('field' in site ? site.field.slots.tag?.value : undefined)),
  };
}

function imageOf(comment: Comment): string | undefined {
  const name = comment.get('packageName') ?? comment.get('depName');
  const registry = comment
    .get('registryUrl')
    ?.replace(/^https?:\/\//, '')
    .replace(/\/+$/, '');
  return name !== undefined && registry ? `${registry}/${name}` : name;
}

/** What a comment is about: the value before it on its line, or the first on the next line that is no comment. */
function siteOf(
  forest: Forest,
  leaf: Leaf,
  scalars: readonly Placed[],
  { start, end }: Span,
  alone: boolean,
): Site | { missing: string } {
  const { source, slice } = leaf;
  if (scalars.some(({ scalar }) => scalar.start < start && scalar.end >= end))
    return {
      missing: 'it stands in a block of text, in which nothing is updated; keep the image in a file of its own',
    };
  const { text } = source;
  const from = alone ? nextValueLine(text, start, slice.end) : lineStart(text, start);
  const line = { start: from, end: nextLine(text, from, slice.end) };
  const found = scalars.find(
    ({ scalar }) => scalar.style !== 'empty' && scalar.start >= line.start && scalar.start < line.end,
  );
  if (!found)
    return { missing: 'no value stands on the line that it is about; put it right above the image or its tag' };
  return forest.siteOf(leaf, found);
}

/** Where the first line after that of an offset starts that is neither blank nor a comment. */
function nextValueLine(text: string, offset: number, end: number): number {
  let from = nextLine(text, offset, end);
  while (from < end && /^[ \t]*(?:#.*)?\r?\n?$/.test(text.slice(from, nextLine(text, from, end))))
    from = nextLine(text, from, end);
  return from;
}
