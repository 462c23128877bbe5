import { GitError } from '../error.ts';
import { sshUrl } from '../url.ts';
import type { ApiOptions } from './api.ts';
import type { Forge, ForgeType } from './forge.ts';
import { NEEDS, TOKENS } from './refusal.ts';

/** Where the pull requests of a repository are. */
export interface ForgePlace {
  type: ForgeType;
  /** Of the API, without a slash at its end. */
  apiUrl: string;
  /** `owner/name`; on GitLab with all of its groups. */
  repository: string;
}

/** What was said of the forge, beside the URL of the repository. */
export interface GivenPlace {
  type?: ForgeType;
  /** Of the forge or of its API: `https://git.example.com`, `https://git.example.com/api/v3`. */
  url?: string;
}

export interface ForgeOptions extends GivenPlace {
  /** In place of the environment's, such as that of a GitHub App. */
  token?: string;
  /** PEM, beside the system's authorities. */
  ca?: string;
  environment?: NodeJS.ProcessEnv;
  /** For tests. */
  wait?: ApiOptions['wait'];
  timeout?: number;
}

/** Forges that everybody knows, by their host. */
const KNOWN: Readonly<Record<string, { type: ForgeType; apiUrl: string }>> = {
  'github.com': { type: 'github', apiUrl: 'https://api.github.com' },
  'gitlab.com': { type: 'gitlab', apiUrl: 'https://gitlab.com/api/v4' },
  'codeberg.org': { type: 'gitea', apiUrl: 'https://codeberg.org/api/v1' },
  'gitea.com': { type: 'gitea', apiUrl: 'https://gitea.com/api/v1' },
};

/** Hosts of theirs that speak ssh on the port of https. */
const ALIASES: Readonly<Record<string, string>> = { 'ssh.github.com': 'github.com', 'altssh.gitlab.com': 'gitlab.com' };

/** The APIs of GitHub's own hosts. */
const GITHUB_API = /^https:\/\/api\.(?:github|[\w-]+\.ghe)\.com$/;

/** Where a forge's API is below its own URL. */
const PATHS: Readonly<Record<ForgeType, string>> = { github: '/api/v3', gitlab: '/api/v4', gitea: '/api/v1' };

/**
 * Opens the forge of a repository, with its token.
 * @throws GitError of class `RefNotFound` where nobody knows which forge it is, `GitAuth` where there is no token for it.
 */
export async function openForge(repositoryUrl: string, options: ForgeOptions = {}): Promise<Forge> {
  const { environment = process.env, token, ca, wait, timeout } = options;
  const { type, apiUrl, repository } = placeOf(repositoryUrl, options, environment);
  const api: ApiOptions = {
    type,
    url: apiUrl,
    repository,
    token: checked(token ?? tokenOf({ type, apiUrl, repository }, environment), repository),
    environment,
    ...(ca !== undefined && { ca }),
    ...(wait && { wait }),
    ...(timeout !== undefined && { timeout }),
  };
  switch (type) {
    case 'github':
      return (await import('./github.ts')).github(api);
    case 'gitlab':
      return (await import('./gitlab.ts')).gitlab(api);
    case 'gitea':
      return (await import('./gitea.ts')).gitea(api);
  }
}

/**
 * Which forge a repository is on, and where its API is: by what was said, else by a host that everybody knows, else by the
 * variables that the forge's own CI sets for a job in that very host's repository.
 * @throws GitError of class `RefNotFound` that says what to write.
 */
export function placeOf(repositoryUrl: string, given: GivenPlace, environment: NodeJS.ProcessEnv): ForgePlace {
  const url = new URL(sshUrl(repositoryUrl));
  const hostname = ALIASES[url.hostname] ?? url.hostname;
  // The port of ssh says nothing of the API's.
  const web = url.protocol.startsWith('http') ? url.origin : `https://${hostname}`;
  const told = toldPlace(given, web);
  const found = told ?? knownPlace(hostname) ?? placeByCi(web, environment);
  const type = found?.type ?? given.type;
  if (!found || !type)
    throw new GitError(
      'RefNotFound',
      `which forge ${url.host} is, its name does not tell; say --forge github, gitlab or gitea (Forgejo too), and with --forge-url where its API is if not at https://HOST/api`,
    );
  // The token of one forge is not for another.
  if (given.type !== undefined && given.type !== type)
    throw new GitError(
      'RefNotFound',
      `--forge ${given.type}: ${new URL(found.apiUrl).host} is ${type}; leave --forge out, or correct --forge-url`,
    );
  return { type, apiUrl: found.apiUrl, repository: repositoryOf(url, type, found.apiUrl) };
}

interface Found {
  type?: ForgeType;
  apiUrl: string;
}

function toldPlace({ type, url }: GivenPlace, web: string): Found | undefined {
  if (url === undefined) return type && (knownPlace(new URL(web).hostname) ?? { type, apiUrl: web + PATHS[type] });
  const parsed = URL.parse(url.replace(/\/+$/, ''));
  const isPlain = parsed?.protocol === 'http:' && web.startsWith('http:');
  if (!parsed || (parsed.protocol !== 'https:' && !isPlain) || parsed.username || parsed.password || parsed.search)
    throw new GitError(
      'RefNotFound',
      `--forge-url ${JSON.stringify(url.replace(/\/\/[^/]*@/, '//').slice(0, 200))} must be https://HOST, or where its API is, such as https://HOST/api/v4`,
    );
  const known = knownPlace(parsed.hostname.replace(/^api\.(?=github\.com$|[\w-]+\.ghe\.com$)/, ''));
  if (known) return known;
  const path = parsed.pathname.replace(/\/+$/, '');
  const byPath = (Object.keys(PATHS) as ForgeType[]).find((name) => path.endsWith(PATHS[name]));
  const isApi = byPath !== undefined || parsed.hostname.startsWith('api.');
  const kind = byPath ?? type;
  return { ...(kind && { type: kind }), apiUrl: parsed.origin + path + (isApi || !kind ? '' : PATHS[kind]) };
}

/** A host that everybody knows, or GitHub Enterprise Cloud with data residency (docs.github.com): `https://api.SUBDOMAIN.ghe.com`. */
function knownPlace(hostname: string): { type: ForgeType; apiUrl: string } | undefined {
  if (/^[\w-]+\.ghe\.com$/.test(hostname)) return { type: 'github', apiUrl: `https://api.${hostname}` };
  return Object.hasOwn(KNOWN, hostname) ? KNOWN[hostname] : undefined;
}

/** GitHub Actions, and Gitea's and Forgejo's which set the same variables, and GitLab CI. */
function placeByCi(web: string, environment: NodeJS.ProcessEnv): Found | undefined {
  const {
    GITHUB_SERVER_URL: server,
    GITHUB_API_URL: api,
    CI_SERVER_URL: gitlab,
    CI_API_V4_URL: gitlabApi,
  } = environment;
  if (server && api && isSameHost(server, web))
    return { type: api.endsWith(PATHS.gitea) ? 'gitea' : 'github', apiUrl: api.replace(/\/+$/, '') };
  if (gitlab && gitlabApi && isSameHost(gitlab, web)) return { type: 'gitlab', apiUrl: gitlabApi.replace(/\/+$/, '') };
  return undefined;
}

function isSameHost(a: string, b: string): boolean {
  return URL.parse(a)?.host === URL.parse(b)?.host;
}

/** The name of a repository below its forge, which may itself stand below a path. */
function repositoryOf(url: URL, type: ForgeType, apiUrl: string): string {
  const below = new URL(apiUrl).pathname.replace(/\/api(?:\/v\d)?$/, '');
  const { pathname } = url;
  const isBelow = below.length > 1 && pathname.startsWith(`${below}/`);
  const name = (isBelow ? pathname.slice(below.length) : pathname).replace(/^\/+|\/+$/g, '').replace(/\.git$/, '');
  const parts = name.split('/');
  const isName = type === 'gitlab' ? parts.length >= 2 : parts.length === 2;
  if (isName && parts.every((part) => /^[\w.-]+$/.test(part) && !/^\.+$/.test(part))) return name;
  throw new GitError(
    'RefNotFound',
    `${url.href} names no repository of ${type}, which has ${type === 'gitlab' ? 'GROUP/…/NAME' : 'OWNER/NAME'} for a path; correct the URL, or --forge-url if the forge stands below a path`,
  );
}

/**
 * The token of a forge: `FORGE_TOKEN`, the forge's own, `GIT_TOKEN`, the first that is set. In a workflow of GitHub, Gitea or Forgejo
 * `GITHUB_TOKEN` is that of the host which runs it, elsewhere GitHub's: no other host is shown it.
 * @throws GitError of class `GitAuth` that says what to make.
 */
function tokenOf({ type, apiUrl, repository }: ForgePlace, environment: NodeJS.ProcessEnv): string {
  const { GITHUB_API_URL: workflows, GITHUB_TOKEN, CI_JOB_TOKEN } = environment;
  const isGithubs = workflows ? isSameHost(workflows, apiUrl) : GITHUB_API.test(apiUrl);
  const own = [TOKENS[type]].filter((name) => name !== TOKENS.github);
  const names = ['FORGE_TOKEN', ...own, ...(isGithubs ? [TOKENS.github] : []), 'GIT_TOKEN'];
  const token = names.map((name) => environment[name]).find(Boolean);
  if (token !== undefined) return token;
  const { host } = new URL(apiUrl);
  const name = type === 'github' && !isGithubs ? '' : ` or ${TOKENS[type]}`;
  const passedOver =
    type === 'gitlab' && CI_JOB_TOKEN
      ? ' (CI_JOB_TOKEN opens no merge requests)'
      : type !== 'gitlab' && GITHUB_TOKEN
        ? ` (GITHUB_TOKEN is another host's, and is not shown to ${host})`
        : '';
  throw new GitError(
    'GitAuth',
    `there is no token to open pull requests in ${repository} with; make one with ${NEEDS[type]}, and give it as FORGE_TOKEN${name}${passedOver}`,
  );
}

/** A line feed would begin another header. */
function checked(token: string, repository: string): string {
  if (/^[\u0021-\u007E]+$/.test(token)) return token;
  throw new GitError(
    'GitAuth',
    `the token for ${repository} is empty, or holds white space or what no header may hold`,
  );
}
