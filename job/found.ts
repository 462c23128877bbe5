import type { Spec } from '../fn/config/image-update.ts';
import { ANSWER_WORDS, wordsOf } from '../fn/words.ts';
import type { Repository, TreeEntry } from '../git/repository.ts';
import { hashOf, type Cache } from './cache.ts';
import { JobError } from './failure.ts';

/** What words a blob holds, as bits. */
export const GOVERNED = 1;
export const ANSWERS = 2;
/** The image of an explicit update: only the engine can say whether it is a field of it. */
export const EXPLICIT = 4;

/** What is known of the blobs of a tree: which words each holds, and the bytes of those that were read just now and hold any. */
export interface Found {
  words: Map<string, number>;
  contents: Map<string, Buffer>;
}

/** All that is read of a repository at once (reference/controllers.md F4). */
const MAX_BYTES = 256 << 20;

/** Another way to search makes what an old one found worthless. */
const VERSION = 1;

/** What earlier runs found out, and where it is kept. */
export interface Known {
  needles: Needles;
  /** By blob. */
  words: ReadonlyMap<string, number>;
  save(words: ReadonlyMap<string, number>): void;
}

/** What is known of blobs. A blob is its content, so it is true for as long as the same words are asked for: they are part of the key. */
export function knownWords(spec: Spec, cache: Cache, url: string): Known {
  const needles = needlesOf(spec);
  const key = hashOf(JSON.stringify([VERSION, url, needles]));
  return {
    needles,
    words: parse(cache.read('words', key)),
    save: (words) => cache.write('words', key, print(words)),
  };
}

/** Finds out which blobs hold words that matter: what is not known of an earlier run is read. */
export async function findWords(entries: readonly TreeEntry[], known: Known, repository: Repository): Promise<Found> {
  const found: Found = { words: new Map(), contents: new Map() };
  const unread = new Set<string>();
  let isNew = false;
  for (const { oid } of entries) {
    const words = known.words.get(oid);
    if (words !== undefined) found.words.set(oid, words);
    else isNew = true;
    // Whatever is known, these are read in any case: all in one go.
    if (words === undefined || words & (ANSWERS | EXPLICIT)) unread.add(oid);
  }
  let bytes = 0;
  for await (const { oid, content } of repository.blobs([...unread])) {
    const words = known.words.get(oid) ?? search(content, known.needles);
    found.words.set(oid, words);
    if (words === 0) continue;
    if ((bytes += content.length) > MAX_BYTES)
      throw new JobError('TooLarge', `the YAML files have more than ${MAX_BYTES >> 20} MiB; narrow git.paths`);
    found.contents.set(oid, content);
  }
  if (isNew) known.save(found.words);
  return found;
}

/** Words by their bits. */
type Needles = [bit: number, words: string[]][];

function needlesOf(spec: Spec): Needles {
  const { keys, anywhere } = wordsOf(spec);
  const explicit = wordsOf({ ...spec, annotations: false, markers: false });
  return [
    [GOVERNED, [...keys, ...anywhere]],
    [ANSWERS, [...ANSWER_WORDS.keys, ...ANSWER_WORDS.anywhere]],
    [EXPLICIT, [...explicit.keys, ...explicit.anywhere]],
  ];
}

function search(content: Buffer, needles: Needles): number {
  return needles.reduce((bits, [bit, words]) => (words.some((word) => content.includes(word)) ? bits | bit : bits), 0);
}

/** A line a blob: its id, and its bits. */
function print(words: ReadonlyMap<string, number>): string {
  return [...words].map(([oid, bits]) => `${oid} ${bits}\n`).join('');
}

function parse(text: string | undefined): Map<string, number> {
  const words = new Map<string, number>();
  for (const line of (text ?? '').split('\n')) {
    const bits = Number(line.slice(-1));
    if (/^[0-9a-f]{40,64} [0-7]$/.test(line)) words.set(line.slice(0, -2), bits);
  }
  return words;
}

/** The contents of blobs: of those at hand, else of the repository. */
export async function contentsOf(
  oids: Iterable<string>,
  { contents }: Found,
  repository: Repository,
): Promise<Map<string, Buffer>> {
  const wanted = new Set(oids);
  const missing = [...wanted].filter((oid) => !contents.has(oid));
  for await (const { oid, content } of repository.blobs(missing)) contents.set(oid, content);
  return contents;
}
