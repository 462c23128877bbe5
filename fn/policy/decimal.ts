/**
 * Numbers written in decimal, compared exactly: 17-digit timestamps differ where float64, which Flux v2 uses, rounds them
 * to one (reference/flux-v2.md A3). What is no finite decimal number (`0x10`, `Inf`, `NaN`) is none here.
 */
import { digitsEnd, MAX_EXACT_DIGITS, readDigits } from './digits.ts';

export type Decimal = number | LongDecimal;

/** A value a plain integer number cannot stand for: (sign) 0.digits × 10^exponent. */
interface LongDecimal {
  /** The nearest float64. */
  nearest: number;
  /** Without zeros at either end; empty for zero. */
  digits: string;
  exponent: number;
}

const DECIMAL = /^([+-]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?$/;

/** Reads a number such as `42`, `-1.50` or `6e3`; undefined if the text is none or is beyond the range of float64. */
export function readDecimal(text: string): Decimal | undefined {
  const { length } = text;
  if (length > 0 && length <= MAX_EXACT_DIGITS && digitsEnd(text, 0) === length) return readDigits(text, 0, length);
  const match = DECIMAL.exec(text);
  const nearest = Number(text);
  if (!match || !Number.isFinite(nearest)) return undefined;
  const [, , whole = '', fraction = '', exponent = '0'] = match;
  const all = trimEnd(whole + fraction);
  const digits = all.replace(/^0+/, '');
  if (nearest === 0 && digits !== '') return undefined;
  return { nearest, digits, exponent: Number(exponent) + whole.length - (all.length - digits.length) };
}

/** Negative if `a` is less, zero if both are the same number, positive if greater. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  // Rounding to float64 is monotone: numbers whose nearest differ, differ the same way.
  const order = rankDecimal(a) - rankDecimal(b);
  if (order !== 0 || (typeof a === 'number' && typeof b === 'number')) return order;
  return rankDecimal(a) < 0 ? compareSizes(long(b), long(a)) : compareSizes(long(a), long(b));
}

/** A number that never contradicts `compareDecimals`. */
export function rankDecimal(decimal: Decimal): number {
  return typeof decimal === 'number' ? decimal : decimal.nearest;
}

function compareSizes(a: LongDecimal, b: LongDecimal): number {
  if (a.digits === '' || b.digits === '') return a.digits.length - b.digits.length;
  if (a.exponent !== b.exponent) return a.exponent - b.exponent;
  return a.digits === b.digits ? 0 : a.digits < b.digits ? -1 : 1;
}

function long(decimal: Decimal): LongDecimal {
  if (typeof decimal !== 'number') return decimal;
  const text = String(decimal);
  return { nearest: decimal, digits: decimal === 0 ? '' : trimEnd(text), exponent: text.length };
}

function trimEnd(digits: string): string {
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO) end--;
  return digits.slice(0, end);
}

const ZERO = 48;
