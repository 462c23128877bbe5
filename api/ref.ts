/**
 * What is wrong with the name of a branch or tag, in words; undefined if nothing is. Stricter than `git check-ref-format`,
 * which takes `refs/heads/-x` (reference/controllers.md A2, E2).
 */
export function refProblem(name: string): string | undefined {
  if (name.startsWith('refs/')) return 'write it without refs/heads/ or refs/tags/';
  if (name.startsWith('-')) return 'it may not begin with "-"';
  if (name.startsWith('/') || name.endsWith('/') || name.includes('//')) return 'it has a "/" too many';
  if (name.includes('..')) return 'it may not hold ".."';
  const odd = /[\s\p{Cc}~^:?*[\\]/u.exec(name)?.[0];
  if (odd !== undefined) return `it may not hold ${JSON.stringify(odd)}`;
  if (name === '@' || name === 'HEAD' || name.includes('@{')) return 'it may not be "@" or "HEAD" nor hold "@{"';
  if (name.endsWith('.')) return 'it may not end with "."';
  const part = name.split('/').find((part) => part.startsWith('.') || part.endsWith('.lock'));
  return part === undefined ? undefined : `its part "${part}" begins with "." or ends with ".lock"`;
}
