/** A small seeded generator of pseudo-random numbers: the same seed gives the same corpus on every machine. */
export interface Random {
  /** A whole number from 0 up to, not including, `below`. */
  int(below: number): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** One of the rows, each as likely as its weight says. */
  weighted<T>(rows: readonly (readonly [weight: number, value: T])[]): T;
  /** A new array in another order. */
  shuffle<T>(items: readonly T[]): T[];
  hex(digits: number): string;
}

/** Marsaglia's xorshift with 128 bits of state; `seed` is any sequence of numbers. */
export function createRandom(...seed: number[]): Random {
  let [a, b, c, d] = spread(seed);

  function next(): number {
    const t = a ^ (a << 11);
    a = b;
    b = c;
    c = d;
    d = d ^ (d >>> 19) ^ t ^ (t >>> 8);
    return (d >>> 0) / 2 ** 32;
  }

  function int(below: number): number {
    return Math.floor(next() * below);
  }

  function pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error('pick: nothing to pick from');
    return items[int(items.length)] as T;
  }

  function weighted<T>(rows: readonly (readonly [number, T])[]): T {
    let left = next() * rows.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of rows) {
      left -= weight;
      if (left < 0) return value;
    }
    return pick(rows)[1];
  }

  function shuffle<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let i = result.length - 1; i > 0; i--) {
      const j = int(i + 1);
      [result[i], result[j]] = [result[j] as T, result[i] as T];
    }
    return result;
  }

  return {
    int,
    between: (low, high) => low + int(high - low + 1),
    chance: (probability) => next() < probability,
    pick,
    weighted,
    shuffle,
    hex: (digits) => Array.from({ length: digits }, () => int(16).toString(16)).join(''),
  };
}

/** Four words of state that differ in every bit for neighbouring seeds; never all zero. */
function spread(seed: readonly number[]): [number, number, number, number] {
  let state = 0x243f6a88;
  function word(): number {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 0x2545f491);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0x5bd1e995);
    return (mixed ^ (mixed >>> 16)) | 1;
  }
  for (const number of seed) state = word() ^ Math.imul(number | 0, 0x85ebca6b);
  return [word(), word(), word(), word()];
}
