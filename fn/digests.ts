import type { Change } from './find/slots.ts';
import type { Note } from './note.ts';
import type { Reference } from './reference.ts';

/** What was chosen for an image. */
export interface Goal {
  name?: string;
  /** The name is where the tag is from, and is not written: other parts alone are marked. */
  keepName?: boolean;
  tag?: string;
  /** The digest of that tag, as far as it is known. */
  digest?: string;
  /** Whether whoever chose wants the digest written: an ImagePolicy that reflects digests, or an explicit `to`. */
  writeDigest?: boolean;
}

/** How the functionConfig wants digests written. */
type Mode = 'keep' | 'pin' | 'tag';

/**
 * The parts to write so that tag and digest never contradict each other: `keep` moves a digest only together with its
 * tag, `pin` always writes both, `tag` the tag alone (design: ImageUpdate `digests`; reference/flux-v1-mode.md §17).
 * Returns a note where the digest that would have to be written is not known.
 */
export function settleDigest(current: Reference, goal: Goal, mode: Mode): Change | Note {
  const { tag, digest } = goal;
  const change = withoutDigest(current, goal, mode);
  if (tag === undefined && digest === undefined) return change;
  if (mode === 'tag' && (tag ?? current.tag) !== undefined)
    return current.digest === undefined ? change : { ...change, digest: null };
  if (!wantsDigest(current, goal, mode)) return change;
  if (digest !== undefined) return digest === current.digest ? change : { ...change, digest };
  if (goal.writeDigest && mode !== 'pin' && current.digest === undefined) return change;
  return {
    reason: 'digest-unknown',
    message: `the digest of ${goal.name ?? current.name}:${tag} is not known, so ${
      current.digest === undefined ? 'it cannot be pinned' : 'tag and digest would no longer belong together'
    }; give metadata with digests${current.digest === undefined ? '' : ', or set digests: tag to drop digests'}`,
  };
}

/** Whether the digest of the goal's tag must be written, and so be known. */
export function wantsDigest(current: Reference, goal: Goal, mode: Mode): boolean {
  if (mode === 'tag' && (goal.tag ?? current.tag) !== undefined) return false;
  if (mode === 'pin' || goal.writeDigest) return true;
  const { tag, name } = withoutDigest(current, goal, mode);
  return current.digest !== undefined && (tag !== undefined || name !== undefined || isDigestAlone(current));
}

function withoutDigest(current: Reference, goal: Goal, mode: Mode): Change {
  const { name, tag } = goal;
  const change: Change = name === undefined || name === current.name || goal.keepName ? {} : { name };
  if (tag === undefined || tag === current.tag) return change;
  const byDigest = mode === 'keep' && !goal.writeDigest && isDigestAlone(current);
  return byDigest ? change : { ...change, tag };
}

/** Such a reference has no tag to go with its digest, which says which image it is. */
function isDigestAlone({ tag, digest }: Reference): boolean {
  return digest !== undefined && tag === undefined;
}
