/**
 * Writes values as YAML in the many ways people write it, and notes where each automated field came to lie. It knows
 * nothing of Kubernetes, and shares no code with the product: its offsets are the truth that the product is held to.
 */
import type { Random } from './random.ts';

/** What a field says now and what it says once its automation has run. Both need no escapes in any quotes. */
export interface Slot {
  slot: true;
  old: string;
  new: string;
  /** The repository or policy whose news change the field. */
  group: string;
}

export type Value = string | number | boolean | null | Slot | Written | Value[] | ValueMap;

export interface ValueMap {
  [key: string]: Value;
}

const HOW = Symbol('how');

/** A value with a say in how it is written. */
export interface Written {
  [HOW]: How;
  value: Value;
}

export interface How {
  /** Scalars: a quote style, the value on a line of its own, or a block scalar. Collections: `flow`. */
  style?: 'plain' | 'single' | 'double' | 'literal' | 'folded' | 'next-line' | 'flow';
  /** Text of a comment behind the value, without `#`. */
  comment?: string;
  anchor?: string;
  /** Writes `*alias`; the value is not looked at. */
  alias?: string;
}

export function as(value: Value, how: How): Written {
  return { [HOW]: how, value };
}

export function alias(name: string): Written {
  return as(null, { alias: name });
}

/** The value without its `How`. */
export function plainly(value: Value): Exclude<Value, Written> {
  return isWritten(value) ? plainly(value.value) : value;
}

export function howOf(value: Value): How {
  return isWritten(value) ? value[HOW] : {};
}

export interface Style {
  indent: number;
  /** Sequences start at the column of their key. */
  flush: boolean;
  /** Width of a dash and the blanks after it. */
  dash: number;
  eol: '\n' | '\r\n';
  bom: boolean;
  finalNewline: boolean;
  /** The quotes for what must be quoted. */
  quote: 'single' | 'double';
  /** How likely a string is quoted that need not be. */
  quoted: number;
  /** How likely a line carries a comment, or has one above. */
  comments: number;
  /** How likely an entry has a blank line above. */
  blanks: number;
  /** How likely other oddities are: trailing blanks, several blanks after a colon, quoted keys. */
  odd: number;
  /** kyaml writes `!!merge <<`, and single quotes around a colon in a flow collection. */
  kyaml: boolean;
}

/** How kyaml writes what a function reads (reference/krm-function.md A1). */
export const KYAML: Style = {
  indent: 2,
  flush: true,
  dash: 2,
  eol: '\n',
  bom: false,
  finalNewline: true,
  quote: 'double',
  quoted: 0.1,
  comments: 0.02,
  blanks: 0,
  odd: 0,
  kyaml: true,
};

/** A replacement in a text; `offset` counts UTF-16 units, a byte order mark included. */
export interface Edit {
  offset: number;
  old: string;
  new: string;
}

export interface GroupedEdit extends Edit {
  group: string;
}

export class Page {
  text = '';
  readonly edits: GroupedEdit[] = [];
  readonly #style: Style;
  readonly #random: Random;

  constructor(style: Style, random: Random) {
    this.#style = style;
    this.#random = random;
    if (style.bom) this.text = '\uFEFF';
  }

  /** Raw text; line ends become the style's. */
  put(text: string): void {
    this.text += this.#style.eol === '\n' ? text : text.replaceAll('\n', this.#style.eol);
  }

  /** A whole document, without a `---`. */
  document(value: ValueMap): void {
    this.#map(value, 0, false);
  }

  /** One item of a sequence that starts at column 0. */
  item(value: ValueMap): void {
    this.put('- ');
    this.#map(value, 2, true);
  }

  /** Ends the page; a last newline goes if the style has none. */
  close(): void {
    if (!this.#style.finalNewline && this.text.endsWith(this.#style.eol)) {
      this.text = this.text.slice(0, -this.#style.eol.length);
    }
  }

  #map(map: ValueMap, column: number, inline: boolean): void {
    let first = inline;
    for (const [key, value] of Object.entries(map)) {
      if (!first) {
        this.#between(column);
        this.put(' '.repeat(column));
      }
      first = false;
      this.put(`${this.#key(key)}:`);
      this.#value(value, column);
    }
  }

  #sequence(items: readonly Value[], column: number): void {
    for (const item of items) {
      this.#between(column);
      this.put(' '.repeat(column) + '-');
      const inner = plainly(item);
      const how = howOf(item);
      if (how.alias || how.anchor || !isMap(inner) || how.style === 'flow') {
        this.#value(item, column);
        continue;
      }
      this.put(' '.repeat(this.#style.dash - 1));
      this.#map(inner, column + this.#style.dash, true);
    }
  }

  /** Everything after `key:` or `-`, up to and with the line's end. */
  #value(value: Value, column: number): void {
    const inner = plainly(value);
    const how = howOf(value);
    const deeper = column + this.#style.indent;
    if (how.alias) return this.#scalar(how, () => this.put(`*${how.alias}`));
    if (isCollection(inner) && !isEmpty(inner) && how.style !== 'flow') {
      if (how.anchor) this.put(` &${how.anchor}`);
      this.#endLine(how);
      if (Array.isArray(inner)) return this.#sequence(inner, this.#style.flush ? column : deeper);
      return this.#map(inner, deeper, false);
    }
    if (how.style === 'literal' && typeof inner === 'string') {
      this.put(inner.endsWith('\n') ? ' |\n' : ' |-\n');
      for (const line of inner.replace(/\n$/, '').split('\n'))
        this.put(line === '' ? '\n' : `${' '.repeat(deeper)}${line}\n`);
      return undefined;
    }
    if (how.style === 'folded' || how.style === 'next-line') {
      if (how.anchor) this.put(` &${how.anchor}`);
      this.put(`${how.style === 'folded' ? ' >-' : ''}\n${' '.repeat(deeper)}`);
      if (!isCollection(inner)) this.#content(inner, how.style === 'folded' ? 'plain' : undefined, false);
      this.put('\n');
      return undefined;
    }
    return this.#scalar(how, () => this.#inline(value, false));
  }

  #scalar(how: How, write: () => void): void {
    this.put(this.#happens(this.#style.odd) ? '   ' : ' ');
    write();
    this.#endLine(how);
  }

  /** A scalar or a flow collection, on one line. */
  #inline(value: Value, inFlow: boolean): void {
    const inner = plainly(value);
    const how = howOf(value);
    if (how.alias) return this.put(`*${how.alias}${inFlow ? ' ' : ''}`);
    if (how.anchor) this.put(`&${how.anchor} `);
    if (Array.isArray(inner)) {
      this.put('[');
      for (const [index, item] of inner.entries()) {
        if (index > 0) this.put(', ');
        this.#inline(item, true);
      }
      return this.put(']');
    }
    if (isMap(inner)) {
      this.put('{');
      for (const [index, [key, item]] of Object.entries(inner).entries()) {
        if (index > 0) this.put(', ');
        this.put(`${this.#key(key)}: `);
        this.#inline(item, true);
      }
      return this.put('}');
    }
    const style = how.style === 'single' || how.style === 'double' || how.style === 'plain' ? how.style : undefined;
    return this.#content(inner, style, inFlow);
  }

  #content(
    value: Exclude<Value, Written | Value[] | ValueMap>,
    style: 'plain' | 'single' | 'double' | undefined,
    inFlow: boolean,
  ): void {
    if (value === null) return this.put('null');
    if (typeof value === 'number' || typeof value === 'boolean') return this.put(String(value));
    const text = typeof value === 'string' ? value : value.old;
    const texts = typeof value === 'string' ? [value] : [value.old, value.new];
    const chosen = style ?? this.#quotes(texts, inFlow);
    const quote = chosen === 'plain' ? '' : chosen === 'single' ? "'" : '"';
    if (typeof value === 'string') {
      if (chosen === 'double') return this.put(JSON.stringify(value));
      return this.put(quote + (chosen === 'single' ? value.replaceAll("'", "''") : value) + quote);
    }
    this.put(quote);
    if (value.old !== value.new)
      this.edits.push({ offset: this.text.length, old: value.old, new: value.new, group: value.group });
    this.put(text + quote);
    return undefined;
  }

  #quotes(texts: readonly string[], inFlow: boolean): 'plain' | 'single' | 'double' {
    if (texts.some((text) => text.includes('\n'))) return 'double';
    if (this.#style.kyaml && inFlow && texts.some((text) => text.includes(':'))) return 'single';
    if (!texts.every((text) => canBePlain(text, inFlow))) return this.#style.quote;
    return this.#happens(this.#style.quoted) ? this.#style.quote : 'plain';
  }

  #key(key: string): string {
    if (key === '<<') return this.#style.kyaml ? '!!merge <<' : key;
    if (!canBePlain(key, true)) return JSON.stringify(key);
    return this.#happens(this.#style.odd) ? `"${key}"` : key;
  }

  #endLine(how: How): void {
    if (how.comment !== undefined) this.put(` # ${how.comment}`);
    else if (this.#happens(this.#style.comments))
      this.put(`${this.#random.pick([' ', '  ', '\t'])}#${this.#random.pick(COMMENTS)}`);
    else if (this.#happens(this.#style.odd)) this.put('  ');
    this.put('\n');
  }

  /** What may stand above a line. */
  #between(column: number): void {
    if (this.#happens(this.#style.blanks)) this.put(this.#random.pick(['\n', '\n', '\n\n', '  \n']));
    if (!this.#happens(this.#style.comments)) return;
    const at = this.#random.chance(0.8) ? column : this.#random.int(column + 2);
    this.put(`${' '.repeat(at)}#${this.#random.pick(COMMENTS)}\n`);
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#random.chance(probability);
  }
}

const COMMENTS = [
  ' managed by the platform team',
  ' TODO: drop after the migration',
  ' image: nginx:1.0.0',
  '   - name: old',
  ' größer als nötig, "quoted" and {braced: [yes]}',
  " don't touch: see the run book",
  ' 🚢 shipped on Fridays',
  ' fluxcd.io/automated: "true" was here once',
  '',
  '- see https://wiki.example.com/x#deploy',
  '############################',
];

/** Whether a text reads back as this very string without quotes, in YAML 1.1 and 1.2. Errs on the side of quotes. */
function canBePlain(text: string, inFlow: boolean): boolean {
  if (!/^[A-Za-z0-9_./^(][^\n\t]*$/.test(text) || /: |:$| #|\s$/.test(text)) return false;
  if (inFlow && /[,[\]{}?*&!|>'"%@`]|: ?/.test(text.replaceAll(/:(?=[\w/])/g, ''))) return false;
  return (
    !/^(?:true|false|yes|no|on|off|y|n|null|[-+.\d][\d_.,]*(?:e[-+]?\d+)?|0[xob][\da-f_]+|\d+(?::\d+)+(?:\.\d*)?|\d{4}-\d\d?-\d\d?.*|\.inf|\.nan)$/i.test(
      text,
    ) || /^\d+\.\d+\.\d+$/.test(text)
  );
}

function isWritten(value: Value): value is Written {
  return typeof value === 'object' && value !== null && HOW in value;
}

function isSlot(value: Value): value is Slot {
  return typeof value === 'object' && value !== null && 'slot' in value && value.slot === true;
}

export function isMap(value: Value): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isWritten(value) && !isSlot(value);
}

function isCollection(value: Value): value is Value[] | ValueMap {
  return Array.isArray(value) || isMap(value);
}

function isEmpty(value: Value[] | ValueMap): boolean {
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}
