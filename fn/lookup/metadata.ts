import type { Note } from '../note.ts';
import { isDigest, isName, isTag } from '../reference.ts';
import { asMap, asText, type Values } from './values.ts';

/** What is known of an image repository, whatever source it came from: a recorded snapshot or a scan. */
export interface ImageMetadata {
  /** The repository as its source spells it; compared by `canonicalName`. */
  image: string;
  /** RFC 3339. The "now" of every age: the function has no clock, so a recorded choice replays as it was made. */
  scannedAt?: string;
  /** False when the listing was cut short. */
  complete: boolean;
  /** `partial`: times were looked up only of tags that could win, so that others may have one too. */
  times?: 'partial';
  tags: TagMetadata[];
  /** Tags that stand in manifests and that the listing no longer has, as they were known before: nothing moves back below them. */
  gone?: TagMetadata[];
}

export interface TagMetadata {
  name: string;
  digest?: string;
  /** RFC 3339: when the image was built, by its own config. */
  created?: string;
  /** RFC 3339: when the registry got the tag, where it says so. */
  pushed?: string;
  /** RFC 3339: the first scan that saw the tag; of the first scan of a repository, when that was: the tag may be older. */
  firstSeen?: string;
  /** `os/arch[/variant]` of each image behind the tag. */
  platforms?: string[];
}

/**
 * Reads an `ImageMetadata` document. A tag that breaks the grammar is dropped, and a digest that does is not known; a document
 * that is none is a note.
 */
export function readMetadata(resource: Values): ImageMetadata | Note {
  const image = asText(resource['image']);
  if (image === undefined || !isName(image))
    return malformed(`its image is ${JSON.stringify(resource['image'])}, not a repository`);
  const [listed, lost] = [resource['tags'] ?? [], resource['gone'] ?? []];
  if (!Array.isArray(listed) || !Array.isArray(lost))
    return malformed(`${Array.isArray(listed) ? 'gone' : 'tags'} of ${image} is not a list`);
  const scannedAt = asText(resource['scannedAt']);
  const gone = readTags(lost);
  let tags: TagMetadata[] | undefined;
  const metadata: ImageMetadata = {
    image,
    complete: resource['complete'] !== false,
    // Of thousands of repositories few are asked for.
    get tags() {
      return (tags ??= readTags(listed));
    },
  };
  if (scannedAt !== undefined) metadata.scannedAt = scannedAt;
  if (resource['times'] === 'partial') metadata.times = 'partial';
  if (gone.length > 0) metadata.gone = gone;
  return metadata;
}

function readTags(entries: readonly unknown[]): TagMetadata[] {
  return entries.flatMap((entry) => readTag(entry) ?? []);
}

const TEXTS = ['digest', 'created', 'pushed', 'firstSeen'] as const;

function readTag(value: unknown): TagMetadata | undefined {
  const entry = asMap(value);
  const name = asText(entry?.['name'] ?? value);
  if (name === undefined || !isTag(name)) return undefined;
  if (!entry) return { name };
  // A snapshot has many tags: one that is right as it is needs no copy.
  if (isTagMetadata(entry)) return entry;
  const tag: TagMetadata = { name };
  for (const field of TEXTS) {
    const text = asText(entry[field]);
    if (text !== undefined && (field !== 'digest' || isDigest(text))) tag[field] = text;
  }
  const { platforms } = entry;
  if (Array.isArray(platforms)) tag.platforms = platforms.filter((platform) => typeof platform === 'string');
  return tag;
}

function isTagMetadata(entry: Values): entry is Values & TagMetadata {
  const { name, digest } = entry;
  if (typeof name !== 'string' || (typeof digest === 'string' && !isDigest(digest))) return false;
  for (const field of TEXTS) {
    const value = entry[field];
    if (value !== undefined && (typeof value !== 'string' || value === '')) return false;
  }
  return entry['platforms'] === undefined;
}

function malformed(why: string): Note {
  return { reason: 'metadata-malformed', message: `an ImageMetadata document is not used: ${why}` };
}
