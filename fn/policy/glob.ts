/**
 * Compiles a glob of Flux v1: `*` stands for any run of characters, none and `/` included, and is the only special
 * character; all else must match exactly, from end to end. Linear time. (reference/flux-v1-mode.md §7)
 */
export function glob(pattern: string): (text: string) => boolean {
  const [head = '', ...pieces] = pattern.split('*');
  const tail = pieces.pop();
  if (tail === undefined) return (text) => text === pattern;
  return (text) => {
    if (!text.startsWith(head)) return false;
    let from = head.length;
    for (const piece of pieces) {
      const found = text.indexOf(piece, from);
      if (found < 0) return false;
      from = found + piece.length;
    }
    return text.length - from >= tail.length && text.endsWith(tail);
  };
}
