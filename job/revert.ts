import { compareVersions, readVersion } from '../fn/policy/version.ts';
import { parseReference } from '../fn/reference.ts';

/** What a field held in a commit. Steps go from the newest to older ones, and the first is what it holds now. */
export interface Step {
  /** Undefined where nobody knows which. */
  commit: string | undefined;
  /** Whether the commit is ours, by its trailer. */
  ours: boolean;
  /** The reference; undefined where the field was not there. */
  value: string | undefined;
}

/** A person moved a field away from what we had set. */
export interface Revert {
  /** What we had set. */
  reverted: string;
  /** Our commit that set it. */
  ours: string;
  /** The commit that moved it to where it is; undefined if the steps do not reach it. */
  by?: string;
}

/**
 * Whether a field is to stay where a person put it: the last time that we set it, it was to another value than it has now, and
 * what is wanted is no newer than that.
 */
export function judge(steps: readonly Step[], wanted: string): Revert | undefined {
  const current = steps[0]?.value;
  const set = steps.findIndex(({ ours, value }, i) => ours && i + 1 < steps.length && value !== steps[i + 1]!.value);
  const reverted = steps[set]?.value;
  if (reverted === undefined || reverted === current || isNewer(wanted, reverted)) return undefined;
  const by = steps.find(({ value }, i) => i < set && value === current && steps[i + 1]!.value !== current)?.commit;
  return { reverted, ours: steps[set]!.commit ?? '', ...(by !== undefined && { by }) };
}

/** Whether a reference is newer than another: by their versions where both tags are some, else if it is another at all. */
function isNewer(wanted: string, reverted: string): boolean {
  if (wanted === reverted) return false;
  const [a, b] = [wanted, reverted].map((text) => readVersion(parseReference(text)?.tag ?? text));
  return a === undefined || b === undefined || compareVersions(a, b) >= 0;
}

/** The annotation of an UpdateJob that lets fields move on that a person had moved back: `true`, or images with commas between. */
export const RELEASE = 'image-update.dev/release';

/** Whether an image is released, by the annotation's value. */
export function isReleased(release: string | undefined, image: string): boolean {
  const words = new Set((release ?? '').split(',').map((word) => word.trim()));
  return words.has('true') || words.has(image);
}
