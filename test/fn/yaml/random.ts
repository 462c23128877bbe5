/** Documents as people and tools write them, and damage to them: all from one seed, so that a failure can be repeated. */

/** Random whole numbers below `limit`, by mulberry32. */
export type Random = (limit: number) => number;

function random(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  };
}

interface Style {
  random: Random;
  /** Columns a nested map moves to the right. */
  step: number;
  /** Whether sequences stand deeper than their key. */
  wide: boolean;
  newline: string;
  anchors: string[];
  /** One in so many choices is an odd one; Infinity for none. */
  odds: number;
}

/** What is common, and what is rare, tricky or wrong. */
interface Choice {
  usual: readonly string[];
  odd: readonly string[];
}

const KEYS: Choice = {
  usual: [
    'image',
    'name',
    'metadata',
    'spec',
    'containers',
    'a',
    'b-c',
    'fluxcd.io/tag.app',
    'x/y',
    '"quoted"',
    "'it''s'",
  ],
  odd: [
    '"e\\u0041"',
    '8080',
    '-dash',
    '?q',
    'with space',
    'ümläut',
    '<<',
    '[a]',
    '"x" y',
    '😀',
    'a: b',
    '? x',
    '&k k',
    '!!str k',
    '"a\n  b"',
  ],
};
const PLAIN: Choice = {
  usual: [
    'nginx:1.2',
    'ghcr.io/org/app:v1@sha256:0a',
    'true',
    '1.10',
    '~',
    'a b  c',
    '-1',
    'http://a.b/c#d',
    "it's",
    'größe',
    '0.5',
  ],
  odd: [
    '-x',
    '?x',
    ':x',
    'a#b',
    'say "x"',
    'a, b',
    'a]b',
    '日本',
    '😀',
    '=',
    '...',
    'a{b}',
    '$(x)',
    '12:30:45',
    'a\u2028b',
    '{{x',
    '%',
    '@x',
    '`',
    '- a',
    ', x',
    '}',
    '!t x',
    '*',
    '&',
    'a: b',
    'a:',
    '? x',
    '{{ x }}',
    '"a" b',
    '\uFEFFx',
    '\u0001',
  ],
};
const QUOTED: Choice = {
  usual: [
    "'nginx:1'",
    '"nginx:1"',
    "'it''s'",
    '""',
    "''",
    '"a\\n\\tb"',
    '"# no comment"',
    "'a: b'",
    '"{{ .Values.x }}"',
  ],
  odd: [
    '"\\x41\\u00e9\\U0001F600"',
    '"a \\" b"',
    '"\\\\"',
    '"tab\there"',
    '"a\\/\\e\\0\\N\\_\\L\\P\\ "',
    '"\\ud83d\\ude00"',
    '"bad \\q"',
    '"\\x4"',
    '"\\U99999999"',
    '"open',
    "'open",
    '"a""b"',
    "'a'b",
    '"a"# c',
  ],
};
const FLOW: Choice = {
  usual: [
    '{}',
    '[]',
    '[a, b]',
    '{a: 1, "b": [x, y]}',
    '{"a":"b","c":[1,2,{"d":null}]}',
    '[ a , "b" ,]',
    "{image: 'nginx:1'}",
    '[{a: b}, {c: d}]',
  ],
  odd: [
    '{a: }',
    '[a: b]',
    '{ {x}: y }',
    '{a: http://b:c, d: e:f}',
    '{a,b: c}',
    '[-, -1]',
    '[a b, c#d]',
    '["a" , \'b\']',
    '{"a" : b}',
    '[[], {}, [[]]]',
    '{? a: b}',
    '[a, , b]',
    '[,]',
    '{a: b',
    '[a]]',
    '[a}',
    '{"a":b}',
    '{"a"::b}',
    '{a: *a}',
    '[*a, *base]',
    '[&a x]',
    '{a: b, a: c}',
    '[a\t, b]',
    '{a:b}',
    '[a:]',
    '[:a]',
    '["a":b]',
    '{a: [b}]',
  ],
};
const COMMENTS: Choice = {
  usual: [' # note', '  # {"$imagepolicy": "ns:app"}'],
  odd: [' #', '\t# tab', '# glued', ' # "quote', ' ', '\t'],
};
const HEADERS: Choice = {
  usual: ['|', '>', '|-', '>-', '|+'],
  odd: ['>+', '|2', '|2-', '>-1', '| # c', '|-  # {"x"}', '>x', '|0', '|-# c', '|+2', '|--'],
};
const BLOCK_LINES: Choice = {
  usual: ['text', '# no comment', 'a: b', '', '- x', 'image: nginx:1', '{{ x }}'],
  odd: ['  more', '\ttab', '"', '   ', '    ', 'a\u2028b', '---'],
};

function isOdd({ random: rnd, odds }: Style): boolean {
  return rnd(odds) === 0;
}

function choose(style: Style, { usual, odd }: Choice): string {
  return pick(style.random, isOdd(style) ? odd : usual);
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random(values.length)]!;
}

/** One document. Most are valid; some are on purpose not, unless it shall be `ordinary`. */
export function randomDocument(seed: number, ordinary = false): string {
  const rnd = random(seed);
  const style: Style = {
    random: rnd,
    step: pick(rnd, [2, 2, 2, 4, 3]),
    wide: rnd(2) === 0,
    newline: rnd(6) === 0 ? '\r\n' : '\n',
    anchors: [],
    odds: ordinary ? Infinity : pick(rnd, [5, 40, 200, 1000]),
  };
  let text = '';
  if (rnd(12) === 0) text += '\uFEFF';
  if (rnd(10) === 0) text += '# license\n\n';
  if (rnd(4) === 0) text += pick(rnd, ['---\n', '--- # c\n', '---  \n', '--- \n# c\n']);
  const column = rnd(15) === 0 ? rnd(4) : 0;
  const root = rnd(12);
  if (root === 0) text += `${choose(style, FLOW)}\n`;
  else if (root < 3) text += block(style, column, 0, seqLines);
  else text += block(style, column, 0, mapLines);
  if (rnd(12) === 0) text = text.trimEnd();
  else if (isOdd(style) && rnd(3) === 0) text += '...\n';
  return style.newline === '\n' ? text : text.replaceAll('\n', '\r\n');
}

type Lines = (style: Style, column: number, depth: number) => string;

/** A collection as lines at a column. */
function block(style: Style, column: number, depth: number, lines: Lines): string {
  return ' '.repeat(column) + lines(style, column, depth);
}

/** The lines of a map, the first without its indentation. */
function mapLines(style: Style, column: number, depth: number): string {
  const { random: rnd } = style;
  const count = rnd(60) === 0 ? 20 : 1 + rnd(4);
  let text = '';
  let merged = false;
  for (let i = 0; i < count; i++) {
    if (i > 0) text += between(style, column) + ' '.repeat(column);
    const key = isOdd(style) ? choose(style, KEYS) : `${choose(style, KEYS)}${i}`.replace(/(["'])(\d+)$/, '$2$1');
    const merge: boolean = rnd(30) === 0 && style.anchors.length > 0 && (!merged || isOdd(style));
    merged ||= merge;
    if (merge) text += `${pick(rnd, ['<<', '!!merge <<'])}: *${pick(rnd, style.anchors)}${comment(style)}\n`;
    else text += `${key}${isOdd(style) ? ' :' : ':'}${value(style, column, depth, false)}`;
  }
  return text;
}

function seqLines(style: Style, column: number, depth: number): string {
  const { random: rnd } = style;
  const count = 1 + rnd(3);
  let text = '';
  for (let i = 0; i < count; i++) {
    if (i > 0) text += between(style, column) + ' '.repeat(column);
    text += `-${value(style, column, depth, true)}`;
  }
  return text;
}

/** Blank lines and comments between entries. */
function between({ random: rnd }: Style, column: number): string {
  let text = '';
  while (rnd(6) === 0)
    text += pick(rnd, ['\n', `${' '.repeat(column)}# {"$imagepolicy": "x:y"}\n`, '# left\n', '  \n', '    # deep\n']);
  return text;
}

function comment(style: Style): string {
  return style.random(6) === 0 ? choose(style, COMMENTS) : '';
}

/** What follows `:` or `-`, with its line breaks. */
function value(style: Style, column: number, depth: number, isItem: boolean): string {
  const { random: rnd } = style;
  const name = !isItem && rnd(25) === 0 ? anchorName(style) : undefined;
  const text = content(style, column, depth, isItem, name === undefined ? '' : ` &${name}`);
  if (name !== undefined) style.anchors.push(name);
  return text;
}

/** Names recur, but rarely inside of a value that has the same. */
function anchorName(style: Style): string {
  const name = pick(style.random, ['a', 'base', 'x-1', 'a.b']);
  return isOdd(style) ? name : `${name}${style.random(1000)}`;
}

function content(style: Style, column: number, depth: number, isItem: boolean, anchor: string): string {
  const { random: rnd } = style;
  const kind = depth > 3 ? rnd(10) : rnd(20);
  if (kind < 5)
    return `${anchor} ${choose(style, PLAIN)}${rnd(15) === 0 ? continued(style, column) : comment(style)}\n`;
  if (kind < 7)
    return `${anchor}${pick(rnd, [' ', ' ', isOdd(style) ? '\t' : '  '])}${choose(style, QUOTED)}${comment(style)}\n`;
  if (kind === 7) return `${anchor} ${rnd(3) === 0 ? longFlow(style, column) : choose(style, FLOW)}${comment(style)}\n`;
  if (kind === 8) return anchor + blockScalar(style, column);
  if (kind === 9 && anchor !== '') return `${anchor} x\n`;
  if (kind === 9)
    return pick(rnd, [
      `${anchor}${comment(style)}\n`,
      multiQuoted(style, column),
      aliasValue(style),
      isOdd(style) ? ` !!str x\n` : ' x\n',
      `${comment(style)}\n${' '.repeat(column + 1)}${choose(style, PLAIN)}\n`,
    ]);
  if (kind < 14) {
    if (isItem && !anchor) return inlineItem(style, column, depth);
    return `${anchor}${comment(style)}\n${between(style, column)}${block(style, column + style.step, depth + 1, mapLines)}`;
  }
  const deeper = isItem || style.wide ? column + style.step : column;
  if (isItem && rnd(3) === 0) return ` ${seqLines(style, column + 2, depth + 1)}`;
  return `${anchor}${comment(style)}\n${between(style, column)}${block(style, deeper, depth + 1, seqLines)}`;
}

function inlineItem(style: Style, column: number, depth: number): string {
  const gap = pick(style.random, [1, 1, 1, 3]);
  return ' '.repeat(gap) + mapLines(style, column + 1 + gap, depth + 1);
}

function aliasValue(style: Style): string {
  if (style.anchors.length === 0 && !isOdd(style)) return '\n';
  return ` *${pick(style.random, isOdd(style) ? ['none'] : style.anchors)}\n`;
}

function continued(style: Style, column: number): string {
  const { random: rnd } = style;
  return `\n${rnd(4) === 0 ? '\n' : ''}${' '.repeat(column + 1 + rnd(3))}${isOdd(style) ? pick(rnd, ['k: v', '# c', 'end:']) : pick(rnd, ['more words', '- x', '"y"'])}`;
}

function multiQuoted(style: Style, column: number): string {
  const { random: rnd } = style;
  const indent = ' '.repeat(column + (isOdd(style) ? 0 : 1 + rnd(3)));
  return pick(rnd, [
    ` "a\n${indent}b \\\n${indent}c"\n`,
    ` 'a  \n\n${indent}b'\n`,
    ` "a\n\n\n${indent}\\n b"\n`,
    ` "\n${indent}x"\n`,
    ` 'x\n${indent}'\n`,
  ]);
}

function longFlow(style: Style, column: number): string {
  const { random: rnd } = style;
  const indent = ' '.repeat(column + (isOdd(style) ? 0 : 1 + rnd(3)));
  return pick(rnd, [
    `[\n${indent}a, # c\n${indent}"b"\n${' '.repeat(column)}]`,
    `{\n${indent}a: b,\n${indent}# c\n${indent}"d": [e,\n${indent}f]}`,
    isOdd(style) ? `[a,\n${indent}b\n${indent}c]` : `[a,\n${indent}b]`,
    `{"a":\n${indent}1}`,
  ]);
}

function blockScalar(style: Style, column: number): string {
  const { random: rnd } = style;
  const indent = column + 1 + rnd(4);
  let text = ` ${choose(style, HEADERS)}\n`;
  const lines = isOdd(style) ? 0 : 1 + rnd(4);
  for (let i = 0; i < lines; i++) {
    const line = i === 0 && !isOdd(style) ? 'first' : choose(style, BLOCK_LINES);
    text += line === '' ? '\n' : `${' '.repeat(indent)}${line}\n`;
  }
  return text;
}

/** One change to a text: kinds and places are taken modulo what there is. */
export interface Damage {
  kind: number;
  at: number;
  what: number;
}

const INSERTS = [
  ' ',
  '  ',
  '\t',
  '\n',
  '\r',
  ':',
  ': ',
  '- ',
  '#',
  ' #',
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  ',',
  '|',
  '>',
  '&a ',
  '*a',
  '!',
  '%',
  '?',
  '? ',
  '\\',
  '---\n',
  '...\n',
  '\n\n',
  '\uFEFF',
  '\0',
  '\u2028',
  '<<: ',
  '~',
  'x',
  '{{',
];

export function damage(text: string, damages: Damage[]): string {
  let result = text;
  for (const { kind, at, what } of damages) {
    const i = result.length === 0 ? 0 : at % result.length;
    const line = result.lastIndexOf('\n', i - 1) + 1;
    switch (kind % 9) {
      case 0:
        result = result.slice(0, i) + result.slice(i + 1 + (what % 3));
        break;
      case 1:
      case 2:
        result = result.slice(0, i) + INSERTS[what % INSERTS.length]! + result.slice(i);
        break;
      case 3:
        result = result.slice(0, i) + (result[i + 1] ?? '') + (result[i] ?? '') + result.slice(i + 2);
        break;
      case 4:
        result = `${result.slice(0, line)} ${result.slice(line)}`;
        break;
      case 5:
        result = result.slice(0, line) + result.slice(line).replace(/^ {1,2}/, '');
        break;
      case 6:
        result = result.slice(0, line) + result.slice(nextLine(result, i));
        break;
      case 7: {
        const next = nextLine(result, i);
        const after = nextLine(result, next);
        result = result.slice(0, line) + result.slice(next, after) + result.slice(line, next) + result.slice(after);
        break;
      }
      default:
        result = result.slice(0, i) + result.slice(i, i + (what % 80)).repeat(2) + result.slice(i + (what % 80));
    }
  }
  return result;
}

function nextLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  return newline < 0 ? text.length : newline + 1;
}
