/**
 * Markdown in which nothing that a stranger wrote means anything: whatever comes from images, manifests and registries stands in
 * code spans, in which forges see no markup, no HTML, no people and no links.
 */

/** A longer value is no name that anybody reads. */
const MAX_CODE = 300;

/**
 * A code span, of a table's cell or of a line. What would end the span or the cell is another character that looks alike;
 * what GitLab acts on even in code, such as `closes #1`, is taken apart by a space of no width.
 */
export function code(text: string): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
  const short = line.length > MAX_CODE ? `${line.slice(0, MAX_CODE).replace(/[\uD800-\uDBFF]$/, '')}…` : line;
  const plain = short.replaceAll('`', 'ˋ').replaceAll('|', '¦').replaceAll('<!--', '<!\u200B--');
  return plain === '' ? '—' : `\`${harmless(plain)}\``;
}

/** A value for a title, which has no code: nobody is called, nothing is referred to or closed. */
export function plain(text: string): string {
  return harmless(text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')).replaceAll(/@(?=[\w-])/g, '@\u200B');
}

/** What the forges take for an order to close something (docs.github.com, "Linking a pull request to an issue"; docs.gitlab.com, "Closing issues automatically"). */
const CLOSING = /\b(clos|fix|resolv|implement)(?=(?:e[sd]?|ed|es|s|ing)?:?\s)/gi;

function harmless(text: string): string {
  return text
    .replaceAll(CLOSING, '$1\u200B')
    .replaceAll(/([#!])(?=\w)/g, '$1\u200B')
    .replaceAll('://', ':\u200B//');
}

/** A list or table that may be too long for its place. */
export interface Section {
  head: readonly string[];
  rows: readonly string[];
  foot: readonly string[];
  /** What stands for rows that are left out. */
  rest: (count: number) => readonly string[];
}

/** The lines of a section that have room, cut at a row; nothing if not even one row has. */
export function fit({ head, rows, foot, rest }: Section, room: number): string {
  const whole = [...head, ...rows, ...foot].join('\n');
  if (whole.length <= room) return whole;
  let kept = 0;
  let length = [...head, ...rest(rows.length), ...foot].join('\n').length;
  while (kept < rows.length && length + rows[kept]!.length + 1 <= room) length += rows[kept++]!.length + 1;
  return kept === 0 ? '' : [...head, ...rows.slice(0, kept), ...rest(rows.length - kept), ...foot].join('\n');
}
