import type { CredentialSource, Credentials } from '../credentials.ts';
import type { Http } from '../http.ts';
import { cloudSource, type Cloud } from './clouds.ts';
import { dockerConfigPlaces, dockerConfigSource } from './docker-config.ts';
import { environmentSource } from './environment.ts';
import { secretSource } from './secret.ts';

/** Where credentials may come from, as the user said. */
export interface CredentialOptions {
  /** A login that was given on stdin. */
  login?: CredentialSource;
  /** Files with image pull Secrets. */
  secretFiles?: readonly string[];
  /** A Docker config, in place of those that are looked for. */
  dockerConfig?: string;
  /** The clouds whose identity of this machine or user may be used; none unless the user says so. */
  ambient?: ReadonlySet<Cloud>;
}

/** What is touched of the outside world. */
export interface CredentialContext {
  http: Http;
  environment?: NodeJS.ProcessEnv;
  now?: () => number;
}

/**
 * All sources of credentials, the explicit first: stdin, environment, Secret files, Docker configs, clouds. The first that
 * knows a registry wins; one that fails ends the question, so that nobody is asked anonymously by accident. Each source keeps
 * what cost it something. Secret files are read now, all else when it is asked for.
 * @throws RegistryError for what was given explicitly and is not right.
 */
export async function credentialChain(
  { login, secretFiles = [], dockerConfig, ambient = new Set() }: CredentialOptions,
  { http, environment = process.env, now = Date.now }: CredentialContext,
): Promise<CredentialSource> {
  const ofEnvironment = environmentSource(environment);
  const sources: CredentialSource[] = [
    ...(login ? [login] : []),
    ...(ofEnvironment ? [ofEnvironment] : []),
    ...(await Promise.all(secretFiles.map(secretSource))),
    ...dockerConfigPlaces(dockerConfig, environment).map((place) => dockerConfigSource(place, environment, now)),
    ...(ambient.size > 0 ? [cloudSource(ambient, { http, environment, now })] : []),
  ];
  async function find(host: string, path: string): Promise<Credentials | undefined> {
    for (const source of sources) {
      const found = await source.find(host, path);
      if (found) return found;
    }
    return undefined;
  }
  return { name: sources.map(({ name }) => name).join(', '), find };
}
