import type { Config } from '../fn/config/config.ts';
import { unifiedDiff } from '../fn/diff.ts';
import { writeFiles, type File } from '../fn/directory.ts';
import { boundYoungGeneration } from '../fn/heap.ts';
import type { Io } from '../fn/io.ts';
import { remembering } from '../fn/lookup/remembering.ts';
import { addDocuments } from '../fn/lookup/read.ts';
import { changesOf as filesChanged, summary } from '../fn/run-directory.ts';
import { answersOf, configOf, InputError, reported, tell } from '../fn/run.ts';
import { scopeOf, type Limits } from '../fn/scope.ts';
import { onOneLine, type Result } from '../fn/result.ts';
import type { Source } from '../fn/source.ts';
import { DONE, FAILED } from '../fn/status.ts';
import { survey } from '../fn/survey.ts';
import { readFilesWith, readTree } from '../fn/tree.ts';
import { update, type Outcome } from '../fn/update.ts';
import { selectedIds, WORKLOAD_WORDS, workloadId } from '../fn/workloads.ts';
import { changesOf } from '../job/change.ts';
import { partsOf, withoutStrict } from '../job/parts.ts';
import { stderrScreen } from '../registry/progress.ts';
import { askEach } from './ask.ts';
import { changeTable } from './change-table.ts';
import { paintFor } from './colour.ts';
import { documentFormat } from './formats.ts';
import { TO_ASK } from './given.ts';
import { openOwn, type Committed, type Own } from './own-commits.ts';
import { print } from './output.ts';
import { progressOn } from './progress.ts';
import { GROUPINGS } from '../job/grouping.ts';
import { processTerminal } from './terminal.ts';
import type { UpdateOptions } from './update.ts';

/** Edits the YAML files below directories in place, all that change or none, and commits them if asked to. */
export async function updateDirectories(operands: readonly string[], options: UpdateOptions, io: Io): Promise<number> {
  // First: what cannot be committed need not be looked up.
  const own = options.commit ? await openOwn(operands, options, io) : undefined;
  const config = await configFor(operands, options, io);
  const answers = await answersOf(options, io);
  boundYoungGeneration();
  const { files, passedOver, count } = progressOn(stderrScreen(io.environment)).counting(
    (read) => `reading files, ${read} so far`,
    (tick) => readTree(operands, config.spec, tick),
  );
  for (const { text, documents } of files.keys()) await addDocuments(answers, text, documents);
  const lookup = options.offline
    ? undefined
    : remembering(await (await import('../registry/connect.ts')).connect(options, io));
  const sources = [...files.keys()];
  const outcome = options.interactive
    ? await askEach(
        {
          config,
          survey: async (config) => survey(sources, config, answers, lookup, passedOver),
          update: async (config, hold) => update(sources, config, answers, lookup, passedOver, hold),
        },
        { terminal: processTerminal, paint: paintFor(2, io.environment), now: Date.now() },
      )
    : await update(sources, config, answers, lookup, passedOver);
  const { results, failed } = outcome;
  const done: Done = { outcome, count, commits: [] };
  const grouping = GROUPINGS[options.groupBy ?? 'run'];
  await reported(options, results, async () => {
    if (failed || outcome.edits.size === 0) return;
    await own?.check(outcome);
    if (options.dryRun) return;
    if (!own) return writeFiles(filesChanged(files, outcome));
    const lax = withoutStrict(config);
    const parts = await partsOf(outcome, grouping, async (some, later) =>
      update(some, lax, answers, lookup, [], later),
    );
    done.commits = await own.commit(parts, filesByName(files));
  });
  // Of commits that cannot be pushed, all is told.
  const pushed = done.commits.length > 0 && options.push ? await settled(own!.push()) : undefined;
  await show(done, own, options, io);
  if (options.workload.length > 0) tellOfNothing(config, results, io);
  if (pushed && 'error' in pushed) throw pushed.error;
  return failed ? FAILED : DONE;
}

async function settled(work: Promise<void>): Promise<object | { error: unknown }> {
  return work.then(
    () => ({}),
    (error: unknown) => ({ error }),
  );
}

function filesByName(files: ReadonlyMap<Source, File>): Map<string, File> {
  return new Map([...files].map(([{ path }, file]) => [path!, file]));
}

async function configFor(operands: readonly string[], options: UpdateOptions, io: Io): Promise<Config> {
  const { fnConfig, strict = false, maxChanges, offline } = options;
  const given = await configOf({ strict, ...(fnConfig !== undefined && { fnConfig }) }, io);
  const config: Config = { ...given, toAsk: TO_ASK };
  config.spec.lookup = offline ? 'none' : 'registry';
  if (maxChanges !== undefined) config.spec.maxChanges = Number(maxChanges);
  const limits = await limitsOf(operands, options, config);
  return limits ? { ...config, scope: scopeOf(limits) } : config;
}

/** What options limit a run to; undefined for nothing. */
async function limitsOf(
  operands: readonly string[],
  { workload: words, namespace, image: images }: UpdateOptions,
  { spec }: Config,
): Promise<Limits | undefined> {
  const isSelected = words.length > 0 || namespace !== undefined;
  if (!isSelected) return images.length > 0 ? { images } : undefined;
  const { files } = readFilesWith(operands, WORKLOAD_WORDS);
  const selection = { words, ...(namespace !== undefined && { namespace }) };
  const selected = [...((await selectedIds([...files.keys()], selection, spec)) ?? [])];
  if (selected.length === 0) throw new InputError(`there is no workload in the namespace "${namespace}"`);
  return { images, workloads: selected };
}

/** What a run came to. */
interface Done {
  outcome: Outcome;
  /** Files that were looked at. */
  count: number;
  commits: readonly Committed[];
}

/** The table or the diff on stdout, the reasons on stderr; with `-o` one document. */
async function show(done: Done, own: Own | undefined, options: UpdateOptions, io: Io): Promise<void> {
  const { outcome, count, commits } = done;
  const { edits, results, failed } = outcome;
  const moved = results.filter(({ severity }) => severity === 'info');
  const others = results.filter(({ severity }) => severity !== 'info');
  const format = documentFormat(options.format);
  if (format) io.output(await print(format, documentOf(done, own, options)));
  else if (options.diff)
    for (const [source, replacements] of edits) io.output(unifiedDiff(source.path!, source.text, replacements));
  else if (!failed) io.output(changeTable(changesOf(moved)));
  tell(io, others);
  io.error(`tk-image: ${summary({ dryRun: options.dryRun ?? false }, moved, others.length, failed, count)}`);
  for (const { id, message } of commits)
    io.error(`tk-image: committed ${id.slice(0, 12)} on ${own!.branch}: ${message.split('\n', 1)[0]}`);
  if (own?.pushed !== undefined) io.error(`tk-image: pushed to ${own.pushed}`);
}

/** Somebody who names a workload wants to hear of it. */
function tellOfNothing({ scope }: Config, results: readonly Result[], io: Io): void {
  const told = new Set(results.map(({ resourceRef }) => resourceRef && workloadId(resourceRef)));
  const rest = (scope?.workloads ?? []).filter((id) => !told.has(id));
  if (rest.length > 0)
    io.error(
      `tk-image: nothing is to be done at ${onOneLine(rest.join(', '))}: what is automated there is up to date; tk-image explain says more`,
    );
}

function documentOf({ outcome, commits }: Done, own: Own | undefined, { dryRun }: UpdateOptions): unknown {
  const { edits, results, failed } = outcome;
  return {
    outcome: outcomeOf(),
    changes: failed ? [] : changesOf(results),
    files: [...edits.keys()].map(({ path }) => path),
    ...(own && { branch: own.branch, commits }),
    results: results.filter(({ severity }) => severity !== 'info'),
  };

  function outcomeOf(): string {
    if (failed) return 'Failed';
    if (edits.size === 0) return 'NothingToChange';
    if (dryRun) return 'DryRun';
    if (own?.pushed !== undefined) return 'Pushed';
    return own ? 'Committed' : 'Written';
  }
}
