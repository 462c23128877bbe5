/** Whether a path is one of the directories or files given, or lies below one; any path if none is given. */
export function isBelow(path: string, roots: readonly string[]): boolean {
  return roots.length === 0 || roots.some((root) => path === root || path.startsWith(`${root}/`));
}
