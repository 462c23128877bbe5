import { boundYoungGeneration } from '../fn/heap.ts';
import { asMap, asText, type Values } from '../fn/lookup/values.ts';
import { isDigest, isTag } from '../fn/reference.ts';
import { RegistryError } from './error.ts';
import type { HttpResponse } from './http.ts';
import { parseJson } from './json.ts';
import { nextLink, resolveNext, type NextPage } from './link.ts';
import type { TagList } from './registry.ts';
import { label } from './words.ts';

/** Bounds of one listing (reference/controllers.md C4). */
export interface TagBounds {
  pages: number;
  tags: number;
  /** Of all pages together, decompressed. */
  bytes: number;
}

/** Google's registries put some 300 bytes beside each tag. */
const TAG_BOUNDS: TagBounds = { pages: 10_000, tags: 250_000, bytes: 256 * 1024 * 1024 };
const MAX_PAGE_BYTES = 64 * 1024 * 1024;
/** Some 50,000 tags: from here on memory counts more than the milliseconds of collecting it often. */
const LARGE_BYTES = 512 * 1024;
/** The most that ECR gives; a registry may give fewer, and an old one gives all. */
const PAGE_SIZE = 1000;
/** Pages in a row without a new tag, after which the links are taken for a loop. */
const MAX_IDLE_PAGES = 3;

/** Asks for one page. Undefined: the registry does not take these parameters; other statuses than 200 are errors. */
export type AskPage = (url: URL, maxBytes: number) => Promise<HttpResponse | undefined>;

/**
 * Lists the tags of a repository, page after page. `url`: of the list, without a query.
 *
 * What came before a page failed is kept, and the list is then not complete.
 * @throws RegistryError if the first page fails.
 */
export async function listTags(url: URL, ask: AskPage, bounds = TAG_BOUNDS): Promise<TagList> {
  const listing = new Listing(bounds);
  const seen = new Set<string>();
  let page = new URL(`?n=${PAGE_SIZE}`, url);
  for (;;) {
    seen.add(page.href);
    const isFirst = seen.size === 1;
    let next: NextPage | undefined;
    try {
      const response = await askEither(isFirst ? [page, url] : [page], ask, listing.room);
      listing.take(response, page);
      const link = nextLink(response.headers['link'] ?? []);
      next = link === undefined ? undefined : resolveNext(link, response.url, page);
    } catch (error) {
      if (isFirst || !(error instanceof RegistryError)) throw error;
      return listing.cut(`page ${seen.size} failed: ${error.message}`);
    }
    if (listing.isFull) return listing.cut(`it has more than ${bounds.tags.toLocaleString('en')} tags`);
    if (!next) return listing.whole();
    if ('problem' in next) return listing.cut(next.problem);
    if (seen.has(next.href) || listing.idlePages === MAX_IDLE_PAGES)
      return listing.cut('its links to the next page lead in a circle');
    if (seen.size === bounds.pages) return listing.cut(`it has more than ${bounds.pages.toLocaleString('en')} pages`);
    if (listing.room <= 0) return listing.cut(`its pages have more than ${bounds.bytes.toLocaleString('en')} bytes`);
    page = next;
  }
}

/** The first answer that is one: some registries take no size of a page. */
async function askEither(urls: readonly URL[], ask: AskPage, maxBytes: number): Promise<HttpResponse> {
  for (const url of urls) {
    const response = await ask(url, maxBytes);
    if (response) return response;
  }
  throw new RegistryError(
    'malformed',
    `${label({ method: 'GET', url: urls[0]! })}: the registry refuses the parameters of the request`,
  );
}

type Facts = NonNullable<TagList['facts']>;
type Fact = NonNullable<ReturnType<Facts['get']>>;

/** What has come of a list so far. */
class Listing {
  #bounds: TagBounds;
  #tags = new Set<string>();
  #facts = new Map<string, Fact>();
  #dropped = 0;
  #bytes = 0;
  /** Pages in a row that brought no new tag. */
  idlePages = 0;
  isFull = false;

  constructor(bounds: TagBounds) {
    this.#bounds = bounds;
  }

  /** Bytes that the next page may have. */
  get room(): number {
    return Math.min(MAX_PAGE_BYTES, this.#bounds.bytes - this.#bytes);
  }

  /** @throws RegistryError where the answer is no page. */
  take(response: HttpResponse, url: URL): void {
    this.#bytes += response.body.length;
    if (this.#bytes > LARGE_BYTES) boundYoungGeneration();
    const { tags, manifests } = readPage(response, url);
    const before = this.#tags.size;
    for (const tag of tags) {
      if (typeof tag !== 'string' || !isTag(tag)) this.#dropped++;
      else if (this.#tags.size < this.#bounds.tags) this.#tags.add(tag);
      else if (!this.#tags.has(tag)) this.isFull = true;
    }
    this.idlePages = this.#tags.size === before ? this.idlePages + 1 : 0;
    for (const [digest, manifest] of Object.entries(manifests ?? {})) this.#takeFact(digest, asMap(manifest));
  }

  #takeFact(digest: string, manifest: Values | undefined): void {
    const tags = manifest?.['tag'];
    if (!manifest || !Array.isArray(tags) || !isDigest(digest)) return;
    const pushed = timeOf(manifest['timeUploadedMs']);
    const created = timeOf(manifest['timeCreatedMs']);
    const fact = { digest, ...(pushed && { pushed }), ...(created && { created }) };
    for (const tag of tags) if (this.#tags.has(tag as string)) this.#facts.set(tag as string, fact);
  }

  whole(): TagList {
    return {
      tags: [...this.#tags],
      dropped: this.#dropped,
      complete: true,
      ...(this.#facts.size > 0 && { facts: this.#facts }),
    };
  }

  cut(problem: string): TagList {
    return { ...this.whole(), complete: false, problem };
  }
}

interface Page {
  tags: unknown[];
  /** Google's registries: by digest what is known of it. */
  manifests: Values | undefined;
}

function readPage({ body, headers }: HttpResponse, url: URL): Page {
  const fail = (what: string) => new RegistryError('malformed', `${label({ method: 'GET', url })}: ${what}`);
  const value = asMap(parseJson(body));
  if (!value) {
    const [type = ''] = headers['content-type'] ?? [];
    throw fail(
      /\bhtml\b/i.test(type) || /^\s*</.test(body.subarray(0, 100).toString())
        ? 'the answer is a web page, not a list of tags; is this a registry, or a login page or a proxy before it?'
        : 'the answer is not the JSON of a list of tags',
    );
  }
  const { tags } = value;
  if (tags === undefined ? !('name' in value) : tags !== null && !Array.isArray(tags))
    throw fail('the JSON of the answer has no list of tags');
  return { tags: (tags as unknown[] | null | undefined) ?? [], manifests: asMap(value['manifest']) };
}

/** Milliseconds since 1970, which Google writes as text, as RFC 3339. */
function timeOf(value: unknown): string | undefined {
  const milliseconds = Number(asText(value) ?? Number.NaN);
  // What a Date can be, in years of four digits.
  return milliseconds >= 0 && milliseconds < 253_402_300_800_000 ? new Date(milliseconds).toISOString() : undefined;
}
