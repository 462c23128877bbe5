import type { HttpRequest } from './http.ts';

/** The longest text of a stranger in a message; characters. */
const MAX_QUOTED = 200;

/** `GET https://host/path`, without user, password or query, which may hold secrets. */
export function label({ method, url }: Pick<HttpRequest, 'method' | 'url'>): string {
  return `${method} ${place(url)}${url.pathname.slice(0, MAX_QUOTED)}`;
}

/** `https://host:port`. */
export function place({ protocol, host }: URL): string {
  return `${protocol}//${host.slice(0, MAX_QUOTED)}`;
}

/** What a stranger said, fit for one line of a message. */
export function sanitise(text: string): string {
  return text
    .slice(0, MAX_QUOTED)
    .replace(/[^ -~]+/g, ' ')
    .trim();
}
