/** What is wrong with the URL of a git repository, in words; undefined if nothing is (reference/controllers.md A2). */
export function urlProblem(text: string): string | undefined {
  if (/[\s\p{Cc}]/u.test(text)) return 'a URL has no spaces and no control characters';
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return 'it must begin with https:// or ssh://';
  if (scheme !== 'https' && scheme !== 'http' && scheme !== 'ssh')
    return `${scheme}:// is not taken; write an https:// or ssh:// URL`;
  if (!URL.canParse(text)) return 'it is no URL';
  const { hostname, username, password, pathname, search, hash } = new URL(text);
  if (hostname === '') return 'it names no host';
  // git hands both to the ssh program, where they could be options.
  if (hostname.startsWith('-') || username.startsWith('-') || username.startsWith('%2D'))
    return 'neither host nor user may begin with "-"';
  if (scheme !== 'ssh' && (username !== '' || password !== ''))
    return 'it holds a user or a password, which would be seen in logs and in git config; leave them out and give them as a secret';
  if (password !== '') return 'it holds a password, which would be seen in logs; use a key, given as a secret';
  if (search !== '' || hash !== '') return 'it has a "?" or a "#", which no repository has';
  return pathname.length < 2 ? 'it names a host, and no repository on it' : undefined;
}

/** `git@host:path`, as forges show it, as the URL that says the same; any other text as it is. */
export function fromScp(text: string): string {
  const [, user, host, path] = /^([\w.-]+@)?([\w.-]+|\[[0-9a-f:]+\]):(?!\/\/)(.+)$/i.exec(text) ?? [];
  if (host === undefined || path === undefined) return text;
  // Below the home directory of the user where it is relative, which forges do not tell apart.
  return `ssh://${user ?? ''}${host}/${path.replace(/^\//, '')}`;
}

/** The URL as messages and statuses may show it. */
export function shownUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  url.password = '';
  if (url.protocol !== 'ssh:') url.username = '';
  return url.href;
}

/**
 * The same text for every spelling of one repository (reference/controllers.md A9): lower-case host, no default port, no
 * `.git`, no slash at the end, no user, `ssh` and `https` alike.
 */
export function canonicalUrl(text: string): string {
  const { protocol, hostname, port, pathname } = new URL(text);
  const standard: Record<string, string> = { 'ssh:': '22', 'https:': '443', 'http:': '80' };
  const at = port === '' || port === standard[protocol] ? '' : `:${port}`;
  return `${hostname.toLowerCase()}${at}${pathname.replace(/\/+$/, '').replace(/\.git$/, '')}`;
}
