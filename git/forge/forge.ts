/** What hosts a repository and its pull requests; `gitea` is Forgejo too. */
export type ForgeType = 'github' | 'gitlab' | 'gitea';

/** A pull request, or merge request, as every forge has it. */
export interface PullRequest {
  /** Within its repository. */
  number: number;
  /** Of its page. */
  url: string;
  /** Without the prefix by which some forges know a draft. */
  title: string;
  body: string;
  state: 'open' | 'closed' | 'merged';
  draft: boolean;
  /** The branch that is to be merged, of the repository itself. */
  head: string;
  /** The commit at its end, of one that was merged at that time; empty where the forge does not tell it. */
  headSha: string;
  /** The branch to merge into. */
  base: string;
  labels: readonly string[];
  /** Whether it is merged by itself when its checks have passed. */
  autoMerge: boolean;
  /** Whether a workflow's own token opened it, so that no other workflow starts for it. */
  quiet: boolean;
  /** What the forge's own interface knows it by beside the number. */
  id: string;
}

export interface NewPullRequest {
  head: string;
  base: string;
  title: string;
  body: string;
  draft: boolean;
}

/** What of a pull request is to be otherwise; the rest stays. */
export interface PullRequestChanges {
  title?: string;
  body?: string;
  base?: string;
  draft?: boolean;
  closed?: true;
}

/**
 * The pull requests of one repository on its forge. Each method asks as little as the forge allows, and what it is refused says
 * which permission is missing and who can give it.
 * @throws GitError from each of its methods: `GitAuth` and `RefNotFound` for what the token may not, `GitUnavailable` for what may
 * pass, `PushRefused` for the forge's rules.
 */
export interface Forge {
  readonly type: ForgeType;
  /** Most characters of a body. */
  readonly maxBody: number;
  defaultBranch(): Promise<string>;
  /** The pull requests from a branch of the repository itself, of whatever state, newest first. */
  ofBranch(head: string): Promise<PullRequest[]>;
  /** @throws GitError of class `Race` if there is one from that branch to that base already. */
  create(wanted: NewPullRequest): Promise<PullRequest>;
  update(pullRequest: PullRequest, changes: PullRequestChanges): Promise<void>;
  comment(pullRequest: PullRequest, text: string): Promise<void>;
  /** Adds labels, and makes those that the repository lacks; takes none away. */
  addLabels(pullRequest: PullRequest, labels: readonly string[]): Promise<void>;
  /** Asks people for a review, and teams (`org/team`) where a forge knows such. */
  requestReviewers(pullRequest: PullRequest, names: readonly string[]): Promise<void>;
  /** Has it merged when its checks have passed, by a method that the repository allows. */
  autoMerge(pullRequest: PullRequest): Promise<void>;
}
