/** A usage error: what is wrong, and where help is: at the program, or at the command of it that was meant. */
export function usage(problem: string, program = 'image-update', command = program): string {
  return `${program}: ${problem}\nSee ${command} --help`;
}

/** The command line is wrong: the user must type something else. Exit status 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}
