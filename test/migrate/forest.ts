import { defaultSpec } from '../../fn/config/defaults.ts';
import { Answers } from '../../fn/lookup/answers.ts';
import { asMap, asText, type Values } from '../../fn/lookup/values.ts';
import { replaceAll } from '../../fn/replace.ts';
import type { Source } from '../../fn/source.ts';
import { splitStream } from '../../fn/yaml/documents.ts';
import { migrate, type Migration, type Request } from '../../migrate/migrate.ts';

/** Files that are texts, as the engine reads them. */
export function sourcesOf(files: Record<string, string>): Source[] {
  return Object.entries(files).map(([path, text]) => ({
    path,
    text,
    documents: splitStream(text).map((part) => ({ ...part, path })),
  }));
}

/** Migrates files, and gives what becomes of them. */
export async function migrated(
  files: Record<string, string>,
  request: Partial<Request>,
  answers: readonly object[] = [],
): Promise<Migration & { files: Record<string, string> }> {
  const sources = sourcesOf(files);
  const known = new Answers();
  for (const answer of answers) known.add(answer);
  const config = { spec: defaultSpec(), setImage: false };
  const defaults: Request = { from: [], to: 'annotations', namespace: 'apps', remove: false, given: [], config };
  const migration = await migrate(sources, { ...defaults, ...request }, known);
  const texts = sources.map((source) => [source.path, replaceAll(source.text, migration.edits.get(source) ?? [])]);
  return { ...migration, files: Object.fromEntries(texts) as Record<string, string> };
}

export function labelOf(object: Values): string {
  const metadata = asMap(object['metadata']);
  return `${asText(object['kind'])} ${asText(metadata?.['namespace'])}/${asText(metadata?.['name'])}`;
}
