import type { Config } from '../fn/config/config.ts';
import { decode } from '../fn/directory.ts';
import { showReference } from '../fn/reference.ts';
import { findImages } from '../fn/governed.ts';
import type { PlannedChange } from '../fn/plan.ts';
import type { Source } from '../fn/source.ts';
import { splitDocuments } from '../fn/yaml/documents.ts';
import type { LogEntry, Repository } from '../git/repository.ts';
import { fieldKey } from './change.ts';
import { MAX_FILE_BYTES } from './check.ts';
import { isOurs } from './message.ts';
import { judge, type Revert, type Step } from './revert.ts';

/** A field that is to move. */
export interface Wanted {
  file: string;
  planned: PlannedChange;
}

export interface HeldField {
  wanted: Wanted;
  revert: Revert;
  from: string;
  to: string;
}

/** So far back, in commits and in commits of ours, is looked: what is older has been lived with. */
const MAX_COMMITS = 1000;
const MAX_OURS = 20;
/** Commits of one file that are read to name the one that moved a field back. */
const MAX_FILE_COMMITS = 20;
/** Of more files than this the commits are not asked for by name: git's own limit is the length of a command line. */
const MAX_NAMED_FILES = 64;

/**
 * The fields among those that are to move which a person had moved away from what we set. History is read without blobs; of
 * a commit of ours only the files in question, in it and before it, until the last time that we set each field is found.
 */
export async function findReverts(
  wanted: readonly Wanted[],
  head: string,
  repository: Repository,
  config: Config,
): Promise<HeldField[]> {
  if (wanted.length === 0) return [];
  const history = new History(repository, config);
  const files = [...new Set(wanted.map(({ file }) => file))];
  const named = files.length <= MAX_NAMED_FILES ? { paths: files } : {};
  let open = [...wanted];
  let seen = 0;
  const held: HeldField[] = [];
  for await (const entry of repository.log(head, { max: MAX_COMMITS, ...named })) {
    // Where the history that was fetched ends, nobody knows what was before.
    if (!isOurs(entry.message) || entry.parents.length === 0) continue;
    if (++seen > MAX_OURS || open.length === 0) break;
    await history.load([entry.oid, ...entry.parents.slice(0, 1)], filesOf(open));
    const still: Wanted[] = [];
    for (const field of open) {
      const [after, before] = await Promise.all([
        history.value(entry.oid, field),
        history.value(entry.parents[0], field),
      ]);
      if (after === before) {
        still.push(field);
        continue;
      }
      const steps = stepsFrom(field, entry, after, before);
      const verdict = judge(steps, toOf(field));
      if (!verdict) continue;
      const revert = (await explain(field, steps, head, repository, history)) ?? verdict;
      held.push({ wanted: field, revert, from: fromOf(field), to: toOf(field) });
    }
    open = still;
  }
  return held;
}

function filesOf(fields: readonly Wanted[]): string[] {
  return [...new Set(fields.map(({ file }) => file))];
}

/** What a field holds now, in a commit of ours, and before that. */
type Steps = [now: Step, ours: Step, before: Step];

function stepsFrom(
  field: Wanted,
  { oid, parents }: LogEntry,
  after: string | undefined,
  before: string | undefined,
): Steps {
  return [
    { commit: undefined, ours: false, value: fromOf(field) },
    { commit: oid, ours: true, value: after },
    { commit: parents[0], ours: false, value: before },
  ];
}

function fromOf({ planned }: Wanted): string {
  return showReference(planned.from);
}

function toOf({ planned }: Wanted): string {
  return showReference(planned.to);
}

/** Reads the commits of the field's file, back to the one that moved it, to name that. */
async function explain(field: Wanted, [now, ...ours]: Steps, head: string, repository: Repository, history: History) {
  const steps: Step[] = [];
  for await (const { oid, message } of repository.log(head, { max: MAX_FILE_COMMITS, paths: [field.file] })) {
    await history.load([oid], [field.file]);
    const value = await history.value(oid, field);
    if (value !== now.value) return judge([...steps, ...ours], toOf(field));
    steps.push({ commit: oid, ours: isOurs(message), value });
  }
  return undefined;
}

/** What fields held in commits. */
class History {
  readonly #repository: Repository;
  readonly #config: Config;
  /** By commit and file. */
  readonly #oids = new Map<string, string>();
  /** By blob and file: the values of its fields. */
  readonly #values = new Map<string, Promise<Map<string, string>>>();
  readonly #contents = new Map<string, Buffer>();

  constructor(repository: Repository, config: Config) {
    this.#repository = repository;
    this.#config = config;
  }

  /** Reads which blobs commits have at files, and those blobs that differ among the commits. */
  async load(commits: readonly string[], files: readonly string[]): Promise<void> {
    for (const commit of commits)
      for (const { path, oid } of await this.#repository.list(commit, files)) this.#oids.set(`${commit} ${path}`, oid);
    const needed = files.flatMap((file) => {
      const oids = commits.map((commit) => this.#oids.get(`${commit} ${file}`));
      return commits.length > 1 && new Set(oids).size === 1 ? [] : oids.filter((oid) => oid !== undefined);
    });
    const missing = [...new Set(needed)].filter((oid) => !this.#contents.has(oid));
    for await (const { oid, content } of this.#repository.blobs(missing)) this.#contents.set(oid, content);
  }

  /** The reference that a field held in a commit that was loaded; undefined where it was not there, or did not change. */
  async value(commit: string | undefined, { file, planned }: Wanted): Promise<string | undefined> {
    const oid = this.#oids.get(`${commit} ${file}`);
    const content = oid === undefined ? undefined : this.#contents.get(oid);
    if (!content) return undefined;
    const key = `${oid} ${file}`;
    let values = this.#values.get(key);
    if (!values) this.#values.set(key, (values = readValues(content, file, this.#config)));
    return (await values).get(fieldKey(file, planned.field.resource, planned.field.path));
  }
}

async function readValues(content: Buffer, path: string, config: Config): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  const text = content.length <= MAX_FILE_BYTES ? decode(content) : undefined;
  if (text === undefined) return values;
  const documents = splitDocuments(text).map((document) => ({ ...document, path }));
  const source: Source = { path, text, documents };
  for (const document of documents) {
    const { fields, governed } = await findImages(source, document, config);
    for (const { field, reference } of governed)
      values.set(fieldKey(path, field.resource, field.path), showReference(reference));
    for (const { resource, path: at, reference } of fields)
      if (reference) values.set(fieldKey(path, resource, at), showReference(reference));
  }
  return values;
}
