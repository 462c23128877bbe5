import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser, Schema } from 'yaml';
import type { Alias, CST, Document, Range, Scalar, YAMLError, YAMLMap, YAMLSeq } from 'yaml';
import { lineEnd } from '../lines.ts';
import type { Note } from '../note.ts';
import { commentAbove, commentAfter, documentStart } from './comments.ts';
import { MAX_DEPTH } from './scan.ts';
import type { AliasNode, Entry, MapNode, Node, ScalarNode, ScalarStyle, SeqNode, Span } from './tree.ts';

/** Why a document is not edited. */
export interface Refusal {
  problem: Note & { offset: number };
}

/** The AST takes 20 to 40 times the text's size, so this much is the most that one document may cost. */
const MAX_LENGTH = 8 * 1024 * 1024;
/**
 * What else it costs is a matter of its tokens: about 2 µs for each, so that this many are a second. A line `key: value` has
 * seven, as blanks and line breaks are some, too.
 */
const MAX_TOKENS = 500_000;
/** Tokens that make a node of their own cost as much as this many others. */
const HEAVY = 3;
const HEAVY_TOKENS = /^[[\]{},&!*]/;

/** Nothing is resolved: every scalar stays the text that it is, whatever its tag. */
const SCHEMA = new Schema({ schema: 'failsafe', resolveKnownTags: false });
const OPTIONS = { schema: SCHEMA, uniqueKeys: false, prettyErrors: false };

const STYLES: Record<string, ScalarStyle> = {
  PLAIN: 'plain',
  QUOTE_SINGLE: 'single',
  QUOTE_DOUBLE: 'double',
  BLOCK_LITERAL: 'literal',
  BLOCK_FOLDED: 'folded',
};

/**
 * Reads the one document in `[start, end)` by the `yaml` package's AST: slow and thorough. Undefined for a document
 * without content. What is not clearly one document with unique keys and known aliases is refused
 * (reference/krm-function.md D2): editing it might change what it means.
 *
 * `start` must begin a line, blanks before it aside, or a flow collection. Offsets are those of the whole `text`.
 */
export function compose(text: string, start: number, end: number): Node | undefined | Refusal {
  if (end - start > MAX_LENGTH) {
    const size = `${((end - start) / 1024 / 1024).toFixed(1)} MiB`;
    return refuse('too-large', `the document is too large for a thorough reading: ${size}, more than 8 MiB`, start);
  }
  const first = documentStart(text, start);
  // Columns after a BOM are off by one in the package.
  const base = text[first] === '\uFEFF' ? first + 1 : first;
  const slice = text.slice(base, end);
  const stray = /\r(?!\n)/.exec(slice);
  if (stray) return refuse('bare-cr', 'a line ends with CR alone; use LF or CRLF', base + stray.index);
  try {
    const composer = new Composer(OPTIONS);
    // The first error is the one that is told; a million of them take 20 s to make.
    Object.assign(composer, { onError: failer(slice, base) });
    const documents = [...composer.compose(tokensOf(slice, base, start))];
    const [error] = documents.flatMap((document) => document.errors);
    if (error) return invalid(slice, base, error);
    const [document, next] = documents.filter(hasContent);
    if (next) return refuse('several-documents', 'another document starts here without "---"', base + next.range[0]);
    return document && new Reader(text, base, end).read(document.contents);
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    if (error instanceof RangeError) return refuse('too-deep', TOO_DEEP, start);
    throw error;
  }
}

/** The tokens of a text, as many as may be. */
function* tokensOf(slice: string, base: number, start: number): Generator<CST.Token, void> {
  const parser = new Parser();
  let cost = 0;
  for (const lexeme of new Lexer().lex(slice)) {
    cost += HEAVY_TOKENS.test(lexeme) ? HEAVY : 1;
    if (cost > MAX_TOKENS)
      throw new Refused(
        refuse('too-large', 'the document is too large for a thorough reading: it has too many values', start),
      );
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error') throw new Refused(invalid(slice, base, unexpected(token)));
      yield token;
    }
  }
  yield* parser.end();
}

function unexpected({ offset, message, source }: CST.ErrorToken): Fault {
  return {
    code: 'UNEXPECTED_TOKEN',
    message: source ? `${message}: ${JSON.stringify(clip(source))}` : message,
    pos: [offset, offset + 1],
  };
}

type Fault = Pick<YAMLError, 'code' | 'message' | 'pos'>;
type Fail = (source: unknown, code: YAMLError['code'], message: string, warning?: boolean) => void;

/**
 * What the composer reports errors to, in place of collecting them: ends it at the first. It takes what is thrown below a
 * collection for an error of its own, and reports that: the first stays the one that counts.
 */
function failer(slice: string, base: number): Fail {
  let first: Refused | undefined;
  return (source, code, message, warning) => {
    if (warning) return;
    first ??= new Refused(invalid(slice, base, { code, message, pos: placeOf(source) }));
    throw first;
  };
}

/** Where the composer says that an error is: an offset, a range, or a token. */
function placeOf(source: unknown): [number, number] {
  const offset =
    typeof source === 'number' ? source : Array.isArray(source) ? source[0] : (source as CST.Token | undefined)?.offset;
  return typeof offset === 'number' ? [offset, offset + 1] : [0, 0];
}

function hasContent({ contents }: Document.Parsed): boolean {
  return (
    !isScalar(contents) ||
    contents.source !== '' ||
    contents.type !== 'PLAIN' ||
    Boolean(contents.anchor ?? contents.tag)
  );
}

function refuse(reason: string, message: string, offset: number): Refusal {
  return { problem: { reason, message, offset } };
}

/** A stranger's text, as much of it as a message can bear. */
function clip(text: string): string {
  return text.length <= MAX_QUOTED ? text : `${text.slice(0, MAX_QUOTED)}…`;
}

const MAX_QUOTED = 200;

/** Ends the reading of a document; never leaves this file. */
class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.problem.message);
    this.refusal = refusal;
  }
}

/** The commonest errors in the words of someone who writes YAML, not of someone who parses it. */
const WORDS: Partial<Record<YAMLError['code'], string>> = {
  BAD_SCALAR_START: 'a plain value may not start with this character; quote it',
  BLOCK_AS_IMPLICIT_KEY: 'a key inside the value of a key on the same line; quote the value, or start a new line',
  MULTILINE_IMPLICIT_KEY: 'a line that is neither "key: value" nor the continuation of a value',
  TAB_AS_INDENT: 'a tab is used as indentation; use spaces',
};

const TOO_DEEP = 'it is nested too deeply';

/** `{{` where a value or a line starts. */
const TEMPLATE = /^[ \t]*(?:- +)*(?:[\w./-]+:[ \t]+)?\{\{/m;

function invalid(slice: string, base: number, { code, message, pos }: Fault): Refusal {
  // What is missing at the end is told of the last line with content.
  const offset = base + Math.min(pos[0], slice.trimEnd().length);
  const before = slice.lastIndexOf('\n', slice.lastIndexOf('\n', offset - base - 1) - 1) + 1;
  if (TEMPLATE.test(slice.slice(before, lineEnd(slice, offset - base, slice.length)))) return template(offset);
  if (code === 'RESOURCE_EXHAUSTION') return refuse('too-deep', TOO_DEEP, offset);
  const reason = code === 'TAB_AS_INDENT' ? 'tab-indentation' : 'yaml-invalid';
  return refuse(reason, `not valid YAML: ${WORDS[code] ?? clip(message)}`, offset);
}

function template(offset: number): Refusal {
  return refuse(
    'template',
    'a template ("{{ … }}"), which is YAML only when rendered; move it or leave it out',
    offset,
  );
}

/** Turns one AST into our tree, in order of the text. */
class Reader {
  readonly #text: string;
  readonly #base: number;
  readonly #end: number;
  /** The latest node of each name; undefined while that node is being read. */
  readonly #anchors = new Map<string, Node | undefined>();
  /** Where the token read last ends: comments before it are not above what comes next. */
  #last: number;
  #depth = 0;

  constructor(text: string, base: number, end: number) {
    this.#text = text;
    this.#base = base;
    this.#end = end;
    this.#last = base;
  }

  read(node: unknown, inFlow = false): Node {
    if (++this.#depth > MAX_DEPTH)
      throw new Refused(refuse('too-deep', `it is nested deeper than ${MAX_DEPTH} levels`, this.#last));
    const read = isAlias(node) ? this.#alias(node, inFlow) : this.#value(node, inFlow);
    this.#depth--;
    return read;
  }

  #value(node: unknown, inFlow: boolean): Node {
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) throw new TypeError('the AST has a node of no known kind');
    const { anchor, tag } = node;
    if (anchor) this.#anchors.set(anchor, undefined);
    const value = isMap(node) ? this.#map(node) : isSeq(node) ? this.#seq(node) : this.#scalar(node, inFlow);
    if (tag) value.tag = tag;
    if (!anchor) return value;
    value.anchor = anchor;
    this.#anchors.set(anchor, value);
    return value;
  }

  #alias(alias: Alias, inFlow: boolean): AliasNode {
    const name = alias.source;
    const { start, end } = this.#span(alias);
    const target = this.#anchors.get(name);
    if (!target && this.#anchors.has(name))
      throw new Refused(
        refuse('alias-recursive', `the alias *${clip(name)} stands inside the value that it repeats`, start),
      );
    if (!target)
      throw new Refused(
        refuse('alias-undefined', `the alias *${clip(name)} has no anchor &${clip(name)} before it`, start),
      );
    this.#last = end;
    return { kind: 'alias', start, end, name, target, ...this.#comment(end, inFlow) };
  }

  #scalar(scalar: Scalar, inFlow: boolean): ScalarNode {
    const { start, end } = this.#span(scalar);
    this.#last = end;
    const value = scalar.source ?? '';
    const style = start === end ? 'empty' : STYLES[scalar.type ?? 'PLAIN']!;
    if (style !== 'literal' && style !== 'folded')
      return { kind: 'scalar', start, end, value, style, ...this.#comment(end, inFlow) };
    const header = /[|>][-+\d]*/y;
    header.lastIndex = start;
    header.test(this.#text);
    return { kind: 'scalar', start, end, value, style, ...this.#comment(header.lastIndex, false) };
  }

  #map(map: YAMLMap): MapNode {
    const { start, end } = this.#span(map);
    const flow = map.flow === true;
    if (flow && this.#text.startsWith('{{', start)) throw new Refused(template(start));
    const entries: Entry[] = [];
    const seen = new Set<string>();
    let partial: true | undefined;
    for (const pair of map.items) {
      const key = this.read(pair.key, flow);
      const value = pair.value ? this.read(pair.value, flow) : missing(key.end);
      if (key.kind !== 'scalar') {
        partial = true;
        continue;
      }
      if (seen.has(key.value)) throw new Refused(duplicate(key));
      seen.add(key.value);
      delete key.comment;
      entries.push({ key, value });
    }
    if (flow) this.#last = end;
    return { kind: 'map', start, end: this.#last, flow, entries, ...(partial && { partial }) };
  }

  #seq(seq: YAMLSeq): SeqNode {
    const { start, end } = this.#span(seq);
    const flow = seq.flow === true;
    const items: Node[] = [];
    for (const child of seq.items) {
      const from = this.#last;
      const item = this.read(child, flow);
      if (!flow && (item.kind === 'scalar' || item.kind === 'alias')) {
        const dash = items.length === 0 ? start : this.#nextToken(from);
        const above = commentAbove(this.#text, dash, from);
        if (above) item.above = above;
      }
      items.push(item);
    }
    if (flow) this.#last = end;
    return { kind: 'seq', start, end: this.#last, flow, items };
  }

  #span({ range }: { range?: Range | null | undefined }): Span {
    if (!range) throw new TypeError('the AST has a node without a place');
    return { start: this.#base + range[0], end: this.#base + range[1] };
  }

  #comment(offset: number, inFlow: boolean): { comment?: Span } {
    const comment = commentAfter(this.#text, offset, this.#end, inFlow);
    return comment ? { comment } : {};
  }

  /** The first character from `from` that is neither white space nor comment. */
  #nextToken(from: number): number {
    const gap = /(?:[ \t\r\n]|#[^\n]*)*/y;
    gap.lastIndex = from;
    gap.test(this.#text);
    return gap.lastIndex;
  }
}

function duplicate({ value, start }: ScalarNode): Refusal {
  return refuse('duplicate-key', `the key "${clip(value)}" stands twice in one map; remove one`, start);
}

function missing(offset: number): ScalarNode {
  return { kind: 'scalar', start: offset, end: offset, value: '', style: 'empty' };
}
