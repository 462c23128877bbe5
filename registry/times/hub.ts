import { asMap } from '../../fn/lookup/values.ts';
import type { Http } from '../http.ts';
import { pageAfter, readPages } from './pages.ts';
import type { PushTimes } from './times.ts';

/**
 * The Docker Hub's tag API, asked without login: it is another host than the registry, and its requests are no pulls.
 * What is private there falls back to plain OCI.
 */
export function hubTimes(http: Http, origin: string): PushTimes {
  return {
    name: 'Docker Hub',
    serves: (host) => host === 'docker.io',
    async read({ path }, wanted) {
      const url = new URL(`/v2/repositories/${path}/tags`, origin);
      url.search = 'page_size=100&page=1&ordering=last_updated';
      return readPages(http, url, {}, parseHub, wanted);
    },
  };
}

function parseHub(body: unknown, url: URL): ReturnType<Parameters<typeof readPages>[3]> {
  const { results, next } = asMap(body) ?? {};
  if (!Array.isArray(results)) return undefined;
  const entries = results.map(asMap).map((tag) => ({
    tag: tag?.['name'],
    // The first moves with the Hub's own housekeeping too.
    pushed: tag?.['tag_last_pushed'] ?? tag?.['last_updated'],
    digest: tag?.['digest'],
  }));
  return { entries, next: typeof next === 'string' && entries.length > 0 ? pageAfter(url) : undefined };
}
