import { readFileSync } from 'node:fs';
import { GitError } from './error.ts';
import type { GitCredentials } from './repository.ts';

/**
 * Credentials by the environment: `GIT_USERNAME` and `GIT_PASSWORD`, or `GIT_TOKEN`, for http(s); `GIT_SSH_KEY_FILE` and
 * `GIT_SSH_KNOWN_HOSTS_FILE` for ssh. Undefined if there are none for the URL's protocol.
 * @throws GitError of class `GitAuth` that names the variable which is missing, or the file that cannot be read.
 */
export function credentialsFromEnvironment(
  url: string,
  environment: NodeJS.ProcessEnv = process.env,
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): GitCredentials | undefined {
  const value = (name: string) => environment[name] || undefined;
  const { protocol, hostname } = new URL(url);
  if (protocol === 'ssh:') return sshCredentials(value, readFile);
  if (protocol === 'file:') return undefined;
  const [username, password, token] = [value('GIT_USERNAME'), value('GIT_PASSWORD'), value('GIT_TOKEN')];
  if (password !== undefined) {
    if (username === undefined) throw new GitError('GitAuth', 'GIT_PASSWORD is set and GIT_USERNAME is not; set both');
    return { kind: 'basic', username, password };
  }
  if (token !== undefined) return { kind: 'basic', username: username ?? tokenUser(hostname), password: token };
  if (username !== undefined)
    throw new GitError('GitAuth', 'GIT_USERNAME is set, and neither GIT_PASSWORD nor GIT_TOKEN is; set one of them');
  return undefined;
}

/** The user name that a forge wants beside a token; most take any. */
function tokenUser(hostname: string): string {
  if (hostname === 'bitbucket.org') return 'x-token-auth';
  return /(?:^|\.)gitlab\./.test(hostname) ? 'oauth2' : 'x-access-token';
}

function sshCredentials(
  value: (name: string) => string | undefined,
  readFile: (path: string) => string,
): GitCredentials | undefined {
  const read = (name: string, file: string) => {
    try {
      return readFile(file);
    } catch (error) {
      throw new GitError('GitAuth', `${name} names ${file}, which cannot be read: ${(error as Error).message}`);
    }
  };
  const [keyFile, hostsFile] = [value('GIT_SSH_KEY_FILE'), value('GIT_SSH_KNOWN_HOSTS_FILE')];
  if (keyFile === undefined) return undefined;
  if (hostsFile === undefined)
    throw new GitError(
      'HostKey',
      'GIT_SSH_KEY_FILE is set and GIT_SSH_KNOWN_HOSTS_FILE is not; no unknown host is trusted',
    );
  return {
    kind: 'ssh',
    key: read('GIT_SSH_KEY_FILE', keyFile),
    knownHosts: read('GIT_SSH_KNOWN_HOSTS_FILE', hostsFile),
  };
}
