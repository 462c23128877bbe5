// Images made by the tests themselves: their bytes, and a push over the API of a registry.
import { createHash } from 'node:crypto';

/** Where to push: `http://127.0.0.1:5000`, `team/app`, and what logs in there. */
export interface Target {
  origin: string;
  path: string;
  headers?: Record<string, string>;
}

export interface ImageOptions {
  /** Whose media types; default `oci`. */
  kind?: 'oci' | 'docker';
  /** `os/arch[/variant]`; default `linux/amd64`. */
  platform?: string;
  /** RFC 3339, of the config; absent: the config has none. */
  created?: string;
  /** Of the config, as a Dockerfile's LABEL. */
  labels?: Record<string, string>;
  /** Of the manifest; only OCI has them. */
  annotations?: Record<string, string>;
  /** Makes images differ that would be the same. */
  content?: string;
}

/** What an index says of a manifest, and a manifest of a blob. */
export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/** A manifest or index with everything below it, by digest. */
export interface MadeImage extends Descriptor {
  bytes: Buffer;
  /** Config and layers, of images below an index too. */
  blobs: Map<string, Buffer>;
  /** The manifests of an index; none of a single image. */
  manifests: MadeImage[];
  platform?: { os: string; architecture: string; variant?: string };
}

const TYPES = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
};

export function makeImage(options: ImageOptions = {}): MadeImage {
  const { kind = 'oci', platform = 'linux/amd64', created, labels, annotations, content = '' } = options;
  const types = TYPES[kind];
  const [os = '', architecture = '', variant] = platform.split('/');
  const place = { os, architecture, ...(variant && { variant }) };
  const layer = Buffer.from(`layer ${content}`);
  const config = json({
    ...place,
    ...(created !== undefined && { created }),
    config: { ...(labels && { Labels: labels }) },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  });
  const bytes = json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: describe(config, types.config),
    layers: [describe(layer, types.layer)],
    ...(annotations && { annotations }),
  });
  const blobs = new Map([config, layer].map((blob) => [digestOf(blob), blob]));
  return { ...describe(bytes, types.manifest), bytes, blobs, manifests: [], platform: place };
}

/** An index of images, such as one a platform. */
export function makeIndex(
  images: readonly MadeImage[],
  options: Pick<ImageOptions, 'kind' | 'annotations'> = {},
): MadeImage {
  const { kind = 'oci', annotations } = options;
  const manifests = images.map(({ mediaType, digest, size, platform }) => ({ mediaType, digest, size, platform }));
  const { index } = TYPES[kind];
  const bytes = json({ schemaVersion: 2, mediaType: index, manifests, ...(annotations && { annotations }) });
  const blobs = new Map(images.flatMap((image) => [...image.blobs]));
  return { ...describe(bytes, index), bytes, blobs, manifests: [...images] };
}

/** Pushes everything that is below an image, then the image under each of the tags; without tags, under its digest. */
export async function push(target: Target, image: MadeImage, ...tags: string[]): Promise<void> {
  for (const [digest, blob] of image.blobs) await pushBlob(target, digest, blob);
  for (const below of image.manifests) await pushManifest(target, below, below.digest);
  for (const reference of tags.length > 0 ? tags : [image.digest]) await pushManifest(target, image, reference);
}

async function pushManifest({ origin, path, headers }: Target, image: MadeImage, reference: string): Promise<void> {
  const url = `${origin}/v2/${path}/manifests/${reference}`;
  await expect(
    await fetch(url, {
      method: 'PUT',
      body: new Uint8Array(image.bytes),
      headers: { ...headers, 'content-type': image.mediaType },
    }),
    201,
  );
}

async function pushBlob({ origin, path, headers = {} }: Target, digest: string, blob: Buffer): Promise<void> {
  const start = await fetch(`${origin}/v2/${path}/blobs/uploads/`, { method: 'POST', headers });
  await expect(start, 202);
  const url = new URL(start.headers.get('location') ?? '', start.url);
  url.searchParams.set('digest', digest);
  await expect(
    await fetch(url, {
      method: 'PUT',
      body: new Uint8Array(blob),
      headers: { ...headers, 'content-type': 'application/octet-stream' },
    }),
    201,
  );
}

async function expect(response: Response, status: number): Promise<void> {
  const text = await response.text();
  if (response.status !== status) throw new Error(`${response.url}: ${response.status}, not ${status}: ${text}`);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function describe(bytes: Buffer, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
