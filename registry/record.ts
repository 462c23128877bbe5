/** ImageMetadata documents: how they are written, and how a new scan goes into an earlier record. Pure. */
import type { ImageMetadata, TagMetadata } from '../fn/lookup/metadata.ts';
import { readTime } from '../fn/policy/time.ts';
import { canonicalName } from '../fn/reference.ts';
import { encodeScalar } from '../fn/yaml/scalar.ts';

/** A record whose facts stay as they are says a new time of scan only after so long, so that ages still advance. */
const SAME_SCAN_MS = 24 * 3600 * 1000;

/**
 * Documents for files in git: repositories by canonical name, tags byte by byte, a tag a line, keys in a fixed order. What
 * `readMetadata` makes of them chooses as the metadata itself. JSON is a list of documents, also of one.
 */
export function writeMetadata(all: readonly ImageMetadata[], format: 'yaml' | 'json' = 'yaml'): string {
  const sorted = all
    .map((metadata) => ({ metadata, name: canonicalName(metadata.image) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  if (format === 'yaml') return sorted.map(({ metadata, name }) => yamlDocument(metadata, name)).join('---\n');
  return `[${sorted.map(({ metadata, name }) => jsonDocument(metadata, name)).join(',')}]\n`;
}

const API_VERSION = 'image-update.dev/v1alpha1';
const KIND = 'ImageMetadata';

function yamlDocument({ image, scannedAt, complete, tags }: ImageMetadata, name: string): string {
  const lines = [
    `apiVersion: ${API_VERSION}`,
    `kind: ${KIND}`,
    `metadata: {name: ${scalar(objectName(name))}}`,
    `image: ${scalar(image)}`,
    ...(scannedAt === undefined ? [] : [`scannedAt: ${scalar(scannedAt)}`]),
    `complete: ${complete}`,
    ...(tags.length === 0 ? ['tags: []'] : ['tags:', ...sortTags(tags).map((tag) => `- {${flowEntries(tag)}}`)]),
  ];
  return `${lines.join('\n')}\n`;
}

function flowEntries(tag: TagMetadata): string {
  return fieldsOf(tag)
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? scalar(value) : `[${value.map(scalar).join(', ')}]`}`)
    .join(', ');
}

/** Without quotes where every reader of YAML takes it for that text, else in double quotes. */
function scalar(value: string): string {
  return encodeScalar({ kind: 'scalar', style: 'plain', start: 0, end: 0, value: '' }, value, '');
}

function jsonDocument({ image, scannedAt, complete, tags }: ImageMetadata, name: string): string {
  const head = JSON.stringify({
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: objectName(name) },
    image,
    scannedAt,
    complete,
  });
  const lines = sortTags(tags).map((tag) => `\n${JSON.stringify(Object.fromEntries(fieldsOf(tag)))}`);
  return `${head.slice(0, -1)},"tags":[${lines.join(',')}${lines.length > 0 ? '\n' : ''}]}`;
}

/** In the order in which people look for them. */
function fieldsOf({ name, digest, created, pushed, firstSeen, platforms }: TagMetadata): [string, string | string[]][] {
  const fields = Object.entries({ name, digest, created, pushed, firstSeen, platforms });
  return fields.filter((field): field is [string, string | string[]] => field[1] !== undefined && field[1].length > 0);
}

function sortTags(tags: readonly TagMetadata[]): TagMetadata[] {
  return tags.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

const MAX_OBJECT_NAME = 253;

/** A name that Kubernetes would take: `ghcr.io-org-app`. */
function objectName(canonical: string): string {
  return canonical
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .slice(0, MAX_OBJECT_NAME)
    .replace(/[.-]+$/, '');
}

/**
 * A new scan in place of an earlier record of the repository. First-seen times stay, the earlier the better; so does what
 * is known of a digest that the scan did not look up again. Tags that the scan does not list are gone. A scan that tells
 * nothing new gives the very record, until that is a day old.
 */
export function uniteMetadata(earlier: ImageMetadata, scan: ImageMetadata): ImageMetadata {
  const known = new Map(earlier.tags.map((tag) => [tag.name, tag]));
  const tags = sortTags(scan.tags).map((tag) => uniteTag(known.get(tag.name), tag));
  const united: ImageMetadata = { ...scan, image: earlier.image, tags };
  if (earlier.scannedAt === undefined || scan.scannedAt === undefined) return united;
  const age = Date.parse(scan.scannedAt) - Date.parse(earlier.scannedAt);
  // A scan that is older by its own word, or much younger, says so.
  const asOld = age >= 0 && age <= SAME_SCAN_MS;
  const same = writeMetadata([{ ...united, scannedAt: earlier.scannedAt }]) === writeMetadata([earlier]);
  return same && asOld ? { ...united, scannedAt: earlier.scannedAt } : united;
}

function uniteTag(earlier: TagMetadata | undefined, scan: TagMetadata): TagMetadata {
  if (!earlier) return scan;
  const firstSeen = first(earlier.firstSeen, scan.firstSeen);
  const stays = sameImage(earlier, scan);
  return {
    ...(stays && earlier),
    ...scan,
    ...(firstSeen !== undefined && { firstSeen }),
  };
}

/** Whether nothing in the scan speaks against the tag being what it was. */
function sameImage(earlier: TagMetadata, scan: TagMetadata): boolean {
  const differs = (key: 'digest' | 'created' | 'pushed') =>
    scan[key] !== undefined && earlier[key] !== undefined && scan[key] !== earlier[key];
  if (scan.digest !== undefined && scan.digest === earlier.digest) return true;
  return !differs('digest') && !differs('created') && !differs('pushed');
}

function first(a: string | undefined, b: string | undefined): string | undefined {
  if (readTime(a) === undefined) return b;
  if (readTime(b) === undefined) return a;
  return Date.parse(a as string) <= Date.parse(b as string) ? a : b;
}
