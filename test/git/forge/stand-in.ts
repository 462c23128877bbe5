// A forge that remembers: the pull requests of one repository on a git server of the tests, in the words of each of the three
// forges. It knows what this program asks, and fails a test that asks anything else.
import type { ServerResponse } from 'node:http';
import type { ForgeType } from '../../../git/forge/forge.ts';
import { answer, startScripted, type Scripted, type Seen } from '../../registry/scripted.ts';
import { git } from '../servers.ts';

export interface Pull {
  number: number;
  title: string;
  body: string;
  state: 'open' | 'closed' | 'merged';
  head: string;
  base: string;
  draft: boolean;
  labels: string[];
  reviewers: string[];
  comments: string[];
  autoMerge: boolean;
  author: string;
  /** Where the branch stood when it was closed. */
  sha?: string;
}

export interface StandIn {
  server: Scripted;
  type: ForgeType;
  pulls: Pull[];
  /** Requests that change something, as `POST /repos/…`; emptied by the test. */
  writes: string[];
  /** Does what a person does. */
  close(pull: Pull, how: 'closed' | 'merged'): void;
  /** Whom a token belongs to, if not to `bot`. */
  owners: Record<string, string>;
  /** Called before an answer; true if it has answered itself. */
  before: (seen: Seen, response: ServerResponse) => boolean;
}

const DRAFT = { github: /^$/, gitlab: /^Draft: /, gitea: /^WIP: / };

/** Starts the forge of a bare repository. */
export async function startForge(type: ForgeType, repository: string): Promise<StandIn> {
  const headOf = (branch: string) => {
    const found = git(repository, ['for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`]);
    return found === '' ? undefined : found;
  };
  const forge: StandIn = {
    server: undefined as unknown as Scripted,
    type,
    pulls: [],
    writes: [],
    owners: {},
    close(pull, how) {
      pull.sha = headOf(pull.head)!;
      pull.state = how;
    },
    before: () => false,
  };
  /** The pull request as the forge shows it. */
  const show = (pull: Pull): unknown => {
    const { number, title, body, state, head, base, draft, labels, autoMerge } = pull;
    const there = headOf(head);
    // Gitea tells where the branch is now, whatever was merged of it.
    const sha = (type === 'gitea' ? (there ?? pull.sha) : (pull.sha ?? there)) ?? '';
    const url = `${forge.server.origin}/pull/${number}`;
    if (type === 'gitlab')
      return {
        iid: number,
        web_url: url,
        title: draft ? `Draft: ${title}` : title,
        description: body,
        state: state === 'open' ? 'opened' : state,
        draft,
        source_branch: head,
        target_branch: base,
        source_project_id: 1,
        target_project_id: 1,
        sha,
        labels,
        merge_when_pipeline_succeeds: autoMerge,
        detailed_merge_status: 'ci_still_running',
      };
    const closed = state !== 'open';
    const user = { login: pull.author };
    const common = { number, html_url: url, body, state: closed ? 'closed' : 'open', draft, user };
    const more = { labels: labels.map((name, id) => ({ id, name })), base: { ref: base, repo_id: 1 } };
    const ref = type === 'gitea' && there === undefined ? `refs/pull/${number}/head` : head;
    const from = { ref, label: head, sha, repo_id: 1 };
    return type === 'github'
      ? {
          ...common,
          ...more,
          title,
          node_id: `N${number}`,
          head: from,
          merged_at: state === 'merged' ? 'then' : null,
          auto_merge: autoMerge ? {} : null,
        }
      : { ...common, ...more, title: draft ? `WIP: ${title}` : title, head: from, merged: state === 'merged' };
  };
  const make = (wanted: Pick<Pull, 'head' | 'base' | 'title' | 'body' | 'draft' | 'author'>): Pull | undefined => {
    const { head, base } = wanted;
    if (forge.pulls.some((one) => one.state === 'open' && one.head === head && one.base === base)) return undefined;
    const number = forge.pulls.length + 1;
    const more = { labels: [], reviewers: [], comments: [], autoMerge: false };
    const pull: Pull = { ...wanted, ...more, number, state: 'open' };
    forge.pulls.push(pull);
    return pull;
  };
  const edit = (pull: Pull, change: Record<string, unknown>) => {
    const { title, body = change['description'], base = change['target_branch'], state, state_event: event } = change;
    if (typeof title === 'string') {
      pull.title = title.replace(DRAFT[type], '');
      if (type !== 'github') pull.draft = DRAFT[type].test(title);
    }
    if (typeof body === 'string') pull.body = body;
    if (typeof base === 'string') pull.base = base;
    if (typeof change['add_labels'] === 'string') pull.labels.push(...change['add_labels'].split(','));
    if (Array.isArray(change['reviewer_ids'])) pull.reviewers.push(...change['reviewer_ids'].map(String));
    if (state === 'closed' || event === 'close') forge.close(pull, 'closed');
  };
  const labels: string[] = [];

  function script(seen: Seen, response: ServerResponse): void {
    if (forge.before(seen, response)) return;
    const path = seen.path.replace(/^\/api(?:\/v\d)?/, '');
    const body = (seen.body === '' ? {} : JSON.parse(seen.body)) as Record<string, unknown>;
    const ask = `${seen.method} ${path.replace(/^\/(?:repos\/acme\/config|projects\/acme%2Fconfig)/, '').replace('merge_requests', 'pulls')}`;
    if (seen.method !== 'GET') forge.writes.push(ask);
    const good = (value: unknown) => answer(response, 200, value);
    const pull = forge.pulls[Number(/\/(?:pulls|issues)\/(\d+)/.exec(ask)?.[1]) - 1];
    switch (ask.replace(/\/\d+/, '/N')) {
      case 'GET ':
        return good({ default_branch: 'main' });
      case 'GET /pulls': {
        const head = seen.query.get('head')?.replace('acme:', '') ?? seen.query.get('source_branch');
        const state = seen.query.get('state');
        const isWanted = (one: Pull) =>
          (head === null || one.head === head) && (state === 'all' || (state === 'open') === (one.state === 'open'));
        return good(forge.pulls.filter(isWanted).toReversed().map(show));
      }
      case 'GET /pulls/N':
        return good(show(pull!));
      case 'POST /pulls': {
        const {
          head = body['source_branch'],
          base = body['target_branch'],
          title,
          body: text = body['description'],
        } = body;
        const isDraft = body['draft'] === true || (type !== 'github' && DRAFT[type].test(String(title)));
        const made = make({
          head: String(head),
          base: String(base),
          title: String(title).replace(DRAFT[type], ''),
          body: String(text),
          draft: isDraft,
          author: forge.owners[seen.authorization?.split(' ')[1] ?? ''] ?? 'bot',
        });
        if (made) return answer(response, 201, show(made));
        const message = 'a pull request already exists for it';
        return answer(response, type === 'github' ? 422 : 409, { message });
      }
      case 'PATCH /pulls/N':
      case 'PUT /pulls/N':
        edit(pull!, body);
        return good(show(pull!));
      case 'POST /issues/N/comments':
      case 'POST /pulls/N/notes':
        pull!.comments.push(String(body['body']));
        return answer(response, 201, { id: 1 });
      case 'POST /issues/N/labels':
        pull!.labels.push(
          ...(body['labels'] as (string | number)[]).map((one) => (typeof one === 'number' ? labels[one]! : one)),
        );
        return good([]);
      case 'GET /labels':
        return good(labels.map((name, id) => ({ id, name })));
      case 'GET /orgs/acme/labels':
        return answer(response, 404, { message: 'not found' });
      case 'POST /labels':
        labels.push(String(body['name']));
        return answer(response, 201, { id: labels.length - 1, name: body['name'] });
      case 'GET /users':
        return good([{ id: 42 }]);
      case 'POST /pulls/N/requested_reviewers':
        pull!.reviewers.push(...[body['reviewers'], body['team_reviewers']].flat().map(String));
        return answer(response, 201, {});
      case 'PUT /pulls/N/merge':
      case 'POST /pulls/N/merge':
        pull!.autoMerge = true;
        return answer(response, 200, {});
      case 'POST /graphql': {
        const { id } = body['variables'] as { id: string };
        const one = forge.pulls[Number(id.slice(1)) - 1]!;
        if (String(body['query']).includes('enablePullRequestAutoMerge')) one.autoMerge = true;
        else one.draft = String(body['query']).includes('convertPullRequestToDraft');
        return good({ data: {} });
      }
      default:
        return answer(response, 599, { message: `nobody asks ${ask}` });
    }
  }
  forge.server = await startScripted(script);
  return forge;
}
