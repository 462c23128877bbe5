/**
 * Replacement templates as Go's `Regexp.Expand` reads them, for `extract` of an ImagePolicy: `$1`, `${1}`, `$name`,
 * `${name}`, `$$` for a dollar. A name without braces is as long as possible: `$1x` is `${1x}`, not `${1}x`.
 */
export interface Template {
  expand: (groups: Groups) => string;
  /** References that the pattern has no group for; they expand to nothing, as in Go. */
  unknown: string[];
}

/** What a pattern matched: the whole at 0, then its groups, undefined where a group took no part. */
export type Groups = readonly (string | undefined)[];

const REFERENCE = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;
const INDEX = /^(?:0|[1-9][0-9]{0,8})$/;

/** Compiles a template for a pattern with `count` groups, some of them named. A dollar that starts no reference is itself. */
export function readTemplate(text: string, count: number, names: Readonly<Record<string, number>>): Template {
  const parts: (string | number)[] = [];
  const unknown: string[] = [];
  let end = 0;
  for (const match of text.matchAll(REFERENCE)) {
    parts.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    const name = match[1] ?? match[2];
    const index = name === undefined ? undefined : groupIndex(name, count, names);
    if (name === undefined) parts.push('$');
    else if (index === undefined) unknown.push(match[0]);
    else parts.push(index);
  }
  parts.push(text.slice(end));
  const used = parts.filter((part) => part !== '');
  const [only] = used;
  if (used.length === 1 && typeof only === 'number') return { expand: (groups) => groups[only] ?? '', unknown };
  return { expand: (groups) => used.map((part) => (typeof part === 'number' ? groups[part] : part)).join(''), unknown };
}

function groupIndex(name: string, count: number, names: Readonly<Record<string, number>>): number | undefined {
  if (!INDEX.test(name)) return Object.hasOwn(names, name) ? names[name] : undefined;
  return Number(name) <= count ? Number(name) : undefined;
}
