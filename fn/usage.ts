/** A usage error: what is wrong and where help is. */
export function usage(problem: string, program = 'image-update'): string {
  return `${program}: ${problem}\nSee ${program} --help`;
}

/** The command line is wrong: the user must type something else. Exit status 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}
