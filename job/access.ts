import { readFileSync } from 'node:fs';
import { asMap, asText } from '../fn/lookup/values.ts';
import { isNote, readValue } from '../fn/lookup/read.ts';
import { splitDocuments } from '../fn/yaml/documents.ts';
import { credentialsFromEnvironment } from '../git/environment.ts';
import { GitError } from '../git/error.ts';
import type { Remote, Signing } from '../git/repository.ts';
import { accessFromSecret } from '../git/secret.ts';
import { milliseconds } from '../api/duration.ts';
import { JobSpecError, type UpdateJob } from './read.ts';

/** A Secret of Kubernetes, its values decoded. */
export interface Secret {
  name: string;
  /** The host that it is for, by its annotation `image-update.dev/host` (reference/controllers.md F10). */
  host?: string;
  data: Record<string, string>;
}

/** What a job's repository is reached with, and what its commits are signed with. */
export interface Access {
  remote: Remote;
  signing?: Signing;
}

/**
 * The credentials of a job: a Secret that it names, if one of that name was given, else the environment's.
 * @throws GitError of class GitAuth or HostKey that says what is missing; JobSpecError for a key to sign with.
 */
export async function accessOf(
  { spec: { git, commit } }: UpdateJob,
  secrets: ReadonlyMap<string, Secret>,
  environment: NodeJS.ProcessEnv,
): Promise<Access> {
  const { signing } = commit;
  const key =
    signing && signingOf(signing.type, secrets.get(signing.secretRef.name), signing.secretRef.name, environment);
  const remote: Remote = { url: git.url, timeout: milliseconds(git.timeout) };
  const secret = git.secretRef && secrets.get(git.secretRef.name);
  if (secret) Object.assign(remote, await fromSecret(secret, git.url));
  else {
    const credentials = credentialsFromEnvironment(git.url, environment);
    const ca = fileOf('GIT_CA_FILE', environment);
    Object.assign(remote, credentials && { credentials }, ca !== undefined && { ca });
  }
  return { remote, ...(key && { signing: key }) };
}

async function fromSecret({ name, host, data }: Secret, url: string): Promise<Pick<Remote, 'credentials' | 'ca'>> {
  const wanted = new URL(url).hostname;
  if (host !== undefined && host !== wanted)
    throw new GitError(
      'GitAuth',
      `the Secret ${name} is for the host ${host}, not for ${wanted}; give the one for that`,
    );
  const { app, ...access } = accessFromSecret(data, url);
  if (!app) return access;
  // It brings the network stack along.
  const { appCredentials } = await import('../git/github-app.ts');
  const { credentials } = await appCredentials(app, access.ca === undefined ? {} : { ca: access.ca });
  return { ...access, credentials };
}

/** The key to sign with: by Flux's keys of a Secret, else by `GIT_SIGNING_KEY_FILE` and `GIT_SIGNING_KEY_PASSPHRASE`. */
function signingOf(
  type: Signing['type'],
  secret: Secret | undefined,
  name: string,
  environment: NodeJS.ProcessEnv,
): Signing {
  const [keyName, passphraseName] = type === 'ssh' ? ['identity', 'password'] : ['git.asc', 'passphrase'];
  const key = secret ? secret.data[keyName] : fileOf('GIT_SIGNING_KEY_FILE', environment);
  if (key === undefined)
    throw new JobSpecError(
      secret
        ? `spec.commit.signing: the Secret ${name} has no key "${keyName}"`
        : `spec.commit.signing: the Secret ${name} was not given; name its file with --secret, or the key's with GIT_SIGNING_KEY_FILE`,
    );
  const passphrase = secret ? secret.data[passphraseName] : environment['GIT_SIGNING_KEY_PASSPHRASE'];
  return { type, key, ...(passphrase && { passphrase: passphrase.replace(/\r?\n$/, '') }) };
}

function fileOf(variable: string, environment: NodeJS.ProcessEnv): string | undefined {
  const file = environment[variable];
  if (!file) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new GitError('GitAuth', `${variable} names ${file}, which cannot be read: ${(error as Error).message}`);
  }
}

/** The Secrets of a YAML text, by their names. @throws JobSpecError for what is none; it shows no value. */
export async function readSecrets(text: string, where: string): Promise<Secret[]> {
  const secrets: Secret[] = [];
  for (const [i, document] of splitDocuments(text).entries()) {
    const value = await readValue(text, document);
    if (isNote(value)) throw new JobSpecError(`${where}: document ${i + 1} is not readable YAML`);
    const resource = asMap(value);
    const metadata = asMap(resource?.['metadata']);
    const name = asText(metadata?.['name']);
    if (resource?.['kind'] !== 'Secret' || name === undefined)
      throw new JobSpecError(`${where}: document ${i + 1} is no Secret with a name`);
    const host = asText(asMap(metadata?.['annotations'])?.['image-update.dev/host']);
    secrets.push({ name, ...(host !== undefined && { host }), data: dataOf(resource, `${where}: the Secret ${name}`) });
  }
  return secrets;
}

function dataOf(resource: Record<string, unknown>, where: string): Record<string, string> {
  const data: Record<string, string> = {};
  for (const [key, value] of Object.entries(asMap(resource['data']) ?? {})) {
    const text = asText(value) ?? '';
    if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text))
      throw new JobSpecError(`${where}: data["${key}"] is not base64; write it as stringData`);
    data[key] = Buffer.from(text, 'base64').toString('utf8');
  }
  for (const [key, value] of Object.entries(asMap(resource['stringData']) ?? {})) data[key] = asText(value) ?? '';
  return data;
}
