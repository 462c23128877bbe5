import type { Malformed, Rule } from './rule.ts';

/** Compiles the spec of an ImagePolicy, ours or Flux's. Fields that do not choose (such as `interval`) are passed over. */
export function compilePolicy(spec: unknown): Rule | Malformed {
  return { error: { reason: 'policy-malformed', message: `not built yet: ${typeof spec}` } };
}
