import { GitError } from './error.ts';
import { formsOf } from './redact.ts';
import type { GitCredentials, Remote } from './repository.ts';
import type { Scratch } from './scratch.ts';

/** How git is told to get in: by its environment alone, and by files that only we can read. */
export interface Access {
  config: [key: string, value: string][];
  env: Record<string, string>;
  /** What must not be shown. */
  secrets: string[];
}

/** Seconds until ssh gives a server up that does not answer at all. */
const SSH_CONNECT_SECONDS = 30;

/**
 * What git needs to reach a remote with its credentials, for exactly that URL's host: never in an argument, a URL or a
 * configuration file (reference/controllers.md B2, B3).
 * @throws GitError of class `GitAuth` or `HostKey` for credentials that cannot work.
 */
export function accessTo(url: URL, { credentials, ca }: Remote, scratch: Scratch): Access {
  const access = url.protocol === 'ssh:' ? sshAccess(url, credentials, scratch) : httpAccess(url, credentials);
  if (ca !== undefined && url.protocol === 'https:') {
    // Loaded where it is needed: it brings the network stack along.
    const { getCACertificates, rootCertificates } = process.getBuiltinModule('node:tls');
    const system = getCACertificates('system');
    const all = [...(system.length > 0 ? system : rootCertificates), ca].join('\n');
    access.config.push(['http.sslCAInfo', scratch.write('ca.crt', all)]);
  }
  return access;
}

function httpAccess(url: URL, credentials: GitCredentials | undefined): Access {
  if (!credentials) return { config: [], env: {}, secrets: [] };
  if (credentials.kind === 'ssh' || url.protocol === 'file:')
    throw new GitError('GitAuth', `${url.href} takes no ${credentials.kind} credentials; give what its protocol uses`);
  const { scheme, value, secrets } = authorization(credentials);
  // A line feed would begin another header.
  if (/[^\u0021-\u007E]/.test(value))
    throw new GitError('GitAuth', `the token for ${url.host} holds white space or what no header may hold`);
  return {
    config: [[`http.${url.origin}/.extraHeader`, `Authorization: ${scheme} ${value}`]],
    env: {},
    secrets: [value, ...secrets.flatMap(formsOf)],
  };
}

function authorization(credentials: Exclude<GitCredentials, { kind: 'ssh' }>) {
  if (credentials.kind === 'bearer') return { scheme: 'Bearer', value: credentials.token, secrets: [] };
  const { username, password } = credentials;
  return {
    scheme: 'Basic',
    value: Buffer.from(`${username}:${password}`).toString('base64'),
    secrets: [password],
  };
}

function sshAccess(url: URL, credentials: GitCredentials | undefined, scratch: Scratch): Access {
  if (credentials?.kind !== 'ssh')
    throw new GitError('GitAuth', `${url.href} needs an ssh key; give one, with the known_hosts of ${url.host}`);
  if (credentials.knownHosts.trim() === '')
    throw new GitError(
      'HostKey',
      `no known_hosts is given for ${url.host}; add the host keys that its operator publishes`,
    );
  const { key, passphrase } = credentials;
  const options: Record<string, string> = {
    IdentityFile: quoted(writeKey(scratch, 'identity', key)),
    UserKnownHostsFile: quoted(scratch.write('known_hosts', `${credentials.knownHosts.trimEnd()}\n`)),
    GlobalKnownHostsFile: '/dev/null',
    StrictHostKeyChecking: 'yes',
    UpdateHostKeys: 'no',
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    PreferredAuthentications: 'publickey',
    // Batch mode would not ask for a passphrase either, not even the program that answers.
    BatchMode: passphrase === undefined ? 'yes' : 'no',
    NumberOfPasswordPrompts: '1',
    ConnectTimeout: String(SSH_CONNECT_SECONDS),
    ControlMaster: 'no',
    ControlPath: 'none',
  };
  const words = [
    'ssh',
    '-F',
    '/dev/null',
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ];
  return {
    config: [],
    env: {
      // Git gives this to a shell: every word is quoted, and each is ours.
      GIT_SSH_COMMAND: words.map(shellQuoted).join(' '),
      GIT_SSH_VARIANT: 'ssh',
      ...(passphrase !== undefined && askpass(scratch, passphrase)),
    },
    secrets: [...formsOf(key), ...(passphrase === undefined ? [] : formsOf(passphrase))],
  };
}

/** Writes a private key as ssh wants it: with line feeds, one at the end. */
export function writeKey(scratch: Scratch, name: string, key: string): string {
  return scratch.write(name, `${key.replaceAll('\r\n', '\n').trimEnd()}\n`);
}

/** The environment by which ssh and ssh-keygen get a passphrase: from a program that reads it from its own environment. */
export function askpass(scratch: Scratch, passphrase: string): Record<string, string> {
  const script = '#!/bin/sh\nprintf \'%s\\n\' "$IMAGE_UPDATE_PASSPHRASE"\n';
  return {
    SSH_ASKPASS: scratch.write('askpass', script, 0o700),
    SSH_ASKPASS_REQUIRE: 'force',
    IMAGE_UPDATE_PASSPHRASE: passphrase,
  };
}

/** A path as ssh's configuration takes it: blanks kept, `%` not a token. */
function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}

function shellQuoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
