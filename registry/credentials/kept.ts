/** An answer, and the time (milliseconds of the clock) until which it holds. */
export interface Answer<V> {
  value: V;
  until: number;
}

/** A failure is told again for so long before anything is asked anew: a thousand repositories may want the same login. */
const FAILURE_MS = 60_000;

/** Makes a question that costs something be asked once at a time for each key, and its answer be kept until it expires. */
export function kept<V>(ask: (key: string) => Promise<Answer<V>>, now: () => number): (key: string) => Promise<V> {
  const answers = new Map<string, { value: Promise<V>; until: number }>();
  return async (key) => {
    const known = answers.get(key);
    if (known && known.until > now()) return known.value;
    const asked = ask(key);
    const entry = { value: asked.then(({ value }) => value), until: Infinity };
    answers.set(key, entry);
    asked.then(
      ({ until }) => (entry.until = until),
      () => (entry.until = now() + FAILURE_MS),
    );
    return entry.value;
  };
}
