import { commentAfter, documentStart } from './comments.ts';
import { decodeBlock, decodeDouble, decodePlain, decodeSingle, type Chomping } from './decode.ts';
import type { AliasNode, Entry, MapNode, Node, ScalarNode, ScalarStyle, SeqNode, Span } from './tree.ts';

/** The scanner's answer to whatever it does not understand for certain; the slow reader decides. */
export const UNSURE = Symbol('unsure');

/** Deeper than any manifest; both readers stop there, long before their stacks do. */
export const MAX_DEPTH = 256;

/**
 * Reads the one document in `[start, end)` in one forward pass, or gives up. Undefined for a document without content.
 *
 * What it accepts is well-formed and has unique keys, and the tree is the one that `compose` makes; tags, `? ` keys,
 * directives, templates, tabs as indentation and other rarities are left to `compose`
 * (reference/krm-function.md D4.3). `start` must begin a line, blanks before it aside, or a flow collection.
 */
export function scan(text: string, start = 0, end = text.length): Node | undefined | typeof UNSURE {
  try {
    return new Scanner(text, start, beforeDocumentEnd(text, start, end)).document();
  } catch (error) {
    if (error === GAVE_UP) return UNSURE;
    throw error;
  }
}

/** Where a `...` that closes the document stands; `end` where none does. */
function beforeDocumentEnd(text: string, start: number, end: number): number {
  let last = end;
  for (; last > start; last--) {
    const code = text.charCodeAt(last - 1);
    if (!isSeparator(code) || (code === CR && (last === end || text.charCodeAt(last) !== LF))) break;
  }
  const marker = last - 3;
  return marker > start && text.startsWith('...', marker) && text.charCodeAt(marker - 1) === LF ? marker : end;
}

/** Made once: an error with a stack trace for each document would cost more than the document. */
const GAVE_UP = new Error('the scanner gave up');

function giveUp(): never {
  throw GAVE_UP;
}

const END = -1;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const BANG = 0x21;
const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const AMPERSAND = 0x26;
const SINGLE_QUOTE = 0x27;
const ASTERISK = 0x2a;
const PLUS = 0x2b;
const COMMA = 0x2c;
const DASH = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const GREATER = 0x3e;
const QUESTION = 0x3f;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const PIPE = 0x7c;
const CLOSE_BRACE = 0x7d;
const BOM = 0xfeff;

/** Characters that no plain scalar starts with, and the BOM; `-`, `?` and `:` depend on what follows. */
const INDICATORS = new Set(Array.from(',[]{}#&*!|>\'"%@`\uFEFF', (char) => char.charCodeAt(0)));
/** A key that starts earlier than this before its colon is left to the slow reader; YAML's limit is 1,024. */
const MAX_KEY = 1000;
/** Maps with more keys than this look for duplicates by a Set. */
const FEW_KEYS = 8;

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function isLineEnd(code: number): boolean {
  return code === LF || code === CR || code === END;
}

/** Whether an indicator before this character is one. */
function isSeparator(code: number): boolean {
  return code === SPACE || code === LF || code === END || code === TAB || code === CR;
}

function isFlowIndicator(code: number): boolean {
  return (
    code === COMMA || code === OPEN_BRACKET || code === CLOSE_BRACKET || code === OPEN_BRACE || code === CLOSE_BRACE
  );
}

function isNameCharacter(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= ZERO && code <= NINE) ||
    code === 0x5f ||
    code === DASH ||
    code === DOT
  );
}

/** Where a block node stands: as the value of a key, or as the item of a sequence. */
type Place = 'value' | 'item';

class Scanner {
  readonly #text: string;
  readonly #end: number;
  #pos: number;
  #lineStart: number;
  /** After `#next`: the column of the content at `#pos`, -1 at the end of the document. */
  #column = 0;
  /** After `#next`: the comment on the line that it left; start -1 for none. */
  #commentStart = -1;
  #commentEnd = -1;
  /** After `#next`: the comment lines directly above the content; start -1 for none. */
  #aboveStart = -1;
  #aboveEnd = -1;
  /** After `#next`: whether it passed any comment. */
  #passedComment = false;
  /** After `#next`: the least column of the comment lines that it passed. */
  #commentColumn = Infinity;
  #depth = 0;
  #flowDepth = 0;
  /** The latest node of each name; undefined while that node is being read. */
  #anchors: Map<string, Node | undefined> | undefined;

  constructor(text: string, start: number, end: number) {
    this.#text = text;
    this.#end = end;
    this.#lineStart = this.#pos = documentStart(text, start);
    if (this.#code(this.#pos) === BOM) this.#lineStart = ++this.#pos;
  }

  document(): Node | undefined {
    this.#next(true);
    if (this.#column < 0) return undefined;
    const root = this.#node(-1, this.#column, true);
    if (this.#column >= 0 || root.kind === 'scalar') giveUp();
    return root;
  }

  #code(offset: number): number {
    return offset < this.#end ? this.#text.charCodeAt(offset) : END;
  }

  /** Moves on to the next content, over the rest of this line and over comment and blank lines. */
  #next(first = false): void {
    let i = this.#pos;
    this.#commentStart = -1;
    this.#aboveStart = -1;
    this.#passedComment = false;
    this.#commentColumn = Infinity;
    if (i !== this.#lineStart) {
      let code = this.#code(i);
      while (isBlank(code)) code = this.#code(++i);
      if (code === HASH) {
        if (!isBlank(this.#code(i - 1))) giveUp();
        this.#commentStart = i;
        this.#passedComment = true;
        i = this.#commentEnd = this.#lineEnd(i);
      }
      i = this.#lineBreak(i);
    }
    for (;;) {
      this.#lineStart = i;
      let code = this.#code(i);
      while (code === SPACE) code = this.#code(++i);
      if (code === HASH) {
        if (this.#aboveStart < 0) this.#aboveStart = i;
        this.#passedComment = true;
        this.#commentColumn = Math.min(this.#commentColumn, i - this.#lineStart);
        i = this.#aboveEnd = this.#lineEnd(i);
        if (i < this.#end) i = this.#lineBreak(i);
      } else if (code === LF || code === CR) {
        i = this.#lineBreak(i);
        this.#aboveStart = -1;
      } else if (code === END) {
        this.#pos = i;
        this.#column = -1;
        return;
      } else if (i === this.#lineStart && (code === DASH || code === DOT) && this.#isMarker(i)) {
        if (!first || code === DOT) giveUp();
        first = false;
        i += 3;
        while (isBlank(this.#code(i))) i++;
        if (this.#code(i) === HASH) i = this.#lineEnd(i);
        i = this.#lineBreak(i);
        this.#aboveStart = -1;
      } else {
        if (code === TAB) giveUp();
        this.#pos = i;
        this.#column = i - this.#lineStart;
        return;
      }
    }
  }

  /** Whether a document marker stands here, at the start of a line. */
  #isMarker(i: number): boolean {
    const code = this.#code(i);
    return this.#code(i + 1) === code && this.#code(i + 2) === code && isSeparator(this.#code(i + 3));
  }

  /** Where this line ends, before its break. */
  #lineEnd(from: number): number {
    let i = from;
    let code = this.#code(i);
    while (code !== LF && code !== END) {
      if (code < SPACE && code !== TAB) {
        if (code === CR && this.#code(i + 1) === LF) return i;
        giveUp();
      }
      code = this.#code(++i);
    }
    return i;
  }

  /** The start of the next line, from the end of this one. */
  #lineBreak(i: number): number {
    const code = this.#code(i);
    if (code === LF) return i + 1;
    if (code === END) return i;
    if (code === CR && this.#code(i + 1) === LF) return i + 2;
    return giveUp();
  }

  /**
   * The node that starts here, in a collection at column `parent`. A block collection may start here if `column`, where
   * it would, is not negative; `fresh` says that nothing stands before it on its line.
   */
  #node(parent: number, column: number, fresh: boolean): Node {
    const code = this.#code(this.#pos);
    switch (code) {
      case DOUBLE_QUOTE:
      case SINGLE_QUOTE: {
        const scalar = this.#quoted(parent);
        if (column >= 0 && this.#atColon(scalar)) return this.#map(column, scalar);
        return this.#leaf(scalar);
      }
      case OPEN_BRACE:
      case OPEN_BRACKET: {
        const collection = this.#flow(parent);
        this.#next();
        return collection;
      }
      case PIPE:
      case GREATER:
        return this.#block(parent);
      case ASTERISK:
        return this.#leaf(this.#alias());
      case BANG:
        if (column < 0) giveUp();
        return this.#map(column, this.#mergeKey());
      case DASH:
        if (!isSeparator(this.#code(this.#pos + 1))) break;
        if (column < 0) giveUp();
        return this.#seq(column, fresh);
      default:
    }
    const start = this.#pos;
    const end = this.#plainLine();
    if (this.#code(this.#pos) !== COLON) return this.#plain(parent, start, end);
    if (column < 0) giveUp();
    const key = this.#scalar(start, end, 'plain', this.#text.slice(start, end));
    if (!this.#atColon(key)) giveUp();
    return this.#map(column, key);
  }

  #scalar(start: number, end: number, style: ScalarStyle, value: string): ScalarNode {
    return { kind: 'scalar', start, end, value, style };
  }

  #leaf<T extends ScalarNode | AliasNode>(node: T): T {
    this.#next();
    if (this.#commentStart >= 0) node.comment = { start: this.#commentStart, end: this.#commentEnd };
    return node;
  }

  /** Passes the colon after a key; false if there is none. */
  #atColon(key: ScalarNode): boolean {
    let i = this.#pos;
    while (isBlank(this.#code(i))) i++;
    if (this.#code(i) !== COLON || !isSeparator(this.#code(i + 1))) return false;
    if (key.start < this.#lineStart || i - key.start > MAX_KEY) giveUp();
    this.#pos = i + 1;
    return true;
  }

  #map(column: number, firstKey: ScalarNode): MapNode {
    if (++this.#depth >= MAX_DEPTH) giveUp();
    const entries: Entry[] = [];
    let seen: Set<string> | undefined;
    let key = firstKey;
    for (;;) {
      seen = checkUnique(entries, key, seen);
      const value = this.#value(column, 'value');
      entries.push({ key, value });
      if (this.#column !== column) break;
      key = this.#key();
    }
    if (this.#column > column) giveUp();
    this.#depth--;
    return { kind: 'map', start: firstKey.start, end: entries.at(-1)!.value.end, flow: false, entries };
  }

  #key(): ScalarNode {
    const code = this.#code(this.#pos);
    if (code === BANG) return this.#mergeKey();
    let key: ScalarNode;
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) key = this.#quoted(MAX_KEY);
    else {
      const start = this.#pos;
      const end = this.#plainLine();
      key = this.#scalar(start, end, 'plain', this.#text.slice(start, end));
    }
    if (!this.#atColon(key)) giveUp();
    return key;
  }

  /** kyaml writes `<<` so. */
  #mergeKey(): ScalarNode {
    if (!this.#text.startsWith('!!merge <<:', this.#pos)) giveUp();
    const start = this.#pos + '!!merge '.length;
    this.#pos = start + 2;
    const key = this.#scalar(start, start + 2, 'plain', '<<');
    key.tag = 'tag:yaml.org,2002:merge';
    if (!this.#atColon(key)) giveUp();
    return key;
  }

  #seq(column: number, fresh: boolean): SeqNode {
    if (++this.#depth >= MAX_DEPTH) giveUp();
    const start = this.#pos;
    const items: Node[] = [];
    let above = fresh ? this.#aboveStart : -1;
    do {
      const aboveEnd = this.#aboveEnd;
      this.#pos++;
      const item = this.#value(column, 'item');
      if (above >= 0 && (item.kind === 'scalar' || item.kind === 'alias')) item.above = { start: above, end: aboveEnd };
      items.push(item);
      above = this.#aboveStart;
    } while (this.#column === column && this.#code(this.#pos) === DASH && isSeparator(this.#code(this.#pos + 1)));
    if (this.#column > column) giveUp();
    this.#depth--;
    return { kind: 'seq', start, end: items.at(-1)!.end, flow: false, items };
  }

  /** What follows the indicator of a key or an item at column `parent`, on its line or on the next ones. */
  #value(parent: number, place: Place, anchored = false): Node {
    let code = this.#code(this.#pos);
    while (isBlank(code)) {
      if (code === TAB && place === 'item') giveUp();
      code = this.#code(++this.#pos);
    }
    if (code === AMPERSAND && !anchored) return this.#anchored(parent, place);
    if (!isLineEnd(code) && code !== HASH)
      return this.#node(parent, place === 'item' && !anchored ? this.#pos - this.#lineStart : -1, false);
    const start = this.#pos;
    this.#next();
    if (this.#column > parent) return this.#node(parent, this.#column, true);
    const sameColumn = place === 'value' && this.#column === parent;
    if (sameColumn && this.#code(this.#pos) === DASH && isSeparator(this.#code(this.#pos + 1)))
      return this.#seq(parent, true);
    const empty = this.#scalar(start, start, 'empty', '');
    if (this.#commentStart >= 0) empty.comment = { start: this.#commentStart, end: this.#commentEnd };
    return empty;
  }

  #anchored(parent: number, place: Place): Node {
    const name = this.#name();
    if (!isSeparator(this.#code(this.#pos))) giveUp();
    this.#anchors ??= new Map();
    this.#anchors.set(name, undefined);
    const node = this.#value(parent, place, true);
    if (node.kind === 'alias' || (node.kind === 'scalar' && node.style === 'empty') || node.anchor) giveUp();
    node.anchor = name;
    this.#anchors.set(name, node);
    return node;
  }

  #alias(): AliasNode {
    const start = this.#pos;
    const name = this.#name();
    return { kind: 'alias', start, end: this.#pos, name, target: this.#anchors?.get(name) ?? giveUp() };
  }

  /** The name after `&` or `*`. */
  #name(): string {
    const start = ++this.#pos;
    while (isNameCharacter(this.#code(this.#pos))) this.#pos++;
    if (this.#pos === start) giveUp();
    return this.#text.slice(start, this.#pos);
  }

  /** Passes the part of a plain scalar that stands on this line, and returns where it ends. Stops at colon, comment or break. */
  #plainLine(continued = false): number {
    let i = this.#pos;
    let code = this.#code(i);
    if (!continued) {
      if (INDICATORS.has(code)) giveUp();
      if ((code === DASH || code === QUESTION || code === COLON) && isSeparator(this.#code(i + 1))) giveUp();
    }
    let end = i;
    for (;;) {
      if (code > COLON) end = ++i;
      else if (code === COLON) {
        if (isSeparator(this.#code(i + 1))) break;
        end = ++i;
      } else if (code > SPACE) end = ++i;
      else if (isBlank(code)) {
        while (isBlank(this.#code(i))) i++;
        if (this.#code(i) === HASH) break;
      } else if (isLineEnd(code)) break;
      else giveUp();
      code = this.#code(i);
    }
    this.#pos = i;
    return end;
  }

  /** A plain scalar whose first line is read, with the lines that go on. */
  #plain(parent: number, start: number, firstEnd: number): ScalarNode {
    // Below a comment that is indented less than the value, the AST may take the lines after a plain value for more of it.
    if (this.#commentColumn <= parent && /^ *(?:&|$)/.test(this.#text.slice(this.#lineStart, start))) giveUp();
    const scalar = this.#leaf(this.#scalar(start, firstEnd, 'plain', ''));
    while (this.#column > parent) {
      if (this.#passedComment) giveUp();
      scalar.end = this.#plainLine(true);
      if (this.#code(this.#pos) === COLON) giveUp();
      this.#leaf(scalar);
    }
    const raw = this.#text.slice(start, scalar.end);
    scalar.value = scalar.end === firstEnd ? raw : decodePlain(raw);
    return scalar;
  }

  /** A quoted scalar; lines that it goes on over are indented deeper than `parent`. */
  #quoted(parent: number): ScalarNode {
    const start = this.#pos;
    const quote = this.#code(start);
    let i = start + 1;
    let special = false;
    for (;;) {
      const code = this.#code(i);
      if (code === quote) {
        if (quote === DOUBLE_QUOTE || this.#code(i + 1) !== SINGLE_QUOTE) break;
        special = true;
        i += 2;
      } else if (code === BACKSLASH && quote === DOUBLE_QUOTE) {
        special = true;
        i += isLineEnd(this.#code(i + 1)) ? 1 : 2;
      } else if (code === LF || code === CR) {
        special = true;
        i = this.#continuation(this.#lineBreak(i), parent);
      } else {
        if (code < SPACE && code !== TAB) giveUp();
        i++;
      }
    }
    this.#pos = i + 1;
    const raw = this.#text.slice(start + 1, i);
    if (quote === SINGLE_QUOTE) return this.#scalar(start, i + 1, 'single', special ? decodeSingle(raw) : raw);
    return this.#scalar(start, i + 1, 'double', special ? (decodeDouble(raw) ?? giveUp()) : raw);
  }

  /** The first character of a quoted scalar's next line. */
  #continuation(line: number, parent: number): number {
    this.#lineStart = line;
    let i = line;
    while (this.#code(i) === SPACE) i++;
    const code = this.#code(i);
    if (code === TAB || (!isLineEnd(code) && i - line <= parent)) giveUp();
    if (i === line && (code === DASH || code === DOT) && this.#isMarker(i)) giveUp();
    return i;
  }

  /** A literal or folded scalar in a collection at column `parent`. */
  #block(parent: number): ScalarNode {
    if (parent < 0) giveUp();
    const start = this.#pos;
    const style = this.#code(start) === PIPE ? 'literal' : 'folded';
    let chomping: Chomping | undefined;
    let indent = -1;
    let code = this.#code(++this.#pos);
    for (; !isSeparator(code); code = this.#code(++this.#pos)) {
      if ((code === DASH || code === PLUS) && !chomping) chomping = code === DASH ? 'strip' : 'keep';
      else if (code > ZERO && code <= NINE && indent < 0) indent = parent + code - ZERO;
      else giveUp();
    }
    let i = this.#pos;
    while (isBlank(this.#code(i))) i++;
    let comment: Span | undefined;
    if (this.#code(i) === HASH) comment = { start: i, end: (i = this.#lineEnd(i)) };
    const content = this.#blockLines(this.#lineBreak(i), parent, indent);
    const end = chomping === 'keep' ? content.blankEnd : content.end;
    const value = decodeBlock(content.lines, content.trailing, style === 'folded', chomping ?? 'clip');
    const scalar = this.#scalar(start, end, style, value);
    if (comment) scalar.comment = comment;
    this.#pos = this.#lineStart = end;
    this.#next();
    return scalar;
  }

  /** The lines of a block scalar, without their indentation: `indent` columns, or what the first line has (-1). */
  #blockLines(from: number, parent: number, indent: number): BlockLines {
    const lines: string[] = [];
    let trailing = 0;
    let end = from;
    let widestBlank = 0;
    let i = from;
    while (i < this.#end) {
      const line = i;
      let code = this.#code(i);
      while (code === SPACE) code = this.#code(++i);
      const width = i - line;
      if (isLineEnd(code)) {
        if (indent >= 0 && width > indent) giveUp();
        widestBlank = Math.max(widestBlank, width);
        trailing++;
        i = this.#lineBreak(i);
        continue;
      }
      if (code === TAB && (indent < 0 || width < indent)) giveUp();
      if (indent < 0) {
        if (widestBlank > width) giveUp();
        indent = width;
      }
      if (width < indent || indent <= parent) {
        i = line;
        break;
      }
      for (; trailing > 0; trailing--) lines.push('');
      i = this.#lineEnd(i);
      lines.push(this.#text.slice(line + indent, i));
      end = i = this.#lineBreak(i);
    }
    if (lines.length === 0) giveUp();
    return { lines, trailing, end, blankEnd: i };
  }

  /** A flow collection; lines that it goes on over are indented deeper than `parent`. */
  #flow(parent: number): MapNode | SeqNode {
    if (++this.#depth >= MAX_DEPTH) giveUp();
    this.#flowDepth++;
    const collection = this.#code(this.#pos) === OPEN_BRACE ? this.#flowMap(parent) : this.#flowSeq(parent);
    this.#flowDepth--;
    this.#depth--;
    return collection;
  }

  #flowMap(parent: number): MapNode {
    const start = this.#pos++;
    const entries: Entry[] = [];
    let seen: Set<string> | undefined;
    while (this.#skipFlow(parent) !== CLOSE_BRACE) {
      const key = this.#flowKey(parent);
      seen = checkUnique(entries, key, seen);
      const code = this.#skipFlow(parent);
      if (code === COMMA || code === CLOSE_BRACE) giveUp();
      entries.push({ key, value: this.#flowNode(parent) });
      if (!this.#flowComma(parent, CLOSE_BRACE)) break;
    }
    return { kind: 'map', start, end: ++this.#pos, flow: true, entries };
  }

  #flowSeq(parent: number): SeqNode {
    const start = this.#pos++;
    const items: Node[] = [];
    while (this.#skipFlow(parent) !== CLOSE_BRACKET) {
      items.push(this.#flowNode(parent));
      if (!this.#flowComma(parent, CLOSE_BRACKET)) break;
    }
    return { kind: 'seq', start, end: ++this.#pos, flow: true, items };
  }

  /** Passes the comma after an item; false at the end of the collection. */
  #flowComma(parent: number, close: number): boolean {
    const code = this.#skipFlow(parent);
    if (code === close) return false;
    if (code !== COMMA) giveUp();
    this.#pos++;
    return true;
  }

  #flowKey(parent: number): ScalarNode {
    const code = this.#code(this.#pos);
    const isQuoted = code === DOUBLE_QUOTE || code === SINGLE_QUOTE;
    const key = isQuoted ? this.#quoted(parent) : this.#flowPlain();
    while (isBlank(this.#code(this.#pos))) this.#pos++;
    if (key.start < this.#lineStart || this.#code(this.#pos) !== COLON) giveUp();
    this.#pos++;
    if (!isSeparator(this.#code(this.#pos)) && !(isQuoted && this.#code(this.#pos - 2) === code)) giveUp();
    return key;
  }

  #flowNode(parent: number): Node {
    const code = this.#code(this.#pos);
    if (code === OPEN_BRACE || code === OPEN_BRACKET) return this.#flow(parent);
    const isQuoted = code === DOUBLE_QUOTE || code === SINGLE_QUOTE;
    const node = isQuoted ? this.#quoted(parent) : code === ASTERISK ? this.#alias() : this.#flowPlain();
    const after = this.#code(this.#pos);
    if (!isSeparator(after) && !isFlowIndicator(after)) giveUp();
    const comment = commentAfter(this.#text, node.end, this.#end, true);
    if (comment) node.comment = comment;
    return node;
  }

  /** A plain scalar on one line in a flow collection. */
  #flowPlain(): ScalarNode {
    const start = this.#pos;
    let i = start;
    let code = this.#code(i);
    if (INDICATORS.has(code)) giveUp();
    if (code === DASH || code === QUESTION || code === COLON) {
      const next = this.#code(i + 1);
      if (isSeparator(next) || isFlowIndicator(next)) giveUp();
    }
    let end = i;
    for (; !isLineEnd(code); code = this.#code(i)) {
      if (isBlank(code)) {
        while (isBlank(this.#code(i))) i++;
        if (this.#code(i) === HASH) break;
        continue;
      }
      if (isFlowIndicator(code)) break;
      if (code === COLON) {
        const next = this.#code(i + 1);
        if (isSeparator(next)) break;
        if (isFlowIndicator(next)) giveUp();
      } else if (code < SPACE) giveUp();
      end = ++i;
    }
    this.#pos = end;
    return this.#scalar(start, end, 'plain', this.#text.slice(start, end));
  }

  /** Moves on to the next token of a flow collection, and returns its first character. */
  #skipFlow(parent: number): number {
    let i = this.#pos;
    for (;;) {
      const code = this.#code(i);
      if (isBlank(code)) i++;
      else if (code === LF || code === CR) i = this.#flowLine(this.#lineBreak(i), parent);
      else if (code === HASH && (i === this.#lineStart || isBlank(this.#code(i - 1)))) i = this.#lineEnd(i);
      else {
        this.#pos = i;
        return code === END ? giveUp() : code;
      }
    }
  }

  /** The first character of a flow collection's next line; its last bracket may stand at the column of the parent. */
  #flowLine(line: number, parent: number): number {
    this.#lineStart = line;
    let i = line;
    while (this.#code(i) === SPACE) i++;
    const code = this.#code(i);
    const column = i - line;
    if (isLineEnd(code)) return i;
    if (code === TAB && parent >= 0) giveUp();
    if (column === 0 && (code === DASH || code === DOT) && this.#isMarker(i)) giveUp();
    const isLast = this.#flowDepth === 1 && (code === CLOSE_BRACE || code === CLOSE_BRACKET);
    if (column < parent || (column === parent && !isLast)) giveUp();
    return i;
  }
}

interface BlockLines {
  lines: string[];
  /** Blank lines after the last line. */
  trailing: number;
  /** After the last line's break. */
  end: number;
  /** After the blank lines. */
  blankEnd: number;
}

/** Gives up if a map has this key already; returns what it has seen, once that is worth a Set. */
function checkUnique(entries: Entry[], { value }: ScalarNode, seen: Set<string> | undefined): Set<string> | undefined {
  if (entries.length <= FEW_KEYS) {
    for (const entry of entries) if (entry.key.value === value) giveUp();
    return undefined;
  }
  const keys = seen ?? new Set(entries.map((entry) => entry.key.value));
  if (keys.has(value)) giveUp();
  return keys.add(value);
}
