import { GitError } from './error.ts';

/** Ways to reach a repository, as the protocol of its URL. */
export type Protocol = 'https:' | 'ssh:' | 'http:' | 'file:';

/** What a repository is reached by unless a caller allows more (reference/controllers.md B3). */
const PROTOCOLS: readonly Protocol[] = ['https:', 'ssh:'];

/** A longer URL is not one that anybody typed. */
const MAX_URL = 2048;

/** `git@host:path`, as scp writes it; a host of one letter would be a Windows drive. */
const SCP = /^(?:([^\s/@:]+)@)?([^\s/@:[\]]{2,}|\[[0-9a-fA-F:]+\]):(?!\/\/)(.+)$/;

/** Turns the scp style (`git@host:path`) into `ssh://git@host/path`; anything else stays as it is. */
export function sshUrl(text: string): string {
  const match = text.includes('://') ? null : SCP.exec(text);
  if (!match) return text;
  const [, user, host = '', path = ''] = match;
  return `ssh://${user === undefined ? '' : `${user}@`}${host}/${path.replace(/^\/+/, '')}`;
}

/**
 * Checks a repository's URL by the rules of reference/controllers.md A2: a protocol that is allowed, no user info for
 * http(s), no password anywhere, no host or user that a program could take for an option.
 * @throws GitError of class `Internal`, as the caller's own check comes first.
 */
export function checkUrl(text: string, protocols: readonly Protocol[] = PROTOCOLS): URL {
  const problem = urlProblem(text, protocols);
  if (problem !== undefined)
    throw new GitError('Internal', `the repository's URL ${JSON.stringify(shown(text))} ${problem}`);
  return new URL(text);
}

/** What is wrong with a repository's URL, to follow it in a sentence; undefined if nothing is. */
export function urlProblem(text: string, protocols: readonly Protocol[] = PROTOCOLS): string | undefined {
  if (text.length > MAX_URL) return `has ${text.length} characters, more than ${MAX_URL}`;
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  if (/[\s\u0000-\u001F\u007F\\]/.test(text)) return 'holds white space, a backslash or a control character';
  if (!URL.canParse(text)) return `is not a URL; write ${sshUrl(text) === text ? 'https://…' : sshUrl(text)}`;
  const { protocol, username, password, hostname, pathname, search, hash } = new URL(text);
  if (!(protocols as readonly string[]).includes(protocol))
    return `has the protocol ${protocol}//; allowed are ${protocols.map((name) => `${name}//`).join(', ')}`;
  if (password !== '') return 'holds a password; give it as a credential instead';
  if (username !== '' && protocol !== 'ssh:') return 'holds a user name; give it as a credential instead';
  if (decoded(username).startsWith('-') || hostname.startsWith('-')) return 'has a user or host that starts with "-"';
  if (hostname === '' && protocol !== 'file:') return 'has no host';
  if (search !== '' || hash !== '') return 'has a query or a fragment';
  if (pathname === '' || pathname === '/') return 'has no path';
  if (decoded(pathname).startsWith('/-')) return 'has a path that starts with "-"';
  return undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Without user info, so that a message holds no secret. */
function shown(text: string): string {
  return text.slice(0, MAX_URL).replace(/\/\/[^/]*@/, '//');
}

/**
 * One name for a repository, however it is reached (reference/controllers.md A9): `host/path`, the host in lower case,
 * without protocol, default port, user, `.git` and slash at the end. For keys; not to be connected to.
 */
export function canonicalUrl(text: string): string {
  const { protocol, hostname, port, pathname } = new URL(sshUrl(text));
  const isDefault = port === '' || port === DEFAULT_PORTS[protocol];
  const path = pathname
    .replaceAll(/\/{2,}/g, '/')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
  return `${protocol === 'file:' ? 'file:' : hostname.toLowerCase()}${isDefault ? '' : `:${port}`}${path}`;
}

const DEFAULT_PORTS: Record<string, string> = { 'https:': '443', 'http:': '80', 'ssh:': '22' };
