import { asMap } from '../../fn/lookup/values.ts';
import type { Credentials } from '../credentials.ts';
import { RegistryError } from '../error.ts';

/** What credentials are for: a host with its port, and the beginning of a repository's path; an empty path is the whole host. */
export interface Scope {
  /** Canonical and in lower case. `*` stands for any part of one label, as Kubernetes has it. */
  host: string;
  path: string;
}

/** An entry of an `auths` map. What is wrong with one is told only to those who need it: Docker would fail for all. */
export interface Entry extends Scope {
  found: Credentials | { problem: string };
}

const HUB = 'docker.io';
const HUB_HOSTS = new Set([HUB, 'index.docker.io', 'registry-1.docker.io']);
const HOST = /^(?:[a-z0-9*][a-z0-9.*_-]*|\[[0-9a-f:.]+\])(?::\d+)?$/;

/**
 * Reads whom a key of a Docker config is for: a host, a host and a path (podman), a URL, with the `/v1/` or `/v2/` of old
 * logins. The Docker Hub's names are one. Undefined for what is none of these.
 */
export function parseScope(key: string): Scope | undefined {
  const [, scheme, rest = ''] = /^(https?:\/\/)?(.*)$/is.exec(key) ?? [];
  const slash = rest.indexOf('/');
  const host = (slash < 0 ? rest : rest.slice(0, slash)).toLowerCase();
  if (!HOST.test(host)) return undefined;
  const path = slash < 0 ? '' : rest.slice(slash + 1).replace(/\/+$/, '');
  // `host/v2/app` without a scheme is a repository named v2/app.
  const api = scheme === undefined ? /^v[12]$/ : /^v[12](?:\/|$)/;
  return { host: HUB_HOSTS.has(host) ? HUB : host, path: path.replace(api, '') };
}

/** Reads an `auths` map; empty entries, which Docker writes where a helper keeps the secret, are left out. `where` is for messages. */
export function readAuths(auths: unknown, where: string): Entry[] {
  if (auths === undefined || auths === null) return [];
  const map = asMap(auths);
  if (!map) throw new RegistryError('unauthorized', `${where} is not a map of registries; correct it or log in again`);
  return Object.entries(map).flatMap(([key, value]): Entry[] => {
    const scope = parseScope(key);
    const found = scope && readEntry(value);
    if (!found) return [];
    if (typeof found !== 'string') return [{ ...scope, found }];
    return [{ ...scope, found: { problem: `${where}[${JSON.stringify(key)}] ${found}; log in to it again` } }];
  });
}

const FIELDS = ['auth', 'username', 'password', 'identitytoken', 'registrytoken'] as const;

/** The credentials of an entry, undefined if it has none, or what is wrong with it, without its content. */
function readEntry(value: unknown): Credentials | string | undefined {
  const entry = asMap(value);
  if (!entry) return value === null ? undefined : 'is not a map';
  const texts: Partial<Record<(typeof FIELDS)[number], string>> = {};
  for (const field of FIELDS) {
    const text = entry[field];
    if (text === undefined || text === null || text === '') continue;
    if (typeof text !== 'string') return `has a field "${field}" that is not text`;
    texts[field] = text;
  }
  if (texts.registrytoken) return { kind: 'registry-token', token: texts.registrytoken };
  // Azure's logins have both: a user of zeros without a password, and the token.
  if (texts.identitytoken) return { kind: 'identity-token', token: texts.identitytoken };
  if (texts.auth !== undefined) return readAuth(texts.auth);
  if (texts.username === undefined && texts.password === undefined) return undefined;
  if (texts.username === undefined) return 'has a password and no username';
  if (texts.password === undefined) return 'has a username and no password';
  return basic(texts.username, texts.password);
}

function readAuth(auth: string): Credentials | string {
  const text = decodeBase64(auth)?.toString('utf8');
  if (text === undefined) return 'has a field "auth" that is not base64';
  const colon = text.indexOf(':');
  if (colon < 1) return 'has a field "auth" that is not user:password in base64';
  // Docker pads some passwords with zeros, and drops them when it reads.
  return basic(text.slice(0, colon), text.slice(colon + 1).replaceAll(/^\0+|\0+$/g, ''));
}

/** A user and password; Docker's helpers and tools say by the user `<token>` that the password is an identity token. */
export function basic(username: string, password: string): Credentials {
  return username === TOKEN_USER ? { kind: 'identity-token', token: password } : { kind: 'basic', username, password };
}

const TOKEN_USER = '<token>';

/** The bytes of a base64 text, with or without padding, line breaks within it; undefined if it is none. */
export function decodeBase64(text: string): Buffer | undefined {
  const compact = text.replaceAll(/\s/g, '').replace(/={1,2}$/, '');
  if (!/^[A-Za-z0-9+/]*$/.test(compact) || compact.length % 4 === 1) return undefined;
  return Buffer.from(compact, 'base64');
}

/**
 * The credentials for a repository: host and port exactly, before hosts with `*`; of these the longest path.
 * @throws RegistryError if the entry that fits is malformed.
 */
export function findEntry(entries: readonly Entry[], host: string, path: string): Credentials | undefined {
  let best: Entry | undefined;
  for (const entry of entries) {
    if (!isWithin(path, entry.path) || !hostFits(host, entry.host)) continue;
    if (!best || weight(entry) > weight(best)) best = entry;
  }
  if (!best) return undefined;
  if ('problem' in best.found) throw new RegistryError('unauthorized', best.found.problem);
  return best.found;
}

function isWithin(path: string, prefix: string): boolean {
  return prefix === '' || path === prefix || path.startsWith(`${prefix}/`);
}

const MAX_PATH = 1 << 16;

function weight({ host, path }: Scope): number {
  return path.length + (host.includes('*') ? 0 : MAX_PATH);
}

/** `*` takes any characters of one label; the port must be the same (Kubernetes, "Interpretation of config.json"). */
function hostFits(host: string, pattern: string): boolean {
  if (!pattern.includes('*')) return host.toLowerCase() === pattern;
  const [labels, patterns] = [host.toLowerCase().split('.'), pattern.split('.')];
  return labels.length === patterns.length && patterns.every((glob, i) => labelFits(labels[i]!, glob));
}

function labelFits(label: string, glob: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (last === undefined) return label === glob;
  // A port belongs to the last label, where no `*` may reach it.
  if (label.includes(':') !== glob.includes(':')) return false;
  if (!label.startsWith(first) || !label.endsWith(last) || label.length < first.length + last.length) return false;
  let at = first.length;
  const end = label.length - last.length;
  for (const part of rest) {
    const next = label.indexOf(part, at);
    if (next < 0 || next + part.length > end) return false;
    at = next + part.length;
  }
  return true;
}
