/** What of a tag's age is known against a minimum; `unknown` asks for a look-up. */
export type Ripeness = 'old' | 'young' | 'unknown';

/** How far to look ahead: look-ups at once, more the longer the search takes. */
const MAX_AHEAD = 8;

/**
 * The tags to look up next so as to know the first that is old enough, in the order in which the rule prefers them; none
 * when it is known, or when none is left. What stands below the first old one can't win, so the choice is that of full
 * knowledge. `done` is how many were looked up so far.
 */
export function searchRipe(ordered: readonly string[], ripeness: (name: string) => Ripeness, done: number): string[] {
  const ahead = Math.min(done + 1, MAX_AHEAD);
  const wanted: string[] = [];
  for (const name of ordered) {
    const known = ripeness(name);
    if (known === 'old') break;
    if (known === 'young') continue;
    wanted.push(name);
    if (wanted.length === ahead) break;
  }
  return wanted;
}
