import type { ScalarNode } from './tree.ts';

/**
 * The characters that make a scalar say `value`, in the style that it has (reference/krm-function.md D4.6): quotes stay,
 * a plain scalar gets some only where the new text would not read as text, a block scalar keeps its header and indentation.
 */
export function encodeScalar({ style, start, end }: ScalarNode, value: string, text: string): string {
  switch (style) {
    case 'single':
      return isPrintable(value) ? single(value) : JSON.stringify(value);
    case 'double':
      return JSON.stringify(value);
    case 'literal':
    case 'folded':
      return block(text.slice(start, end), value);
    case 'plain':
      return readsAsString(value) ? value : quoted(value, text);
    case 'empty': {
      const before = text[start - 1];
      const gap = before === ' ' || before === '\n' || before === undefined ? '' : ' ';
      return gap + (readsAsString(value) ? value : quoted(value, text));
    }
  }
}

/** Words that are null or a boolean to some reader of YAML 1.1 or 1.2, in lower case. */
const WORDS = new Set(['', '~', 'null', 'true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', '<<', '=']);
/** Decimal, octal, hexadecimal, binary and base-60 numbers, floats, `.inf` and `.nan`, underscores as in YAML 1.1. */
const NUMBER =
  /^[-+]?(?:\d[\d_]*(?:\.[\d_]*)?(?:[eE][-+]?\d+)?|\.[\d_]+(?:[eE][-+]?\d+)?|0o[0-7_]+|0x[\dA-Fa-f_]+|0b[01_]+|\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?|\.inf|\.Inf|\.INF)$|^\.(?:nan|NaN|NAN)$/;
const DATE = /^\d{4}-\d{1,2}-\d{1,2}(?:$|[Tt\s])/;
/** Safe without quotes in block and flow style alike: what references, tags and digests are made of. */
const SAFE = /^[\w./][\w./@:+-]*$/;

/** Whether a text without quotes reads as that very text under YAML 1.1 and 1.2, in block and in flow style. */
export function readsAsString(value: string): boolean {
  if (!SAFE.test(value) || value.endsWith(':')) return false;
  return !WORDS.has(value.toLowerCase()) && !NUMBER.test(value) && !DATE.test(value);
}

/** In the kind of quotes that the file uses; double if it uses neither. */
function quoted(value: string, text: string): string {
  const apostrophe = /:[ \t]+'/.test(text) && !/:[ \t]+"/.test(text);
  return apostrophe && isPrintable(value) ? single(value) : JSON.stringify(value);
}

function single(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function isPrintable(value: string): boolean {
  return /^[\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe]*$/.test(value);
}

/** The body's text replaced behind its own indentation; the header, and the lines that end it, stay. */
function block(source: string, value: string): string {
  const [header = '', ...lines] = source.split(/(?<=\n)/);
  const first = lines.findIndex((line) => line.trim() !== '');
  const last = lines.findLastIndex((line) => line.trim() !== '');
  const indentation = /^ */.exec(lines[first] ?? '')![0];
  const ending = /\r?\n?$/.exec(lines[last] ?? '')![0];
  // What chomping adds or takes away is not part of the line that is written.
  const body = value.replace(/\n+$/, '');
  return header + lines.slice(0, first).join('') + indentation + body + ending + lines.slice(last + 1).join('');
}
