// A registry that plays whatever a test wants, and keeps what it was asked: dialects, faults, canaries.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { MadeImage } from './images.ts';

/** One request as it came. */
export interface Seen {
  method: string;
  /** Path and query. */
  url: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  authorization: string | undefined;
  body: string;
}

/** Answers a request. To hang, it just does nothing. */
export type Script = (request: Seen, response: ServerResponse) => void;

export interface Scripted {
  /** `127.0.0.1:PORT`. */
  host: string;
  origin: string;
  /** Every request, in order. */
  seen: Seen[];
  /** Every Authorization header that came, in order. */
  authorizations: string[];
  /** Connections opened so far. */
  connections: number;
  script: Script;
  stop(): Promise<void>;
}

/** Starts a scripted server on a free loopback port; `address` may be another one of 127.0.0.0/8. */
export async function startScripted(
  script: Script,
  { tls, address = '127.0.0.1' }: { tls?: { cert: string; key: string }; address?: string } = {},
): Promise<Scripted> {
  const sockets = new Set<Socket>();
  const server = tls ? createTlsServer(tls) : createServer();
  server.on('connection', (socket: Socket) => {
    scripted.connections++;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.on('request', (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', scripted.origin);
      const { authorization } = incoming.headers;
      const seen: Seen = {
        method: incoming.method ?? '',
        url: incoming.url ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        authorization,
        body: Buffer.concat(chunks).toString(),
      };
      scripted.seen.push(seen);
      if (authorization !== undefined) scripted.authorizations.push(authorization);
      scripted.script(seen, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  const scripted: Scripted = {
    host: `${address}:${port}`,
    origin: `${tls ? 'https' : 'http'}://${address}:${port}`,
    seen: [],
    authorizations: [],
    connections: 0,
    script,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return scripted;
}

/** Answers with JSON, or with a text as it stands. */
export function answer(
  response: ServerResponse,
  status: number,
  body?: unknown,
  headers: Record<string, string | string[]> = {},
): void {
  const text =
    typeof body === 'string' || Buffer.isBuffer(body) ? body : body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(text);
}

/** Answers as registries tell of errors. */
export function fault(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  answer(response, status, { errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }, headers);
}

/** What a well-behaved scripted registry holds: repository path to tags, and to images by tag. */
export interface Shelf {
  tags: readonly string[];
  images?: Readonly<Record<string, MadeImage>>;
}

/** A registry without faults, paging by `n` and `last` with a relative link; `pageSize` is the most a page has. */
export function shelves(shelves: Readonly<Record<string, Shelf>>, pageSize = Infinity): Script {
  return ({ method, path, query }, response) => {
    const [, name = '', what = '', reference = ''] = /^\/v2\/(.+)\/(tags|manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
    const shelf = shelves[name];
    if (path === '/v2/') return answer(response, 200, {});
    if (!shelf) return fault(response, 404, 'NAME_UNKNOWN');
    const images = Object.values(shelf.images ?? {}).flatMap((image) => [image, ...image.manifests]);
    if (what === 'tags') {
      const size = Math.min(pageSize, Number(query.get('n') ?? Infinity));
      const start = shelf.tags.indexOf(query.get('last') ?? '') + 1;
      const page = shelf.tags.slice(start, start + size);
      const more = start + size < shelf.tags.length;
      const link = `</v2/${name}/tags/list?n=${size}&last=${page.at(-1)}>; rel="next"`;
      return answer(response, 200, { name, tags: page }, more ? { link } : {});
    }
    if (what === 'blobs') {
      const blob = images.map(({ blobs }) => blobs.get(reference)).find(Boolean);
      return blob ? answer(response, 200, blob) : fault(response, 404, 'BLOB_UNKNOWN');
    }
    const image = shelf.images?.[reference] ?? images.find(({ digest }) => digest === reference);
    if (!image) return fault(response, 404, 'MANIFEST_UNKNOWN');
    return answer(response, 200, method === 'HEAD' ? undefined : image.bytes, {
      'content-type': image.mediaType,
      'docker-content-digest': image.digest,
    });
  };
}
