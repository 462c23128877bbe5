import { DefaultAzureCredential, type TokenCredential } from '@azure/identity';
import { asMap } from '../../fn/lookup/values.ts';
import type { Http } from '../http.ts';
import type { CloudLogin, CloudRegistry } from './clouds.ts';

/** The audience of all registries, which they take in each of Azure's clouds. */
const SCOPE = 'https://containerregistry.azure.net/.default';
const MAX_BYTES = 1 << 16;
/** A registry's refresh tokens live for three hours; one that does not say is used for less. */
const UNKNOWN_MS = 60 * 60_000;

/** Where Microsoft Entra is for the registries of a national cloud; elsewhere `AZURE_AUTHORITY_HOST` or the public one. */
const AUTHORITIES: Record<string, string> = {
  cn: 'https://login.chinacloudapi.cn',
  us: 'https://login.microsoftonline.us',
};

/**
 * A refresh token of one registry, by Azure's own chain of identities: a token of Microsoft Entra, exchanged at the registry
 * (https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md). `credential` is for tests.
 */
export async function login(
  { host }: CloudRegistry,
  http: Http,
  signal: AbortSignal,
  credential: TokenCredential = defaultCredential(host),
): Promise<CloudLogin> {
  const entra = await credential.getToken(SCOPE, { abortSignal: signal }).catch(rethrow);
  if (!entra) throw new Error('no token of Microsoft Entra');
  const { status, body } = await http.send({
    method: 'POST',
    url: new URL(`https://${host}/oauth2/exchange`),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'access_token', service: host, access_token: entra.token }).toString(),
    maxBytes: MAX_BYTES,
  });
  if (status !== 200) throw new Error(`the registry answered the exchange of the token with status ${status}`);
  const token = refreshToken(body.toString('utf8'));
  if (token === undefined) throw new Error('the registry answered the exchange without a refresh token');
  return { credentials: { kind: 'identity-token', token }, expires: expiryOf(token) };
}

function defaultCredential(host: string): TokenCredential {
  const authorityHost = process.env['AZURE_AUTHORITY_HOST'] ? undefined : AUTHORITIES[host.slice(-2)];
  return new DefaultAzureCredential(authorityHost === undefined ? {} : { authorityHost });
}

/** Of the errors of a whole chain, the one of an identity that was there. */
function rethrow(error: unknown): never {
  const errors = (error as { errors?: unknown }).errors;
  const tried = Array.isArray(errors) ? errors.filter((each) => each instanceof Error) : [];
  throw tried.find(({ name }) => name !== 'CredentialUnavailableError') ?? error;
}

function refreshToken(text: string): string | undefined {
  const token = parse(text)?.['refresh_token'];
  return typeof token === 'string' && token !== '' ? token : undefined;
}

/** When a JSON web token says that it expires. It is not verified: the registry is its judge. */
function expiryOf(token: string): number {
  const payload = token.split('.')[1] ?? '';
  const expires = parse(Buffer.from(payload, 'base64url').toString('utf8'))?.['exp'];
  return typeof expires === 'number' ? expires * 1000 : Date.now() + UNKNOWN_MS;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return asMap(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function identity(environment: NodeJS.ProcessEnv): string {
  const application = environment['AZURE_CLIENT_ID'];
  if (application && environment['AZURE_FEDERATED_TOKEN_FILE']) return `workload identity ${application}`;
  if (application) return `the application or managed identity ${application}`;
  return 'the managed identity of this machine or the login of az';
}

export const advice =
  'set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or run "az login", or run with a managed identity, that has the role AcrPull';
