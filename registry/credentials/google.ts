import { GoogleAuth } from 'google-auth-library';
import type { CloudLogin } from './clouds.ts';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
/** The user that goes with an access token of Google. */
const USER = 'oauth2accesstoken';
/** Google's tokens live for an hour; one that does not say is used for less. */
const UNKNOWN_MS = 10 * 60_000;

/** An access token, good for an hour and all registries of Google, by Google's own chain of identities. */
export async function login(): Promise<CloudLogin> {
  // A token needs no project; without one the library would start gcloud to ask for it.
  const auth = new GoogleAuth({ scopes: [SCOPE], projectId: process.env['GOOGLE_CLOUD_PROJECT'] ?? 'none' });
  const client = await auth.getClient();
  const { token } = await client.getAccessToken();
  if (!token) throw new Error('the answer has no access token');
  const expires = client.credentials.expiry_date ?? Date.now() + UNKNOWN_MS;
  return { credentials: { kind: 'basic', username: USER, password: token }, expires };
}

export function identity(environment: NodeJS.ProcessEnv): string {
  const file = environment['GOOGLE_APPLICATION_CREDENTIALS'];
  if (file) return `the file ${file} of GOOGLE_APPLICATION_CREDENTIALS`;
  return 'the default credentials of gcloud or the service account of this machine';
}

export const advice =
  'set GOOGLE_APPLICATION_CREDENTIALS to a credentials file, or run "gcloud auth application-default login", or run with a service account, that may read the repository (roles/artifactregistry.reader)';
