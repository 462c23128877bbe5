import type { HttpRequest } from './http.ts';

/** `GET https://host/path`, without user, password or query, which may hold secrets. */
export function label({ method, url }: Pick<HttpRequest, 'method' | 'url'>): string {
  return `${method} ${url.origin}${url.pathname}`;
}

const MAX_QUOTED = 200;

/** What a stranger said, fit for one line of a message. */
export function sanitise(text: string): string {
  return text
    .slice(0, MAX_QUOTED)
    .replace(/[^ -~]+/g, ' ')
    .trim();
}
