import { asMap, asText } from '../../fn/lookup/values.ts';
import type { CredentialSource } from '../credentials.ts';
import type { Http } from '../http.ts';
import { basicLogin } from './login.ts';
import { pageAfter, readPages, type Page } from './pages.ts';
import type { PushTimes } from './times.ts';

/** Harbor's artifact API, on the registry's own host and with its login; robot accounts need the right to list artifacts. */
export function harborTimes(
  http: Http,
  origin: (host: string) => string,
  credentials: CredentialSource | undefined,
): PushTimes {
  return {
    name: 'Harbor',
    serves: (_, challenge) => challenge?.service === 'harbor-registry' && challenge.realm.endsWith('/service/token'),
    async read(repository, wanted) {
      const [project = '', ...rest] = repository.path.split('/');
      if (rest.length === 0) return undefined;
      // Harbor wants the slashes of a repository's name encoded twice.
      const name = encodeURIComponent(encodeURIComponent(rest.join('/')));
      const url = new URL(`/api/v2.0/projects/${project}/repositories/${name}/artifacts`, origin(repository.host));
      url.search = `with_tag=true&sort=-push_time&page_size=${PAGE_SIZE}&page=1`;
      return readPages(http, url, (await basicLogin(credentials, repository)) ?? {}, parseHarbor, wanted);
    },
  };
}

const PAGE_SIZE = 100;

function parseHarbor(body: unknown, url: URL): Page | undefined {
  if (!Array.isArray(body)) return undefined;
  const entries: Page['entries'] = [];
  for (const artifact of body.map(asMap)) {
    const tags = artifact?.['tags'];
    if (!Array.isArray(tags)) continue;
    for (const tag of tags.map(asMap))
      entries.push({
        tag: tag?.['name'],
        pushed: asText(tag?.['push_time']) ?? artifact?.['push_time'],
        digest: artifact?.['digest'],
      });
  }
  return { entries, next: body.length === PAGE_SIZE ? pageAfter(url) : undefined };
}
