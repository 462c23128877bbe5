/** What to log in to a git server with. Never printed, never in an argument, a URL or a file of the repository. */
export type GitCredentials =
  | { kind: 'basic'; username: string; password: string }
  | { kind: 'bearer'; token: string }
  | { kind: 'ssh'; key: string; passphrase?: string; knownHosts: string };

export interface Remote {
  /** `https://`, `ssh://`; `http://` and `file://` only where the caller allows them. Without user info. */
  url: string;
  credentials?: GitCredentials;
  /** PEM, beside the system's authorities. */
  ca?: string;
  /** Milliseconds for each operation over the network. */
  timeout: number;
}

/** A blob of a tree. */
export interface TreeEntry {
  path: string;
  /** `100644`, `100755`, `120000` (a link), `160000` (a submodule). */
  mode: string;
  oid: string;
}

/** New content of a path; `null` removes it. Modes stay; a new file gets `100644`. */
export interface FileChange {
  path: string;
  content: Buffer | null;
}

export interface Identity {
  name: string;
  email: string;
}

export type Signing =
  | { type: 'ssh'; key: string; passphrase?: string }
  | { type: 'openpgp'; key: string; passphrase?: string };

export interface NewCommit {
  /** The commit that it stands on, and whose tree it changes. */
  parent: string;
  changes: readonly FileChange[];
  /** Trailers included. */
  message: string;
  author: Identity;
  /** Seconds since 1970, for author and committer alike, or one second after the parent's if that is later: the same input gives the same commit (reference/controllers.md B5). */
  time: number;
  signing?: Signing;
}

export interface Push {
  commit: string;
  /** Full: `refs/heads/main`. */
  ref: string;
  /** Where the ref must stand for a rebuilt branch to be replaced; without it the push only moves forward from the commit that ours stand on. `null`: it must not exist. */
  lease?: string | null;
  options?: Readonly<Record<string, string>>;
}

export interface LogEntry {
  oid: string;
  parents: readonly string[];
  /** Seconds since 1970. */
  time: number;
  author: Identity;
  /** Another one than the author for what was amended, rebased, or made on a forge's page. */
  committer: Identity;
  message: string;
}

/**
 * A bare repository of ours and the remote that it follows: the git program in one thin object. No work tree, no porcelain;
 * nothing that the repository holds (hooks, filters, attributes, configuration, submodules) is ever run or obeyed.
 * @throws GitError from each of its methods.
 */
export interface Repository {
  /** The commit that a full ref of the remote names now, by one `ls-remote`; undefined if there is none. */
  remoteHead(ref: string): Promise<string | undefined>;
  /** The branches of that name and below it (`updates`, `updates/web`) and where they stand, by one `ls-remote`. */
  remoteBranches(name: string): Promise<Map<string, string>>;
  /**
   * Fetches a commit by its full ref or id: depth 1 and without blobs where the server can; or with those that are new and have
   * less than `blobs` bytes, for who will read them all: one request instead of two. Returns the commit.
   */
  fetch(what: string, options?: { depth?: number; blobs?: number }): Promise<string>;
  /** The blobs of a commit's tree below the paths given, all of them without; in git's order. */
  list(commit: string, paths?: readonly string[]): Promise<TreeEntry[]>;
  /** The contents of blobs, in the order asked for; those that are missing are fetched in one go. */
  blobs(oids: readonly string[]): AsyncIterable<{ oid: string; content: Buffer }>;
  /** Writes a commit by plumbing alone and returns its id. */
  commit(commit: NewCommit): Promise<string>;
  /** Pushes one commit to one ref. After an error the remote is looked at first: a commit that arrived is a success. */
  push(push: Push): Promise<void>;
  /** Removes a branch that still stands where it was seen, by its full ref; elsewhere it holds what nobody here has seen, and stays. */
  remove(ref: string, seen: string): Promise<void>;
  /**
   * Commits that reach back from one, newest first, without blobs; of those that touched the paths, if any are given. At
   * most `max` are looked at; `since` is in seconds since 1970, that second included. Their trees can be listed afterwards.
   */
  log(from: string, options: { max: number; since?: number; paths?: readonly string[] }): AsyncIterable<LogEntry>;
}
