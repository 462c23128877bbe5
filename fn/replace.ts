/** Characters `[start, end)` of a text, and what stands there instead. */
export interface Replacement {
  start: number;
  end: number;
  text: string;
}

/** The text, or `[from, to)` of it, with all replacements made; they lie in there, in order and apart. */
export function replaceAll(text: string, replacements: readonly Replacement[], from = 0, to = text.length): string {
  const pieces: string[] = [];
  let position = from;
  for (const { start, end, text: replacement } of replacements) {
    if (start < position) throw new RangeError(`replacements overlap at offset ${start}`);
    pieces.push(text.slice(position, start), replacement);
    position = end;
  }
  pieces.push(text.slice(position, to));
  return pieces.join('');
}
