/** Code points that HFS+ leaves out of a name: with them a name is `.git` there that is not here (CVE-2014-9390). */
const IGNORED = /[\u200C-\u200F\u202A-\u202E\u2060-\u206F\uFEFF]/gu;
/** Characters that make a name look like another. */
const BIDI = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;
const MAX_PATH_BYTES = 4096;

/** A segment as file systems that fold names see it: HFS+ drops code points, NTFS what follows `:` and dots and spaces at the end. */
function folded(segment: string): string {
  return segment
    .replaceAll(IGNORED, '')
    .normalize('NFC')
    .toLowerCase()
    .replace(/:.*$/s, '')
    .replace(/[ .]+$/, '');
}

/** Whether a segment of a path is `.git` in any disguise: case, code points, NTFS streams and short names. */
export function isDotGit(segment: string): boolean {
  return /^(?:\.git|git~\d+)$/.test(folded(segment));
}

/** Whether a path's last segment is a file that git itself obeys: `.gitmodules`, `.gitattributes`, in any disguise. */
export function isGitFile(path: string): boolean {
  const name = folded(path.slice(path.lastIndexOf('/') + 1));
  return /^(?:\.gitmodules|\.gitattributes|gitmod~\d+|gitatt~\d+|gi7eba~\d+|gi7d29~\d+)$/.test(name);
}

/** What is wrong with a path below the root of a repository, in words; undefined if nothing is (reference/controllers.md F5). */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'it is empty';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `it is longer than ${MAX_PATH_BYTES} bytes`;
  if (path.startsWith('/')) return 'it must be relative: leave out the "/" at its start';
  if (/\p{Cc}/u.test(path)) return 'it holds a control character';
  if (BIDI.test(path)) return 'it holds a character that turns the direction of text';
  if (path.includes('\\')) return 'it holds "\\"; write "/" between directories';
  for (const segment of path.split('/')) {
    if (segment === '') return 'it has a "/" too many';
    if (segment === '.' || segment === '..') return `it may not hold "${segment}"`;
    if (isDotGit(segment)) return `its part "${segment}" is .git, or is taken for it on some file systems`;
  }
  return undefined;
}

/** Whether a path is one of the directories or files given, or lies below one; any path if none is given. */
export function isBelow(path: string, roots: readonly string[]): boolean {
  return roots.length === 0 || roots.some((root) => path === root || path.startsWith(`${root}/`));
}
