/** Whether a listing that lost tags is believed. Pure. */
import type { TagMetadata } from '../fn/lookup/metadata.ts';
import { rank } from '../fn/policy/rank.ts';
import type { Need } from './scan.ts';

/**
 * A loss is believed when a later run finds it again so long after it was first seen. Mirrors catch up and broken
 * listings are repaired in less; and who deletes a tag on purpose can wait.
 */
export const BELIEVE_LOSS_AFTER_MS = 3600 * 1000;

/** Of so few tags half is soon gone. */
const FEW_TAGS = 4;

/** Why tags that are gone from a listing should not be believed to be gone, in words; undefined if they should. */
export function doubt(
  listed: readonly TagMetadata[],
  lost: readonly TagMetadata[],
  needs: readonly Need[],
): string | undefined {
  if (lost.length === 0) return undefined;
  const before = listed.length + lost.length;
  if (before >= FEW_TAGS && lost.length * 2 > before) return `${lost.length} of ${before} tags are gone from it`;
  const names = new Set(lost.map(({ name }) => name));
  for (const { rule, current } of needs) {
    if (current !== undefined && names.has(current)) return `the current tag ${current} is gone from it`;
    const tags = [...listed, ...lost];
    // Ages play no part: what was not old enough yet is missed all the same.
    const { best } = rank({ ...rule, minimumAge: 0 }, { image: '', complete: true, tags }, current, 'compat');
    if (best && names.has(best.tag.name)) return `${best.tag.name}, the best for ${rule.text}, is gone from it`;
  }
  return undefined;
}
