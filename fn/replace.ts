/** Characters `[start, end)` of a text, and what stands there instead. */
export interface Replacement {
  start: number;
  end: number;
  text: string;
}

/** The text with all replacements made; they are in order and apart. */
export function replaceAll(text: string, replacements: readonly Replacement[]): string {
  const pieces: string[] = [];
  let position = 0;
  for (const { start, end, text: replacement } of replacements) {
    if (start < position) throw new RangeError(`replacements overlap at offset ${start}`);
    pieces.push(text.slice(position, start), replacement);
    position = end;
  }
  pieces.push(text.slice(position));
  return pieces.join('');
}
