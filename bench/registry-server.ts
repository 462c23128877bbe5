/**
 * A registry for the measurements, in a process of its own: it makes up what it is asked for, and counts. Its port goes to
 * stdout. Repositories are named by what they hold:
 *
 *     tags/N       N tags, `1.0.0` to `1.0.N-1`, in one page
 *     builds/N     N tags, `main-0` to `main-N-1`, each an image built a minute after the one before
 *     locked/K/N   as tags/N, for who has a token of this repository; K tells repositories apart
 *
 * `/counts` says how many requests there were of each kind since it was asked last.
 */
import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const counts: Record<string, number> = {};

/** A build's config and manifest, made of its number alone. */
function build(i: number) {
  const created = new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString().replace('.000Z', 'Z');
  const config = JSON.stringify({ architecture: 'amd64', os: 'linux', created });
  const descriptor = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: digestOf(config),
    size: config.length,
  };
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: descriptor, layers: [] });
  return { config, manifest };
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** What was made, by its digest. */
const blobs = new Map<string, string>();

function imageOf(tag: string): string {
  const { config, manifest } = build(Number(tag.slice('main-'.length)));
  blobs.set(digestOf(config), config);
  blobs.set(digestOf(manifest), manifest);
  return manifest;
}

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

function count(kind: string): void {
  counts[kind] = (counts[kind] ?? 0) + 1;
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
  if (url.pathname === '/counts') {
    send(response, 200, JSON.stringify(counts));
    for (const kind of Object.keys(counts)) delete counts[kind];
    return;
  }
  if (url.pathname === '/token') {
    count('token');
    send(response, 200, JSON.stringify({ token: url.searchParams.get('scope'), expires_in: 3600 }));
    return;
  }
  const [, repository = '', what = '', reference = ''] =
    /^\/v2\/(.+)\/(tags|manifests|blobs)\/(.+)$/.exec(url.pathname) ?? [];
  const scope = `repository:${repository}:pull`;
  if (repository.startsWith('locked/') && request.headers.authorization !== `Bearer ${scope}`) {
    count('challenge');
    const challenge = `Bearer realm="http://${request.headers.host}/token",service="bench",scope="${scope}"`;
    send(response, 401, '{"errors":[{"code":"UNAUTHORIZED"}]}', { 'www-authenticate': challenge });
    return;
  }
  count(what || 'ping');
  const [kind, size] = [repository.split('/')[0], Number(repository.split('/').at(-1))];
  if (what === 'tags') {
    const prefix = kind === 'builds' ? 'main-' : '1.0.';
    const tags = Array.from({ length: size }, (_, i) => `${prefix}${i}`);
    send(response, 200, JSON.stringify({ name: repository, tags }));
    return;
  }
  if (what === 'manifests' || what === 'blobs') {
    const text = reference.startsWith('main-') ? imageOf(reference) : blobs.get(reference);
    if (text === undefined) send(response, 404, '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    else {
      const headers = { 'content-type': MANIFEST, 'docker-content-digest': digestOf(text) };
      send(response, 200, request.method === 'HEAD' ? '' : text, headers);
    }
    return;
  }
  send(response, what === '' ? 200 : 404, '{}');
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
