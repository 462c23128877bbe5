import type { CredentialSource } from '../credentials.ts';
import type { Repository } from '../registry.ts';

/** User and password for an API on the registry's own host, as a header; undefined where there are none to send. */
export async function basicLogin(
  credentials: CredentialSource | undefined,
  { host, path }: Repository,
): Promise<{ authorization: string } | undefined> {
  // What went wrong with the login the registry itself says, with more reason.
  const found = await credentials?.find(host, path).catch(() => undefined);
  if (found?.kind !== 'basic') return undefined;
  const pair = Buffer.from(`${found.username}:${found.password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}
