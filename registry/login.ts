import { createHash } from 'node:crypto';
import { readChallenges } from './challenge.ts';
import type { Clock } from './clock.ts';
import type { Credentials, CredentialSource } from './credentials.ts';
import { RegistryError } from './error.ts';
import type { Http, HttpRequest, HttpResponse } from './http.ts';
import type { Redactor } from './redact.ts';
import type { Challenge, Repository } from './registry.ts';
import { basicHeader, Tokens, type TokenRequest } from './tokens.ts';

export interface LoginOptions {
  http: Http;
  credentials: CredentialSource;
  /** Hosts that the user named as insecure, in a URL's spelling. */
  insecure: ReadonlySet<string>;
  clock: Clock;
  redactor: Redactor;
}

/** How a host wants to be logged in to, as its last challenge said. */
type Scheme = { kind: 'open' } | { kind: 'basic' } | { kind: 'bearer'; realm: URL; service?: string; scope?: ScopeOf };

/** The scope for a repository. */
type ScopeOf = (path: string) => string;

interface HostState {
  scheme: Scheme;
  /** The first request to the host, which finds the scheme out; the others wait for it. */
  first?: Promise<unknown>;
}

/** A header for a request, and where it came from if it is a token. */
interface Authorization {
  header: string;
  token?: TokenRequest;
}

/** Refusals in a row after which credentials are not shown again: many wrong logins lock an account. */
const MAX_REFUSALS = 3;

/**
 * Sends requests logged in as far as credentials are known. What the first challenge of a host says is remembered, so that
 * every later request comes with its login; a 401 is answered by one new login and no more.
 */
export class Login {
  #options: LoginOptions;
  #tokens: Tokens;
  #hosts = new Map<string, HostState>();
  /** By host and identity: refusals since the last success. */
  #refusals = new Map<string, number>();

  constructor(options: LoginOptions) {
    this.#options = options;
    this.#tokens = new Tokens(options.http, options.clock, options.redactor);
  }

  challenge(host: string): Challenge | undefined {
    const scheme = this.#hosts.get(host)?.scheme;
    if (scheme?.kind !== 'bearer') return undefined;
    return { realm: scheme.realm.href, ...(scheme.service !== undefined && { service: scheme.service }) };
  }

  /** @throws RegistryError `unauthorized` where a login does not help, and whatever `Http` throws. */
  async send(
    repository: Repository,
    request: { method: HttpRequest['method']; url: URL; accept: string; maxBytes: number },
  ): Promise<HttpResponse> {
    const state = this.#hosts.get(repository.host);
    if (state) {
      await state.first;
      return this.#sendLoggedIn(repository, request, state);
    }
    const fresh: HostState = { scheme: { kind: 'open' } };
    this.#hosts.set(repository.host, fresh);
    const first = this.#sendLoggedIn(repository, request, fresh);
    // Whatever became of it: the others find out for themselves.
    fresh.first = first.catch(() => undefined);
    return first;
  }

  async #sendLoggedIn(
    repository: Repository,
    { accept, ...request }: { method: HttpRequest['method']; url: URL; accept: string; maxBytes: number },
    state: HostState,
  ): Promise<HttpResponse> {
    const credentials = await this.#credentials(repository);
    const identity = identityOf(credentials);
    const refusals = `${repository.host} ${identity}`;
    const send = (authorization: Authorization | undefined) =>
      this.#options.http.send({
        ...request,
        identity,
        headers: { accept, ...(authorization && { authorization: authorization.header }) },
      });
    const authorize = () => {
      if (credentials && (this.#refusals.get(refusals) ?? 0) >= MAX_REFUSALS)
        throw this.#refused(repository, credentials, ', and are not tried again in this run');
      return this.#authorize(repository, request.url, state.scheme, credentials, identity);
    };
    try {
      const known = await authorize();
      let response = await send(known);
      if (response.status === 401) {
        if (known?.token) this.#tokens.forget(known.token, known.header.slice('Bearer '.length));
        state.scheme = schemeOf(repository, request.url, response) ?? state.scheme;
        const login = await authorize();
        // The same again would only be refused again.
        if (!login || login.header === known?.header) throw this.#refused(repository, credentials);
        response = await send(login);
        if (response.status === 401) throw this.#refused(repository, credentials);
      }
      this.#refusals.delete(refusals);
      return response;
    } catch (error) {
      if (credentials && error instanceof RegistryError && error.kind === 'unauthorized')
        this.#refusals.set(refusals, (this.#refusals.get(refusals) ?? 0) + 1);
      throw error;
    }
  }

  async #credentials({ host, path }: Repository): Promise<Credentials | undefined> {
    const credentials = await this.#options.credentials.find(host, path);
    const { redactor } = this.#options;
    if (credentials?.kind === 'basic') redactor.addLogin(credentials.username, credentials.password);
    else if (credentials) redactor.add(credentials.token);
    return credentials;
  }

  async #authorize(
    repository: Repository,
    url: URL,
    scheme: Scheme,
    credentials: Credentials | undefined,
    identity: string,
  ): Promise<Authorization | undefined> {
    if (credentials?.kind === 'registry-token') return { header: `Bearer ${credentials.token}` };
    if (scheme.kind === 'basic' && credentials?.kind === 'basic')
      return { header: basicHeader(credentials.username, credentials.password) };
    if (scheme.kind !== 'bearer') return undefined;
    const { realm, service, scope = ownScope } = scheme;
    if (credentials) this.#checkRealm(repository, url, realm);
    const token: TokenRequest = { realm, service, scope: scope(repository.path), registry: url, credentials, identity };
    try {
      return { header: `Bearer ${await this.#tokens.get(token)}`, token };
    } catch (error) {
      if (!(error instanceof RegistryError) || error.kind !== 'unauthorized') throw error;
      throw this.#refused(repository, credentials, `; ${error.message}`);
    }
  }

  /**
   * Whether a challenge may send credentials there. Over https the registry itself named the realm; over plain http
   * anybody on the way could have: then it must be the same host, or one that the user named as insecure.
   */
  #checkRealm({ host }: Repository, url: URL, realm: URL): void {
    if (url.protocol === 'https:' || realm.hostname === url.hostname || this.#options.insecure.has(realm.host)) return;
    throw new RegistryError(
      'unauthorized',
      `${host} is asked by plain http and names the token server ${realm.host}; credentials are not sent there. Use https, or name that host as insecure too`,
    );
  }

  #refused({ host, path }: Repository, credentials: Credentials | undefined, more = ''): RegistryError {
    const { name } = this.#options.credentials;
    return new RegistryError(
      'unauthorized',
      credentials
        ? `${host}/${path}: the registry refused the credentials from ${name} (401)${more}; are they right, and may they pull this repository?`
        : `${host}/${path}: the registry wants a login (401), and there are no credentials for it in ${name}; log in to ${host}. Where a registry hides what is not there, check the name too`,
    );
  }
}

/** The best of the challenges; undefined where there is none that is known. */
function schemeOf({ path }: Repository, url: URL, { headers }: HttpResponse): Scheme | undefined {
  const challenges = readChallenges(headers['www-authenticate'] ?? []);
  for (const { scheme, parameters } of challenges) {
    const realm = scheme === 'bearer' ? URL.parse(parameters['realm'] ?? '', url.href) : null;
    if (!realm) continue;
    const { service, scope } = parameters;
    return {
      kind: 'bearer',
      realm,
      ...(service !== undefined && { service }),
      ...(scope !== undefined && { scope: scopeLike(scope, path) }),
    };
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { kind: 'basic' } : undefined;
}

function ownScope(path: string): string {
  return `repository:${path}:pull`;
}

/** Scopes as the challenge for one repository had it, for any repository: some registries put a prefix before the path. */
function scopeLike(scope: string, path: string): ScopeOf {
  // A scope of something else is what was asked for, and says nothing of others.
  if (!scope.includes(`${path}:`)) return (other) => (other === path ? scope : ownScope(other));
  return (other) => scope.replace(`${path}:`, () => `${other}:`);
}

/** Tells credentials apart in keys, without holding them. */
function identityOf(credentials: Credentials | undefined): string {
  return credentials ? createHash('sha256').update(JSON.stringify(credentials)).digest('base64') : '';
}
