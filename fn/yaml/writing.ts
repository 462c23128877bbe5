import { encodeText, quoteAround, readsAsString, type Quote } from './scalar.ts';
import type { Entry, MapNode, ScalarNode } from './tree.ts';

/** How whoever wrote a map would write another entry. */
export interface Writing {
  key(text: string): string;
  /** Always a text to every reader of YAML. */
  value(text: string): string;
  /** What stands between a key and its value, and, in braces on one line, between two entries. */
  colon: string;
  comma: string;
}

/** The writing that entries show, in or around a map; where they show none, that of what is around it. */
export function writingOf(text: string, entries: readonly Entry[], { flow, start }: MapNode): Writing {
  const keys = entries.map(({ key }) => key);
  const last = keys.at(-1);
  const keyQuote = last && keys.every(isQuoted) ? quoteOf(last) : undefined;
  const json = flow && keyQuote === 'double';
  const values = entries.map(({ value }) => value).filter((value) => value.kind === 'scalar');
  const quote = json ? 'double' : (quoteOf(values.findLast(isQuoted)) ?? quoteAround(text, start));
  // Who has put quotes where there could be none wants them.
  const free = values.filter(({ style, value }) => style !== 'empty' && readsAsString(value));
  const always = json || (free.length > 0 && free.every(isQuoted));
  const shown = entries.at(-1);
  const glued = json && shown !== undefined && text.slice(shown.key.end, shown.value.start) === ':';
  return {
    key: (key) => encodeText(key, keyQuote ?? 'double', keyQuote !== undefined),
    value: (value) => encodeText(value, quote, always),
    colon: glued ? ':' : ': ',
    comma: glued ? ',' : ', ',
  };
}

function isQuoted({ style }: ScalarNode): boolean {
  return style === 'single' || style === 'double';
}

function quoteOf(scalar: ScalarNode | undefined): Quote | undefined {
  return scalar?.style === 'single' || scalar?.style === 'double' ? scalar.style : undefined;
}
