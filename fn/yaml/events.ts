import { EVENT_ID, getScalarValue, parseEvents, type Event, type ScalarEvent } from 'js-yaml';
import type { Write } from './check.ts';

/** `equal`: proved. `unknown`: a difference, or a text that this parser does not take; the thorough one decides. */
export type Verdict = 'equal' | 'unknown';

/**
 * Compares two documents event for event by js-yaml; scalars that were written must decode to what was meant. The
 * document before stands at `offset` of the text that the scalars were read from.
 */
export function compare(before: string, after: string, writes: readonly Write[], offset: number): Verdict {
  let old: Event[];
  let now: Event[];
  try {
    old = parseEvents(before, {});
    now = parseEvents(after, {});
  } catch {
    return 'unknown';
  }
  if (old.length !== now.length) return 'unknown';
  let next = 0;
  for (let i = 0; i < old.length; i++) {
    const [a, b] = [old[i]!, now[i]!];
    if (a.type !== b.type) return 'unknown';
    if (
      a.type === EVENT_ID.POP ||
      b.type === EVENT_ID.POP ||
      a.type === EVENT_ID.DOCUMENT ||
      b.type === EVENT_ID.DOCUMENT
    )
      continue;
    if (name(before, a) !== name(after, b)) return 'unknown';
    if (a.type !== EVENT_ID.SCALAR || b.type !== EVENT_ID.SCALAR) continue;
    const write = writes[next];
    if (write && isAt(a, write.scalar.start - offset, write.scalar.end - offset)) {
      if (getScalarValue(after, b) !== write.value) return 'unknown';
      next++;
    } else if (!isSpeltAlike(before, a, after, b) && getScalarValue(before, a) !== getScalarValue(after, b))
      return 'unknown';
  }
  return next === writes.length ? 'equal' : 'unknown';
}

/** Whether two scalars are the same text in the same style, and so say the same: a long block costs much to decode. */
function isSpeltAlike(before: string, a: ScalarEvent, after: string, b: ScalarEvent): boolean {
  return (
    a.style === b.style &&
    a.indent === b.indent &&
    a.chomping === b.chomping &&
    a.fast === b.fast &&
    before.slice(a.valueStart, a.valueEnd) === after.slice(b.valueStart, b.valueEnd)
  );
}

/** Quotes and block headers are part of a scalar to us, not to js-yaml. */
function isAt({ valueStart, valueEnd }: { valueStart: number; valueEnd: number }, start: number, end: number): boolean {
  return valueStart >= start && valueStart <= end && valueEnd >= start;
}

/** Anchor and tag, as text. */
function name(source: string, event: Exclude<Event, { type: typeof EVENT_ID.POP | typeof EVENT_ID.DOCUMENT }>): string {
  const anchor = event.anchorStart < 0 ? '' : source.slice(event.anchorStart, event.anchorEnd);
  if (event.type === EVENT_ID.ALIAS || event.tagStart < 0) return anchor;
  return `${anchor} ${source.slice(event.tagStart, event.tagEnd)}`;
}
