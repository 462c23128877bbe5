import { isBelow, ancestors, pathProblem } from '../git/path.ts';
import type { FileChange, TreeEntry } from '../git/repository.ts';
import { JobError } from './failure.ts';
import type { JobSpec } from './schema.ts';

/** What an image may have done to a path. */
export interface Proposal {
  path: string;
  /** `null`: it is gone. `other`: a device, a pipe or a socket. */
  now: { kind: 'file'; executable: boolean; content: Buffer } | { kind: 'link' } | { kind: 'other' } | null;
}

/** A changed file beyond this is refused. */
export const MAX_FILE_BYTES = 5 << 20;
const MAX_TOTAL_BYTES = 256 << 20;

/**
 * The changes that may be committed, of those that an image proposes (reference/controllers.md B2, F5). Pure: what was on a disk
 * has been read by then, with no link followed.
 * @throws JobError of class ForbiddenChange or TooLarge, which names the path: then nothing at all is committed.
 */
export function checkChanges(
  proposals: readonly Proposal[],
  base: ReadonlyMap<string, TreeEntry>,
  { paths }: Pick<JobSpec['git'], 'paths'>,
  allow: JobSpec['run']['allow'],
): FileChange[] {
  // Asked for new files alone.
  const isNew = proposals.some(({ path }) => !base.has(path));
  const directories = new Set(isNew ? [...base.keys()].flatMap(parentsOf) : []);
  const changes = proposals.map((proposal) => checkOne(proposal, { base, directories, paths, allow }));
  if (changes.length > allow.maxFiles)
    throw new JobError(
      'ForbiddenChange',
      `${changes.length} files changed, ${changes[0]!.path} among them, more than run.allow.maxFiles (${allow.maxFiles}) allows`,
      'TooManyFiles',
    );
  const total = changes.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
  if (total > MAX_TOTAL_BYTES)
    throw new JobError('TooLarge', `the changed files have ${total >> 20} MiB, more than ${MAX_TOTAL_BYTES >> 20} MiB`);
  return changes;
}

interface Limits {
  base: ReadonlyMap<string, TreeEntry>;
  /** Every directory of the base. */
  directories: ReadonlySet<string>;
  paths: readonly string[];
  allow: JobSpec['run']['allow'];
}

function checkOne({ path, now }: Proposal, { base, directories, paths, allow }: Limits): FileChange {
  const problem = pathProblem(path);
  if (problem !== undefined) throw forbidden(path, `it ${problem}`, 'Path');
  if (!isBelow(path, paths)) throw forbidden(path, `it is outside of git.paths (${paths.join(', ')})`, 'OutsidePaths');
  const before = base.get(path);
  if (now === null) {
    if (!allow.delete) throw forbidden(path, 'it was deleted; run.allow.delete would allow it', 'Delete');
    return { path, content: null };
  }
  if (now.kind === 'link') throw forbidden(path, 'it is a link', 'Link');
  if (now.kind === 'other') throw forbidden(path, 'it is neither a file nor a directory', 'Device');
  if (before && before.mode !== (now.executable ? '100755' : '100644'))
    throw forbidden(path, `its mode changed from ${before.mode}`, 'Mode');
  if (!before && !allow.create) throw forbidden(path, 'it is new; run.allow.create would allow it', 'Create');
  if (!before && now.executable) throw forbidden(path, 'it is new and executable', 'Mode');
  if (!before && (directories.has(path) || parentsOf(path).some((parent) => base.has(parent))))
    throw forbidden(path, 'it stands where a file, a link or a directory was', 'Replaced');
  if (now.content.length > MAX_FILE_BYTES)
    throw new JobError(
      'TooLarge',
      `${path}: it has ${now.content.length} bytes, more than the ${MAX_FILE_BYTES} that a changed file may have`,
    );
  return { path, content: now.content };
}

/** The directories that a path lies in. */
function parentsOf(path: string): string[] {
  return ancestors(path).slice(0, -1);
}

function forbidden(path: string, problem: string, reason: string): JobError {
  return new JobError(
    'ForbiddenChange',
    `${JSON.stringify(path).slice(1, -1).slice(0, 512)}: ${problem}; nothing was committed`,
    reason,
  );
}
