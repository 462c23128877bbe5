import { Octokit } from '@octokit/core';
import * as z from 'zod';
import { GitError } from '../error.ts';
import type { HttpAnswer } from '../http.ts';
import { malformed, openApi, pageUrl, type ApiOptions, type Call } from './api.ts';
import type { Forge, PullRequest, PullRequestChanges } from './forge.ts';

const API_VERSION = '2022-11-28';
/** Pull requests of one branch that are looked at, the newest first. */
const RECENT = 30;

const pullSchema = z.object({
  number: z.number(),
  html_url: pageUrl,
  node_id: z.string(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']),
  merged_at: z.string().nullish(),
  draft: z.boolean().nullish(),
  // The repository is null once it was deleted.
  head: z.object({ ref: z.string(), sha: z.string(), repo: z.object({ id: z.number() }).nullish() }),
  base: z.object({ ref: z.string(), repo: z.object({ id: z.number() }).nullish() }),
  labels: z.array(z.object({ name: z.string() })).default([]),
  user: z.object({ login: z.string() }).nullish(),
  auto_merge: z.unknown(),
});

/** Whom the token of a workflow's job belongs to. */
const JOB = 'github-actions[bot]';

const repositorySchema = z.object({
  default_branch: z.string(),
  // Told to those alone who may push.
  allow_merge_commit: z.boolean().default(true),
  allow_squash_merge: z.boolean().default(true),
  allow_rebase_merge: z.boolean().default(true),
});

/** GitHub and GitHub Enterprise, by REST, and by GraphQL what REST lacks. */
export function github(options: ApiOptions): Forge {
  const api = openApi(options);
  const { repository, url, token } = options;
  const [owner = '', repo = ''] = repository.split('/');
  const { host } = new URL(url);
  const silent = () => undefined;
  const octokit = new Octokit({
    auth: token,
    baseUrl: url,
    userAgent: 'image-update',
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });

  /** Octokit makes the request and reads the answer; how it gets there and back is the matter of `api`. */
  function fetchFor(what: string, seen: { call?: Call; answer?: HttpAnswer }) {
    return async (path: string, init: { method: string; headers: Record<string, string>; body?: string }) => {
      const { method, headers, body } = init;
      seen.call = { what, method, path, headers, ...(body !== undefined && { body }) };
      seen.answer = await api.send(seen.call);
      const { status, headers: got, body: text } = seen.answer;
      const type = got['content-type'] ?? 'application/json';
      return new Response(text === '' ? null : text, { status, headers: { 'content-type': type } });
    };
  }

  async function ask<T>(
    what: string,
    route: string,
    parameters: Record<string, unknown>,
    schema: z.core.$ZodType<T>,
  ): Promise<T> {
    const seen: { call?: Call; answer?: HttpAnswer } = {};
    const request = { fetch: fetchFor(what, seen), log: { warn: silent } };
    const headers = { 'x-github-api-version': API_VERSION };
    try {
      const { data } = await octokit.request(route, { owner, repo, ...parameters, headers, request });
      const read = z.safeParse(schema, data);
      if (!read.success) throw malformed({ what }, host, repository);
      return read.data;
    } catch (error) {
      throw meant(error, seen);
    }
  }

  async function mutate(what: string, text: string, variables: Record<string, unknown>): Promise<void> {
    const seen: { call?: Call; answer?: HttpAnswer } = {};
    const request = { fetch: fetchFor(what, seen), log: { warn: silent } };
    try {
      await octokit.graphql(text, { ...variables, request });
    } catch (error) {
      throw meant(error, seen);
    }
  }

  function meant(error: unknown, { call, answer }: { call?: Call; answer?: HttpAnswer }): unknown {
    const cause = (error as Error).cause;
    if (cause instanceof GitError) return cause;
    if (error instanceof GitError || !call || !answer) return error;
    const { status, body } = answer;
    // GraphQL refuses by 200, with its reasons in the body.
    if (status >= 300 || (error as Error).name === 'GraphqlResponseError') return api.refusal(call, { status, body });
    return malformed(call, host, repository);
  }

  return {
    type: 'github',
    maxBody: 65_536,
    async defaultBranch() {
      const { default_branch: branch } = await ask(
        'reading the repository',
        'GET /repos/{owner}/{repo}',
        {},
        repositorySchema,
      );
      return branch;
    },
    async ofBranch(head) {
      const query = { state: 'all', head: `${owner}:${head}`, sort: 'created', direction: 'desc', per_page: RECENT };
      const found = await ask(
        'looking for pull requests',
        'GET /repos/{owner}/{repo}/pulls',
        query,
        z.array(pullSchema),
      );
      // A fork that the same owner has may have a branch of that name.
      const isWanted = ({ head: { ref, repo }, base }: z.infer<typeof pullSchema>) =>
        ref === head && repo?.id === base.repo?.id;
      return found.filter(isWanted).map(pullRequestOf);
    },
    async create(wanted) {
      const made = await ask('opening a pull request', 'POST /repos/{owner}/{repo}/pulls', { ...wanted }, pullSchema);
      return pullRequestOf(made);
    },
    async update({ number, id }, { draft, closed, ...changes }: PullRequestChanges) {
      const fields = { ...changes, ...(closed && { state: 'closed' }) };
      const what = closed ? 'closing the pull request' : 'updating the pull request';
      if (Object.keys(fields).length > 0)
        await ask(what, 'PATCH /repos/{owner}/{repo}/pulls/{number}', { number, ...fields }, z.unknown());
      if (draft === undefined) return;
      const name = draft ? 'convertPullRequestToDraft' : 'markPullRequestReadyForReview';
      await mutate(
        draft ? 'making the pull request a draft' : 'marking the pull request ready',
        `mutation ($id: ID!) { ${name}(input: {pullRequestId: $id}) { clientMutationId } }`,
        { id },
      );
    },
    async comment({ number }, body) {
      await ask(
        'commenting on the pull request',
        'POST /repos/{owner}/{repo}/issues/{number}/comments',
        { number, body },
        z.unknown(),
      );
    },
    async addLabels({ number }, labels) {
      // What the repository lacks is made.
      await ask(
        'labelling the pull request',
        'POST /repos/{owner}/{repo}/issues/{number}/labels',
        { number, labels },
        z.unknown(),
      );
    },
    async requestReviewers({ number }, names) {
      const teams = names.filter((name) => name.includes('/')).map((name) => name.slice(name.indexOf('/') + 1));
      const people = names.filter((name) => !name.includes('/'));
      await ask(
        'asking for reviews',
        'POST /repos/{owner}/{repo}/pulls/{number}/requested_reviewers',
        { number, reviewers: people, team_reviewers: teams },
        z.unknown(),
      );
    },
    async autoMerge({ id, autoMerge }) {
      // Unlike others GitHub keeps it when something is pushed.
      if (autoMerge) return;
      const allowed = await ask('reading the repository', 'GET /repos/{owner}/{repo}', {}, repositorySchema);
      const method = allowed.allow_merge_commit ? 'MERGE' : allowed.allow_squash_merge ? 'SQUASH' : 'REBASE';
      await mutate(
        'setting the pull request to merge by itself',
        'mutation ($id: ID!, $mergeMethod: PullRequestMergeMethod!) { enablePullRequestAutoMerge(input: {pullRequestId: $id, mergeMethod: $mergeMethod}) { clientMutationId } }',
        { id, mergeMethod: method },
      );
    },
  };
}

function pullRequestOf(pull: z.infer<typeof pullSchema>): PullRequest {
  return {
    number: pull.number,
    url: pull.html_url,
    id: pull.node_id,
    title: pull.title,
    body: pull.body ?? '',
    state: pull.merged_at ? 'merged' : pull.state,
    draft: pull.draft ?? false,
    head: pull.head.ref,
    headSha: pull.head.sha,
    base: pull.base.ref,
    labels: pull.labels.map(({ name }) => name),
    autoMerge: pull.auto_merge != null,
    quiet: pull.user?.login === JOB,
  };
}
