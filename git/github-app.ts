import { createPrivateKey, sign } from 'node:crypto';
import * as z from 'zod';
import { GitError } from './error.ts';
import { exchange, type HttpAnswer } from './http.ts';
import { redact } from './redact.ts';
import type { GitCredentials } from './repository.ts';

/** An installation of a GitHub App, which gives tokens of an hour. */
export interface GitHubApp {
  appId: string;
  installationId: string;
  /** PEM, of RSA. */
  privateKey: string;
  /** `https://HOST/api/v3` of a GitHub Enterprise server; github.com's API without it. */
  apiUrl?: string;
}

const API_URL = 'https://api.github.com';
const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 1 << 20;
/** GitHub takes no longer than ten minutes; the start lies back for clocks that differ. */
const JWT_SECONDS = { before: 60, after: 9 * 60 };

const tokenSchema = z.object({ token: z.string().regex(/^[\u0021-\u007E]+$/), expires_at: z.string() });

export interface AppToken {
  credentials: GitCredentials;
  /** Milliseconds since 1970. */
  expires: number;
}

/**
 * Gets credentials for git from a GitHub App (docs.github.com, "Authenticating as a GitHub App installation").
 * @throws GitError of class `GitAuth` for a key, app or installation that GitHub does not take, else `GitUnavailable`.
 */
export async function appCredentials(app: GitHubApp, options: { ca?: string; now?: number } = {}): Promise<AppToken> {
  const { ca, now = Date.now() } = options;
  if (!/^\d+$/.test(app.installationId))
    throw new GitError(
      'GitAuth',
      `githubAppInstallationID must be a number, not ${JSON.stringify(app.installationId)}`,
    );
  const base = (app.apiUrl ?? API_URL).replace(/\/+$/, '');
  if (!URL.canParse(base)) throw new GitError('GitAuth', `githubAppBaseURL ${JSON.stringify(base)} is not a URL`);
  const url = new URL(`${base}/app/installations/${app.installationId}/access_tokens`);
  const jwt = appJwt(app, now);
  const { status, body } = await post(url, jwt, ca);
  const said = redact(body.slice(0, 300), [jwt]);
  if (status === 401)
    throw new GitError(
      'GitAuth',
      `${url.host} does not take the key of the GitHub App ${app.appId}: ${said}; check githubAppID, githubAppPrivateKey and the clock`,
    );
  if (status === 403 || status === 404)
    throw new GitError(
      'GitAuth',
      `${url.host} has no installation ${app.installationId} of the GitHub App ${app.appId}, or it is suspended: ${said}`,
    );
  if (status !== 201)
    throw new GitError('GitUnavailable', `${url.host} answered ${status} when asked for a token: ${said}`);
  const { token, expires_at: expires } = readToken(url, body);
  return { credentials: { kind: 'basic', username: 'x-access-token', password: token }, expires: Date.parse(expires) };
}

function readToken(url: URL, body: string): z.infer<typeof tokenSchema> {
  try {
    return tokenSchema.parse(JSON.parse(body));
  } catch {
    // The answer may hold the token, so it is not shown.
    throw new GitError('GitUnavailable', `${url.host} answered something else than a token`);
  }
}

/** The token by which an app says who it is: RS256 over issuer and times. */
function appJwt({ appId, privateKey }: GitHubApp, now: number): string {
  const seconds = Math.floor(now / 1000);
  const claims = { iat: seconds - JWT_SECONDS.before, exp: seconds + JWT_SECONDS.after, iss: appId };
  const text = [{ alg: 'RS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  try {
    const key = createPrivateKey(privateKey);
    if (key.asymmetricKeyType !== 'rsa') throw new Error('it is not an RSA key');
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  } catch {
    throw new GitError('GitAuth', `githubAppPrivateKey of the GitHub App ${appId} is not an RSA private key in PEM`);
  }
}

async function post(url: URL, jwt: string, ca: string | undefined): Promise<HttpAnswer> {
  const headers = { authorization: `Bearer ${jwt}`, accept: 'application/vnd.github+json' };
  try {
    return await exchange(
      { method: 'POST', url, headers, ...(ca !== undefined && { ca }) },
      { timeout: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES },
    );
  } catch (error) {
    throw new GitError('GitUnavailable', `${url.host} cannot be asked for a token: ${(error as Error).message}`);
  }
}
