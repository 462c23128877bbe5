import { asMap, asText } from '../../fn/lookup/values.ts';
import type { CredentialSource } from '../credentials.ts';
import type { Http } from '../http.ts';
import type { Repository } from '../registry.ts';
import { basicLogin } from './login.ts';
import { readPages, type Page } from './pages.ts';
import type { PushTimes } from './times.ts';

/** Azure's own tag API, on the registry's own host; it needs a login with the right to read metadata. */
export function acrTimes(
  http: Http,
  origin: (host: string) => string,
  credentials: CredentialSource | undefined,
): PushTimes {
  return {
    name: 'Azure Container Registry',
    serves: (host) => /\.azurecr\.(?:io|cn|us)$/.test(host),
    async read(repository, wanted) {
      const base = origin(repository.host);
      const login =
        (await basicLogin(credentials, repository)) ?? (await tokenLogin(http, base, repository, credentials));
      if (!login) return undefined;
      const url = new URL(`/acr/v1/${repository.path}/_tags`, base);
      url.search = `orderby=timedesc&n=${PAGE_SIZE}`;
      return readPages(http, url, login, parseAcr, wanted);
    },
  };
}

const PAGE_SIZE = 100;
const MAX_TOKEN_BYTES = 64 * 1024;

/** A refresh token of the registry buys an access token for the repository's metadata. */
async function tokenLogin(
  http: Http,
  base: string,
  { host, path }: Repository,
  credentials: CredentialSource | undefined,
): Promise<{ authorization: string } | undefined> {
  const found = await credentials?.find(host, path).catch(() => undefined);
  if (found?.kind !== 'identity-token') return undefined;
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    service: host,
    scope: `repository:${path}:metadata_read`,
    refresh_token: found.token,
  }).toString();
  try {
    const answer = await http.send({
      method: 'POST',
      url: new URL('/oauth2/token', base),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
      maxBytes: MAX_TOKEN_BYTES,
    });
    const token =
      answer.status === 200 ? asText(asMap(JSON.parse(answer.body.toString('utf8')))?.['access_token']) : '';
    return token ? { authorization: `Bearer ${token}` } : undefined;
  } catch {
    return undefined;
  }
}

function parseAcr(body: unknown, url: URL): Page | undefined {
  const tags = asMap(body)?.['tags'];
  if (!Array.isArray(tags)) return undefined;
  const entries = tags.map(asMap).map((tag) => ({
    tag: tag?.['name'],
    pushed: tag?.['lastUpdateTime'],
    digest: tag?.['digest'],
  }));
  return { entries, next: entries.length === PAGE_SIZE ? after(url, asText(entries.at(-1)?.tag)) : undefined };
}

function after(url: URL, last: string | undefined): URL | undefined {
  if (last === undefined) return undefined;
  const next = new URL(url);
  next.searchParams.set('last', last);
  return next;
}
