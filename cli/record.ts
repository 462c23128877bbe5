import { statSync } from 'node:fs';
import type { Io } from '../fn/io.ts';
import { Answers } from '../fn/lookup/answers.ts';
import type { ImageMetadata, TagMetadata } from '../fn/lookup/metadata.ts';
import { addFile } from '../fn/lookup/read.ts';
import { canonicalName } from '../fn/reference.ts';
import { InputError, readText } from '../fn/run.ts';
import type { Found } from '../registry/lookup.ts';
import { uniteMetadata } from '../registry/record.ts';

/**
 * What a file recorded before; nothing if it is not there or empty.
 * @throws InputError for a file that holds anything else, which would be lost.
 */
export async function readRecord(io: Io, name: string): Promise<ImageMetadata[]> {
  // A device or a pipe holds nothing, and may have no end.
  if (!statSync(name, { throwIfNoEntry: false })?.isFile()) return [];
  const text = readText(io, name);
  if (text.trim() === '') return [];
  const answers = new Answers();
  await addFile(answers, text, name);
  const [note] = answers.notes;
  if (note) throw new InputError(`${note.message}; it is not overwritten, so give another --output`);
  if (/\bkind: ?["']?Image(?:Policy|Repository)\b/.test(text))
    throw new InputError(
      `${name} holds ImagePolicy or ImageRepository objects, which would be lost; give another --output`,
    );
  return answers.allMetadata();
}

/** An earlier record with what was found out now; what was not asked for, or did not answer, stays as it was. */
export function uniteRecords(earlier: readonly ImageMetadata[], found: readonly Found[]): ImageMetadata[] {
  const united = new Map(earlier.map((metadata) => [canonicalName(metadata.image), metadata]));
  for (const { metadata, listed } of found) {
    const name = canonicalName(metadata.image);
    const known = united.get(name);
    united.set(name, known ? uniteMetadata(known, listed ? metadata : withDigests(known, metadata.tags)) : metadata);
  }
  return [...united.values()];
}

function withDigests(known: ImageMetadata, tags: readonly TagMetadata[]): ImageMetadata {
  const all = tags.reduce((all, { name, digest }) => withDigest(all, name, digest!), known.tags);
  return { ...known, tags: all };
}

/** Tags with what one of them names now: if that is news, what was known of its image is known no more. */
function withDigest(tags: readonly TagMetadata[], name: string, digest: string): TagMetadata[] {
  const known = tags.find((tag) => tag.name === name);
  const { firstSeen } = known ?? {};
  const isNews = known?.digest !== undefined && known.digest !== digest;
  const stays = isNews ? firstSeen !== undefined && { firstSeen } : known;
  return [...tags.filter((tag) => tag !== known), { ...stays, name, digest }];
}
