/** One request, as the registry room makes them. */
export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST';
  url: URL;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** A longer body, decompressed, is an error: what a stranger sends is bounded. */
  maxBytes: number;
  /**
   * Whose answer named the URL, where it was not the user: the realm of a challenge. Then it may not lead to a private or
   * loopback address, unless the one who named it is there itself or the user named that host too.
   */
  namedBy?: URL;
  /** Whose request it is: connections are shared only among requests of one identity. Absent: told apart by `Authorization`. */
  identity?: string;
}

export interface HttpResponse {
  status: number;
  /** By lower-case name; of several with one name, as they came. */
  headers: Readonly<Record<string, readonly string[]>>;
  body: Buffer;
  /** Where the answer came from, after redirects. */
  url: URL;
}

/**
 * The network, in one thin object: everything of the registry room goes through it, so tests count and script it.
 *
 * It follows redirects of GET and HEAD (never with `Authorization` to another origin), obeys the limits of each host,
 * waits and tries again where the answer says so (429, 5xx, a lost connection), and gives any other status to the caller.
 * @throws RegistryError of kind `unreachable`, `timeout`, `too-large`, `malformed`, `rate-limited`, `refused-address` or `tls`.
 */
export interface Http {
  send(request: HttpRequest): Promise<HttpResponse>;
}
