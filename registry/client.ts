import { createHash } from 'node:crypto';
import { asMap, asText } from '../fn/lookup/values.ts';
import { isDigest } from '../fn/reference.ts';
import { systemClock, type Clock } from './clock.ts';
import type { CredentialSource } from './credentials.ts';
import { RegistryError } from './error.ts';
import type { Http, HttpResponse } from './http.ts';
import { parseJson } from './json.ts';
import { Login } from './login.ts';
import { insecureHosts } from './network.ts';
import { Redactor } from './redact.ts';
import type { Challenge, Manifest, Registry, Repository, TagList } from './registry.ts';
import { listTags } from './tags.ts';
import { sanitise } from './words.ts';

export interface RegistryOptions {
  http: Http;
  credentials: CredentialSource;
  /** Hosts with their ports that are asked by plain http, as the `Http` was told. */
  insecure?: Iterable<string>;
  clock?: Clock;
  redactor?: Redactor;
}

/** The four media types of manifests and indexes. */
const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const ACCEPT = MANIFEST_TYPES.join(', ');
/** What the distribution specification has registries take at least. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_BLOB_BYTES = 8 * 1024 * 1024;
/** Where the Docker Hub's API is. */
const HUB_API = 'registry-1.docker.io';

/** Makes the registries of a run: see `Registry`. */
export function createRegistry(options: RegistryOptions): Registry {
  return new RegistryClient(options);
}

interface Ask {
  method: 'GET' | 'HEAD';
  url: URL;
  accept: string;
  maxBytes: number;
}

class RegistryClient implements Registry {
  #login: Login;
  #insecure: ReadonlySet<string>;
  #redactor: Redactor;

  constructor({ http, credentials, insecure = [], clock = systemClock, redactor = new Redactor() }: RegistryOptions) {
    this.#insecure = insecureHosts(insecure);
    this.#redactor = redactor;
    this.#login = new Login({ http, credentials, insecure: this.#insecure, clock, redactor });
  }

  tags(repository: Repository): Promise<TagList> {
    return this.#clean(async () => {
      const url = this.#url(repository, 'tags/list');
      const list = await listTags(url, async (page, maxBytes) => {
        const ask: Ask = { method: 'GET', url: page, accept: 'application/json', maxBytes };
        const response = await this.#login.send(repository, ask);
        // Pages of a size that it does not like: ECR says 405, others 400.
        if ((response.status === 400 || response.status === 405) && page.search !== '') return undefined;
        return expectOk(repository, ask, response);
      });
      return list.problem === undefined ? list : { ...list, problem: this.#redactor.text(list.problem) };
    });
  }

  digest(repository: Repository, tag: string): Promise<string> {
    return this.#clean(async () => {
      const ask = this.#askManifest(repository, tag);
      const head = await this.#login.send(repository, { ...ask, method: 'HEAD' });
      const digest = head.headers['docker-content-digest']?.[0];
      if (head.status === 200 && digest !== undefined && isDigest(digest)) return digest;
      if (head.status === 401 || head.status === 403) throw failure(repository, ask, head);
      // No HEAD here, or one without the digest; a 404 of HEAD alone has been seen too.
      const { body, digest: told } = await this.#getManifest(repository, ask);
      return told ?? digestOf(body, 'sha256');
    });
  }

  manifest(repository: Repository, reference: string): Promise<Manifest> {
    return this.#clean(async () => {
      const ask = this.#askManifest(repository, reference);
      const { body, digest, type } = await this.#getManifest(repository, ask);
      const wanted = isDigest(reference) ? reference : digest;
      if (wanted !== undefined) verify(repository, body, wanted);
      const value = parseJson(body);
      const mediaType = type ?? asText(asMap(value)?.['mediaType']);
      if (!asMap(value) || mediaType === undefined)
        throw new RegistryError('malformed', `${nameOf(repository)}: ${reference} is not the JSON of a manifest`);
      return { digest: wanted ?? digestOf(body, 'sha256'), mediaType, body: value };
    });
  }

  blob(repository: Repository, digest: string): Promise<unknown> {
    return this.#clean(async () => {
      const url = this.#url(repository, `blobs/${digest}`);
      const ask: Ask = { method: 'GET', url, accept: '*/*', maxBytes: MAX_BLOB_BYTES };
      const { body } = expectOk(repository, ask, await this.#login.send(repository, ask));
      verify(repository, body, digest);
      const value = parseJson(body);
      if (value === undefined)
        throw new RegistryError('malformed', `${nameOf(repository)}: the blob ${digest} is not JSON`);
      return value;
    });
  }

  challenge(host: string): Challenge | undefined {
    return this.#login.challenge(host);
  }

  #askManifest(repository: Repository, reference: string): Ask {
    const url = this.#url(repository, `manifests/${reference}`);
    return { method: 'GET', url, accept: ACCEPT, maxBytes: MAX_MANIFEST_BYTES };
  }

  /** A manifest with the digest and type that its headers tell. */
  async #getManifest(repository: Repository, ask: Ask): Promise<{ body: Buffer; digest?: string; type?: string }> {
    const { body, headers } = expectOk(repository, ask, await this.#login.send(repository, ask));
    const digest = headers['docker-content-digest']?.[0];
    const type = headers['content-type']?.[0]?.split(';')[0]?.trim().toLowerCase();
    if (type?.startsWith('application/vnd.docker.distribution.manifest.v1+'))
      throw new RegistryError(
        'malformed',
        `${nameOf(repository)}: the image is of Docker's schema 1, which is not read; push it anew`,
      );
    return {
      body,
      ...(digest !== undefined && isDigest(digest) && { digest }),
      ...(type !== undefined && /manifest|index/.test(type) && { type }),
    };
  }

  #url({ host, path }: Repository, rest: string): URL {
    const api = host === 'docker.io' ? HUB_API : host;
    const plain = this.#insecure.has(URL.parse(`http://${api}`)?.host ?? '');
    return new URL(`${plain ? 'http' : 'https'}://${api}/v2/${path}/${rest}`);
  }

  /** Takes secrets out of whatever is thrown; the one way out of this room for what a registry says. */
  async #clean<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RegistryError) error.message = this.#redactor.text(error.message);
      throw error;
    }
  }
}

export function nameOf({ host, path }: Repository): string {
  return `${host}/${path}`;
}

function expectOk(repository: Repository, ask: Ask, response: HttpResponse): HttpResponse {
  if (response.status === 200) return response;
  throw failure(repository, ask, response);
}

/** What a status other than 200 means, and who must act. */
function failure(repository: Repository, { method, url }: Ask, { status, body }: HttpResponse): RegistryError {
  const name = nameOf(repository);
  const said = errorOf(body);
  const saying = said === '' ? '' : `; the registry says: ${said}`;
  switch (status) {
    case 401:
      return new RegistryError('unauthorized', `${name}: the registry wants a login (401)${saying}`);
    case 403:
      return new RegistryError(
        'denied',
        `${name}: these credentials may not read it (403); ask for the right to pull${saying}`,
      );
    case 404:
      return new RegistryError(
        'not-found',
        `${name}: ${method} ${url.pathname} is not there (404); is the name right, and may these credentials see it?${saying}`,
      );
    default:
      return status >= 500
        ? new RegistryError(
            'unavailable',
            `${name}: the registry failed (${status}) at ${method} ${url.pathname}; try again later${saying}`,
          )
        : new RegistryError(
            'malformed',
            `${name}: an answer that was not expected (${status}) to ${method} ${url.pathname}${saying}`,
          );
  }
}

/** Code and message of the first error of an answer, one short line. */
function errorOf(body: Buffer): string {
  const { errors } = asMap(parseJson(body)) ?? {};
  const first = Array.isArray(errors) ? asMap(errors[0]) : undefined;
  return sanitise([first?.['code'], first?.['message']].map(asText).filter(Boolean).join(', '));
}

const HASHES = new Set(['sha256', 'sha384', 'sha512']);

function digestOf(body: Buffer, algorithm: string): string {
  return `${algorithm}:${createHash(algorithm).update(body).digest('hex')}`;
}

/** @throws RegistryError where the content is not what the digest names. */
function verify(repository: Repository, body: Buffer, digest: string): void {
  const [algorithm = ''] = digest.split(':');
  if (!HASHES.has(algorithm))
    throw new RegistryError(
      'malformed',
      `${nameOf(repository)}: the digest ${sanitise(digest)} cannot be checked; sha256 and sha512 can`,
    );
  const found = digestOf(body, algorithm);
  if (found !== digest.toLowerCase())
    throw new RegistryError(
      'malformed',
      `${nameOf(repository)}: the content of ${digest} has the digest ${found}; it is not used`,
    );
}
