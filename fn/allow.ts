import type { Note } from './note.ts';
import { glob } from './policy/glob.ts';
import { canonicalName, splitDomain } from './reference.ts';

/** Why a repository may not be written; undefined if it may. */
export type Forbidden = (name: string) => Note | undefined;

/**
 * Which image repositories may be written. Globs are those of Flux (`*` crosses everything) on canonical names; a
 * pattern may spell the Docker Hub in any way, and a bare `nginx` means what it means in a manifest
 * (reference/flux-v1-mode.md §14.1, §17).
 */
export function allowList(allow: readonly string[], deny: readonly string[]): Forbidden {
  const allowed = allow.map(compile);
  const denied = deny.map(compile);
  return (name) => {
    const canonical = canonicalName(name);
    const forbidding = denied.find(({ matches }) => matches(canonical));
    if (forbidding)
      return { reason: 'denied', message: `${name} may not be written: deny has "${forbidding.pattern}"` };
    if (allowed.length === 0 || allowed.some(({ matches }) => matches(canonical))) return undefined;
    return { reason: 'not-allowed', message: `${name} may not be written: no pattern of allow matches ${canonical}` };
  };
}

function compile(pattern: string): { pattern: string; matches: (name: string) => boolean } {
  // `*` and `*/app` already stand for any host.
  const { domain } = splitDomain(pattern);
  const anyHost = domain === undefined && pattern.startsWith('*');
  return { pattern, matches: glob(anyHost ? pattern : canonicalName(pattern)) };
}
