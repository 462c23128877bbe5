import { join } from 'node:path';
import { decode } from '../fn/directory.ts';
import { noteResult, type Result } from '../fn/result.ts';
import type { FileChange, Repository, TreeEntry } from '../git/repository.ts';
import { openScratch, type Scratch } from '../git/scratch.ts';
import { imageChanges } from './change.ts';
import { checkChanges, MAX_FILE_BYTES, type Proposal } from './check.ts';
import { findProgram, runContainer, type ContainerProgram } from './container.ts';
import { JobError } from './failure.ts';
import { unmatchedPaths, yamlFiles } from './files.ts';
import { groupFiles } from './group.ts';
import { readAnswer, requestOf, type TextFile } from './list.ts';
import { editOf, type Made } from './made.ts';
import type { UpdateJob } from './read.ts';
import { makeOpen, readBack, visibleFiles, writeInto } from './workspace.ts';

interface World {
  environment: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

/** What an image proposes, before it is checked. */
interface Proposed {
  proposals: Proposal[];
  results: Result[];
  digest?: string;
}

const MAX_BYTES = 256 << 20;

/**
 * Runs an image on the files of a commit, by either contract (reference/controllers.md B4), and checks what came back.
 * @throws JobError
 */
export async function runImage(
  job: UpdateJob,
  commit: string,
  repository: Repository,
  { environment, signal }: World,
): Promise<Made> {
  const { git, run } = job.spec;
  const program = await findProgram(environment, signal);
  const entries = await repository.list(commit, git.paths);
  const propose = run.contract === 'Function' ? proposeByFunction : proposeInDirectory;
  const { proposals, results, digest } = await propose(job, entries, repository, program);
  const base = new Map(
    (git.paths.length === 0 ? entries : await repository.list(commit)).map((entry) => [entry.path, entry]),
  );
  const files = checkChanges(proposals, base, git, run.allow);
  return {
    ...(await madeOf(job, files, base, repository)),
    results: [...unmatchedPaths(entries, git.paths), ...results],
    ...(digest !== undefined && { imageDigest: digest }),
  };
}

/** `WorkingDirectory`: the files in a directory of its own, which the image changes in place. */
async function proposeInDirectory(
  { spec: { run } }: UpdateJob,
  entries: readonly TreeEntry[],
  repository: Repository,
  program: ContainerProgram,
): Promise<Proposed> {
  // Others on this machine cannot enter the outer one, whatever the inner one allows.
  const outer = openScratch();
  const directory = join(outer.path, 'workspace');
  const results: Result[] = [];
  try {
    makeOpen(directory);
    const files = visibleFiles(entries);
    await write(directory, files, repository);
    const { digest } = await runContainer(program, run, { directory });
    return { proposals: readBack(directory, files), results, ...(digest !== undefined && { digest }) };
  } finally {
    results.push(...removed(outer));
  }
}

/** A warning if that cannot be: unless we are root, what the image has put into directories of its own is nobody's. */
function removed(scratch: Scratch): Result[] {
  try {
    scratch.remove();
    return [];
  } catch (error) {
    const message = `${scratch.path} cannot be removed (${(error as NodeJS.ErrnoException).code}): the image has made directories in it that are another user's; remove it as root`;
    return [noteResult({ reason: 'directory-left', message }, {})];
  }
}

async function write(directory: string, files: readonly TreeEntry[], repository: Repository): Promise<void> {
  const byOid = Map.groupBy(files, ({ oid }) => oid);
  let bytes = 0;
  for await (const { oid, content } of repository.blobs([...byOid.keys()]))
    for (const entry of byOid.get(oid) ?? []) {
      if ((bytes += content.length) > MAX_BYTES) throw tooLarge();
      writeInto(directory, entry, content);
    }
}

function tooLarge(): JobError {
  return new JobError('TooLarge', `the files have more than ${MAX_BYTES >> 20} MiB; narrow git.paths`);
}

/** `Function`: a ResourceList of the YAML files on stdin, and one on stdout. */
async function proposeByFunction(
  { spec: { run } }: UpdateJob,
  entries: readonly TreeEntry[],
  repository: Repository,
  program: ContainerProgram,
): Promise<Proposed> {
  const files = await textsOf(yamlFiles(visibleFiles(entries)), repository);
  const request = await requestOf(files, run.functionConfig);
  const { stdout, digest } = await runContainer(program, run, { input: Buffer.from(request.text) });
  const answer = await readAnswer(stdout.toString('utf8'), request);
  const modes = new Map(entries.map(({ path, mode }) => [path, mode]));
  const proposals = answer.files.map(({ path, after }): Proposal => ({
    path,
    now:
      after === null ? null : { kind: 'file', executable: modes.get(path) === '100755', content: Buffer.from(after) },
  }));
  return {
    proposals,
    results: answer.results.filter(({ severity }) => severity !== 'info'),
    ...(digest !== undefined && { digest }),
  };
}

/** The files that are text of a size that is read. */
async function textsOf(entries: readonly TreeEntry[], repository: Repository): Promise<TextFile[]> {
  const texts = new Map<string, string>();
  let bytes = 0;
  for await (const { oid, content } of repository.blobs([...new Set(entries.map(({ oid }) => oid))])) {
    if ((bytes += content.length) > MAX_BYTES) throw tooLarge();
    const text = content.length <= MAX_FILE_BYTES ? decode(content) : undefined;
    if (text !== undefined) texts.set(oid, text);
  }
  return entries.flatMap(({ path, oid }) => (texts.has(oid) ? [{ path, text: texts.get(oid)! }] : []));
}

/** The commits to be, and what people are told of them: image fields where files are YAML, else the files. */
async function madeOf(
  { spec: { commit } }: UpdateJob,
  files: readonly FileChange[],
  base: ReadonlyMap<string, TreeEntry>,
  repository: Repository,
): Promise<Pick<Made, 'parts' | 'edits'>> {
  const oids = files.flatMap(({ path }) => base.get(path)?.oid ?? []);
  const contents = new Map<string, Buffer>();
  for await (const { oid, content } of repository.blobs([...new Set(oids)])) contents.set(oid, content);
  const compared = files.map(({ path, content }) => {
    const before = contents.get(base.get(path)?.oid ?? '') ?? Buffer.alloc(0);
    return { path, before: decode(before), after: decode(content ?? Buffer.alloc(0)) };
  });
  const changes = [];
  for (const { path, before, after } of compared)
    if (before !== undefined && after !== undefined && base.has(path))
      changes.push(...(await imageChanges(path, before, after)));
  return {
    parts: groupFiles(files, changes, commit.grouping),
    edits: compared.map(({ path, before, after }, i) => {
      if (before === undefined || after === undefined) return { path, before: '', replacements: [], file: 'not text' };
      const edit = editOf(path, before, after);
      if (files[i]!.content === null) return { ...edit, file: 'deleted' };
      return base.has(path) ? edit : { ...edit, file: 'new' };
    }),
  };
}
