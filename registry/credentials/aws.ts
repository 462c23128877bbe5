import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import type { Http } from '../http.ts';
import type { CloudLogin, CloudRegistry } from './clouds.ts';

/**
 * A login for the private registries of a region, good for 12 hours, by AWS's own chain of identities. The region is the
 * registry's, whatever the environment says.
 */
export async function login({ aws }: CloudRegistry, _http: Http, signal: AbortSignal): Promise<CloudLogin> {
  const { region, fips, dualStack } = aws!;
  const client = new ECRClient({
    region,
    // Where the host does not ask for these, the user's own settings stand.
    ...(fips && { useFipsEndpoint: true }),
    ...(dualStack && { useDualstackEndpoint: true }),
  });
  try {
    const answer = await client.send(new GetAuthorizationTokenCommand({}), { abortSignal: signal });
    const { authorizationToken = '', expiresAt } = answer.authorizationData?.[0] ?? {};
    const [username = '', password] = Buffer.from(authorizationToken, 'base64').toString('utf8').split(':');
    if (!password) throw new Error('the answer has no authorization token');
    const expires = expiresAt?.getTime() ?? Date.now();
    return { credentials: { kind: 'basic', username, password }, expires };
  } finally {
    client.destroy();
  }
}

export function identity(environment: NodeJS.ProcessEnv): string {
  if (environment['AWS_PROFILE']) return `the profile "${environment['AWS_PROFILE']}"`;
  if (environment['AWS_ACCESS_KEY_ID']) return 'the key in AWS_ACCESS_KEY_ID';
  if (environment['AWS_WEB_IDENTITY_TOKEN_FILE'])
    return `the role ${environment['AWS_ROLE_ARN'] ?? '(AWS_ROLE_ARN is not set)'} by web identity`;
  if (environment['AWS_CONTAINER_CREDENTIALS_FULL_URI'] ?? environment['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'])
    return "the container's role";
  return 'the default profile or the role of this machine';
}

export const advice =
  'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run with a role, that may ecr:GetAuthorizationToken';
