import { isNote, readValue } from '../../fn/lookup/read.ts';
import { asMap, asText, type Values } from '../../fn/lookup/values.ts';
import { splitDocuments } from '../../fn/yaml/documents.ts';
import type { CredentialSource } from '../credentials.ts';
import { RegistryError } from '../error.ts';
import { decodeBase64, findEntry, readAuths, type Entry } from './auths.ts';
import { readDockerConfig } from './docker-config.ts';
import { readCredentialFile } from './file.ts';

/**
 * The credentials of a file with image pull Secrets. Its helpers are not run: a pull Secret has none, and one from elsewhere
 * must not start programs here.
 * @throws RegistryError if it is not there, not readable, or holds no such Secret.
 */
export async function secretSource(path: string): Promise<CredentialSource> {
  const text = await readCredentialFile(path);
  if (text === undefined) throw malformed(`the Secret file ${path} is not there; correct its path`);
  const entries = await readSecrets(text, path);
  return { name: path, find: async (host, repository) => findEntry(entries, host, repository) };
}

/** Reads the pull Secrets of a YAML or JSON text, one document or many, a `List` of them too; other documents are passed over. */
async function readSecrets(text: string, name: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  let secrets = 0;
  for (const document of splitDocuments(text)) {
    const value = await readValue(text, document);
    // The reader's message may quote the text; its place is all that may be told.
    if (isNote(value)) throw malformed(`${name}: ${/^line \d+/.exec(value.message)?.[0] ?? 'it'} is not readable YAML`);
    for (const secret of secretsOf(value)) {
      const config = configOf(secret, name);
      if (!config) continue;
      secrets++;
      entries.push(...config);
    }
  }
  if (secrets > 0) return entries;
  throw malformed(`${name} holds no Secret of type kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg`);
}

function secretsOf(value: unknown): Values[] {
  const resource = asMap(value);
  const items = resource?.['items'];
  const resources = Array.isArray(items) ? items.map(asMap) : [resource];
  return resources.flatMap((each) => (each?.['kind'] === 'Secret' ? [each] : []));
}

function configOf(secret: Values, name: string): Entry[] | undefined {
  const label = `${name}: Secret ${asText(asMap(secret['metadata'])?.['name']) ?? 'without a name'}`;
  const json = contentOf(secret, '.dockerconfigjson', label);
  if (json !== undefined) return readDockerConfig(json, label).entries;
  const old = contentOf(secret, '.dockercfg', label);
  // The old form is the map of registries alone.
  return old === undefined ? undefined : readAuths(parseMap(old, label), label);
}

function parseMap(text: string, label: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw malformed(`${label} is not used: its .dockercfg is not JSON`);
  }
}

/** A key's text: `stringData` goes before `data`, as the API server has it. */
function contentOf(secret: Values, key: string, label: string): string | undefined {
  const plain = asMap(secret['stringData'])?.[key];
  if (typeof plain === 'string') return plain;
  const encoded = asMap(secret['data'])?.[key];
  if (encoded === undefined || encoded === null) return undefined;
  const text = typeof encoded === 'string' ? decodeBase64(encoded)?.toString('utf8') : undefined;
  if (text === undefined) throw malformed(`${label}: data[${key}] is not base64; if it is encrypted, decrypt it first`);
  return text;
}

function malformed(message: string): RegistryError {
  return new RegistryError('unauthorized', message);
}
