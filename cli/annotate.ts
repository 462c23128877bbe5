import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { defaultSpec } from '../fn/config/defaults.ts';
import { unifiedDiff } from '../fn/diff.ts';
import { writeFiles } from '../fn/directory.ts';
import { editAnnotations, type Edits, type Problem } from '../fn/edit-annotations.ts';
import type { Io } from '../fn/io.ts';
import { nearest } from '../fn/nearest.ts';
import {
  annotationEdit,
  filteredContainers,
  invalidKey,
  policyChanges,
  sayPolicies,
  type PolicyChanges,
  type PolicyRequest,
} from '../fn/policies.ts';
import { compilePattern } from '../fn/policy/pattern.ts';
import { replaceAll, type Replacement } from '../fn/replace.ts';
import { describe, noteResult, placed, type Result } from '../fn/result.ts';
import { InputError } from '../fn/run.ts';
import { lineIn, type Source } from '../fn/source.ts';
import { DONE } from '../fn/status.ts';
import { readFilesWith } from '../fn/tree.ts';
import { UsageError } from '../fn/usage.ts';
import { readWorkloads, selectWorkloads, workloadId, WORKLOAD_WORDS, type Workload } from '../fn/workloads.ts';
import type { Span } from '../fn/yaml/tree.ts';
import { configuredUser } from '../git/user.ts';
import { carryOut, type Parsed } from './command.ts';
import type { CommandSpec } from './spec.ts';
import * as specs from './specs/annotate.ts';
import { plural } from '../fn/plural.ts';

interface Options {
  workload: string[];
  namespace?: string;
  all?: boolean;
  dryRun?: boolean;
  diff?: boolean;
  message?: string;
  user?: string;
  tag?: string[];
  tagAll?: string;
  automate?: boolean;
  deautomate?: boolean;
  lock?: boolean;
  unlock?: boolean;
}

/** What each command asks for, in the words of `policy`. */
export const automate = command(specs.automate, { automate: true });
export const deautomate = command(specs.deautomate, { deautomate: true });
export const lock = command(specs.lock, { lock: true });
export const unlock = command(specs.unlock, { unlock: true });
export const policy = command(specs.policy, {});

function command(spec: CommandSpec, asked: Partial<Options>): (argv: string[], io: Io) => Promise<number> {
  return async (argv, io) =>
    carryOut(spec, argv, io, async ({ options, operands }: Parsed<Options>) => {
      return annotate({ ...options, ...asked }, operands, io);
    });
}

/** Edits the annotations of the workloads that are selected: of all of them, or of none. */
async function annotate(options: Options, operands: readonly string[], io: Io): Promise<number> {
  const directories = operands.length > 0 ? operands : ['.'];
  for (const directory of directories) checkDirectory(directory);
  const request = await requestOf(options, directories[0]!, io);
  const { files, passedOver } = readFilesWith(directories, WORKLOAD_WORDS);
  const { workloads, unread } = await readWorkloads([...files.keys()], defaultSpec());
  tell(io, passedOver);
  const selected = select(workloads, unread, options, io);
  const edited = await editAll(selected, request, options);

  const changed = edited.filter(({ replacements }) => replacements.length > 0);
  if (!options.dryRun)
    writeFiles(
      changed.map(({ source, replacements }) => ({
        file: files.get(source)!,
        text: replaceAll(source.text, replacements),
      })),
    );
  if (options.diff)
    for (const { source, replacements } of changed) io.output(unifiedDiff(source.path!, source.text, replacements));
  const lines = edited.flatMap(({ results }) => results);
  if (!options.diff) io.output(lines.map((line) => `${describe(line)}\n`).join(''));
  io.error(`tk-image: ${summary(options, lines.length, selected.length, changed.length)}`);
  return DONE;
}

function checkDirectory(name: string): void {
  if (!statSync(name, { throwIfNoEntry: false }))
    throw new UsageError(`there is no file or directory "${name}"; a workload is named by -w`);
}

function tell(io: Io, results: readonly Result[]): void {
  for (const result of results) io.error(describe(result));
}

function summary({ dryRun }: Options, changed: number, selected: number, files: number): string {
  if (changed === 0) return `nothing to change in ${plural(selected, 'workload')}`;
  const rest = selected > changed ? `; nothing to change in ${selected - changed}` : '';
  return `${dryRun ? 'would change' : 'changed'} ${plural(changed, 'workload')} in ${plural(files, 'file')}${rest}`;
}

async function requestOf(options: Options, directory: string, io: Io): Promise<PolicyRequest> {
  const { automate, deautomate, lock, unlock, tag = [], tagAll, message, user } = options;
  if (automate && deautomate) throw new UsageError('--automate and --deautomate contradict each other');
  if (lock && unlock) throw new UsageError('--lock and --unlock contradict each other');
  if (!lock && (message ?? user) !== undefined) throw new UsageError('-m and --user are about a lock; add --lock');
  const filters = new Map(tag.map((pair) => filterOf(pair, io)));
  const request: PolicyRequest = { filters };
  if (automate || deautomate) request.automated = automate === true;
  if (lock) request.lock = await lockOf(options, directory, io);
  if (unlock) request.lock = false;
  if (tagAll !== undefined) request.otherFilters = patternOf(tagAll, '--tag-all', io);
  if (Object.keys(request).length === 1 && filters.size === 0)
    throw new UsageError('say what to change: --tag, --tag-all, --automate, --deautomate, --lock or --unlock');
  return request;
}

async function lockOf({ message, user }: Options, directory: string, io: Io) {
  const place = statSync(directory).isDirectory() ? directory : dirname(directory);
  const who = user ?? (await configuredUser(place, io.environment));
  return { ...(who && { user: who }), ...(message && { message }) };
}

/** A filter may have a `=` in it; a container has none. */
function filterOf(pair: string, io: Io): [container: string, pattern: string | null] {
  const equals = pair.indexOf('=');
  if (equals < 1) throw new UsageError(`--tag ${pair}: write CONTAINER=FILTER, such as web=semver:~1.4`);
  return [pair.slice(0, equals), patternOf(pair.slice(equals + 1), `--tag ${pair}`, io)];
}

/** A filter in its canonical form; null for the one that lets every tag through, which is what counts without any. */
function patternOf(text: string, option: string, io: Io): string | null {
  if (text === '') throw new UsageError(`${option}: the filter is empty; write * to take it away`);
  const rule = compilePattern(text);
  if ('error' in rule) throw new UsageError(`${option}: ${rule.error.message}`);
  tell(
    io,
    rule.warnings.map((warning) => noteResult(warning, {})),
  );
  return rule.text === EVERY ? null : rule.text;
}

const EVERY = 'glob:*';

function select(workloads: Workload[], unread: Result[], options: Options, io: Io): Workload[] {
  const { workload: words, namespace, all } = options;
  if (words.length === 0 && !all) throw new UsageError('say which workloads: by -w, or --all');
  const inNamespace = { ...(namespace !== undefined && { namespace }) };
  if (all) tell(io, unread);
  let selected: Workload[];
  try {
    selected = selectWorkloads(workloads, { words, ...inNamespace });
  } catch (error) {
    // What was meant may stand in what cannot be read.
    if (!all) tell(io, unread);
    throw error;
  }
  if (selected.length === 0)
    throw new InputError(
      `there is no workload with images${namespace === undefined ? '' : ` in the namespace ${namespace}`}`,
    );
  if (!all) refuseDuplicates(selected);
  for (const word of words) {
    const found = selectWorkloads(workloads, { words: [word], ...inNamespace });
    if (found.length > 1) io.error(`tk-image: ${word} is ${found.length} workloads: ${ids(found).join(', ')}`);
  }
  return selected;
}

function ids(workloads: readonly Workload[]): string[] {
  return [...new Set(workloads.map(({ ref }) => workloadId(ref)))];
}

/** One workload in several files is most likely a base with what is laid over it: which is meant, nobody can tell. */
function refuseDuplicates(workloads: readonly Workload[]): void {
  for (const [id, found] of Map.groupBy(workloads, ({ ref }) => workloadId(ref))) {
    if (found.length === 1) continue;
    const places = found.map(({ source, resource }) => `${source.path}:${lineIn(source, resource.node.start)}`);
    throw new InputError(
      `${id} stands at ${places.join(' and ')}; name one of the files in place of the directory, or say --all to change all`,
    );
  }
}

/** A file with what changes in it. */
interface Edited {
  source: Source;
  replacements: Replacement[];
  /** One a workload that changes. */
  results: Result[];
}

/** @throws InputError that names every workload that cannot be edited. */
async function editAll(workloads: readonly Workload[], request: PolicyRequest, { all }: Options): Promise<Edited[]> {
  const changes = changesOf(workloads, request, all === true);
  const problems: string[] = [];
  const edited: Edited[] = [];
  for (const [source, ofSource] of Map.groupBy(workloads, (workload) => workload.source))
    edited.push(await editSource(source, ofSource, changes, problems));
  if (problems.length > 0) throw new InputError(`${problems.join('\n')}\nnothing was written`);
  return edited;
}

/** How much of what stands before a document is shown to whoever edits it, so that it is written like its file. */
const BEFORE = 10_000;

async function editSource(
  source: Source,
  workloads: readonly Workload[],
  changes: ReadonlyMap<Workload, PolicyChanges>,
  problems: string[],
): Promise<Edited> {
  const edited: Edited = { source, replacements: [], results: [] };
  for (const [{ start, end }, ofDocument] of Map.groupBy(workloads, ({ slice }) => slice)) {
    // A file may have thousands of documents: of its text only a part is looked at for each of them.
    const from = Math.max(0, start - BEFORE);
    const edits = new Map(
      ofDocument.map((each) => [each.resource.path, annotationEdit(each.resource, changes.get(each)!)]),
    );
    const result = await editDocument(source.text.slice(from, end), { start: start - from, end: end - from }, edits);
    const told = ofDocument.toSorted((a, b) => a.resource.node.start - b.resource.node.start);
    for (const [i, workload] of told.entries()) {
      const { ref, resource } = workload;
      const at = (offset: number) => ({ resource: ref, file: source.path!, line: lineIn(source, from + offset) });
      if ('problems' in result) {
        const problem = result.problems.get(resource.path);
        if (problem)
          problems.push(describe(placed({ message: problem.message, severity: 'error' }, at(problem.offset))));
        continue;
      }
      const [first, last] = [resource.node.start - from, (told[i + 1]?.resource.node.start ?? Infinity) - from];
      const change = result.replacements.find(({ start }) => start >= first && start < last);
      const message = said(workload, changes.get(workload)!);
      if (change) edited.results.push(placed({ message, severity: 'info' }, at(change.start)));
    }
    if ('replacements' in result)
      for (const { start, end, text } of result.replacements)
        edited.replacements.push({ start: from + start, end: from + end, text });
  }
  return edited;
}

async function editDocument(text: string, span: Span, edits: Edits): ReturnType<typeof editAnnotations> {
  const problems = new Map<string, Problem>();
  for (const [path, edit] of edits) {
    const key = invalidKey(edit);
    const message = `no annotation can be called ${key}; give the container a name of letters, digits, "-", "_" and "."`;
    if (key !== undefined) problems.set(path, { message, offset: span.start });
  }
  return problems.size > 0 ? { problems } : editAnnotations(text, span, edits);
}

/** The policies that change, in words. */
function said({ resource }: Workload, changes: PolicyChanges): string {
  const news = [...changes].filter(([name, value]) => {
    const { set, remove } = annotationEdit(resource, new Map([[name, value]]));
    return remove.size > 0 || [...set].some(([key, text]) => resource.annotations.get(key)?.value !== text);
  });
  // Else a value was written as the text that it must be.
  return sayPolicies(new Map(news.length > 0 ? news : [...changes].filter(([, value]) => value !== null)));
}

/** What changes in each workload. @throws InputError for a container that a workload does not have, of `--all` that none has. */
function changesOf(
  workloads: readonly Workload[],
  request: PolicyRequest,
  all: boolean,
): ReadonlyMap<Workload, PolicyChanges> {
  const containers = new Map(workloads.map((workload) => [workload, containersOf(workload, request)]));
  for (const name of request.filters.keys()) {
    const without = workloads.filter((workload) => !containers.get(workload)!.has(name));
    if (without.length > 0 && (!all || without.length === workloads.length))
      throw new InputError(noContainer(name, without[0]!));
  }
  return new Map(workloads.map((workload) => [workload, policyChanges(request, containers.get(workload)!)]));
}

/** The containers that filters can be about: also one that is gone, if its filter is to go. */
function containersOf({ fields, resource }: Workload, { filters }: PolicyRequest): Set<string> {
  const gone = filteredContainers(resource).filter((name) => filters.get(name) === null);
  return new Set([...fields.map(({ container }) => container), ...gone]);
}

function noContainer(name: string, { fields, ref }: Workload): string {
  const names = [...new Set(fields.map(({ container }) => container))];
  const near = nearest(name, names);
  const there =
    names.length === 0
      ? 'no container was found in it'
      : `there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`;
  return `${workloadId(ref)} has no container "${name}"; ${near ? `did you mean "${near}"?` : there}`;
}
