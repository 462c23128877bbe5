import type { Config } from '../fn/config/config.ts';
import { decode } from '../fn/directory.ts';
import type { Answers } from '../fn/lookup/answers.ts';
import type { Lookup } from '../fn/lookup/lookup.ts';
import { addDocuments } from '../fn/lookup/read.ts';
import { remembering } from '../fn/lookup/remembering.ts';
import type { Hold } from '../fn/plan.ts';
import { describe, noteResult, type Result } from '../fn/result.ts';
import type { Source } from '../fn/source.ts';
import { update, type Outcome } from '../fn/update.ts';
import { splitDocuments } from '../fn/yaml/documents.ts';
import { pathProblem } from '../git/path.ts';
import type { FileChange, Repository, TreeEntry } from '../git/repository.ts';
import type { GivenAnswers } from './answers.ts';
import { hashOf, type Cache } from './cache.ts';
import { keyOfPlan } from './change.ts';
import { checkChanges, MAX_FILE_BYTES, type Proposal } from './check.ts';
import { JobError } from './failure.ts';
import { unmatchedPaths, yamlFiles } from './files.ts';
import { ANSWERS, contentsOf, EXPLICIT, findWords, GOVERNED, knownWords, type Found } from './found.ts';
import { findReverts, type Wanted } from './history.ts';
import type { Made } from './made.ts';
import { among, filesOf, partsOf, withoutStrict } from './parts.ts';
import { isReleased, RELEASE } from './revert.ts';
import type { UpdateJob } from './read.ts';

/** What the engine goes by, beside the repository. */
export interface EngineInput {
  config: Config;
  /** Of `--metadata`. */
  given: GivenAnswers;
  lookup: Lookup | undefined;
  cache: Cache;
  /** Which build of this program it is: another one may decide otherwise. */
  program: string;
  /** The fields that this run is about, by `keyOf`, where it is one of several that share the changes; else all. */
  only?: ReadonlySet<string>;
}

/**
 * Runs the engine over the blobs of a commit, without a work tree. What an earlier run found out of a blob is not found out
 * again, so a run after a small change costs the change.
 * @throws JobError of class FunctionFailed if a result is an error, as `strict` makes them.
 */
export async function evaluate(
  job: UpdateJob,
  commit: string,
  repository: Repository,
  input: EngineInput,
): Promise<Made> {
  const { config, lookup, cache } = input;
  const { git, commit: how } = job.spec;
  const listing = repository.list(commit, git.paths);
  // While git lists.
  const known = knownWords(config.spec, cache, git.url);
  const listed = await listing;
  const entries = yamlFiles(listed);
  const found = await findWords(entries, known, repository);
  const { answers, answerKey } = await answersIn(entries, found, repository, input);
  const memory = lookup ? undefined : new Settled(cache, [input.program, git.url, config, answerKey]);

  const settled: Result[] = [];
  const open: TreeEntry[] = [];
  const governed = entries.filter(({ oid }) => (found.words.get(oid) ?? 0) & GOVERNED);
  for (const entry of governed) {
    const results = found.words.get(entry.oid)! & EXPLICIT ? undefined : memory?.of(entry);
    if (results) settled.push(...results);
    else open.push(entry);
  }
  const { sources, notes } = await sourcesOf(open, found, repository);
  const earlier = [...unmatchedPaths(listed, git.paths), ...settled, ...notes];

  const wanted: Wanted[] = [];
  const ask = lookup && remembering(lookup);
  const all = await update(sources, config, answers, ask, earlier, (planned, file) => {
    wanted.push({ file: file ?? '', planned });
    return undefined;
  });
  const holds = await holdsOf(job, wanted, commit, repository, config);
  const held: Hold = (planned, file) => holds.get(keyOfPlan(planned, file));
  const outcome = holds.size === 0 ? all : await update(sources, config, answers, ask, earlier, held);
  if (outcome.failed) throw failed(outcome);
  const moved = new Set(wanted.map(({ file }) => file));
  memory?.save(
    governed,
    open.filter(({ path }) => !moved.has(path)),
    outcome.results,
  );

  const lax = withoutStrict(config);
  const whole = input.only
    ? await update(sources, lax, answers, ask, [], among(withSharers(input.only, wanted), held))
    : outcome;
  const parts = await partsOf(whole, how.grouping, async (some, later) => update(some, lax, answers, ask, [], later));
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  checkChanges(proposalsOf(filesOf(whole.edits), byPath), byPath, git, job.spec.run.allow);
  return {
    parts,
    edits: [...whole.edits].map(([{ path, text }, replacements]) => ({ path: path!, before: text, replacements })),
    results: outcome.results.filter(({ severity }) => severity !== 'info'),
  };
}

/** Fields, and those that share an anchored text with one of them: it moves for all or for none. */
function withSharers(fields: ReadonlySet<string>, wanted: readonly Wanted[]): Set<string> {
  const all = new Set(fields);
  const textsOf = ({ file, planned }: Wanted) => planned.writes.map(({ scalar }) => `${scalar.start} ${file}`);
  for (let before = -1; before < all.size;) {
    before = all.size;
    const isIn = ({ file, planned }: Wanted) => all.has(keyOfPlan(planned, file));
    const texts = new Set(wanted.filter(isIn).flatMap(textsOf));
    for (const one of wanted)
      if (textsOf(one).some((text) => texts.has(text))) all.add(keyOfPlan(one.planned, one.file));
  }
  return all;
}

/** The engine never changes a mode. */
function proposalsOf(files: readonly FileChange[], known: ReadonlyMap<string, TreeEntry>): Proposal[] {
  return files.map(({ path, content }) => ({
    path,
    now: content && { kind: 'file', executable: known.get(path)?.mode === '100755', content },
  }));
}

function failed({ results }: Outcome): JobError {
  const errors = results.filter(({ severity }) => severity === 'error');
  const lines = errors.slice(0, MAX_ERRORS).map(describe);
  const more = errors.length > MAX_ERRORS ? [`and ${errors.length - MAX_ERRORS} more`] : [];
  return new JobError('FunctionFailed', `nothing was committed: ${[...lines, ...more].join('; ')}`);
}

const MAX_ERRORS = 10;

/** The answers that were given and those in the tree, and a key that tells them from others. */
async function answersIn(
  entries: readonly TreeEntry[],
  found: Found,
  repository: Repository,
  { given }: EngineInput,
): Promise<{ answers: Answers; answerKey: unknown }> {
  const answers = await given.take();
  const holders = entries.filter(({ oid }) => (found.words.get(oid) ?? 0) & ANSWERS);
  const contents = await contentsOf(
    holders.map(({ oid }) => oid),
    found,
    repository,
  );
  for (const { oid } of holders) {
    const text = textOf(contents.get(oid));
    if (text !== undefined) await addDocuments(answers, text, splitDocuments(text));
  }
  return {
    answers,
    answerKey: [given.files.map(({ name, hash }) => [name, hash]), holders.map(({ path, oid }) => [path, oid])],
  };
}

function textOf(content: Buffer | undefined): string | undefined {
  return content && content.length <= MAX_FILE_BYTES ? decode(content) : undefined;
}

/** The files as sources, and notes of those that are none. */
async function sourcesOf(
  entries: readonly TreeEntry[],
  found: Found,
  repository: Repository,
): Promise<{ sources: Source[]; notes: Result[] }> {
  const contents = await contentsOf(
    entries.map(({ oid }) => oid),
    found,
    repository,
  );
  const sources: Source[] = [];
  const notes: Result[] = [];
  for (const { path, oid } of entries) {
    const content = contents.get(oid);
    const text = textOf(content);
    const problem = pathProblem(path);
    if (problem !== undefined)
      notes.push(passedOver(path, 'file-name', `its path ${problem}, so nothing in it is updated`));
    else if (text !== undefined)
      sources.push({ path, text, documents: splitDocuments(text).map((document) => ({ ...document, path })) });
    else if (content && content.length > MAX_FILE_BYTES)
      notes.push(passedOver(path, 'file-too-large', `it has more than the ${MAX_FILE_BYTES >> 20} MiB that are read`));
    else notes.push(passedOver(path, 'file-not-text', 'it is not UTF-8 text, so nothing in it is updated'));
  }
  return { sources, notes };
}

function passedOver(file: string, reason: string, message: string): Result {
  return noteResult({ reason, message }, { file });
}

/** Notes for the fields that stay because a person moved them back. */
async function holdsOf(
  { metadata: { annotations } }: UpdateJob,
  wanted: readonly Wanted[],
  commit: string,
  repository: Repository,
  config: Config,
): Promise<Map<string, ReturnType<Hold>>> {
  const release = annotations[RELEASE];
  const asked = wanted.filter(({ planned: { from } }) => !isReleased(release, from.name));
  const reverts = await findReverts(asked, commit, repository, config);
  return new Map(
    reverts.map(({ wanted: { file, planned }, revert: { reverted, ours, by }, from, to }) => [
      keyOfPlan(planned, file),
      {
        reason: 'reverted',
        message: `it stays at ${from} and does not become ${to}: our commit ${ours.slice(0, 12)} had set ${reverted}, and ${by === undefined ? 'somebody' : `commit ${by.slice(0, 12)}`} moved it away from that; it moves when something newer is there, or with --release ${planned.from.name || 'true'}`,
        path: planned.field.path,
        ...(planned.field.container !== '' && { container: planned.field.container }),
        ...(planned.from.name !== '' && { image: planned.from.name }),
      },
    ]),
  );
}

/** What the engine had to say of files in which nothing was to move, by the same configuration and answers. */
class Settled {
  readonly #cache: Cache;
  readonly #key: string;
  readonly #known: Map<string, Result[]>;

  constructor(cache: Cache, parts: readonly unknown[]) {
    this.#cache = cache;
    this.#key = hashOf(JSON.stringify(parts));
    this.#known = parseSettled(cache.read('settled', this.#key));
  }

  of(entry: TreeEntry): Result[] | undefined {
    return this.#known.get(nameOf(entry));
  }

  /** Remembers what was said of files just looked at, and forgets files that are gone. */
  save(entries: readonly TreeEntry[], looked: readonly TreeEntry[], results: readonly Result[]): void {
    const byFile = Map.groupBy(results, ({ file }) => file?.path ?? '');
    const fresh = looked.map((entry): [string, Result[]] => [nameOf(entry), byFile.get(entry.path) ?? []]);
    const names = new Set(entries.map(nameOf));
    const kept = [...this.#known].filter(([name]) => names.has(name));
    if (fresh.length > 0 || kept.length < this.#known.size)
      this.#cache.write('settled', this.#key, JSON.stringify([...new Map([...kept, ...fresh])]));
  }
}

function nameOf({ oid, path }: TreeEntry): string {
  return `${oid} ${path}`;
}

function parseSettled(text: string | undefined): Map<string, Result[]> {
  if (text === undefined) return new Map();
  try {
    return new Map(JSON.parse(text) as [string, Result[]][]);
  } catch {
    return new Map();
  }
}
