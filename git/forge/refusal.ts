import { GitError, type GitErrorClass } from '../error.ts';
import type { ForgeType } from './forge.ts';

/** What was asked, for messages. */
export interface Asked {
  type: ForgeType;
  host: string;
  /** `owner/name`. */
  repository: string;
  /** `opening a pull request`. */
  what: string;
  /** `POST /repos/org/app/pulls`. */
  place: string;
  token: string;
}

/** What a forge answers, what class it is, and who must do what. First match wins. */
interface Sign {
  type?: ForgeType;
  status?: readonly number[];
  /** Of what the forge says. */
  says?: RegExp;
  /** Of the request. */
  place?: RegExp;
  class: GitErrorClass;
  advice: string;
}

const SIGNS: readonly Sign[] = [
  // GitHub
  {
    type: 'github',
    status: [403],
    says: /not permitted to create or approve pull requests/,
    class: 'GitAuth',
    advice:
      'tick "Allow GitHub Actions to create and approve pull requests" under Settings, Actions, General of the repository (or its organisation), or give the token of a GitHub App as FORGE_TOKEN',
  },
  {
    type: 'github',
    status: [403],
    says: /not accessible by integration/,
    class: 'GitAuth',
    advice:
      'the token may not write pull requests: give the job `permissions: pull-requests: write` (and `contents: write` to push), or the GitHub App the permission "Pull requests: write"; a run for a fork has neither',
  },
  {
    type: 'github',
    status: [403, 404],
    says: /not accessible by personal access token/,
    class: 'GitAuth',
    advice:
      'give the token access to this repository with the permission "Pull requests: Read and write" (a classic token: the scope `repo`)',
  },
  {
    type: 'github',
    status: [403],
    says: /SAML|single sign-on|SSO/i,
    class: 'GitAuth',
    advice:
      "authorise the token for the organisation's single sign-on, under Settings, Developer settings of whoever made it",
  },
  {
    type: 'github',
    status: [403],
    says: /IP allow list/i,
    class: 'GitAuth',
    advice: "an owner of the organisation must put this machine's address on its IP allow list",
  },
  {
    type: 'github',
    status: [422],
    says: /already exists/,
    class: 'Race',
    advice: 'somebody else has opened it meanwhile',
  },
  {
    type: 'github',
    status: [422],
    says: /No commits between/,
    class: 'PushRefused',
    advice: 'the branch has nothing that its base has not',
  },
  {
    type: 'github',
    status: [422],
    says: /Draft pull requests are not supported/i,
    class: 'PushRefused',
    advice: "the repository's plan has no drafts; leave --draft out",
  },
  {
    type: 'github',
    status: [422],
    says: /\bbase is invalid|base .*(?:does not exist|invalid)/i,
    class: 'RefNotFound',
    advice: 'there is no such base branch; correct git.ref.branch',
  },
  {
    type: 'github',
    status: [422],
    says: /Reviews may only be requested from collaborators|review cannot be requested from pull request author/i,
    class: 'PushRefused',
    advice: 'reviewers must be collaborators, or teams with access, and not who opens it; correct --reviewers',
  },
  {
    type: 'github',
    says: /Auto[- ]?merge is not allowed/i,
    class: 'PushRefused',
    advice: 'tick "Allow auto-merge" under Settings, General of the repository',
  },
  {
    type: 'github',
    says: /is in (?:clean|unstable) status|Protected branch rules not configured/i,
    class: 'PushRefused',
    advice: 'there is nothing to wait for: require a status check or a review for the base branch, or merge it by hand',
  },
  // GitLab
  {
    type: 'gitlab',
    status: [403],
    says: /insufficient_scope/,
    class: 'GitAuth',
    advice: 'the token needs the scope `api`: make one with it, of a member with the role Developer or above',
  },
  {
    type: 'gitlab',
    status: [409],
    says: /already exists/,
    class: 'Race',
    advice: 'somebody else has opened it meanwhile',
  },
  {
    type: 'gitlab',
    status: [401, 405, 406, 422],
    place: /\/merge$/,
    class: 'PushRefused',
    advice:
      'it cannot be set to merge by itself yet: the token must be allowed to merge into the base branch (Settings, Repository, Protected branches), and approvals and checks of the project must let it',
  },
  {
    type: 'gitlab',
    status: [400, 422],
    says: /target_branch|target branch/i,
    class: 'RefNotFound',
    advice: 'there is no such target branch; correct git.ref.branch',
  },
  // Gitea and Forgejo
  {
    type: 'gitea',
    status: [403],
    says: /required scope/,
    class: 'GitAuth',
    advice: 'the token needs the scopes `write:repository` and `write:issue`: make one with both',
  },
  { type: 'gitea', status: [409], place: /\/merge$/, class: 'Race', advice: 'it is set already' },
  {
    type: 'gitea',
    status: [409],
    says: /already exists/,
    class: 'Race',
    advice: 'somebody else has opened it meanwhile',
  },
  {
    type: 'gitea',
    status: [404],
    place: /\/pulls$/,
    says: /branch|head|base/i,
    class: 'RefNotFound',
    advice: 'there is no such base branch; correct git.ref.branch',
  },
  {
    type: 'gitea',
    status: [403, 405],
    place: /\/merge$/,
    class: 'PushRefused',
    advice:
      "the token's owner must be allowed to merge into the base branch, by a way that the repository's settings allow",
  },
  {
    type: 'gitea',
    status: [423],
    class: 'PushRefused',
    advice: 'the repository is archived; its owner must unarchive it',
  },
  // All
  {
    says: /archived|read-only/i,
    class: 'PushRefused',
    advice: 'the repository is archived; its owner must unarchive it',
  },
  {
    says: /protected branch/i,
    class: 'PushRefused',
    advice: 'a branch protection forbids it; its owner must allow it',
  },
  {
    status: [301, 302, 307, 308],
    class: 'RefNotFound',
    advice: 'the repository has moved; give the URL that it has now',
  },
];

/** What refuses any request of a forge, where it says nothing that is known better. */
const BY_STATUS: Readonly<Record<number, (asked: Asked) => [GitErrorClass, string]>> = {
  401: ({ type }) => [
    'GitAuth',
    `the token is not valid there, or not any more: make a new one and give it as FORGE_TOKEN or ${TOKENS[type]}`,
  ],
  403: ({ type }) => ['GitAuth', `the token may not do that: it needs ${NEEDS[type]}`],
  404: ({ type }) => [
    'RefNotFound',
    `there is no such repository for this token, as what it may not see looks like what is not there: check the URL, and give it ${NEEDS[type]}`,
  ],
};

/** The variable that holds a forge's token, beside FORGE_TOKEN. */
export const TOKENS: Readonly<Record<ForgeType, string>> = {
  github: 'GITHUB_TOKEN',
  gitlab: 'GITLAB_TOKEN',
  gitea: 'GITEA_TOKEN',
};

/** What a token must be allowed, in a few words. */
export const NEEDS: Readonly<Record<ForgeType, string>> = {
  github: 'the permissions "Pull requests: write" and "Contents: write" for this repository',
  gitlab: 'the scope `api`, of a member of the project with the role Developer or above',
  gitea: 'the scopes `write:repository` and `write:issue`, of a user who may write to the repository',
};

/** Every token that GitLab makes for a job begins so; it opens no merge request (docs.gitlab.com, "CI/CD job token"). */
function isJobToken(token: string): boolean {
  return token.startsWith('glcbt-');
}

/** What a refusal means, and who must act. `said` are the forge's own words, without a secret. */
export function refusalOf(asked: Asked, status: number, said: string | undefined): GitError {
  const { type, repository, host, what, place, token } = asked;
  const words = said === undefined ? '' : `; it says: ${said}`;
  const failed = `${what} in ${repository} on ${host} was refused (${status}): `;
  if (type === 'gitlab' && isJobToken(token) && [401, 403, 404].includes(status))
    return new GitError(
      'GitAuth',
      `${failed}CI_JOB_TOKEN opens no merge requests; make a project access token with ${NEEDS.gitlab}, and give it as GITLAB_TOKEN${words}`,
    );
  for (const sign of SIGNS) {
    if (sign.type !== undefined && sign.type !== type) continue;
    if (sign.status && !sign.status.includes(status)) continue;
    if (sign.says && !sign.says.test(said ?? '')) continue;
    if (sign.place && !sign.place.test(place)) continue;
    return new GitError(sign.class, `${failed}${sign.advice}${words}`);
  }
  const [errorClass, advice] = BY_STATUS[status]?.(asked) ?? [
    status >= 500 ? 'GitUnavailable' : 'PushRefused',
    status >= 500 ? 'the forge has a fault; run it again later' : `${place} is not taken as it is`,
  ];
  return new GitError(errorClass, `${failed}${advice}${words}`);
}
