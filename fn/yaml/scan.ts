import type { Node } from './tree.ts';

/** The scanner's answer to whatever it does not understand for certain; the slow reader decides. */
export const UNSURE = Symbol('unsure');

/** Reads the document in `[start, end)` fast, or gives up. Undefined for a document without content. */
export function scan(_text: string, _start: number, _end: number): Node | undefined | typeof UNSURE {
  return UNSURE;
}
