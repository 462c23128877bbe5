import type { Malformed, Rule } from './rule.ts';

/** Compiles a Flux-v1 filter as its annotation holds it, such as `semver:~1.2` or `main-*`. */
export function compilePattern(text: string): Rule | Malformed {
  return { error: { reason: 'filter-malformed', message: `not built yet: ${text}` } };
}
