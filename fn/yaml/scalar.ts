import type { ScalarNode } from './tree.ts';

/**
 * The characters that make a scalar of `text` say `value`, in the style that it has (reference/krm-function.md D4.6):
 * quotes stay; a plain scalar gets some only where the new text would not read as text; a block scalar keeps its header
 * and indentation, and what its header says about line breaks at the end.
 */
export function encodeScalar(scalar: ScalarNode, value: string, text: string): string {
  switch (scalar.style) {
    case 'single':
      return single(value);
    case 'double':
      return double(value);
    case 'plain':
      return plain(scalar, value, text);
    case 'empty':
      return before(scalar, text) + plain(scalar, value, text) + (text[scalar.start] === '#' ? ' ' : '');
    case 'literal':
    case 'folded':
      return block(scalar, value, text);
  }
}

/** Words that are null, a boolean or a merge key to some reader of YAML 1.1 or 1.2. */
const WORDS = new Set(['', 'null', 'true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', '.inf', '.nan']);
/**
 * Decimal, octal, hexadecimal, binary and base-60 numbers of any reader; without sign, as no unquoted text has one. An
 * exponent alone (`e5`, a fair tag) is a number to `yaml` under YAML 1.1.
 */
const NUMBER =
  /^(?:e[-+]?\d+|\d+(?:\.\d*)?(?:e[-+]?\d*)?|\.\d*(?:e[-+]?\d*)?|0o[0-7]*|0x[\da-f]*|0b[01]*|\d+(?::[0-5]?\d)+(?:\.\d*)?)$/;
const DATE = /^\d{4}-\d\d?-\d\d?(?:$|t)/;
/** Safe without quotes in block and flow style alike: what references, tags, digests and most filters are made of. */
const SAFE = /^[\w./](?:[\w./@+~^*$=<>()|!-]|:(?=[\w./@+~^*$=<>()|!-])| (?=[\w./@+~^*$=<>()|!-]))*$/;

/** Whether a text without quotes reads as that very text under YAML 1.1 and 1.2, in block and in flow style. */
export function readsAsString(value: string): boolean {
  if (!SAFE.test(value)) return false;
  return !isOtherWord(value);
}

/** Whether plain characters without a sign are a word or a number of YAML. */
function isOtherWord(value: string): boolean {
  // Readers of YAML 1.1 pass over underscores in numbers, some of them anywhere.
  const bare = value.toLowerCase().replaceAll('_', '');
  return WORDS.has(bare) || NUMBER.test(bare) || DATE.test(bare);
}

function plain({ start }: ScalarNode, value: string, text: string): string {
  if (readsAsString(value)) return value;
  return encodeText(value, quoteAround(text, start), true);
}

/** Whether a scalar is a text, and the same one, to readers of YAML 1.1 and 1.2 alike; one with a tag is what the tag says. */
export function isText({ style, value, tag }: ScalarNode): boolean {
  if (tag !== undefined) return /(?:^|[!:])str$/.test(tag);
  if (style !== 'plain') return style !== 'empty';
  return !SIGNED.test(value) && !isOtherWord(value);
}

/** What may be a number to some reader, null, or a value of YAML 1.1. */
const SIGNED = /^(?:[-+][\d.]|[~=]$|<<$)/;

/** The quotes of a scalar. */
export type Quote = 'single' | 'double';

/** A text as a scalar of its own: in quotes if it needs some, or if there shall be some. */
export function encodeText(value: string, quote: Quote, always: boolean): string {
  if (!always && readsAsString(value)) return value;
  return quote === 'single' ? single(value) : double(value);
}

/** How far to look for quotes: a ResourceList holds files of many hands. */
const NEIGHBOURHOOD = 10_000;

/** The quotes around a place: single ones, if no others are there. */
export function quoteAround(text: string, offset: number): Quote {
  const around = text.slice(Math.max(0, offset - NEIGHBOURHOOD), offset + NEIGHBOURHOOD);
  return /[:-] +'/.test(around) && !/[:-] +"/.test(around) ? 'single' : 'double';
}

/** Line breaks to some reader or other, and what may not stand in YAML unescaped. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\uFEFF\uFFFE\uFFFF]/u;

function single(value: string): string {
  return UNPRINTABLE.test(value) ? double(value) : `'${value.replaceAll("'", "''")}'`;
}

/** JSON's escapes are YAML's, too; JSON leaves some characters as they are that YAML does not have. */
function double(value: string): string {
  return JSON.stringify(value).replaceAll(
    /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What sets a value apart from the indicator that it follows; a key of a flow map may have no colon yet. */
function before({ start, anchor, tag }: ScalarNode, text: string): string {
  if (anchor !== undefined || tag !== undefined) return /\s/.test(text[start - 1]!) ? '' : ' ';
  const [, indicator, blanks] = /(.?)(\s*)$/s.exec(text.slice(Math.max(0, start - 100), start))!;
  const colon = indicator === ':' || indicator === '-' ? '' : ':';
  return colon + (blanks === '' || colon !== '' ? ' ' : '');
}

/** The value behind the body's own indentation, or quoted where it could not stand there. */
function block({ start, end, value: old }: ScalarNode, value: string, text: string): string {
  const [header = '', ...lines] = text.slice(start, end).split(/(?<=\n)/);
  const first = lines.find((line) => /[^ \r\n]/.test(line)) ?? '';
  // Blanks that an indentation indicator makes part of the value are not part of the indentation.
  const indent = /^ */.exec(first)![0].length - /^\n*( *)/.exec(old)![1]!.length;
  const last = lines.findLastIndex((line) => /[^\r\n]/.test(line.slice(indent)));
  const tail = /\r?\n?$/.exec(lines[last] ?? header)![0] + lines.slice(last + 1).join('');
  // What chomping adds or takes away is not part of the line that is written.
  const content = value.replace(/\n+$/, '');
  if (first !== '' && /^\S/.test(content) && !UNPRINTABLE.test(content))
    return header + ' '.repeat(indent) + content + tail;
  return double(value) + (/[ \t]+#[^\r\n]*/.exec(header)?.[0] ?? '') + tail;
}
