import * as z from 'zod';
import { GitError, type GitErrorClass } from '../error.ts';
import { openApi, pageUrl, type ApiOptions } from './api.ts';
import type { Forge, PullRequest } from './forge.ts';
import { PAGE, restOn } from './rest.ts';

const pullSchema = z.object({
  number: z.number(),
  html_url: pageUrl,
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean().nullish(),
  draft: z.boolean().nullish(),
  // `ref` of a branch that is gone is `refs/pull/N/head`; the label stays.
  head: z.object({ ref: z.string(), label: z.string(), sha: z.string(), repo_id: z.number().nullish() }),
  base: z.object({ ref: z.string(), repo_id: z.number().nullish() }),
  labels: z.array(z.object({ name: z.string() })).nullish(),
});

const labelSchema = z.object({ id: z.number(), name: z.string() });

const repositorySchema = z.object({
  default_branch: z.string(),
  default_merge_style: z.enum(['merge', 'rebase', 'rebase-merge', 'squash', 'fast-forward-only']).catch('merge'),
  owner: z.object({ login: z.string() }).nullish(),
});

/** What Gitea takes at the beginning of a title for the mark of a draft, unless its owner has other words. */
const DRAFT = /^(?:wip:|\[wip\])\s*/i;
/** Of a label that has to be made: grey. */
const COLOR = '#ededed';

/** Gitea and Forgejo, by their REST API of version 1. */
export function gitea(options: ApiOptions): Forge {
  const api = openApi(options);
  const { repository, token } = options;
  const rest = restOn(api, `token ${token}`);
  const [owner = '', name = ''] = repository.split('/').map(encodeURIComponent);
  const repo = `/repos/${owner}/${name}`;

  /** There is no asking by branch: the open ones are all looked through, of the others the newest. */
  async function pulls(head: string, state: 'open' | 'closed'): Promise<PullRequest[]> {
    const query = `state=${state}&sort=recentupdate&limit=${PAGE}`;
    const isWanted = (pull: z.infer<typeof pullSchema>) =>
      pull.head.label === head && pull.head.repo_id === pull.base.repo_id;
    const found = await rest.list('looking for pull requests', `${repo}/pulls?${query}`, z.array(pullSchema), (all) =>
      all.some(isWanted),
    );
    return found.filter(isWanted).map(pullRequestOf);
  }

  /** Those of the organisation, if the owner is one. */
  async function sharedLabels(): Promise<z.infer<typeof labelSchema>[]> {
    const path = `/orgs/${owner}/labels?limit=${PAGE}`;
    return unless('RefNotFound', rest.list('reading the labels', path, z.array(labelSchema)), []);
  }

  async function labelIds(wanted: readonly string[]): Promise<number[]> {
    const known = await rest.list('reading the labels', `${repo}/labels?limit=${PAGE}`, z.array(labelSchema));
    const ids = new Map(known.map(({ id, name }) => [name, id]));
    if (wanted.some((label) => !ids.has(label)))
      for (const { id, name } of await sharedLabels()) if (!ids.has(name)) ids.set(name, id);
    for (const label of wanted) {
      if (ids.has(label)) continue;
      const made = await rest.ask('making a label', 'POST', `${repo}/labels`, labelSchema, {
        name: label,
        color: COLOR,
      });
      ids.set(label, made.id);
    }
    return wanted.map((label) => ids.get(label)!);
  }

  return {
    type: 'gitea',
    maxBody: 1 << 20,
    async defaultBranch() {
      return (await rest.ask('reading the repository', 'GET', repo, repositorySchema)).default_branch;
    },
    async ofBranch(head) {
      const all = [...(await pulls(head, 'open')), ...(await pulls(head, 'closed'))];
      return all.toSorted((a, b) => b.number - a.number);
    },
    async create({ head, base, title, body, draft }) {
      const wanted = { head, base, title: titleOf(title, draft), body };
      return pullRequestOf(await rest.ask('opening a pull request', 'POST', `${repo}/pulls`, pullSchema, wanted));
    },
    async update(pull, { title, body, base, draft = pull.draft, closed }) {
      const isRenamed = title !== undefined || draft !== pull.draft;
      await rest.ask(
        closed ? 'closing the pull request' : 'updating the pull request',
        'PATCH',
        `${repo}/pulls/${pull.number}`,
        z.unknown(),
        {
          ...(isRenamed && { title: titleOf(title ?? pull.title, draft) }),
          ...(body !== undefined && { body }),
          ...(base !== undefined && { base }),
          ...(closed && { state: 'closed' }),
        },
      );
    },
    async comment({ number }, body) {
      const path = `${repo}/issues/${number}/comments`;
      await rest.ask('commenting on the pull request', 'POST', path, z.unknown(), { body });
    },
    async addLabels({ number }, labels) {
      const body = { labels: await labelIds(labels) };
      await rest.ask('labelling the pull request', 'POST', `${repo}/issues/${number}/labels`, z.unknown(), body);
    },
    async requestReviewers({ number }, names) {
      const teams = names.filter((one) => one.includes('/')).map((one) => one.slice(one.indexOf('/') + 1));
      const body = { reviewers: names.filter((one) => !one.includes('/')), team_reviewers: teams };
      await rest.ask('asking for reviews', 'POST', `${repo}/pulls/${number}/requested_reviewers`, z.unknown(), body);
    },
    async autoMerge({ number }) {
      const { default_merge_style: style } = await rest.ask('reading the repository', 'GET', repo, repositorySchema);
      const what = 'setting the pull request to merge by itself';
      const body = { Do: style, merge_when_checks_succeed: true };
      // That it is set already is as good.
      await unless('Race', rest.ask(what, 'POST', `${repo}/pulls/${number}/merge`, z.unknown(), body), undefined);
    },
  };
}

/** What was asked for, or something else where it failed in one way. */
async function unless<T>(failure: GitErrorClass, asked: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof GitError && error.class === failure) return otherwise;
    throw error;
  }
}

function titleOf(title: string, draft: boolean): string {
  return draft ? `WIP: ${title}` : title;
}

function pullRequestOf(pull: z.infer<typeof pullSchema>): PullRequest {
  return {
    number: pull.number,
    url: pull.html_url,
    id: String(pull.number),
    title: pull.title.replace(DRAFT, ''),
    body: pull.body ?? '',
    state: pull.merged ? 'merged' : pull.state,
    draft: pull.draft ?? DRAFT.test(pull.title),
    head: pull.head.label,
    // As long as the branch is there it is what the branch has by now, not what was merged.
    headSha: pull.merged && pull.head.ref === pull.head.label ? '' : pull.head.sha,
    base: pull.base.ref,
    labels: (pull.labels ?? []).map(({ name }) => name),
    // It is not told.
    autoMerge: false,
    quiet: false,
  };
}
