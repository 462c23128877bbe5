import type { Refusal } from './compose.ts';
import { scan, UNSURE } from './scan.ts';
import type { Node } from './tree.ts';

/** A document that was read. `root` is undefined where it has no content. */
export interface ReadDocument {
  root: Node | undefined;
  /** Whether the fast scanner was sure of it; else the `yaml` package read it. */
  sure: boolean;
}

/**
 * Reads the one document in `[start, end)`: by the fast scanner, or where that gives up by the `yaml` package, which is
 * loaded only then. `start` must begin a line, blanks before it aside; offsets are those of the whole `text`.
 */
export async function readDocument(text: string, start = 0, end = text.length): Promise<ReadDocument | Refusal> {
  const scanned = scan(text, start, end);
  if (scanned !== UNSURE) return { root: scanned, sure: true };
  const { compose } = await import('./compose.ts');
  const composed = compose(text, start, end);
  return composed && 'problem' in composed ? composed : { root: composed, sure: false };
}
