import { request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type AgentOptions } from 'node:https';
import { BlockList, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect, type ConnectionOptions } from 'node:tls';
import { literalKind } from './address.ts';
import { RegistryError } from './error.ts';

// Node's own agents know proxies from 22.21 on (`proxyEnv`); the bundles run on 22.19 too.

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL by `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, or their lower-case spellings, as Go's programs read them:
 * loopback hosts are never proxied; `NO_PROXY` has hosts with everything below them, `host:port`, addresses, CIDRs and `*`.
 * @throws RegistryError for a proxy of another kind than http and https.
 */
export function proxyFor(url: URL, environment: Environment): URL | undefined {
  const secure = url.protocol === 'https:';
  const name = secure ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  // In a CGI program HTTP_PROXY is the `Proxy` header of whoever asks it.
  const upper = secure || environment['REQUEST_METHOD'] === undefined ? environment[name] : undefined;
  const text = upper || environment[name.toLowerCase()];
  if (!text || literalKind(url.hostname) === 'loopback') return undefined;
  const port = url.port || (secure ? '443' : '80');
  if (isExempt(url.hostname, port, environment['NO_PROXY'] || environment['no_proxy'] || '')) return undefined;
  const proxy = parseProxy(text);
  if (proxy) return proxy;
  // Its value may hold a password.
  throw new RegistryError('unreachable', `${name} is not a URL of an http or https proxy; correct the environment`);
}

function parseProxy(text: string): URL | undefined {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  return url && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '' ? url : undefined;
}

function isExempt(hostname: string, port: string, list: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      if (entry === '*') return true;
      if (entry.includes('/')) return isWithin(host, entry);
      const [, name = '', wanted] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
      if (wanted !== undefined && wanted !== port) return false;
      const bare = name.replace(/^\*?\./, '');
      return host === bare || host.endsWith(`.${bare}`);
    });
}

function isWithin(host: string, cidr: string): boolean {
  const [address = '', bits = ''] = cidr.split('/');
  const family = isIP(address);
  if (family === 0 || isIP(host) !== family || !/^\d+$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    return false;
  const list = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(address, Number(bits), type);
  return list.check(host, type);
}

/** What logs in to a proxy whose URL has a user. */
export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const login = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
}

/** The proxy did not open a tunnel. */
export class ProxyRefusal extends Error {}

/** Connects by a tunnel through a proxy, and speaks TLS with the host at its end. */
export class TunnelAgent extends HttpsAgent {
  #proxy: URL;
  #timeout: number;

  /** `timeout`: milliseconds until the tunnel must stand. */
  constructor(proxy: URL, timeout: number, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
    this.#timeout = timeout;
  }

  override createConnection(
    options: ConnectionOptions,
    callback: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const target = `${isIP(options.host ?? '') === 6 ? `[${options.host}]` : options.host}:${options.port}`;
    const fail = (error: Error) => callback(error, undefined as unknown as Duplex);
    const proxy = this.#proxy;
    const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
      method: 'CONNECT',
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      path: target,
      headers: { host: target, ...proxyAuthorization(proxy) },
      agent: false,
      timeout: this.#timeout,
    });
    request.on('connect', ({ statusCode }, socket: Socket, head: Buffer) => {
      if (statusCode !== 200 || head.length > 0) {
        socket.destroy();
        const login = statusCode === 407 ? '; it wants a login, which is written into its URL' : '';
        fail(new ProxyRefusal(`the proxy ${proxy.host} answered ${statusCode} to CONNECT ${target}${login}`));
        return;
      }
      const secure = tlsConnect({ ...options, socket });
      socket.setTimeout(this.#timeout, () => secure.destroy(new ProxyRefusal(`${target} did not answer`)));
      secure.once('error', fail).once('secureConnect', () => {
        secure.off('error', fail);
        socket.setTimeout(0);
        callback(null, secure);
      });
    });
    request.on('timeout', () => request.destroy(new ProxyRefusal(`the proxy ${proxy.host} did not answer`)));
    request.on('error', fail).end();
    return undefined;
  }
}
