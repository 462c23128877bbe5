import { createHash } from 'node:crypto';

/** The id that git gives a content, by the length of the ids of its repository: 40 of SHA-1, 64 of SHA-256. */
export function oidOf(content: Buffer, length: number): string {
  const hash = createHash(length === 64 ? 'sha256' : 'sha1');
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex');
}
