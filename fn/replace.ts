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

/** One list of replacements that does what two do, the second on what the first makes of a text. */
export function chainReplacements(first: readonly Replacement[], second: readonly Replacement[]): Replacement[] {
  const middle = piecesOf(first);
  const pieces: Piece[] = [];
  let position = 0;
  for (const { start, end, text } of second) {
    pieces.push(...cut(middle, position, start), { text });
    position = end;
  }
  pieces.push(...cut(middle, position, Infinity));
  return replacementsOf(pieces);
}

/** A part of a text that was edited: of the one before it, or a new one. */
type Piece = { start: number; end: number } | { text: string };

function piecesOf(replacements: readonly Replacement[]): Piece[] {
  const pieces: Piece[] = [];
  let position = 0;
  for (const { start, end, text } of replacements) {
    pieces.push({ start: position, end: start }, { text });
    position = end;
  }
  return [...pieces, { start: position, end: Infinity }];
}

/** The pieces of `[from, to)` of the text that pieces make. */
function cut(pieces: readonly Piece[], from: number, to: number): Piece[] {
  const inside: Piece[] = [];
  let offset = 0;
  for (const piece of pieces) {
    const length = 'text' in piece ? piece.text.length : piece.end - piece.start;
    const [first, last] = [Math.max(from - offset, 0), Math.min(to - offset, length)];
    if (first < last)
      inside.push(
        'text' in piece
          ? { text: piece.text.slice(first, last) }
          : { start: piece.start + first, end: piece.start + last },
      );
    offset += length;
  }
  return inside;
}

function replacementsOf(pieces: readonly Piece[]): Replacement[] {
  const replacements: Replacement[] = [];
  let position = 0;
  let text = '';
  for (const piece of pieces) {
    if ('text' in piece) {
      text += piece.text;
      continue;
    }
    if (piece.start > position || text !== '') replacements.push({ start: position, end: piece.start, text });
    [position, text] = [piece.end, ''];
  }
  return replacements;
}
