import type { Account } from '../../fn/policy/account.ts';
import { parseReference, type Reference } from '../../fn/reference.ts';
import { workloadOf, type Change } from '../change.ts';
import { code, fit, plain, type Section } from './markdown.ts';
import { plural } from '../../fn/plural.ts';

/** What is known of a change beside itself. */
export interface Facts {
  /** RFC 3339: since when the new tag is there, and by which clock: the registry's, the image's, or that of our scans. */
  since?: { time: string; clock: 'pushed' | 'created' | 'firstSeen' };
  /** The choice that led to it. */
  account?: Pick<Account, 'chosen' | 'candidates' | 'rejected' | 'counts'>;
  /** The page that compares the sources of both images. */
  compare?: string;
}

/** What a body tells. */
export interface BodyData {
  changes: readonly Change[];
  /** The files that differ; all there is to tell of what an image other than ours did that is about no image field. */
  files: readonly string[];
  facts: ReadonlyMap<Change, Facts>;
  /** What else should be known: fields that stay, and why. A line each. */
  warnings: readonly string[];
  /** A commit of somebody else's on the branch. */
  foreign?: { commit: string; author: string };
}

/** Of a longer list so many are shown. */
const SHOWN = { candidates: 5, rejected: 3, warnings: 20 };

/** Titles beyond this are cut by the forges, or refused. */
const MAX_TITLE = 200;

/** `Update ghcr.io/org/app to 1.4.10`, or of several images how many. `group` is what they have in common, if there is something. */
export function titleOf({ changes, files }: Pick<BodyData, 'changes' | 'files'>, group?: string): string {
  if (changes.length === 0) return `Update ${plural(files.length, 'file')}`;
  const places = changes.map(placeOf);
  const images = new Set(places.map(({ image }) => image));
  const targets = new Set(places.map(({ to }) => to));
  const [image = ''] = images;
  const [to = ''] = targets;
  const what = images.size === 1 ? `${image}${targets.size === 1 ? ` to ${to}` : ''}` : `${images.size} images`;
  const of = group === undefined || images.size === 1 ? '' : ` of ${group}`;
  return cutTitle(plain(`Update ${what}${of}`));
}

export function cutTitle(text: string): string {
  const line = text.split('\n')[0]!.trim();
  return line.length <= MAX_TITLE ? line : `${line.slice(0, MAX_TITLE).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** The body, of at most so many characters: the table of changes first, then whatever has room, each cut at a row. Pure. */
export function bodyOf(data: BodyData, room: number): string {
  const { changes, files, foreign } = data;
  const images = new Set(changes.map((change) => placeOf(change).image)).size;
  const what = `${plural(images, 'image')} in ${plural(changes.length, 'place')}`;
  const intro = `Updates ${changes.length === 0 ? plural(files.length, 'file') : what}.`;
  const end = [
    ...(foreign
      ? [
          `Commit ${code(foreign.commit.slice(0, 12))} of ${code(foreign.author)} stands on this branch, so it is added to and not made anew.`,
        ]
      : []),
    'Commits of others on this branch are kept. Turned down without a merge, the same changes are not proposed again.',
  ].join(' ');
  const texts = [intro];
  let left = room - intro.length - end.length - SEPARATORS;
  for (const section of [
    changes.length > 0 ? table(data) : filesOf(data),
    warningsOf(data),
    candidatesOf(data),
    digestsOf(data),
  ]) {
    const text = section ? fit(section, left) : '';
    if (text === '') continue;
    texts.push(text);
    left -= text.length + 2;
  }
  return [...texts, '---', end].join('\n\n');
}

/** Blank lines around what always stands there. */
const SEPARATORS = 16;

function table({ changes, facts }: BodyData): Section {
  const linked = changes.some((change) => facts.get(change)?.compare !== undefined);
  const aged = changes.some((change) => facts.get(change)?.since !== undefined);
  const head = ['Image', 'From', 'To', 'Policy', ...(aged ? ['Since'] : []), ...(linked ? ['Source'] : []), 'Where'];
  const row = (change: Change) => {
    const { image, from, to } = placeOf(change);
    const { since, compare } = facts.get(change) ?? {};
    const where = [workloadOf(change), change.container, change.object === '' ? change.field : change.file];
    const cells = [
      code(image),
      code(from),
      code(to),
      code(change.policy ?? ''),
      ...(aged ? [since ? `${dateOf(since.time)}, ${CLOCKS[since.clock]}` : '—'] : []),
      ...(linked ? [compare === undefined ? '—' : `[compare](${compare})`] : []),
      where
        .filter((text) => text !== undefined && text !== '')
        .map((text) => code(text!))
        .join(' '),
    ];
    return `| ${cells.join(' | ')} |`;
  };
  return {
    head: [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`],
    rows: changes.map(row),
    foot: [],
    rest: (count) => ['', `${plural(count, 'more change')} in the diff.`],
  };
}

function filesOf({ files }: BodyData): Section {
  return { head: [], rows: files.map((file) => `- ${code(file)}`), foot: [], rest: (count) => [`- and ${count} more`] };
}

const CLOCKS = { pushed: 'pushed', created: 'built', firstSeen: 'first seen' };

/** A day and a minute, so that the body is the same each time. */
function dateOf(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '—' : date.toISOString().slice(0, 16).replace('T', ' ');
}

function warningsOf({ warnings }: BodyData): Section | undefined {
  if (warnings.length === 0) return undefined;
  const more = warnings.length - SHOWN.warnings;
  return {
    head: folded('Not updated, and what else to know'),
    rows: [
      ...warnings.slice(0, SHOWN.warnings).map((line) => `- ${code(line)}`),
      ...(more > 0 ? [`- and ${more} more`] : []),
    ],
    ...FOLD_END,
  };
}

/** A line a choice: what came next, and what was turned away by which rule. */
function candidatesOf({ changes, facts }: BodyData): Section | undefined {
  const rows = new Set<string>();
  for (const change of changes) {
    const account = facts.get(change)?.account;
    if (!account) continue;
    const { candidates, rejected, counts, chosen } = account;
    const others = candidates.filter((tag) => tag !== chosen);
    const turned = Object.entries(counts).map(([rule, count]) => {
      const tags = rejected.filter((one) => one.rule === rule).map(({ tag }) => tag);
      return `${count} by ${code(rule)} (${some(tags, SHOWN.rejected)})`;
    });
    const parts = [
      ...(others.length > 0 ? [`next ${some(others, SHOWN.candidates)}`] : []),
      ...(turned.length > 0 ? [`turned away ${turned.join(', ')}`] : []),
    ];
    if (parts.length > 0)
      rows.add(`- ${code(placeOf(change).image)} by ${code(change.policy ?? '')}: ${parts.join('; ')}`);
  }
  if (rows.size === 0) return undefined;
  return { head: folded('Other candidates'), rows: [...rows], ...FOLD_END };
}

function some(tags: readonly string[], shown: number): string {
  const more = tags.length - shown;
  return [...tags.slice(0, shown).map(code), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

function digestsOf({ changes }: BodyData): Section | undefined {
  const pairs = changes.flatMap(({ from, to }) => [from, to].filter((text) => text.includes('@')));
  if (pairs.length === 0) return undefined;
  return { head: folded('Digests'), rows: [...new Set(pairs)].map((text) => `- ${code(text)}`), ...FOLD_END };
}

/** The blank line ends the HTML, so that what follows is Markdown. */
function folded(summary: string): string[] {
  return [`<details><summary>${summary}</summary>`, ''];
}

const FOLD_END = { foot: ['', '</details>'], rest: (count: number) => [`- and ${count} more`] };

/** An image and what of its reference changes, as short as it can be said. */
function placeOf({ image, from, to, policy, field }: Change): { image: string; from: string; to: string } {
  const [before, after] = [parseReference(from), parseReference(to)];
  // A marked part that stands alone is no whole reference, and its image is what its policy says.
  if (!before || !after || before.name !== image) return { image: image || policy || field, from, to };
  const hasDigests = before.tag === after.tag;
  return {
    image: before.name,
    from: shortOf(before, hasDigests),
    to: before.name === after.name ? shortOf(after, hasDigests) : to,
  };
}

/** The tag; the beginning of the digest where that is what differs, or all there is. */
function shortOf({ tag, digest }: Reference, hasDigests: boolean): string {
  const short = digest === undefined ? '' : `${digest.slice(0, digest.indexOf(':') + 13)}…`;
  if (tag === undefined) return short;
  return hasDigests && short !== '' ? `${tag}@${short}` : tag;
}
