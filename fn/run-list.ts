import type { Arguments } from './arguments.ts';
import type { Config } from './config/config.ts';
import { addDocuments } from './lookup/read.ts';
import type { Io } from './io.ts';
import { replaceAll, type Replacement } from './replace.ts';
import { readResourceList, resultsEdit, type ResourceList } from './resourcelist.ts';
import type { Result } from './result.ts';
import { answersOf, configOf, guarded, lookupOf, readText, report, tell, writeNamed, type Connect } from './run.ts';
import type { Source } from './source.ts';
import { DONE, FAILED, MISUSED } from './status.ts';
import type { Outcome } from './update.ts';
import { usage } from './usage.ts';
import { toValue } from './yaml/value.ts';

/** The KRM function: one ResourceList in, the same out with images set and results added. Or nothing at all. */
export async function runList(args: Arguments, io: Io, connect: Connect): Promise<number> {
  if (io.isTerminal && args.input === undefined) {
    io.error(usage('nothing on stdin, which is a terminal; pipe a ResourceList in, or name a directory to edit'));
    return MISUSED;
  }
  if (args.diff) {
    io.error(usage('--diff is for directories; a ResourceList has no files to compare'));
    return MISUSED;
  }
  return guarded(io, async () => {
    const list = await readResourceList(readText(io, args.input ?? '-'));
    let config: Config;
    try {
      config = await configOf(args, io, list.functionConfig && toValue(list.functionConfig));
    } catch (error) {
      // The orchestrator shows results; the items go back as they came.
      if (error instanceof Error && error.name === 'ConfigError')
        print(args, io, list, [], [configResult(error.message)]);
      throw error;
    }
    const outcome = await updateList(list, config, args, io, connect);
    const { results, failed } = outcome;
    if (failed)
      tell(
        io,
        results.filter(({ severity }) => severity === 'error'),
      );
    if (truthy(io.environment['LOG_TO_STDERR'])) tell(io, results);
    report(args, results);
    const edits = args.dryRun ? [] : [...outcome.edits.values()].flat();
    print(args, io, list, edits, results);
    return failed ? FAILED : DONE;
  });
}

async function updateList(
  list: ResourceList,
  config: Config,
  args: Arguments,
  io: Io,
  connect: Connect,
): Promise<Outcome> {
  const answers = await answersOf(args, io);
  await addDocuments(answers, list.text, list.items);
  const source: Source = { text: list.text, documents: list.items };
  // Nothing to look at needs no engine: start-up is a feature.
  if (list.items.length === 0 && answers.notes.length === 0) return { edits: new Map(), results: [], failed: false };
  const lookup = await lookupOf(config, connect);
  const { update } = await import('./update.ts');
  return update([source], config, answers, lookup);
}

function print(args: Arguments, io: Io, list: ResourceList, edits: Replacement[], results: Result[]): void {
  const all = [...edits, ...resultsEdit(list, results)].toSorted((a, b) => a.start - b.start);
  const text = replaceAll(list.text, all);
  if (args.output === undefined) io.output(text);
  else writeNamed(args.output, text);
}

function configResult(message: string): Result {
  return { message, severity: 'error', tags: { reason: 'config' } };
}

function truthy(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== 'false' && value !== '0';
}
