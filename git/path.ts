/** A longer path is not one that a checkout could have. */
const MAX_PATH_BYTES = 4096;

/** Characters that HFS+ leaves out when it compares names, so that they hide a `.git`. */
const IGNORED = /[\u200C-\u200F\u202A-\u202E\u206A-\u206F\uFEFF]/g;
/** Controls of terminals and of writing direction: a name that holds one is not what it seems. */
// oxlint-disable-next-line no-control-regex -- they are what is refused
const CONTROLS = /[\u0000-\u001F\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/;

/** Names that tell git what to do, on any file system. */
const OBEYED = ['.git', '.gitmodules', '.gitattributes'];

/**
 * Why a commit of ours must not touch a path, to follow it in a sentence; undefined if it may. Refused is what leaves the
 * tree, what git would obey or take for its own on any file system (case, Unicode, NTFS short names, streams, trailing
 * dots and spaces), and what cannot be shown as it is (reference/controllers.md B2, F5).
 */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  if (!path.isWellFormed() || path.includes('\uFFFD')) return 'is not UTF-8';
  if (CONTROLS.test(path)) return 'holds a control character, or one that cannot be seen';
  if (path.includes('\\')) return 'holds a backslash';
  for (const segment of path.split('/')) {
    if (segment === '') return 'has an empty segment, or begins or ends with a slash';
    if (segment === '.' || segment === '..') return `has a segment "${segment}"`;
    const obeyed = OBEYED.find((name) => isDisguised(segment, name));
    if (obeyed !== undefined) return `has a segment that git could take for ${obeyed}`;
  }
  return undefined;
}

/** A path and all directories above it, itself last. */
export function ancestors(path: string): string[] {
  const segments = path.split('/');
  return segments.map((_, i) => segments.slice(0, i + 1).join('/'));
}

/** Whether a path is one of the directories or files given, or lies below one; any path if none is given. */
export function isBelow(path: string, roots: readonly string[]): boolean {
  return roots.length === 0 || roots.some((root) => path === root || path.startsWith(`${root}/`));
}

function isDisguised(segment: string, name: string): boolean {
  // NTFS takes `.git::$INDEX_ALLOCATION`, `.git.` and `.git ` for `.git`.
  const plain = (segment.normalize('NFKC').replaceAll(IGNORED, '').split(':')[0] ?? '')
    .replace(/[. ]+$/, '')
    .toLowerCase();
  if (plain === name) return true;
  const short = new RegExp(`^(?:${name.slice(1, 7)}|gi[0-9a-f]{4})~\\d+$`);
  return short.test(plain);
}
