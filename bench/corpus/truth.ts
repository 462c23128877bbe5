/** What a corpus consists of on disk, and what an update must make of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Edit } from './emit.ts';

/** How much of the metadata is news: nothing, enough for about 1 % of the automated fields, or news for every one. */
export type Variant = 'none' | '1pct' | 'all';

export const VARIANTS: readonly Variant[] = ['none', '1pct', 'all'];

/** The edits that an update must make, and no other, by path below `tree`; in order of their offsets. */
export type Truth = Record<string, Edit[]>;

/** Where the parts of a corpus lie below its directory. */
export const places = {
  tree: (dir: string) => join(dir, 'tree'),
  list: (dir: string) => join(dir, 'list.yaml'),
  metadata: (dir: string, variant: Variant) => join(dir, `metadata-${variant}.json`),
  truth: (dir: string, variant: Variant) => join(dir, `truth-${variant}.json`),
  listTruth: (dir: string, variant: Variant) => join(dir, `truth-list-${variant}.json`),
  summary: (dir: string) => join(dir, 'summary.json'),
};

export function readTruth(path: string): Truth {
  return JSON.parse(readFileSync(path, 'utf8')) as Truth;
}

/** The bytes of a file once its edits are made. */
export function expected(bytes: Buffer, edits: readonly Edit[] = []): Buffer {
  if (edits.length === 0) return bytes;
  const text = bytes.toString('utf8');
  let result = '';
  let done = 0;
  for (const edit of edits) {
    if (text.slice(edit.offset, edit.offset + edit.old.length) !== edit.old)
      throw new Error(`no ${edit.old} at ${edit.offset}`);
    result += text.slice(done, edit.offset) + edit.new;
    done = edit.offset + edit.old.length;
  }
  return Buffer.from(result + text.slice(done));
}
