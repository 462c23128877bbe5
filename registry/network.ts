import type { AddressKind } from './address.ts';
import { systemClock, type Clock } from './clock.ts';
import { RegistryError } from './error.ts';
import type { Http, HttpRequest, HttpResponse } from './http.ts';
import { Host, type HostLimit } from './limits.ts';
import { LostConnection, Transport, type TransportOptions } from './transport.ts';
import { label } from './words.ts';

export interface HttpOptions extends TransportOptions {
  /** Hosts with their ports, as in canonical names, that may be asked by plain http; each named by the user. */
  insecure?: Iterable<string>;
  /** In place of each host's own default. */
  limit?: HostLimit;
  clock?: Clock;
}

const MAX_REDIRECTS = 5;
/** Second tries of one request. */
const MAX_RETRIES = 4;
/** Second tries of a whole run: where everything fails, it must end. */
export const RETRY_BUDGET = 50;
/** Milliseconds before a second try where the host says nothing: up to the base, doubled each time. */
const BACKOFF = { base: 500, most: 30_000 };

/** Makes the network of a run. It shares connections, the limits of hosts and the retry budget. */
export function createHttp(options: HttpOptions = {}): Network {
  return new Network(options);
}

export class Network implements Http {
  #transport: Transport;
  #clock: Clock;
  #insecure: ReadonlySet<string>;
  #limit: HostLimit | undefined;
  #hosts = new Map<string, Host>();
  /** Names of hosts that the user named. */
  #named = new Set<string>();
  #budget = RETRY_BUDGET;
  /** Requests that went out, second tries and redirects too. */
  requests = 0;

  constructor({ insecure = [], limit, clock = systemClock, ...transport }: HttpOptions) {
    this.#transport = new Transport(transport);
    this.#clock = clock;
    this.#limit = limit;
    this.#insecure = insecureHosts(insecure);
    for (const host of this.#insecure) this.#named.add(new URL(`http://${host}`).hostname);
  }

  async send(request: HttpRequest): Promise<HttpResponse> {
    if (!request.namedBy) this.#named.add(request.url.hostname);
    let current = request;
    for (let redirects = 0; ; redirects++) {
      this.#checkScheme(current);
      const response = await this.#patiently(current);
      const next = redirectOf(current, response);
      if (!next) return response;
      if (redirects === MAX_REDIRECTS)
        throw new RegistryError('malformed', `${label(request)}: more than ${MAX_REDIRECTS} redirects`);
      current = next;
    }
  }

  close(): void {
    this.#transport.close();
  }

  #checkScheme({ url, namedBy }: HttpRequest): void {
    if (url.protocol === 'https:' || (url.protocol === 'http:' && this.#insecure.has(url.host))) return;
    const who = namedBy ? `${namedBy.host} leads to ${url.protocol}//${url.host}` : `${url.protocol}//${url.host}`;
    throw new RegistryError(
      'refused-address',
      `${who}, which is not asked: plain http is for hosts that are named as insecure`,
    );
  }

  /** One request with its second tries. */
  async #patiently(request: HttpRequest): Promise<HttpResponse> {
    const host = this.#host(request.url);
    const what = label(request);
    const isPull = request.method === 'GET' && request.url.pathname.includes('/manifests/');
    for (let tries = 0; ; tries++) {
      let outcome: HttpResponse | LostConnection;
      try {
        outcome = await host.run(what, isPull, () => {
          this.requests++;
          return this.#transport.exchange(request, this.#reach(request));
        });
      } catch (error) {
        if (!(error instanceof LostConnection)) throw error;
        outcome = error;
      }
      const status = outcome instanceof LostConnection ? undefined : outcome.status;
      if (status !== undefined && status !== 429 && status < 500) return outcome as HttpResponse;
      // Not implemented: no other try will change it.
      if (status === 501) return outcome as HttpResponse;
      if (tries < MAX_RETRIES && this.#budget > 0 && !host.isGivenUp) {
        this.#budget--;
        const wait = this.#backoff(tries);
        // Without a Retry-After the whole host gets the rest that this request takes.
        if (status === 429) host.pause(wait);
        await this.#clock.sleep(wait);
        continue;
      }
      if (outcome instanceof LostConnection) throw outcome;
      if (status === 429) {
        host.giveUp('rate-limited', `it answered 429 to ${tries + 1} tries`);
        // The host's own words, the same as for every request after this one.
        return host.run(what, isPull, () => Promise.reject(new Error('the host was given up')));
      }
      return outcome;
    }
  }

  #backoff(tries: number): number {
    return this.#clock.random() * Math.min(BACKOFF.most, BACKOFF.base * 2 ** tries);
  }

  #reach({ url, namedBy }: HttpRequest): 'named' | AddressKind {
    return !namedBy || this.#named.has(url.hostname) ? 'named' : this.#transport.kindOf(namedBy);
  }

  #host({ host, hostname }: URL): Host {
    let known = this.#hosts.get(host);
    if (!known) {
      known = new Host(hostname, this.#clock, this.#limit);
      this.#hosts.set(host, known);
    }
    return known;
  }
}

/** Hosts as the URL of a plain http request spells them: without port 80. */
export function insecureHosts(hosts: Iterable<string>): ReadonlySet<string> {
  return new Set([...hosts].map((host) => URL.parse(`http://${host}`)?.host ?? host));
}

/** The request that a redirect asks for; undefined where the answer is none. A body is never sent on. */
function redirectOf(request: HttpRequest, { status, headers }: HttpResponse): HttpRequest | undefined {
  const location = headers['location']?.[0];
  if (status < 301 || status > 308 || status === 304 || location === undefined || request.method === 'POST')
    return undefined;
  const url = URL.parse(location, request.url.href);
  if (!url) throw new RegistryError('malformed', `${label(request)}: the redirect leads to no URL`);
  const { headers: sent = {}, ...rest } = request;
  if (url.origin === request.url.origin) return { ...request, url };
  if (request.url.protocol === 'https:' && url.protocol !== 'https:')
    throw new RegistryError(
      'refused-address',
      `${label(request)}: the redirect leads from https to ${url.protocol}//${url.host}, which is not followed`,
    );
  const open = Object.fromEntries(Object.entries(sent).filter(([name]) => name !== 'authorization'));
  return { ...rest, url, headers: open, namedBy: request.url, identity: '' };
}
