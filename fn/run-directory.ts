import type { Arguments } from './arguments.ts';
import { unifiedDiff } from './diff.ts';
import { writeFiles, type File, type FileChange } from './directory.ts';
import { boundYoungGeneration } from './heap.ts';
import { addDocuments } from './lookup/read.ts';
import type { Io } from './io.ts';
import { replaceAll } from './replace.ts';
import { describe, type Result } from './result.ts';
import { answersOf, configOf, guarded, lookupOf, reported, tell, type Connect } from './run.ts';
import type { Source } from './source.ts';
import { DONE, FAILED } from './status.ts';
import { readTree } from './tree.ts';
import type { Outcome } from './update.ts';
import { plural } from './plural.ts';

/** Edits the YAML files below directories in place: all that change, or none. */
export async function runDirectory(args: Arguments, io: Io, connect: Connect): Promise<number> {
  return guarded(io, async () => {
    const config = await configOf(args, io);
    const answers = await answersOf(args, io);
    boundYoungGeneration();
    const { files, passedOver, count } = readTree(args.operands, config.spec);
    for (const { text, documents } of files.keys()) await addDocuments(answers, text, documents);

    const lookup = await lookupOf(config, connect);
    const { update } = await import('./update.ts');
    const outcome = await update([...files.keys()], config, answers, lookup, passedOver);
    const { edits, failed } = outcome;
    await reported(args, outcome.results, () => {
      if (!failed && !args.dryRun) writeFiles(changesOf(files, outcome));
    });

    if (args.diff)
      for (const [source, replacements] of edits) io.output(unifiedDiff(source.path!, source.text, replacements));
    show(args, io, outcome.results, failed, count);
    return failed ? FAILED : DONE;
  });
}

/** The new texts of the files that an outcome changes. */
export function changesOf(files: ReadonlyMap<Source, File>, { edits }: Outcome): FileChange[] {
  return [...edits].map(([source, replacements]) => ({
    file: files.get(source)!,
    text: replaceAll(source.text, replacements),
  }));
}

/** Changes on stdout, as they are what was asked for; the rest on stderr. With `--diff` stdout is the diff alone. */
function show(args: Arguments, io: Io, results: Result[], failed: boolean, count: number): void {
  const changes = results.filter(({ severity }) => severity === 'info');
  const others = results.filter(({ severity }) => severity !== 'info');
  if (!args.diff && !failed && changes.length > 0) io.output(changes.map((change) => `${describe(change)}\n`).join(''));
  tell(io, others);
  io.error(`image-update: ${summary(args, changes, others.length, failed, count)}`);
}

/** What a run over directories comes to, in a sentence. */
export function summary(
  { dryRun }: Pick<Arguments, 'dryRun'>,
  changes: readonly Result[],
  others: number,
  failed: boolean,
  count: number,
): string {
  if (failed) return `nothing was written; ${plural(others, 'problem')}`;
  const warnings = plural(others, 'warning');
  if (changes.length === 0) return `nothing to change in ${plural(count, 'file')}, ${warnings}`;
  const files = new Set(changes.map(({ file }) => file?.path)).size;
  const verb = dryRun ? 'would change' : 'changed';
  return `${verb} ${plural(changes.length, 'field')} in ${plural(files, 'file')} of ${count}, ${warnings}`;
}
