import { place } from './words.ts';

/**
 * The target of the next page in `Link` headers (RFC 8288), as sent: relative or absolute, with angle brackets or
 * without, with quotes around the relation or without. A link without any relation is taken for the next page.
 */
export function nextLink(headers: readonly string[]): string | undefined {
  return headers
    .flatMap((header) => header.split(BETWEEN_LINKS))
    .map(targetOfNext)
    .find((target) => target !== undefined);
}

/** A comma that a link follows: one inside of a query is none. */
const BETWEEN_LINKS = /,(?=\s*(?:<|https?:\/\/|\/))/;

const PARAMETER = /;\s*([\w*-]+)\s*=\s*(?:"([^"]*)"|([^;]*))/g;

function targetOfNext(link: string): string | undefined {
  const [, bracketed, bare, rest = ''] = /^\s*(?:<([^>]*)>|([^\s;]+))(.*)$/s.exec(link) ?? [];
  const target = (bracketed ?? bare)?.trim();
  if (!target) return undefined;
  const parameters = [...rest.matchAll(PARAMETER)].map(([, name = '', quoted, plain]) => [name, quoted ?? plain ?? '']);
  const relation = parameters
    .find(([name]) => name!.toLowerCase() === 'rel')?.[1]
    ?.replace(/^'|'$/g, '')
    .trim();
  return relation === undefined || relation.toLowerCase().split(/\s+/).includes('next') ? target : undefined;
}

/** Where the next page is, or why it is not asked for, in words. */
export type NextPage = URL | { problem: string };

/**
 * Resolves the link of a page. It must stay on the registry's origin; `http` for the registry's own `https` is what a
 * registry behind a proxy says, and means the registry. A link to another path has lost a prefix (Artifactory's virtual
 * repositories): only its place in the list is taken from it.
 */
export function resolveNext(link: string, page: URL, registry: URL): NextPage {
  const next = URL.parse(link, page.href);
  if (!next) return { problem: 'its link to the next page is no URL' };
  const isDowngrade =
    registry.protocol === 'https:' && next.protocol === 'http:' && next.hostname === registry.hostname;
  if (next.origin !== registry.origin && !(isDowngrade && (next.port === '' || next.port === registry.port)))
    return { problem: `its link to the next page leads to ${place(next)}, which is not followed` };
  // Put in as it is: a path that begins with "//" names a host where a text is resolved.
  const url = new URL(registry);
  url.pathname = next.pathname;
  url.search = next.search;
  if (url.pathname === registry.pathname) return url;
  const last = url.searchParams.get('last');
  if (last === null)
    return { problem: `its link to the next page leads to another path, ${url.pathname.slice(0, 200)}` };
  const kept = new URL(registry);
  kept.searchParams.set('last', last);
  return kept;
}
