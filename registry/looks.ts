/** What the names of tags look like: which of them count up in the same way, and which stand for a commit. Pure. */
import { MAX_EXACT_DIGITS } from '../fn/policy/digits.ts';

/** A tag among its like: those whose names differ in numbers and commits alone. */
export interface Look {
  name: string;
  /** Its numbers from left to right. They count up with time where anything does. */
  numbers: readonly (number | bigint)[];
}

/** Hexadecimal digits as a commit is written, short or long, with a letter and a digit among them; `git describe` puts a `g` before. */
const COMMIT = /(?<![0-9a-z])g?(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,64}(?![0-9a-z])/g;
const NUMBER = /[0-9]+/g;

/** A tag's look, and its family: the name with each number as `0` and each commit as `#`, `main-#-0`. */
export function lookOf(name: string): { family: string; look: Look } {
  const bare = name.replaceAll(COMMIT, '#');
  const numbers = (bare.match(NUMBER) ?? []).map(valueOf);
  return { family: bare.replaceAll(NUMBER, '0'), look: { name, numbers } };
}

/** One value has one form: a number where it is exact. */
function valueOf(digits: string): number | bigint {
  const plain = digits.replace(/^0+(?=.)/, '');
  return plain.length <= MAX_EXACT_DIGITS ? Number(plain) : BigInt(plain);
}

/** Whether a tag is named by a commit. Such a tag is pushed once: what it means does not change. */
export function isCommitNamed(name: string): boolean {
  return name.search(COMMIT) >= 0;
}

/** By their numbers: negative if `a` counts less. Of tags of one family. */
export function compareLooks(a: Look, b: Look): number {
  for (const [i, x] of a.numbers.entries()) {
    const y = b.numbers[i]!;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
