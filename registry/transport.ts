import { createHash } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type AgentOptions } from 'node:https';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import {
  addressKind,
  guardedLookup,
  literalKind,
  mayReach,
  RefusedAddress,
  type AddressKind,
  type Reach,
} from './address.ts';
import { RegistryError } from './error.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { label, sanitise } from './words.ts';
import { proxyAuthorization, proxyFor, ProxyRefusal, TunnelAgent } from './proxy.ts';

/** Milliseconds. `idle`: without a byte; `total`: of one answer, body and all. */
export interface Timeouts {
  connect: number;
  idle: number;
  total: number;
}

/** `total` is what a listing of 250,000 tags in one page takes on a slow line, and more. */
export const TIMEOUTS: Timeouts = { connect: 10_000, idle: 30_000, total: 120_000 };

export interface TransportOptions {
  /** PEM certificates of authorities that are trusted beside the system's. */
  ca?: string;
  /** By host with port, as in a canonical image name: the PEM certificate and key to show there, and nowhere else. */
  clientCertificates?: ReadonlyMap<string, { cert: string; key: string }>;
  /** For the proxies. */
  environment?: Readonly<Record<string, string | undefined>>;
  timeouts?: Timeouts;
}

/** The connection broke before the answer was complete: another try may help. */
export class LostConnection extends RegistryError {}

/** One request and its answer: no redirects, no second try. Connections stay open, apart for each origin and identity. */
export class Transport {
  #options: TransportOptions;
  #timeouts: Timeouts;
  #agents = new Map<string, HttpAgent>();
  #contexts = new Map<string, SecureContext>();
  #kinds = new Map<string, AddressKind>();

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#timeouts = options.timeouts ?? TIMEOUTS;
  }

  /** The kind of address that a host was found at, or that its name is; `public` where neither is known. */
  kindOf(url: URL): AddressKind {
    return literalKind(url.hostname) ?? this.#kinds.get(url.hostname) ?? 'public';
  }

  /** @throws RegistryError as `Http` does, and LostConnection. */
  exchange(request: HttpRequest, reach: Reach): Promise<HttpResponse> {
    const { method, url, headers = {}, body } = request;
    const literal = literalKind(url.hostname);
    if (literal && !mayReach(literal, reach)) throw refused(request, `it is a ${literal} address`);
    const proxy = proxyFor(url, this.#options.environment ?? process.env);
    const secure = url.protocol === 'https:';
    const absolute = proxy !== undefined && !secure;
    const through = absolute ? proxy : url;
    const options: RequestOptions = {
      method,
      host: hostOf(through),
      port: through.port || (through.protocol === 'https:' ? 443 : 80),
      path: absolute ? url.origin + url.pathname + url.search : url.pathname + url.search,
      agent: this.#agent(url, identityOf(request), reach, proxy),
      headers: {
        'user-agent': 'image-update',
        'accept-encoding': 'gzip, deflate, br',
        ...headers,
        host: url.host,
        ...(absolute && proxyAuthorization(proxy)),
        ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
      },
    };
    const { connect, idle, total } = this.#timeouts;
    return new Promise((resolve, reject) => {
      const outgoing = (through.protocol === 'https:' ? httpsRequest : httpRequest)(options);
      const late = (what: string, milliseconds: number) => () =>
        fail(new RegistryError('timeout', `${label(request)}: ${what} in ${milliseconds / 1000} s`));
      const connecting = setTimeout(late('no connection', connect), connect);
      const running = setTimeout(late('the answer was not complete', total), total);
      function done(): void {
        clearTimeout(connecting);
        clearTimeout(running);
      }
      function fail(error: Error): void {
        done();
        outgoing.destroy();
        reject(error instanceof RegistryError ? error : problemOf(error, request));
      }
      outgoing.on('socket', (socket) => {
        if (outgoing.reusedSocket || (proxy && secure)) return clearTimeout(connecting);
        socket.once(through.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
          clearTimeout(connecting);
          if (!proxy && socket.remoteAddress) this.#kinds.set(url.hostname, addressKind(socket.remoteAddress));
        });
      });
      outgoing.setTimeout(idle, late('nothing came', idle));
      outgoing.on('error', fail);
      outgoing.on('response', (incoming) => {
        readBody(incoming, request)
          .then((body) => ({ status: incoming.statusCode ?? 0, headers: headersOf(incoming), body, url }))
          .finally(done)
          .then(resolve, fail);
      });
      outgoing.end(body);
    });
  }

  /** Closes the connections that are kept open. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #agent(url: URL, identity: string, reach: Reach, proxy: URL | undefined): HttpAgent {
    const key = `${url.origin} ${identity} ${reach} ${proxy?.href ?? ''}`;
    let agent = this.#agents.get(key);
    if (!agent) {
      agent = this.#newAgent(url, reach, proxy);
      this.#agents.set(key, agent);
    }
    return agent;
  }

  #newAgent(url: URL, reach: Reach, proxy: URL | undefined): HttpAgent {
    const options: AgentOptions = { keepAlive: true };
    // The proxy is the user's own choice and resolves the names itself.
    if (!proxy) options.lookup = guardedLookup(reach);
    if (url.protocol === 'http:')
      return proxy?.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
    const secureContext = this.#context(url.host);
    if (secureContext) options.secureContext = secureContext;
    return proxy ? new TunnelAgent(proxy, this.#timeouts.connect, options) : new HttpsAgent(options);
  }

  /** Made once: reading the system's certificates takes some 10 ms. Undefined where Node's own default will do. */
  #context(host: string): SecureContext | undefined {
    const { ca, clientCertificates } = this.#options;
    const client = clientCertificates?.get(host) ?? clientCertificates?.get(`${host}:443`);
    if (ca === undefined && !client) return undefined;
    const key = client ? host : '';
    let context = this.#contexts.get(key);
    if (!context) {
      context = createSecureContext({
        ...client,
        ...(ca !== undefined && { ca: [...getCACertificates('default'), ca] }),
      });
      this.#contexts.set(key, context);
    }
    return context;
  }
}

function identityOf({ identity, headers = {} }: HttpRequest): string {
  const { authorization } = headers;
  if (identity !== undefined || authorization === undefined) return identity ?? '';
  return createHash('sha256').update(authorization).digest('base64');
}

function headersOf({ headersDistinct }: IncomingMessage): Record<string, readonly string[]> {
  return headersDistinct as Record<string, string[]>;
}

/** Reads a body, decompressed, and stops as soon as it is longer than it may be. */
function readBody(incoming: IncomingMessage, { maxBytes, ...request }: HttpRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let raw = 0;
    let length = 0;
    const chunks: Buffer[] = [];
    const encoding = (incoming.headers['content-encoding'] ?? '').trim().toLowerCase();
    const decoder = request.method === 'HEAD' ? undefined : decoderOf(encoding);
    const tooLarge = () =>
      reject(
        new RegistryError(
          'too-large',
          `${label(request)}: the answer is longer than ${maxBytes.toLocaleString('en')} bytes`,
        ),
      );
    if (decoder === null)
      return reject(
        new RegistryError(
          'malformed',
          `${label(request)}: the answer is encoded as "${sanitise(encoding)}", which was not asked for`,
        ),
      );
    incoming.on('data', (chunk: Buffer) => {
      raw += chunk.length;
      if (raw > maxBytes) tooLarge();
    });
    // `close` without `end` is an answer that was cut off.
    incoming.on('error', () => reject(truncated(request, raw)));
    incoming.on('close', () => {
      if (!incoming.complete) reject(truncated(request, raw));
    });
    const body = decoder ? incoming.pipe(decoder) : incoming;
    body.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) {
        decoder?.destroy();
        return tooLarge();
      }
      chunks.push(chunk);
    });
    decoder?.on('error', ({ message }) =>
      reject(
        new RegistryError('malformed', `${label(request)}: the answer is not ${encoding} as it says (${message})`),
      ),
    );
    body.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length)));
  });
}

function truncated(request: Pick<HttpRequest, 'method' | 'url'>, length: number): LostConnection {
  return new LostConnection(
    'unreachable',
    `${label(request)}: the connection broke in the middle of the answer, after ${length} bytes`,
  );
}

/** Undefined: there is nothing to decode. Null: an encoding that is not known. */
function decoderOf(encoding: string): ReturnType<typeof createGunzip> | undefined | null {
  switch (encoding) {
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      return null;
  }
}

const LOST = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ECONNABORTED', 'ENETRESET']);
const WORDS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there; is the registry running, and the port right?',
  ENOTFOUND: 'there is no such host; is its name right, or is a proxy needed?',
  EAI_AGAIN: 'its name could not be resolved now',
  ECONNRESET: 'the connection was closed before there was an answer',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
};

/** What Node says of a failed request, in words, and who must act. */
function problemOf(error: NodeJS.ErrnoException, request: HttpRequest): RegistryError {
  const { code = '', message } = error;
  const where = label(request);
  if (error instanceof RefusedAddress) return refused(request, message);
  if (error instanceof ProxyRefusal) return new RegistryError('unreachable', `${where}: ${message}`);
  if (code === 'HPE_HEADER_OVERFLOW')
    return new RegistryError('too-large', `${where}: the headers of the answer are too long`);
  if (code.startsWith('HPE_')) return new RegistryError('malformed', `${where}: the answer is not HTTP (${code})`);
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || CERTIFICATE.test(code))
    return new RegistryError('tls', `${where}: ${tlsWords(code, message)}`);
  const text = `${where}: ${WORDS[code] ?? sanitise(message || code)}`;
  return LOST.has(code) ? new LostConnection('unreachable', text) : new RegistryError('unreachable', text);
}

/** OpenSSL's names of what is wrong with a certificate, as Node has them for codes. */
const CERTIFICATE = /CERT|UNABLE_TO_|^INVALID_CA$|^PATH_LENGTH|^HOSTNAME_MISMATCH$|SIGNATURE/;

function tlsWords(code: string, message: string): string {
  if (/WRONG_VERSION_NUMBER|wrong version number|PACKET_LENGTH|HTTP_REQUEST/i.test(code + message))
    return 'it does not speak TLS; if it is meant to speak plain http, name the host as insecure';
  if (/SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)/.test(code))
    return `its certificate is of an authority that is not trusted (${code}); give the certificate of the private authority`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another host';
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired';
  if (/CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE/i.test(code + message))
    return `it refused the connection (${code}); does it want a client certificate?`;
  return `TLS failed (${code}: ${sanitise(message)})`;
}

function refused(request: HttpRequest, why: string): RegistryError {
  const who = request.namedBy ? `${request.namedBy.host} leads to ${request.url.host}` : request.url.host;
  return new RegistryError('refused-address', `${who}, which is not asked: ${why}`);
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
