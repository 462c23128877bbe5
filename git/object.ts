import { createHash } from 'node:crypto';

/** What git keeps a content as. */
export type ObjectType = 'blob' | 'tree' | 'commit';

/** The id that git gives an object, by the length of the ids of its repository: 40 of SHA-1, 64 of SHA-256. */
export function objectId(type: ObjectType, content: Buffer, length: number): string {
  const hash = createHash(length === 64 ? 'sha256' : 'sha1');
  return hash.update(`${type} ${content.length}\0`).update(content).digest('hex');
}
