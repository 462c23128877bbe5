/** Durations as Flux and Go write them: `90s`, `5m`, `1h30m` (reference/controllers.md A1). */
export const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The milliseconds of a duration that `DURATION` takes. */
export function milliseconds(duration: string): number {
  let total = 0;
  for (const [, count, unit] of duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) total += Number(count) * UNITS[unit!]!;
  return Math.round(total);
}
