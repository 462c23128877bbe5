/** What manifests, indexes and configs say of an image: when it was built, and for which platforms. Pure. */
import { asMap, asText, type Values } from '../fn/lookup/values.ts';
import { readTime } from '../fn/policy/time.ts';
import { isDigest } from '../fn/reference.ts';
import { RegistryError } from './error.ts';
import type { Manifest } from './registry.ts';

export type ManifestContent = ImageContent | IndexContent;

export interface ImageContent {
  kind: 'image';
  /** Digest of the config blob; undefined where the config is none of an image (a chart, a signature). */
  config: string | undefined;
  /** RFC 3339, of the annotation `org.opencontainers.image.created`. */
  annotated: string | undefined;
}

export interface IndexContent {
  kind: 'index';
  /** The images of the index; attestations and nested indexes are none. */
  children: IndexChild[];
  annotated: string | undefined;
}

export interface IndexChild {
  digest: string;
  /** `os/arch[/variant]`; undefined where the index does not say. */
  platform: string | undefined;
}

export interface ConfigContent {
  /** RFC 3339, as written; undefined if it is missing, malformed or Go's zero time. 1970 is kept: the engine knows it. */
  created: string | undefined;
  /** RFC 3339, of the labels for it. */
  labelled: string | undefined;
  platform: string | undefined;
}

const INDEXES = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
const IMAGES = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);
const SCHEMA1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/;
/** What a config that tells of an image is called; the last is what early pushers of Docker's schema 2 wrote. */
const IMAGE_CONFIGS = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  'application/octet-stream',
]);

const CREATED = 'org.opencontainers.image.created';
/** The labels that hold a time, the first one first (reference/flux-v1-mode.md §14.3). */
const LABELS = [CREATED, 'org.label-schema.build-date'];
/** More images behind one tag than anybody builds. */
const MAX_CHILDREN = 200;

/**
 * Reads a manifest or an index, of OCI or Docker.
 * @throws RegistryError `malformed` for Docker's schema 1, for any other media type, and for a body that is no such thing.
 */
export function readManifest({ mediaType, body, digest }: Manifest): ManifestContent {
  const manifest = asMap(body);
  if (!manifest) throw malformed(digest, 'it is not a JSON object');
  const type = manifestType(mediaType, manifest);
  if (SCHEMA1.test(type))
    throw malformed(
      digest,
      "it is of Docker's schema 1, which registries gave up in 2017 and which says nothing reliable of times; push the image again with a current client",
    );
  const annotated = time(asMap(manifest['annotations'])?.[CREATED]);
  if (INDEXES.has(type)) return { kind: 'index', children: readChildren(manifest, digest), annotated };
  if (!IMAGES.has(type)) throw malformed(digest, `its media type ${JSON.stringify(type)} is none of an image or index`);
  const config = asMap(manifest['config']);
  const configDigest = asText(config?.['digest']);
  if (configDigest === undefined || !isDigest(configDigest)) throw malformed(digest, 'its config has no digest');
  const isImage = IMAGE_CONFIGS.has(asText(config?.['mediaType']) ?? 'application/octet-stream');
  return { kind: 'image', config: isImage ? configDigest : undefined, annotated };
}

/** Some registries and mirrors send `application/json`, so that only the body tells. */
function manifestType(mediaType: string, manifest: Values): string {
  const [sent = ''] = mediaType.split(';');
  const header = sent.trim().toLowerCase();
  if (INDEXES.has(header) || IMAGES.has(header) || SCHEMA1.test(header)) return header;
  const own = asText(manifest['mediaType']);
  if (own !== undefined) return own;
  if (manifest['schemaVersion'] === 1) return 'application/vnd.docker.distribution.manifest.v1+json';
  if (Array.isArray(manifest['manifests'])) return 'application/vnd.oci.image.index.v1+json';
  return asMap(manifest['config']) ? 'application/vnd.oci.image.manifest.v1+json' : header;
}

function readChildren({ manifests }: Values, digest: string): IndexChild[] {
  if (!Array.isArray(manifests)) throw malformed(digest, 'it is an index without a list of manifests');
  const children: IndexChild[] = [];
  for (const entry of manifests.slice(0, MAX_CHILDREN)) {
    const child = asMap(entry);
    const childDigest = asText(child?.['digest']);
    if (!child || childDigest === undefined || !isDigest(childDigest) || isNoImage(child)) continue;
    children.push({ digest: childDigest, platform: platformOf(asMap(child['platform'])) });
  }
  return children;
}

/** Attestations stand in an index as images of an unknown platform; an index in an index has no platform of its own. */
function isNoImage(child: Values): boolean {
  if (asMap(child['annotations'])?.['vnd.docker.reference.type'] !== undefined) return true;
  if (INDEXES.has(asText(child['mediaType']) ?? '')) return true;
  const platform = asMap(child['platform']);
  return platform?.['os'] === 'unknown' && platform['architecture'] === 'unknown';
}

/** What `os/arch[/variant]` may be made of: it goes into records and messages. */
const PLATFORM = /^[a-z0-9_.-]{1,40}(?:\/[a-z0-9_.-]{1,40}){1,2}$/i;

function platformOf(platform: Values | undefined): string | undefined {
  const [os, architecture, variant] = ['os', 'architecture', 'variant'].map((key) => asText(platform?.[key]));
  if (os === undefined || architecture === undefined || (os === 'unknown' && architecture === 'unknown'))
    return undefined;
  const text = variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
  return PLATFORM.test(text) ? text : undefined;
}

/** Reads the config blob of an image; whatever is missing or malformed there is undefined. */
export function readConfig(body: unknown): ConfigContent {
  const config = asMap(body);
  const labels = asMap(asMap(config?.['config'])?.['Labels']);
  return {
    created: time(config?.['created']),
    labelled: LABELS.map((label) => time(labels?.[label])).find((found) => found !== undefined),
    platform: platformOf(config),
  };
}

/** The images of an index, in the order in which to ask them for a time: the preferred platform, then as they stand. */
export function byPreference(children: readonly IndexChild[], preferred: string): IndexChild[] {
  const wanted = (child: IndexChild) =>
    child.platform !== undefined && (child.platform === preferred || child.platform.startsWith(`${preferred}/`));
  return [...children.filter(wanted), ...children.filter((child) => !wanted(child))];
}

/** The platforms of an index, each once, sorted. */
export function platformsOf(children: readonly IndexChild[]): string[] {
  return [...new Set(children.flatMap(({ platform }) => platform ?? []))].toSorted();
}

function time(value: unknown): string | undefined {
  return typeof value === 'string' && readTime(value) !== undefined ? value : undefined;
}

function malformed(digest: string, why: string): RegistryError {
  return new RegistryError('malformed', `the manifest ${digest} cannot be read: ${why}`);
}
