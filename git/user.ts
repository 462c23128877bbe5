import { execute } from './process.ts';

/** A name or an address that is longer is none. */
const MAX_OUTPUT_BYTES = 64 << 10;
const TIMEOUT_MS = 10_000;

/**
 * Who works in a directory by git's configuration, that of its repository and of the user: `Name <address>`, or what there is
 * of both. Undefined where nobody says, or there is no git.
 */
export async function configuredUser(directory: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const env = Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const args = ['-C', directory, 'config', '-z', '--get-regexp', '^user\\.(name|email)$'];
  const said = await execute({ program: 'git', args, env, timeout: TIMEOUT_MS }, MAX_OUTPUT_BYTES).catch(
    () => undefined,
  );
  if (said?.status !== 0) return undefined;
  // The repository's comes last, and counts.
  const values = new Map(
    said.stdout
      .toString()
      .split('\0')
      .map((entry) => entry.split('\n', 2) as [string, string | undefined]),
  );
  const [name, email] = [values.get('user.name'), values.get('user.email')];
  return [name, email && `<${email}>`].filter(Boolean).join(' ') || undefined;
}
