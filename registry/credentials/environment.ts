import type { Credentials, CredentialSource } from '../credentials.ts';
import { RegistryError } from '../error.ts';
import { basic, findEntry, parseScope, type Scope } from './auths.ts';

/** Google's key files, the longest passwords there are, have some 2,400 bytes. */
const MAX_PASSWORD = 1 << 16;

/**
 * The credentials of `REGISTRY_USERNAME` and `REGISTRY_PASSWORD`, or of `REGISTRY_TOKEN` (a bearer token as it stands), for
 * `REGISTRY_HOST` alone: a host, with its port, and a path if they are for a part of it. The user `<token>` says that the
 * password is an identity token. Undefined if none is set.
 * @throws RegistryError if they are set in part: no password is ever sent to a host that nobody named.
 */
export function environmentSource(environment: NodeJS.ProcessEnv): CredentialSource | undefined {
  const [host, username, password, token] = ['HOST', 'USERNAME', 'PASSWORD', 'TOKEN'].map(
    (name) => environment[`REGISTRY_${name}`] || undefined,
  );
  if (username === undefined && password === undefined && token === undefined) return undefined;
  if (host === undefined)
    throw refused('REGISTRY_HOST is not set: say for which registry the REGISTRY_… credentials are, such as ghcr.io');
  const scope = exactScope(host);
  if (!scope) throw refused('REGISTRY_HOST does not name a registry, such as ghcr.io or localhost:5000');
  if (token !== undefined) {
    if (username === undefined && password === undefined)
      return source('environment', scope, { kind: 'registry-token', token });
    throw refused('REGISTRY_TOKEN is set and REGISTRY_USERNAME or REGISTRY_PASSWORD too; set one or the other');
  }
  if (username === undefined) throw refused('REGISTRY_PASSWORD is set without REGISTRY_USERNAME; set both');
  if (password === undefined) throw refused('REGISTRY_USERNAME is set without REGISTRY_PASSWORD; set both');
  return source('environment', scope, login(username, password, 'REGISTRY_USERNAME', 'REGISTRY_PASSWORD'));
}

/**
 * The credentials of a login `USER@HOST`, its password being what was read from stdin; the line break at its end is none of it.
 * @throws RegistryError if one of them is missing or malformed.
 */
export function loginSource(user: string, password: string): CredentialSource {
  // A user may be an address of mail, a host has no @.
  const at = user.lastIndexOf('@');
  const scope = at < 1 ? undefined : exactScope(user.slice(at + 1));
  // It is not quoted: whoever gets it wrong may have put a password into it.
  if (!scope) throw refused('the login is not USER@HOST, such as robot@ghcr.io or robot@localhost:5000');
  return source(
    'stdin',
    scope,
    login(user.slice(0, at), password.replace(/\r?\n$/, ''), 'the user', 'the password on stdin'),
  );
}

function login(username: string, password: string, user: string, secret: string): Credentials {
  // RFC 7617 ends the user at the first colon.
  if (username.includes(':')) throw refused(`${user} has a colon in it, which a registry takes for its end`);
  if (password === '') throw refused(`${secret} is empty`);
  if (Buffer.byteLength(password) > MAX_PASSWORD) throw refused(`${secret} is longer than ${MAX_PASSWORD} bytes`);
  return basic(username, password);
}

/** What is said once, for one registry, is for a host without `*`. */
function exactScope(text: string): Scope | undefined {
  return text.includes('*') ? undefined : parseScope(text);
}

function source(name: string, scope: Scope, found: Credentials): CredentialSource {
  return { name, find: async (host, path) => findEntry([{ ...scope, found }], host, path) };
}

function refused(message: string): RegistryError {
  return new RegistryError('unauthorized', message);
}
