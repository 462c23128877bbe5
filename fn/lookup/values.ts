/** A map from outside, not yet looked at. */
export type Values = Record<string, unknown>;

/** The value if it is a map. */
export function asMap(value: unknown): Values | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Values) : undefined;
}

/** The value as the text it was written as, if it is a scalar with one. */
export function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
