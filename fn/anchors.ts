import { lineOf } from './lines.ts';
import type { Slice } from './source.ts';

/**
 * The items of a ResourceList, those joined that share an anchor, and what lies between them: to kyaml the list is one
 * document, in which an alias means the latest anchor of its name before it, in whatever item. Found by characters alone, so
 * that a list without anchors costs next to nothing; text that only looks like an anchor joins items to no harm.
 *
 * Items in flow style cannot be read but one by one or all together: `all` is then their list.
 */
export function joinShared(text: string, items: Slice[], all?: Slice): Slice[] {
  const first = items[0]?.start ?? 0;
  const end = items.at(-1)?.end ?? 0;
  const anchors = anchorsIn(text, first, end);
  if (anchors.size === 0) return items;
  const starts = items.map(({ start }) => start);
  /** To each item the last one that it is joined with. */
  const reach = items.map((_, i) => i);
  for (let at = find(text, '*', first, end); at >= 0; at = find(text, '*', at + 1, end)) {
    const places = anchors.get(nameAt(text, at, end));
    if (!places || places[0]! > at) continue;
    const [from, to] = [lineOf(starts, places[lineOf(places, at)]!), lineOf(starts, at)];
    reach[from] = Math.max(reach[from]!, to);
  }
  const joined: Slice[] = [];
  for (let i = 0; i < items.length;) {
    let last = i;
    for (let j = i; j <= last; j++) last = Math.max(last, reach[j]!);
    if (last > i && all) return [{ ...all, item: true, joined: true }];
    joined.push(last === i ? items[i]! : { start: items[i]!.start, end: items[last]!.end, item: true, joined: true });
    i = last + 1;
  }
  return joined;
}

/** Where anchors, or what looks like some, stand, by name. */
function anchorsIn(text: string, start: number, end: number): Map<string, number[]> {
  const anchors = new Map<string, number[]>();
  for (let at = find(text, '&', start, end); at >= 0; at = find(text, '&', at + 1, end)) {
    const name = nameAt(text, at, end);
    if (name === '') continue;
    const places = anchors.get(name);
    if (places) places.push(at);
    else anchors.set(name, [at]);
  }
  return anchors;
}

/** The next place before `end` where an indicator stands that could start a node. */
function find(text: string, indicator: string, from: number, end: number): number {
  for (let at = text.indexOf(indicator, from); at >= 0 && at < end; at = text.indexOf(indicator, at + 1))
    if (at === 0 || ' \t\n[{,'.includes(text[at - 1]!)) return at;
  return -1;
}

/** The `yaml` package takes longer names; nobody else does. */
const MAX_NAME = 1000;
const NAME = /[^\s,[\]{}]+/y;

/** The name behind an indicator, none if it is longer than any. */
function nameAt(text: string, indicator: number, end: number): string {
  NAME.lastIndex = indicator + 1;
  const [name = ''] = NAME.exec(text) ?? [];
  return name.length > MAX_NAME || indicator + 1 + name.length > end ? '' : name;
}
