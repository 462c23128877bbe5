import { GitError } from './error.ts';
import type { GitHubApp } from './github-app.ts';
import type { GitCredentials } from './repository.ts';

/** What a Secret tells of a way to get in. */
export interface SecretAccess {
  credentials?: GitCredentials;
  /** Instead of credentials: what to get a token with. */
  app?: GitHubApp;
  ca?: string;
}

/**
 * Reads the keys of a Secret as Flux names them, so that one Secret serves both products (reference/controllers.md A2):
 * `username` and `password`, `bearerToken`, `githubAppID` and its kin for http(s); `identity`, `known_hosts` and
 * `password` (of the key) for ssh; `ca.crt`. Values are decoded already.
 * @throws GitError of class `GitAuth` or `HostKey` that names the key which is missing or cannot be used.
 */
export function accessFromSecret(data: Readonly<Record<string, string>>, url: string): SecretAccess {
  // An editor's line feed at the end is no part of a secret.
  const value = (key: string) => data[key]?.replace(/\r?\n$/, '') || undefined;
  const ca = data['ca.crt'] ?? data['caFile'];
  const way = new URL(url).protocol === 'ssh:' ? sshAccess(value) : httpAccess(value);
  return { ...way, ...(ca !== undefined && { ca }) };
}

type Value = (key: string) => string | undefined;

function sshAccess(value: Value): SecretAccess {
  const [key, knownHosts, passphrase] = [value('identity'), value('known_hosts'), value('password')];
  if (key === undefined) throw new GitError('GitAuth', 'the Secret has no key "identity", which ssh needs');
  if (knownHosts === undefined)
    throw new GitError('HostKey', 'the Secret has no key "known_hosts"; no unknown host is trusted');
  return { credentials: { kind: 'ssh', key, knownHosts, ...(passphrase !== undefined && { passphrase }) } };
}

function httpAccess(value: Value): SecretAccess {
  if (value('githubAppID') !== undefined) return { app: gitHubApp(value) };
  const [username, password, token] = [value('username'), value('password'), value('bearerToken')];
  if (token !== undefined) return { credentials: { kind: 'bearer', token } };
  if (username !== undefined && password !== undefined) return { credentials: { kind: 'basic', username, password } };
  if (username !== undefined || password !== undefined)
    throw new GitError(
      'GitAuth',
      `the Secret has no key "${username === undefined ? 'username' : 'password'}" beside the other`,
    );
  if (value('tls.crt') !== undefined || value('tls.key') !== undefined)
    throw new GitError(
      'GitAuth',
      'the Secret has a client certificate, which is not supported; give a user or a token',
    );
  if (value('identity') !== undefined)
    throw new GitError('GitAuth', 'the Secret has an ssh key, but the URL is not ssh://; change one of them');
  return {};
}

function gitHubApp(value: Value): GitHubApp {
  const [appId = '', installationId, privateKey] = [
    'githubAppID',
    'githubAppInstallationID',
    'githubAppPrivateKey',
  ].map(value);
  if (installationId === undefined || privateKey === undefined)
    throw new GitError(
      'GitAuth',
      `the Secret has githubAppID and no ${privateKey === undefined ? 'githubAppPrivateKey' : 'githubAppInstallationID'}`,
    );
  const apiUrl = value('githubAppBaseURL');
  return { appId, installationId, privateKey, ...(apiUrl !== undefined && { apiUrl }) };
}
