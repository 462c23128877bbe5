import type { Identity, LogEntry, Repository } from '../../git/repository.ts';
import { isOurs } from '../message.ts';

/** So far back a branch is followed to where it leaves its base, and the base to where that is. */
const MAX_BRANCH = 200;
const MAX_BASE = 1000;

/** The commits of a base branch, as far back as a branch of ours may have left it. */
export async function commitsOf(repository: Repository, base: string): Promise<ReadonlySet<string>> {
  const oids = new Set<string>();
  for await (const { oid } of repository.log(base, { max: MAX_BASE })) oids.add(oid);
  return oids;
}

/**
 * The newest commit of a branch that is neither in its base nor ours: then nothing may be thrown away there. Ours have our
 * trailer, our author and our committer, so that one which somebody amended or rebased is theirs; so is what is further back
 * than is looked.
 */
export async function foreignCommit(
  repository: Repository,
  head: string,
  base: ReadonlySet<string>,
  author: Identity,
): Promise<LogEntry | undefined> {
  let last: LogEntry | undefined;
  for await (const entry of repository.log(head, { max: MAX_BRANCH })) {
    if (base.has(entry.oid)) return undefined;
    if (!isBy(author, entry)) return entry;
    last = entry;
  }
  return last;
}

function isBy({ name, email }: Identity, { message, author, committer, parents }: LogEntry): boolean {
  const isSame = (who: Identity) => who.name === name && who.email === email;
  return isOurs(message) && parents.length < 2 && isSame(author) && isSame(committer);
}
