import { homedir } from 'node:os';
import { join } from 'node:path';
import { asMap, type Values } from '../../fn/lookup/values.ts';
import type { Credentials, CredentialSource } from '../credentials.ts';
import { RegistryError } from '../error.ts';
import { findEntry, parseScope, readAuths, type Entry } from './auths.ts';
import { readCredentialFile } from './file.ts';
import { askHelper } from './helper.ts';
import { kept } from './kept.ts';

/** A Docker config as far as credentials go; podman's `auth.json` has the same form. */
export interface DockerConfig {
  entries: Entry[];
  /** By canonical host: the helper, and the server's name as the file has it, which the helper knows it by. */
  helpers: Map<string, { helper: string; server: string }>;
  /** The helper for all other hosts. */
  store: string;
}

/** Where Docker keeps the Hub's login, in files and in helpers (docker/cli, registry.IndexServer). */
const HUB_SERVER = 'https://index.docker.io/v1/';
/** A helper does not tell when its answer expires; Google's last an hour, and are renewed some minutes before. */
const HELPER_MS = 5 * 60_000;

/**
 * Reads a Docker config.
 * @throws RegistryError that names file and key, and nothing of the content.
 */
export function readDockerConfig(text: string, name: string): DockerConfig {
  const config = parseJson(text, name);
  const helpers: DockerConfig['helpers'] = new Map();
  for (const [server, helper] of Object.entries(mapOf(config, 'credHelpers', name))) {
    if (typeof helper !== 'string') throw malformed(name, `credHelpers[${JSON.stringify(server)}] is not text`);
    const scope = parseScope(server);
    if (scope?.path === '') helpers.set(scope.host, { helper, server });
  }
  const store = config['credsStore'] ?? '';
  if (typeof store !== 'string') throw malformed(name, 'credsStore is not text');
  return { entries: readAuths(config['auths'], `${name}: auths`), helpers, store };
}

function parseJson(text: string, name: string): Values {
  let value: unknown;
  try {
    // Docker takes an empty file for an empty config.
    value = text.trim() === '' ? {} : (JSON.parse(text) as unknown);
  } catch (error) {
    // The parser's message quotes the text; its place is all that may be told.
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    const line = position === undefined ? '' : `, line ${text.slice(0, Number(position)).split('\n').length}`;
    throw malformed(name, `it is not JSON${line}`);
  }
  const config = asMap(value);
  if (!config) throw malformed(name, 'it is not a JSON object');
  return config;
}

function mapOf(config: Values, key: string, name: string): Values {
  const value = config[key] ?? {};
  const map = asMap(value);
  if (!map) throw malformed(name, `${key} is not a map`);
  return map;
}

function malformed(name: string, problem: string): RegistryError {
  return new RegistryError('unauthorized', `${name} is not used: ${problem}; correct it or log in again`);
}

/** A place where a Docker config may be: a file, or the text itself. */
export interface DockerConfigPlace {
  /** For messages: the path, or the variable that holds the text. */
  name: string;
  text?: string;
  /** Somebody named it, so it must be there. */
  required: boolean;
}

/**
 * Where to look for Docker configs, in order. A path that is given is the only one. Else: the text in `DOCKER_AUTH_CONFIG`
 * (Docker's CLI and GitLab's runners), `config.json` in `DOCKER_CONFIG` or `~/.docker`, and podman's files
 * (containers-auth.json(5)), of which one that `REGISTRY_AUTH_FILE` names goes before a `~/.docker` that nobody named.
 */
export function dockerConfigPlaces(given: string | undefined, environment: NodeJS.ProcessEnv): DockerConfigPlace[] {
  if (given !== undefined) return [{ name: given, required: true }];
  const variable = (name: string) => environment[name] || undefined;
  const home = variable('HOME') ?? homedir();
  const [text, directory, named, runtime] = [
    variable('DOCKER_AUTH_CONFIG'),
    variable('DOCKER_CONFIG'),
    variable('REGISTRY_AUTH_FILE'),
    variable('XDG_RUNTIME_DIR'),
  ];
  const podman = [
    ...(runtime ? [join(runtime, 'containers/auth.json')] : []),
    join(variable('XDG_CONFIG_HOME') ?? join(home, '.config'), 'containers/auth.json'),
  ];
  const optional = (name: string) => ({ name, required: false });
  return [
    ...(text === undefined ? [] : [{ name: 'DOCKER_AUTH_CONFIG', text, required: true }]),
    ...(directory === undefined ? [] : [optional(join(directory, 'config.json'))]),
    ...(named === undefined ? [] : [{ name: named, required: true }]),
    ...(directory === undefined ? [optional(join(home, '.docker/config.json'))] : []),
    ...(named === undefined ? podman.map(optional) : []),
  ];
}

/**
 * The credentials of a Docker config, read when a host is first asked for. A helper for the host goes first, then the store
 * for all hosts, then `auths` (docker/cli, configfile.getConfiguredCredentialStore: with a helper Docker reads `auths` not
 * at all; here they are read where the helper has nothing, as podman does). A helper named "" switches the store off.
 */
export function dockerConfigSource(
  place: DockerConfigPlace,
  environment: NodeJS.ProcessEnv,
  now: () => number,
): CredentialSource {
  let config: Promise<DockerConfig | undefined> | undefined;
  const ask = kept(async (host) => {
    const { helpers, store } = (await config)!;
    const hub = host === 'docker.io';
    const { helper, server } = helpers.get(host) ?? { helper: store, server: hub ? HUB_SERVER : host };
    const value = helper === '' ? undefined : await askHelper(helper, server, environment);
    return { value, until: now() + HELPER_MS };
  }, now);
  async function find(host: string, path: string): Promise<Credentials | undefined> {
    config ??= load(place);
    const known = await config;
    return known && ((await ask(host)) ?? findEntry(known.entries, host, path));
  }
  return { name: place.name, find };
}

async function load({ name, text, required }: DockerConfigPlace): Promise<DockerConfig | undefined> {
  const content = text ?? (await readCredentialFile(name));
  if (content !== undefined) return readDockerConfig(content, name);
  if (!required) return undefined;
  throw new RegistryError('unauthorized', `the Docker config ${name} is not there; log in, or correct its path`);
}
