import type { Config } from '../fn/config/config.ts';
import { unifiedDiff } from '../fn/diff.ts';
import { writeFiles } from '../fn/directory.ts';
import type { Io } from '../fn/io.ts';
import { addDocuments } from '../fn/lookup/read.ts';
import { replaceAll } from '../fn/replace.ts';
import { answersOf } from '../fn/run.ts';
import { readTree } from '../fn/tree.ts';
import { update } from '../fn/update.ts';
import type { GivenOptions } from '../registry/options.ts';
import { movedOf, type Outcome } from './outcome.ts';

export interface FilesOptions {
  /** Below the workspace, which is the working directory; empty is all of it. */
  paths: readonly string[];
  /** Names that `io` reads. */
  metadata: string[];
  registries: GivenOptions;
  /** Whether the files are edited. */
  writes: boolean;
}

/** Updates the files of the workspace in place, all that change or none; or tells what would change. */
export async function updateFiles(config: Config, options: FilesOptions, io: Io): Promise<Outcome> {
  const answers = await answersOf(options, io);
  const operands = options.paths.map((path) => path || '.');
  const { files, passedOver } = readTree(operands.length > 0 ? operands : ['.'], config.spec);
  for (const { text, documents } of files.keys()) await addDocuments(answers, text, documents);
  const lookup =
    config.spec.lookup === 'registry'
      ? await (await import('../registry/connect.ts')).connect(options.registries, io)
      : undefined;
  const { edits, results, failed } = await update([...files.keys()], config, answers, lookup, passedOver);
  const changes = [...edits].map(([source, replacements]) => ({
    file: files.get(source)!,
    text: replaceAll(source.text, replacements),
  }));
  if (options.writes && !failed) writeFiles(changes);
  return {
    moved: failed ? [] : movedOf(results),
    files: changes.map(({ file }) => file.name).toSorted(),
    told: results.filter(({ severity }) => severity !== 'info'),
    results,
    ...(failed && { failure: 'nothing was written: there are errors, which stand below' }),
    ...(options.writes && { done: 'in the workspace' }),
    diff: [...edits].map(([{ path, text }, replacements]) => unifiedDiff(path!, text, replacements)).join(''),
    pulled: [],
    ...(lookup && { requests: lookup.requests }),
  };
}
