import { asMap, asText } from '../../fn/lookup/values.ts';
import type { Http } from '../http.ts';
import type { Repository } from '../registry.ts';
import type { Push, PushTimes } from './times.ts';

/**
 * GitLab's container registry API, asked without login on the host of the realm, as it takes other tokens than the
 * registry; so of public projects alone. Only the detail of a single tag has a time: one request a tag, at most `MAX_TAGS`.
 */
export function gitlabTimes(http: Http, origin: (host: string) => string): PushTimes {
  return {
    name: 'GitLab',
    serves: (_, challenge) => challenge?.service === 'container_registry' && challenge.realm.endsWith('/jwt/auth'),
    async read(repository, wanted, challenge) {
      const realm = challenge?.realm;
      if (realm === undefined || !URL.canParse(realm)) return undefined;
      // The realm may lead anywhere; the network refuses where a stranger may not send it.
      const ask = (url: string) => get(http, new URL(url), new URL(origin(repository.host)));
      const base = await findRepository(ask, new URL(realm).origin, repository);
      if (!base) return undefined;
      const tags = new Map<string, Push>();
      for (const tag of [...wanted.tags].slice(0, Math.min(wanted.enough, MAX_TAGS))) {
        const detail = asMap(await ask(`${base}/${encodeURIComponent(tag)}`));
        const [pushed, digest] = [asText(detail?.['created_at']), asText(detail?.['digest'])];
        if (pushed !== undefined) tags.set(tag, { pushed, ...(digest !== undefined && { digest }) });
      }
      return { tags };
    },
  };
}

const MAX_TAGS = 10;
/** A repository is at most two parts below its project. */
const MAX_PARTS_BELOW = 2;
const MAX_BYTES = 1024 * 1024;

/** The address of the tags of a repository. Its project is the whole path, or all but its last parts. */
async function findRepository(
  ask: (url: string) => Promise<unknown>,
  origin: string,
  { path }: Repository,
): Promise<string | undefined> {
  const parts = path.split('/');
  for (let below = 0; below <= MAX_PARTS_BELOW && parts.length - below >= 2; below++) {
    const project = encodeURIComponent(parts.slice(0, parts.length - below).join('/'));
    const url = `${origin}/api/v4/projects/${project}/registry/repositories`;
    const found = await ask(`${url}?per_page=100`);
    if (!Array.isArray(found)) continue;
    const id = found.map(asMap).find((each) => each?.['path'] === path)?.['id'];
    return typeof id === 'number' ? `${url}/${id}/tags` : undefined;
  }
  return undefined;
}

async function get(http: Http, url: URL, namedBy: URL): Promise<unknown> {
  try {
    const answer = await http.send({
      method: 'GET',
      url,
      namedBy,
      headers: { accept: 'application/json' },
      maxBytes: MAX_BYTES,
    });
    return answer.status === 200 ? JSON.parse(answer.body.toString('utf8')) : undefined;
  } catch {
    return undefined;
  }
}
