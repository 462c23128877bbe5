// As much of GitHub's API as pull requests need, with memory, for the repository acme/config.
import type { ServerResponse } from 'node:http';
import { answer, startScripted, type Scripted, type Seen } from '../registry/scripted.ts';
import { git } from '../git/servers.ts';

export interface Pull {
  number: number;
  title: string;
  body: string;
  state: 'open' | 'closed';
  draft: boolean;
  head: string;
  base: string;
  labels: string[];
  reviewers: string[];
}

export interface GitHub extends Scripted {
  pulls: Pull[];
  /** Answers before anything else does, if it answers: for refusals. */
  refuse: (request: Seen, response: ServerResponse) => boolean;
}

/** Starts it; branches stand where they stand in the git repository of that directory. */
export async function startGitHub(repository: string): Promise<GitHub> {
  const pulls: Pull[] = [];
  const shown = ({ head, base, labels, ...pull }: Pull) => ({
    ...pull,
    node_id: `PR_${pull.number}`,
    html_url: `https://github.example.com/acme/config/pull/${pull.number}`,
    merged_at: null,
    auto_merge: null,
    head: { ref: head, sha: git(repository, ['for-each-ref', '--format=%(objectname)', `refs/heads/${head}`]) },
    base: { ref: base },
    labels: labels.map((name) => ({ name })),
  });
  const server = await startScripted((request, response) => {
    if (github.refuse(request, response)) return;
    const { method, path, query } = request;
    const body = (request.body === '' ? {} : JSON.parse(request.body)) as Partial<Pull> & { labels?: string[] };
    const [, what = '', number = '', part = ''] =
      /^\/repos\/acme\/config(?:\/(pulls|issues)(?:\/(\d+))?(?:\/(\w+))?)?$/.exec(path) ?? [];
    const pull = pulls.find((one) => one.number === Number(number));
    if (path === '/repos/acme/config') return answer(response, 200, { default_branch: 'main' });
    if (method === 'GET' && what === 'pulls' && number === '') {
      const head = query.get('head')?.replace(/^acme:/, '');
      return answer(
        response,
        200,
        pulls
          .filter((one) => one.head === head)
          .map(shown)
          .toReversed(),
      );
    }
    if (method === 'POST' && what === 'pulls' && number === '') {
      const { title = '', body: text = '', head = '', base = '', draft = false } = body;
      pulls.push({
        number: pulls.length + 1,
        title,
        body: text,
        state: 'open',
        draft,
        head,
        base,
        labels: [],
        reviewers: [],
      });
      return answer(response, 201, shown(pulls.at(-1)!));
    }
    if (!pull) return answer(response, 404, { message: 'Not Found' });
    if (method === 'PATCH') Object.assign(pull, body);
    if (part === 'labels') pull.labels.push(...(body.labels ?? []));
    if (part === 'requested_reviewers') pull.reviewers.push(...(body.reviewers ?? []));
    return answer(response, 200, part === 'labels' ? pull.labels.map((name) => ({ name })) : shown(pull));
  });
  const github: GitHub = Object.assign(server, { pulls, refuse: () => false });
  return github;
}
