import { readTime, compareTimes, type Instant } from '../../fn/policy/time.ts';
import { isDigest, isTag } from '../../fn/reference.ts';
import type { Http } from '../http.ts';
import type { Push, Pushes, Wanted } from './times.ts';

/** One page of a vendor's API, not yet checked. */
export interface Page {
  entries: { tag: unknown; pushed: unknown; digest: unknown }[];
  /** Where the next page is; undefined after the last. */
  next: URL | undefined;
}

/** Beyond that the tags wanted are too far down to be worth it: plain OCI asks for each of them at two requests. */
const MAX_PAGES = 10;
/** A page of 100 tags is some 100 kB on the Docker Hub, where each lists its platforms. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/**
 * Reads pages until enough of the tags wanted are found. Undefined if the first page cannot be had; a later one that
 * cannot be had ends the reading. That the pages come newest first is checked, not trusted.
 */
export async function readPages(
  http: Http,
  first: URL,
  headers: Readonly<Record<string, string>>,
  parse: (body: unknown, url: URL) => Page | undefined,
  wanted: Wanted,
): Promise<Pushes | undefined> {
  const tags = new Map<string, Push>();
  let last: Instant | undefined;
  let sorted = true;
  let found = 0;
  let url: URL | undefined = first;
  for (let pages = 0; url && pages < MAX_PAGES && found < wanted.enough; pages++) {
    const page: Page | undefined = await readPage(http, url, headers, parse);
    if (!page) {
      if (pages === 0) return undefined;
      break;
    }
    for (const { tag, pushed, digest } of page.entries) {
      const time = typeof pushed === 'string' ? readTime(pushed) : undefined;
      if (typeof tag !== 'string' || !isTag(tag) || !time) continue;
      if (last && compareTimes(time, last) > 0) sorted = false;
      last = time;
      if (!tags.has(tag) && wanted.tags.has(tag)) found++;
      if (!tags.has(tag))
        tags.set(tag, {
          pushed: pushed as string,
          ...(typeof digest === 'string' && isDigest(digest) && { digest }),
        });
    }
    // A link to elsewhere could take the headers with it.
    url = page.next?.origin === first.origin ? page.next : undefined;
  }
  const least = [...tags.values()].at(-1)?.pushed;
  return { tags, ...(sorted && least !== undefined && { othersBefore: least }) };
}

async function readPage(
  http: Http,
  url: URL,
  headers: Readonly<Record<string, string>>,
  parse: (body: unknown, url: URL) => Page | undefined,
): Promise<Page | undefined> {
  try {
    const answer = await http.send({
      method: 'GET',
      url,
      headers: { accept: 'application/json', ...headers },
      maxBytes: MAX_PAGE_BYTES,
    });
    if (answer.status !== 200) return undefined;
    return parse(JSON.parse(answer.body.toString('utf8')), url);
  } catch {
    return undefined;
  }
}

/** The same address with the page counted up. */
export function pageAfter(url: URL): URL {
  const next = new URL(url);
  next.searchParams.set('page', String(Number(url.searchParams.get('page') ?? 1) + 1));
  return next;
}
