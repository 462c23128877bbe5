import { asMap } from '../../fn/lookup/values.ts';
import type { Http } from '../http.ts';
import { pageAfter, readPages } from './pages.ts';
import type { PushTimes } from './times.ts';

/** Quay's tag API, asked without login: it takes OAuth tokens of applications, not the robot accounts that pull. */
export function quayTimes(http: Http, origin: (host: string) => string): PushTimes {
  return {
    name: 'Quay',
    serves: (host, challenge) => host === 'quay.io' || isQuay(host, challenge?.realm, challenge?.service),
    async read({ host, path }, wanted) {
      const url = new URL(`/api/v1/repository/${path}/tag/`, origin(host));
      url.search = 'limit=100&page=1&onlyActiveTags=true';
      return readPages(http, url, {}, parseQuay, wanted);
    },
  };
}

/** A Quay of one's own sends a realm of its own host, ending in `/v2/auth`, and names itself as the service. */
function isQuay(host: string, realm: string | undefined, service: string | undefined): boolean {
  return service === host && realm !== undefined && URL.canParse(realm) && new URL(realm).pathname === '/v2/auth';
}

function parseQuay(body: unknown, url: URL): ReturnType<Parameters<typeof readPages>[3]> {
  const { tags, has_additional: more } = asMap(body) ?? {};
  if (!Array.isArray(tags)) return undefined;
  const entries = tags.map(asMap).map((tag) => ({
    tag: tag?.['name'],
    pushed: fromSeconds(tag?.['start_ts']),
    digest: tag?.['manifest_digest'],
  }));
  return { entries, next: more === true ? pageAfter(url) : undefined };
}

const MAX_SECONDS = 4_102_444_800;

function fromSeconds(value: unknown): string | undefined {
  if (typeof value !== 'number' || !(value > 0 && value < MAX_SECONDS)) return undefined;
  return new Date(Math.floor(value) * 1000).toISOString().replace('.000Z', 'Z');
}
