/** What the names of tags look like: which of them count up in the same way, and which stand for a commit. Pure. */

/** A tag among its like: those whose names differ in numbers and commits alone. */
export interface Look {
  name: string;
  /** The name with each number as `0` and each commit as `#`: `main-#-0`. */
  family: string;
  /** Its numbers from left to right, without leading zeros. They count up with time where anything does. */
  numbers: readonly string[];
}

/** Hexadecimal digits as a commit is written, short or long, with a letter and a digit among them; `git describe` puts a `g` before. */
const COMMIT = /(?<![0-9a-z])g?(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,64}(?![0-9a-z])/g;
const NUMBER = /[0-9]+/g;

export function lookOf(name: string): Look {
  const bare = name.replaceAll(COMMIT, '#');
  return {
    name,
    family: bare.replaceAll(NUMBER, '0'),
    numbers: (bare.match(NUMBER) ?? []).map((digits) => digits.replace(/^0+(?=.)/, '')),
  };
}

/** Whether a tag is named by a commit. Such a tag is pushed once: what it means does not change. */
export function isCommitNamed(name: string): boolean {
  return name.search(COMMIT) >= 0;
}

/** By their numbers: negative if `a` counts less. Of tags of one family. */
export function compareLooks(a: Look, b: Look): number {
  for (const [i, x] of a.numbers.entries()) {
    const y = b.numbers[i] ?? '';
    const order = x.length - y.length || (x === y ? 0 : x < y ? -1 : 1);
    if (order !== 0) return order;
  }
  return 0;
}
