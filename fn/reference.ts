/**
 * Image references: `[domain/]path[:tag][@digest]`, by the grammar of the distribution project with Docker's rule for
 * what is a domain (reference/flux-v1-mode.md §9 and §17, reference/ecosystem.md A1).
 *
 * A reference is kept as its author spelt it; the canonical name exists only to compare.
 */
export interface Reference {
  /** Domain and path as written, without tag and digest: `ghcr.io/org/app`, `nginx`. */
  name: string;
  tag?: string;
  /** With its algorithm: `sha256:…`. */
  digest?: string;
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const HOST = '(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])';
const DOMAIN = new RegExp(`^(?:${HOST}(?:\\.${HOST})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?$`);
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;
const DIGEST_LENGTHS: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 };
const MAX_NAME = 255;

/** Whether a text is a tag by the distribution grammar: 128 characters at most of `[A-Za-z0-9_.-]`, none of `.-` first. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether a text is a digest: `algorithm:hex`, of the right length for the sha2 family. */
export function isDigest(text: string): boolean {
  if (!DIGEST.test(text)) return false;
  const colon = text.indexOf(':');
  const length = DIGEST_LENGTHS[text.slice(0, colon)];
  return length === undefined || text.length - colon - 1 === length;
}

/** Whether a text is the name of a repository: no tag, no digest, the grammar's characters, 255 of them at most. */
export function isName(text: string): boolean {
  return explainName(text) === undefined;
}

/**
 * Reads a reference. Returns undefined where the text is none; `explainReference` says why.
 *
 * `host:5000/app` has a domain and no tag; `app:5000` has a tag; `name:tag@digest` keeps both.
 */
export function parseReference(text: string): Reference | undefined {
  const reference = split(text);
  return explain(reference) === undefined ? reference : undefined;
}

/** Why a text is not a reference, in words for its author; undefined if it is one. */
export function explainReference(text: string): string | undefined {
  return explain(split(text));
}

/** What stands before tag and digest, whether the text is a reference or not. */
export function nameBefore(text: string): string {
  return split(text).name;
}

/** The text of a reference: the name as written, then tag, then digest. */
export function formatReference({ name, tag, digest }: Reference): string {
  return name + (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}

/** The text of a reference for people: a tag or digest whose name is not known stands by itself. */
export function showReference(reference: Reference): string {
  return formatReference(reference).replace(/^[:@]/, '');
}

/**
 * The name by which repositories are compared: domain always there, the Docker Hub's three spellings made one
 * (`docker.io`), `library/` added to its one-part names. `nginx` and `index.docker.io/library/nginx` are the same.
 */
export function canonicalName(name: string): string {
  const { domain, path } = splitDomain(name);
  const host = domain === undefined ? HUB : domain.toLowerCase();
  if (!HUB_HOSTS.has(host)) return `${host}/${path}`;
  return `${HUB}/${path.includes('/') ? path : `library/${path}`}`;
}

const HUB = 'docker.io';
const HUB_HOSTS = new Set([HUB, 'index.docker.io', 'registry-1.docker.io']);

/** Domain and path of a name. The first part is a domain only with a dot, a colon, an upper-case letter, or as `localhost`. */
export function splitDomain(name: string): { domain?: string; path: string } {
  const slash = name.indexOf('/');
  if (slash < 0) return { path: name };
  const first = name.slice(0, slash);
  if (first !== 'localhost' && !/[.:A-Z]/.test(first)) return { path: name };
  return { domain: first, path: name.slice(slash + 1) };
}

function split(text: string): Reference {
  const at = text.indexOf('@');
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const reference: Reference = { name: colon < 0 ? named : named.slice(0, colon) };
  if (colon >= 0) reference.tag = named.slice(colon + 1);
  if (at >= 0) reference.digest = text.slice(at + 1);
  return reference;
}

function explain({ name, tag, digest }: Reference): string | undefined {
  const problem = explainName(name);
  if (problem) return problem;
  if (tag !== undefined && !isTag(tag))
    return `"${tag}" is not a tag: letters, digits, "_", "." and "-", 128 at most, not starting with "." or "-"`;
  if (digest !== undefined && !isDigest(digest))
    return `"${digest}" is not a digest, such as sha256: and 64 hexadecimal digits`;
  return undefined;
}

function explainName(name: string): string | undefined {
  if (name === '') return 'it has no repository name';
  if (name.length > MAX_NAME) return `its repository name has ${name.length} characters, more than ${MAX_NAME}`;
  const { domain, path } = splitDomain(name);
  if (domain !== undefined && !DOMAIN.test(domain)) return `"${domain}" is not a registry host`;
  if (PATH.test(path)) return undefined;
  if (PATH.test(path.toLowerCase())) return `"${path}" has upper-case letters, which a repository name may not have`;
  return `"${path}" is not a repository name`;
}
