/** A usage error: what is wrong and where help is. */
export function usage(problem: string): string {
  return `image-update: ${problem}\nSee image-update --help`;
}
