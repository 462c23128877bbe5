import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { GitError } from '../error.ts';
import { openApi, pageUrl, type ApiOptions } from './api.ts';
import type { Forge, PullRequest } from './forge.ts';
import { PAGE, restOn } from './rest.ts';

const mergeRequestSchema = z.object({
  iid: z.number(),
  web_url: pageUrl,
  title: z.string(),
  description: z.string().nullish(),
  state: z.enum(['opened', 'closed', 'merged', 'locked']),
  draft: z.boolean().default(false),
  source_branch: z.string(),
  target_branch: z.string(),
  source_project_id: z.number().nullish(),
  target_project_id: z.number().nullish(),
  sha: z.string().nullish(),
  labels: z.array(z.string()).default([]),
  merge_when_pipeline_succeeds: z.boolean().default(false),
});

/** What GitLab takes at the beginning of a title for the mark of a draft. */
const DRAFT = /^(?:draft:|\[draft\]|\(draft\))\s*/i;
/** A merge request that was just made or pushed to is looked over before it can be set to merge. */
const BEING_CHECKED = new Set(['unchecked', 'checking', 'preparing', 'approvals_syncing']);
const MAX_LOOKS = 5;

/** GitLab, by its REST API of version 4. */
export function gitlab(options: ApiOptions): Forge {
  const api = openApi(options);
  const { repository, token, wait = sleep } = options;
  const rest = restOn(api, `Bearer ${token}`);
  const project = `/projects/${encodeURIComponent(repository)}`;
  const requests = `${project}/merge_requests`;

  return {
    type: 'gitlab',
    maxBody: 1 << 20,
    async defaultBranch() {
      const schema = z.object({ default_branch: z.string() });
      return (await rest.ask('reading the project', 'GET', project, schema)).default_branch;
    },
    async ofBranch(head) {
      const query = `state=all&source_branch=${encodeURIComponent(head)}&order_by=created_at&sort=desc&per_page=${PAGE}`;
      const found = await rest.list('looking for merge requests', `${requests}?${query}`, z.array(mergeRequestSchema));
      // A fork's branch may have the same name.
      return found.filter((one) => one.source_project_id === one.target_project_id).map(pullRequestOf);
    },
    async create({ head, base, title, body, draft }) {
      const wanted = {
        source_branch: head,
        target_branch: base,
        title: titleOf(title, draft),
        description: body,
        remove_source_branch: true,
      };
      return pullRequestOf(await rest.ask('opening a merge request', 'POST', requests, mergeRequestSchema, wanted));
    },
    async update(pull, { title, body, base, draft = pull.draft, closed }) {
      const isRenamed = title !== undefined || draft !== pull.draft;
      await rest.ask(
        closed ? 'closing the merge request' : 'updating the merge request',
        'PUT',
        `${requests}/${pull.number}`,
        z.unknown(),
        {
          ...(isRenamed && { title: titleOf(title ?? pull.title, draft) }),
          ...(body !== undefined && { description: body }),
          ...(base !== undefined && { target_branch: base }),
          ...(closed && { state_event: 'close' }),
        },
      );
    },
    async comment({ number }, body) {
      await rest.ask('commenting on the merge request', 'POST', `${requests}/${number}/notes`, z.unknown(), { body });
    },
    async addLabels({ number }, labels) {
      // What the project lacks is made.
      const body = { add_labels: labels.join(',') };
      await rest.ask('labelling the merge request', 'PUT', `${requests}/${number}`, z.unknown(), body);
    },
    async requestReviewers({ number }, names) {
      const ids: number[] = [];
      const unknown: string[] = [];
      const schema = z.array(z.object({ id: z.number() }));
      for (const name of names) {
        const [user] = await rest.ask(
          'looking for a reviewer',
          'GET',
          `/users?username=${encodeURIComponent(name)}`,
          schema,
        );
        if (user) ids.push(user.id);
        else unknown.push(name);
      }
      if (ids.length > 0)
        await rest.ask('asking for reviews', 'PUT', `${requests}/${number}`, z.unknown(), { reviewer_ids: ids });
      if (unknown.length > 0)
        throw new GitError(
          'PushRefused',
          `there is no user ${unknown.join(', ')} on GitLab, where groups review nothing; correct --reviewers`,
        );
    },
    async autoMerge({ number }) {
      const schema = z.object({ detailed_merge_status: z.string().optional() });
      for (let looks = 1; looks <= MAX_LOOKS; looks++) {
        const { detailed_merge_status: status = '' } = await rest.ask(
          'reading the merge request',
          'GET',
          `${requests}/${number}`,
          schema,
        );
        if (!BEING_CHECKED.has(status)) break;
        await wait(1000 * looks);
      }
      // The newer name of the parameter, and the one that servers before 17.11 know.
      const body = { auto_merge: true, merge_when_pipeline_succeeds: true };
      const what = 'setting the merge request to merge by itself';
      await rest.ask(what, 'PUT', `${requests}/${number}/merge`, z.unknown(), body);
    },
  };
}

function titleOf(title: string, draft: boolean): string {
  return draft ? `Draft: ${title}` : title;
}

function pullRequestOf(request: z.infer<typeof mergeRequestSchema>): PullRequest {
  return {
    number: request.iid,
    url: request.web_url,
    id: String(request.iid),
    title: request.title.replace(DRAFT, ''),
    body: request.description ?? '',
    state: STATES[request.state],
    draft: request.draft,
    head: request.source_branch,
    headSha: request.sha ?? '',
    base: request.target_branch,
    labels: request.labels,
    autoMerge: request.merge_when_pipeline_succeeds,
    quiet: false,
  };
}

/** It is locked while it is merged. */
const STATES = { opened: 'open', closed: 'closed', merged: 'merged', locked: 'open' } as const;
