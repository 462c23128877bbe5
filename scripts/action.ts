import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readValue, isNote } from '../fn/lookup/read.ts';
import { splitDocuments } from '../fn/yaml/documents.ts';
import { root } from './build.ts';

/** What action.yml says, as far as it is looked at here. */
export interface ActionFile {
  name: string;
  inputs: Record<string, { description: string; default?: string }>;
  outputs: Record<string, { description: string }>;
  runs: { using: string; main: string };
}

export async function readAction(): Promise<ActionFile> {
  const text = readFileSync(join(root, 'action.yml'), 'utf8');
  const value = await readValue(text, splitDocuments(text)[0]!);
  if (isNote(value)) throw new Error(`action.yml: ${value.message}`);
  return value as ActionFile;
}
