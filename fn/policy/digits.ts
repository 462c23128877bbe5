const ZERO = 48;
const NINE = 57;

/** Any number of so many digits is an exact float64. */
export const MAX_EXACT_DIGITS = 15;

/** Where the run of ASCII digits that begins at `start` ends; `start` itself if there is none. */
export function digitsEnd(text: string, start: number): number {
  const { length } = text;
  let end = start;
  while (end < length && isDigit(text.charCodeAt(end))) end++;
  return end;
}

/** The value of the digits in `[start, end)`, of which there are at most `MAX_EXACT_DIGITS`. */
export function readDigits(text: string, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + (text.charCodeAt(i) - ZERO);
  return value;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
