/** What was learnt of a repository, kept from run to run: values, their text, and how two of them unite. Pure. */
import { asMap, asText, type Values } from '../fn/lookup/values.ts';
import { readTime } from '../fn/policy/time.ts';
import { isDigest, isTag } from '../fn/reference.ts';

/** All times are RFC 3339 in UTC, in whole seconds, so that they compare as texts. */
export interface Knowledge {
  /** Canonical. */
  image: string;
  /** The last listing that was whole. */
  listedAt?: string;
  /** Each tag that a listing had, and the first that had it. */
  seen: Map<string, string>;
  /** Tags that listings no longer have, and the first that had not. */
  gone: Map<string, string>;
  tags: Map<string, TagFact>;
  /** What a digest says does not change. */
  digests: Map<string, DigestFact>;
  /** No tag that was listed at `at`, and has no `pushed`, was pushed after `before`. */
  pushedBefore?: { at: string; before: string };
}

export interface TagFact {
  digest?: string;
  /** When the registry said so. */
  checkedAt: string;
  /** RFC 3339, as the registry tells. */
  pushed?: string;
}

export interface DigestFact {
  /** How it was read: the preferred platform and whether labels counted. Read otherwise it may say something else. */
  by: string;
  /** RFC 3339; missing where the image has no time. */
  created?: string;
  platforms?: string[];
}

export function emptyKnowledge(image: string): Knowledge {
  return { image, seen: new Map(), gone: new Map(), tags: new Map(), digests: new Map() };
}

/** Bumped when the meaning of a field changes; a file of another format is as if absent. */
const FORMAT = 1;

/** A tag that is gone so long is forgotten; if it comes back, it is new. */
const KEEP_GONE_MS = 30 * 24 * 3600 * 1000;
/** Of more tags that are gone, the ones gone longest are forgotten. */
const MAX_GONE = 10_000;
/** Digests that no known tag names: a tag may go back to one. Of more, those learnt first are forgotten. */
const MAX_LOOSE_DIGESTS = 1_000;

/** The text of a cache file: first-seen times are groups, as a hundred thousand tags share a few. */
export function printKnowledge(knowledge: Knowledge): string {
  const seen: Record<string, string[]> = {};
  for (const [tag, since] of knowledge.seen) (seen[since] ??= []).push(tag);
  const { image, listedAt, gone, tags, digests, pushedBefore } = knowledge;
  return `${JSON.stringify({
    format: FORMAT,
    image,
    listedAt,
    pushedBefore,
    seen,
    gone: Object.fromEntries(gone),
    tags: Object.fromEntries(tags),
    digests: Object.fromEntries(digests),
  })}\n`;
}

/** Reads a cache file. What is wrong with it as a whole is a text; single facts that are malformed are left out. */
export function parseKnowledge(text: string, image: string): Knowledge | string {
  let body: Values | undefined;
  try {
    body = asMap(JSON.parse(text));
  } catch {
    return 'it is not JSON';
  }
  if (!body) return 'it is not a JSON object';
  if (body['format'] !== FORMAT) return `its format is ${JSON.stringify(body['format'])?.slice(0, 20)}, not ${FORMAT}`;
  if (body['image'] !== image) return 'it is of another repository';
  const knowledge = emptyKnowledge(image);
  const listedAt = timeOf(body['listedAt']);
  if (listedAt !== undefined) knowledge.listedAt = listedAt;
  for (const [since, tags] of Object.entries(asMap(body['seen']) ?? {}))
    if (timeOf(since) !== undefined && Array.isArray(tags))
      for (const tag of tags) if (typeof tag === 'string' && isTag(tag)) keepFirst(knowledge.seen, tag, since);
  for (const [tag, since] of Object.entries(asMap(body['gone']) ?? {})) {
    const time = timeOf(since);
    if (time !== undefined && knowledge.seen.has(tag)) knowledge.gone.set(tag, time);
  }
  for (const [tag, value] of Object.entries(asMap(body['tags']) ?? {})) {
    const fact = tagFact(asMap(value));
    if (fact && isTag(tag)) knowledge.tags.set(tag, fact);
  }
  for (const [digest, value] of Object.entries(asMap(body['digests']) ?? {})) {
    const fact = digestFact(asMap(value));
    if (fact && isDigest(digest)) knowledge.digests.set(digest, fact);
  }
  const before = asMap(body['pushedBefore']);
  const [at, time] = [timeOf(before?.['at']), timeOf(before?.['before'])];
  if (at !== undefined && time !== undefined) knowledge.pushedBefore = { at, before: time };
  return knowledge;
}

function tagFact(value: Values | undefined): TagFact | undefined {
  const [checkedAt, digest, pushed] = [
    timeOf(value?.['checkedAt']),
    asText(value?.['digest']),
    timeOf(value?.['pushed']),
  ];
  if (checkedAt === undefined || (digest !== undefined && !isDigest(digest))) return undefined;
  return { ...(digest !== undefined && { digest }), checkedAt, ...(pushed !== undefined && { pushed }) };
}

function digestFact(value: Values | undefined): DigestFact | undefined {
  const by = asText(value?.['by']);
  if (by === undefined) return undefined;
  const created = timeOf(value?.['created']);
  const platforms = value?.['platforms'];
  return {
    by,
    ...(created !== undefined && { created }),
    ...(Array.isArray(platforms) && { platforms: platforms.filter((platform) => typeof platform === 'string') }),
  };
}

function timeOf(value: unknown): string | undefined {
  return typeof value === 'string' && readTime(value) !== undefined ? value : undefined;
}

/**
 * What two processes learnt, in one: the earliest first-seen time, the latest word on a tag, each digest. Which tags are
 * gone is told by the later of two listings, since when by the earlier.
 */
export function uniteKnowledge(a: Knowledge, b: Knowledge): Knowledge {
  const [earlier, later] = (a.listedAt ?? '') <= (b.listedAt ?? '') ? [a, b] : [b, a];
  const united: Knowledge = { ...emptyKnowledge(a.image), seen: new Map(earlier.seen), tags: new Map(earlier.tags) };
  if (later.listedAt !== undefined) united.listedAt = later.listedAt;
  for (const [tag, since] of later.seen) keepFirst(united.seen, tag, since);
  for (const [tag, since] of later.gone) united.gone.set(tag, least(since, earlier.gone.get(tag)));
  // What only the earlier knows was not there for the later to miss.
  for (const [tag, since] of earlier.gone) if (!later.seen.has(tag)) united.gone.set(tag, since);
  for (const [tag, fact] of later.tags) {
    const known = united.tags.get(tag);
    if (!known || known.checkedAt <= fact.checkedAt) united.tags.set(tag, fact);
  }
  united.digests = new Map([...earlier.digests, ...later.digests]);
  const before = [a.pushedBefore, b.pushedBefore]
    .filter((each) => each !== undefined)
    .toSorted((x, y) => (x.at < y.at ? 1 : -1))[0];
  if (before) united.pushedBefore = before;
  return united;
}

/** Forgets what is gone too long, and what is too much. */
export function pruneKnowledge(knowledge: Knowledge, now: number): void {
  const { seen, gone, tags, digests } = knowledge;
  const forgotten = [...gone]
    .toSorted(([, a], [, b]) => (a < b ? 1 : a > b ? -1 : 0))
    .filter(([, since], i) => i >= MAX_GONE || now - Date.parse(since) > KEEP_GONE_MS);
  for (const [tag] of forgotten) {
    seen.delete(tag);
    gone.delete(tag);
    tags.delete(tag);
  }
  const named = new Set([...tags.values()].map(({ digest }) => digest));
  const loose = [...digests.keys()].filter((digest) => !named.has(digest));
  for (const digest of loose.slice(0, Math.max(0, loose.length - MAX_LOOSE_DIGESTS))) digests.delete(digest);
}

function keepFirst(seen: Map<string, string>, tag: string, since: string): void {
  const known = seen.get(tag);
  if (known === undefined || since < known) seen.set(tag, since);
}

function least(a: string, b: string | undefined): string {
  return b !== undefined && b < a ? b : a;
}
