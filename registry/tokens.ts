import { asMap, asText } from '../fn/lookup/values.ts';
import type { Clock } from './clock.ts';
import type { Credentials } from './credentials.ts';
import { RegistryError } from './error.ts';
import type { Http, HttpRequest, HttpResponse } from './http.ts';
import { parseJson } from './json.ts';
import type { Redactor } from './redact.ts';

/** What a token is asked for. */
export interface TokenRequest {
  /** The token server. */
  realm: URL;
  service: string | undefined;
  /** Such as `repository:library/nginx:pull`; several with blanks between. */
  scope: string;
  /** Whose registry named the realm. */
  registry: URL;
  credentials: Credentials | undefined;
  /** Tells credentials apart without showing them; empty for anonymous. */
  identity: string;
}

/** Seconds that a token is good for where the server does not say it (the specification of the Docker token). */
const DEFAULT_LIFETIME = 60;
/** The part of its life in which a token is used: clocks differ, and requests take time. */
const USED_PART = 0.8;
const MAX_BYTES = 1024 * 1024;
/** What a header may carry; and Node's own server takes 16 KiB of headers. */
const TOKEN = /^[\x21-\x7e]{1,16384}$/;
const CLIENT = 'image-update';

interface Token {
  text: string;
  /** Milliseconds since 1970. */
  until: number;
}

/** Bearer tokens of a run, by realm, service, scope and identity; fetched once however many ask at once. */
export class Tokens {
  #http: Http;
  #clock: Clock;
  #redactor: Redactor;
  #known = new Map<string, Token>();
  #coming = new Map<string, Promise<Token>>();

  constructor(http: Http, clock: Clock, redactor: Redactor) {
    this.#http = http;
    this.#clock = clock;
    this.#redactor = redactor;
  }

  /** @throws RegistryError `unauthorized` where the server takes the credentials for wrong, and whatever `Http` throws. */
  async get(request: TokenRequest): Promise<string> {
    const key = keyOf(request);
    const known = this.#known.get(key);
    if (known && this.#clock.now() < known.until) return known.text;
    let coming = this.#coming.get(key);
    if (!coming) {
      coming = this.#fetch(request).finally(() => this.#coming.delete(key));
      this.#coming.set(key, coming);
    }
    return (await coming).text;
  }

  /** A registry did not take the token: it is not used again. */
  forget(request: TokenRequest, token: string): void {
    const key = keyOf(request);
    if (this.#known.get(key)?.text === token) this.#known.delete(key);
  }

  async #fetch(request: TokenRequest): Promise<Token> {
    const asked = this.#clock.now();
    const [first, second] = tokenRequests(request);
    let response = await this.#http.send(first);
    // Some servers have the one way only.
    if (second && (response.status === 404 || response.status === 405)) response = await this.#http.send(second);
    const token = readToken(request, response, asked);
    this.#redactor.add(token.text);
    this.#known.set(keyOf(request), token);
    return token;
  }
}

function keyOf({ realm, service, scope, identity }: TokenRequest): string {
  return JSON.stringify([identity, realm.href, service, scope]);
}

/** How to ask, and how else: GET with Basic, POST of a form; a refresh token the other way round. */
function tokenRequests({
  realm,
  service,
  scope,
  registry,
  credentials,
  identity,
}: TokenRequest): [HttpRequest, HttpRequest?] {
  const scopes = scope.split(' ').filter(Boolean);
  const common = { maxBytes: MAX_BYTES, namedBy: registry, identity };
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const one of scopes) url.searchParams.append('scope', one);
  if (!credentials || credentials.kind === 'registry-token') return [{ method: 'GET', url, ...common }];
  const form = new URLSearchParams({ ...(service !== undefined && { service }), scope, client_id: CLIENT });
  let login: [string, string];
  if (credentials.kind === 'basic') {
    const { username, password } = credentials;
    url.searchParams.set('account', username);
    login = [username, password];
    form.set('grant_type', 'password');
    form.set('username', username);
    form.set('password', password);
  } else {
    // The user name by which Docker's helpers say that the password is a token.
    login = ['<token>', credentials.token];
    form.set('grant_type', 'refresh_token');
    form.set('refresh_token', credentials.token);
  }
  const get: HttpRequest = { method: 'GET', url, headers: { authorization: basicHeader(...login) }, ...common };
  const post: HttpRequest = {
    method: 'POST',
    url: new URL(realm),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
    ...common,
  };
  return credentials.kind === 'basic' ? [get, post] : [post, get];
}

export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function readToken({ realm, credentials }: TokenRequest, { status, body }: HttpResponse, asked: number): Token {
  const where = `the token server ${realm.origin}${realm.pathname}`;
  if (status === 400 || status === 401 || status === 403)
    throw new RegistryError(
      'unauthorized',
      credentials
        ? `${where} refused the credentials (${status})`
        : `${where} gives no token without a login (${status})`,
    );
  if (status !== 200)
    throw new RegistryError(status >= 500 ? 'unavailable' : 'malformed', `${where} answered ${status}`);
  const answer = asMap(parseJson(body));
  const text = asText(answer?.['token']) ?? asText(answer?.['access_token']);
  if (!answer || text === undefined || !TOKEN.test(text))
    throw new RegistryError('malformed', `${where} gave no token; is its address right?`);
  const seconds = Number(answer['expires_in'] ?? DEFAULT_LIFETIME);
  const lifetime = (Number.isFinite(seconds) ? Math.max(0, seconds) : DEFAULT_LIFETIME) * 1000;
  const used = asked + lifetime * USED_PART;
  // Of a token that was issued before we asked, some of its life is over. One that is over already tells of wrong clocks.
  const over = (Date.parse(asText(answer['issued_at']) ?? '') || asked) + lifetime;
  return { text, until: over > asked ? Math.min(used, over) : used };
}
