/**
 * Patterns that JavaScript's own engine may run: those that RE2 accepts, that mean the same in both for any tag, and that
 * cannot backtrack far. It is five times as fast as the RE2 port, and nearly all patterns for tags are such: characters,
 * classes, repeated single characters, groups, alternatives; `^` first, `$` last. All others stay with RE2.
 */
export interface NativeRegexp {
  regexp: RegExp;
  groupCount: number;
  groupNames: Readonly<Record<string, number>>;
}

/** The pattern for JavaScript's engine, for texts of at most `MAX_TEXT` characters; undefined to leave it to RE2. */
export function nativeRegexp(pattern: string): NativeRegexp | undefined {
  const parsed = new Reader(pattern).read();
  if (!parsed) return undefined;
  const { sequence, fromStart, toEnd, groupCount, groupNames } = parsed;
  const starts = fromStart || leadsWithAnything(sequence) ? 1 : MAX_TEXT;
  if (analyse(sequence, 0n).cost * starts > MAX_COST) return undefined;
  const anchor = starts === 1 ? '^' : '';
  const regexp = new RegExp(anchor + sequence.map(print).join('') + (toEnd ? '$' : ''));
  return { regexp, groupCount, groupNames };
}

/** The length of the longest tag. */
export const MAX_TEXT = 128;

/** How many ways through a text there may be, each of them a few hundred steps at most. */
const MAX_COST = 2 * MAX_TEXT;

/** Patterns nested deeper are left to RE2. */
const MAX_DEPTH = 16;

/** Counts such as `{40}` add up to this at most; RE2 allows 1000 each. */
const MAX_COUNTS = 1000;

/** ASCII characters, one bit each. */
type CharSet = bigint;

type Item = Repeated | Group;

interface Repeated {
  kind: 'chars';
  chars: CharSet;
  min: number;
  max: number;
  lazy: boolean;
}

interface Group {
  kind: 'group';
  captures: boolean;
  optional: boolean;
  lazy: boolean;
  alternatives: Item[][];
}

const EVERY: CharSet = (1n << 128n) - 1n;
const DIGIT = range('0', '9');
const WORD = DIGIT | range('A', 'Z') | range('a', 'z') | one('_');
const ESCAPED_SETS: Record<string, CharSet> = { d: DIGIT, w: WORD, D: EVERY & ~DIGIT, W: EVERY & ~WORD };

function range(from: string, to: string): CharSet {
  let set = 0n;
  for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++) set |= 1n << BigInt(code);
  return set;
}

function one(char: string): CharSet {
  return range(char, char);
}

const LITERAL = /^[A-Za-z0-9_ !"#%&',/:;<=>@`~-]$/;
const CLASS_LITERAL = /^[A-Za-z0-9_ !"#%&',/:;<=>@`~.$*+?(){}|]$/;
const CLASS_RANGE = /([A-Za-z0-9])-([A-Za-z0-9])/y;
const ESCAPED_LITERAL = /^[!-/:-@[-`{-~]$/;
const COUNT = /\{([0-9]+)(,([0-9]*))?\}/y;
const GROUP_START = /\((?:(\?:)|\?P?<([A-Za-z_][A-Za-z0-9_]*)>|(?!\?))/y;

interface Parsed extends Omit<NativeRegexp, 'regexp'> {
  sequence: Item[];
  fromStart: boolean;
  toEnd: boolean;
}

/** Gives up at the first thing that is not surely valid RE2 and the same in both dialects. */
class Reader {
  readonly #text: string;
  #at = 0;
  #counts = 0;
  #groupCount = 0;
  #groupNames: Record<string, number> = Object.create(null) as Record<string, number>;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Parsed | undefined {
    const fromStart = this.#take('^');
    const sequence = this.#sequence(0);
    const toEnd = this.#take('$');
    if (!sequence || this.#at < this.#text.length) return undefined;
    return { sequence, fromStart, toEnd, groupCount: this.#groupCount, groupNames: this.#groupNames };
  }

  /** Up to what it cannot read, which is for the caller to judge. */
  #sequence(depth: number): Item[] | undefined {
    const items: Item[] = [];
    while (this.#at < this.#text.length && !'|)$'.includes(this.#peek())) {
      const item = this.#peek() === '(' ? this.#group(depth + 1) : this.#repeated();
      if (!item) return undefined;
      items.push(item);
    }
    return items;
  }

  #group(depth: number): Group | undefined {
    const start = this.#match(GROUP_START);
    if (!start || depth > MAX_DEPTH) return undefined;
    const [, plain, name] = start;
    if (plain === undefined) this.#groupCount++;
    if (name !== undefined && name in this.#groupNames) return undefined;
    if (name !== undefined) this.#groupNames[name] = this.#groupCount;
    const alternatives: Item[][] = [];
    do {
      const sequence = this.#sequence(depth);
      if (!sequence) return undefined;
      alternatives.push(sequence);
    } while (this.#take('|'));
    if (!this.#take(')')) return undefined;
    const optional = this.#take('?');
    const lazy = optional && this.#take('?');
    // JavaScript alone takes an optional part that matches nothing for left out.
    if (optional && alternatives.some(canBeEmpty)) return undefined;
    if ('*+?{'.includes(this.#peek() || ' ')) return undefined;
    return { kind: 'group', captures: plain === undefined, optional, lazy, alternatives };
  }

  #repeated(): Repeated | undefined {
    const chars = this.#chars();
    if (chars === undefined) return undefined;
    const count = this.#match(COUNT);
    const [min, max] = count ? readCount(count) : this.#quantifier();
    this.#counts += count ? (max === Infinity ? min : max) : 0;
    if (min > max || this.#counts > MAX_COUNTS) return undefined;
    const lazy = (count !== null || min !== max) && this.#take('?');
    return '*+?{'.includes(this.#peek() || ' ') ? undefined : { kind: 'chars', chars, min, max, lazy };
  }

  #quantifier(): [min: number, max: number] {
    if (this.#take('*')) return [0, Infinity];
    if (this.#take('+')) return [1, Infinity];
    return this.#take('?') ? [0, 1] : [1, 1];
  }

  #chars(): CharSet | undefined {
    const char = this.#next();
    if (char === '.') return EVERY;
    if (char === '[') return this.#class();
    if (char === '\\') return this.#escaped();
    return LITERAL.test(char) ? one(char) : undefined;
  }

  #class(): CharSet | undefined {
    const negated = this.#take('^');
    let set = 0n;
    do {
      const part = this.#classPart();
      if (part === undefined) return undefined;
      set |= part;
    } while (!this.#take(']'));
    return negated ? EVERY & ~set : set;
  }

  #classPart(): CharSet | undefined {
    const [, low, high] = this.#match(CLASS_RANGE) ?? [];
    if (low !== undefined && high !== undefined) return low <= high ? range(low, high) : undefined;
    const char = this.#next();
    if (char === '\\') return this.#escaped();
    if (char === '-') return this.#peek() === ']' ? one(char) : undefined;
    return CLASS_LITERAL.test(char) ? one(char) : undefined;
  }

  #escaped(): CharSet | undefined {
    const char = this.#next();
    return ESCAPED_SETS[char] ?? (ESCAPED_LITERAL.test(char) ? one(char) : undefined);
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #next(): string {
    return this.#text[this.#at++] ?? '';
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const match = expression.exec(this.#text);
    if (match) this.#at = expression.lastIndex;
    return match;
  }
}

function canBeEmpty(sequence: Item[]): boolean {
  return sequence.every((item) => {
    if (item.kind === 'chars') return item.min === 0;
    return item.optional || item.alternatives.some(canBeEmpty);
  });
}

function readCount([, min, comma, max]: RegExpExecArray): [min: number, max: number] {
  if (comma === undefined) return [Number(min), Number(min)];
  return [Number(min), max ? Number(max) : Infinity];
}

/** The characters a sequence may start with, those that may follow it included; and how many ways lead through it. */
interface Analysis {
  first: CharSet;
  cost: number;
}

/**
 * A repetition forks only where the next character fits both it and what follows: `[0-9]+-` does not, `.*-` does. Where
 * nothing forks, a failing match gives each character back once, in vain, and that is all.
 */
function analyse(sequence: Item[], following: CharSet): Analysis {
  let first = following;
  let cost = 1;
  for (const item of sequence.toReversed()) {
    if (item.kind === 'chars') {
      if (item.min !== item.max && (item.chars & first) !== 0n) cost *= Math.min(item.max, MAX_TEXT) - item.min + 1;
      first = item.min === 0 ? item.chars | first : item.chars;
      continue;
    }
    const following = first;
    const ways = item.alternatives.map((alternative) => analyse(alternative, following));
    if (item.optional) ways.push({ first, cost: 1 });
    const costs = ways.map((way) => way.cost);
    cost *= areDisjoint(ways) ? Math.max(...costs) : costs.reduce((sum, each) => sum + each, 0);
    first = ways.reduce((union, way) => union | way.first, 0n);
  }
  return { first, cost };
}

function areDisjoint(ways: Analysis[]): boolean {
  let seen = 0n;
  for (const { first } of ways) {
    if ((first & seen) !== 0n) return false;
    seen |= first;
  }
  return true;
}

/** A search that starts with `.*` finds at the start of the text or nowhere. */
function leadsWithAnything([item]: Item[]): boolean {
  if (item === undefined) return false;
  if (item.kind === 'chars') return item.chars === EVERY && item.min === 0 && item.max === Infinity;
  const [only, other] = item.alternatives;
  return only !== undefined && other === undefined && !item.optional && leadsWithAnything(only);
}

function print(item: Item): string {
  const lazy = item.lazy ? '?' : '';
  if (item.kind === 'chars') return printChars(item.chars) + printCount(item) + lazy;
  const inner = item.alternatives.map((alternative) => alternative.map(print).join('')).join('|');
  return `${item.captures ? '(' : '(?:'}${inner})${item.optional ? '?' : ''}${lazy}`;
}

function printCount({ min, max }: Repeated): string {
  if (min === 1 && max === 1) return '';
  return max === Infinity ? `{${min},}` : `{${min},${max}}`;
}

function printChars(set: CharSet): string {
  let body = '';
  for (let code = 0; code < 128; code++) {
    const from = code;
    while (has(set, code)) code++;
    if (code > from) body += code - from === 1 ? hex(from) : `${hex(from)}-${hex(code - 1)}`;
  }
  return body.length === 4 ? body : `[${body}]`;
}

function has(set: CharSet, code: number): boolean {
  return ((set >> BigInt(code)) & 1n) === 1n;
}

function hex(code: number): string {
  return `\\x${code.toString(16).padStart(2, '0')}`;
}
