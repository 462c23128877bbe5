import { objectId } from '../git/object.ts';

/** The id that git gives a content, by the length of the ids of its repository: 40 of SHA-1, 64 of SHA-256. */
export function oidOf(content: Buffer, length: number): string {
  return objectId('blob', content, length);
}
