/** The text that a quoted, folded or block scalar stands for (YAML 1.2.2 §7.3 and §8.1). Raw text comes without quotes. */

/** A plain scalar over several lines: breaks become blanks, blank lines breaks. */
export function decodePlain(raw: string): string {
  const lines = raw.split(/\r?\n/);
  let value = lines[0]!.replace(TRAILING, '');
  let breaks = 0;
  for (const [i, line] of lines.entries()) {
    if (i === 0) continue;
    const last = i === lines.length - 1;
    const content = (last ? line : line.replace(TRAILING, '')).replace(LEADING, '');
    if (content === '' && !last) breaks++;
    else {
      value += (breaks > 0 ? '\n'.repeat(breaks) : ' ') + content;
      breaks = 0;
    }
  }
  return value;
}

const LEADING = /^[ \t]+/;
const TRAILING = /(?<![ \t])[ \t]+$/;

export function decodeSingle(raw: string): string {
  return (raw.includes('\n') ? decodePlain(raw) : raw).replaceAll("''", "'");
}

const ESCAPES: Record<string, string> = {
  '0': '\0',
  a: '\u0007',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\u001B',
  ' ': ' ',
  '"': '"',
  '/': '/',
  '\\': '\\',
  N: '\u0085',
  _: '\u00A0',
  L: '\u2028',
  P: '\u2029',
};
const HEX_DIGITS: Record<string, number> = { x: 2, u: 4, U: 8 };

/** An escape, or a break with the blank lines and blanks after it; a no-break space is none of YAML's blanks. */
const SPECIAL = /\\(?:\r?\n[ \t]*|[^])|\r?\n[ \t\r\n]*/g;

/** Undefined for an escape that YAML does not have. */
export function decodeDouble(raw: string): string | undefined {
  let value = '';
  let from = 0;
  for (const { index, 0: special } of raw.matchAll(SPECIAL)) {
    if (index < from) continue;
    const isBreak = !special.startsWith('\\');
    const before = raw.slice(from, index);
    value += isBreak ? before.replace(TRAILING, '') : before;
    from = index + special.length;
    if (isBreak) {
      const breaks = special.split('\n').length - 1;
      value += breaks === 1 ? ' ' : '\n'.repeat(breaks - 1);
      continue;
    }
    const char = special[1]!;
    if (char === '\n' || char === '\r') continue;
    const digits = HEX_DIGITS[char];
    const decoded = digits === undefined ? ESCAPES[char] : fromHex(raw.slice(from, from + digits), digits);
    if (decoded === undefined) return undefined;
    value += decoded;
    from += digits ?? 0;
  }
  return value + raw.slice(from);
}

function fromHex(hex: string, digits: number): string | undefined {
  if (hex.length !== digits || !/^[\da-fA-F]+$/.test(hex)) return undefined;
  const code = Number.parseInt(hex, 16);
  return code > 0x10_ffff ? undefined : String.fromCodePoint(code);
}

/** What a block scalar does with the break after its last line, and with blank lines after that. */
export type Chomping = 'strip' | 'clip' | 'keep';

/** `lines` come without indentation and breaks, blank ones as empty; `trailing` counts the blank lines at the end. */
export function decodeBlock(lines: string[], trailing: number, folded: boolean, chomping: Chomping): string {
  const content = folded ? fold(lines) : lines.join('\n');
  if (chomping === 'strip') return content;
  return content + '\n'.repeat(chomping === 'keep' ? 1 + trailing : 1);
}

/** Breaks between two lines become a blank, unless one of them is indented further. */
function fold(lines: string[]): string {
  let value = '';
  let breaks = 0;
  let previous: 'none' | 'text' | 'indented' = 'none';
  for (const line of lines) {
    if (line === '') {
      breaks++;
      continue;
    }
    const current = line.startsWith(' ') || line.startsWith('\t') ? 'indented' : 'text';
    if (previous === 'none') value += '\n'.repeat(breaks);
    else if (previous === 'text' && current === 'text') value += breaks > 0 ? '\n'.repeat(breaks) : ' ';
    else value += '\n'.repeat(breaks + 1);
    value += line;
    breaks = 0;
    previous = current;
  }
  return value;
}
