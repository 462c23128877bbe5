import type { CredentialSource, Credentials } from '../credentials.ts';
import { RegistryError } from '../error.ts';
import type { Http } from '../http.ts';
import { kept } from './kept.ts';

/** Clouds whose identity of this machine or user may be used, if the user allows it. */
export const CLOUDS = ['aws', 'gcp', 'azure'] as const;

export type Cloud = (typeof CLOUDS)[number];

/** What a cloud gave: credentials, and when they expire, in milliseconds of the clock. */
export interface CloudLogin {
  credentials: Credentials;
  expires: number;
}

/** What the file of each cloud exports. It is loaded with the cloud's SDK, and only when one of its hosts is asked for. */
export interface CloudModule {
  login(registry: CloudRegistry, http: Http, signal: AbortSignal): Promise<CloudLogin>;
  /** Which identity the SDK tries, in words. */
  identity(environment: NodeJS.ProcessEnv): string;
  /** What to do when it is not good. */
  advice: string;
}

/** A registry of a cloud, told by its host. */
export interface CloudRegistry {
  cloud: Cloud;
  host: string;
  /** Logins are shared by registries with the same: one of AWS is good for a region, one of Google for all. */
  key: string;
  aws?: EcrRegion;
}

export interface EcrRegion {
  region: string;
  fips: boolean;
  dualStack: boolean;
}

// The hosts of each cloud, which nobody else can own, so a login sent there goes to the cloud alone: no port, no suffix.
const ECR =
  /^\d{12}\.dkr(?<dash>[.-])ecr(?<fips>-fips)?\.(?<region>[a-z0-9][a-z0-9-]*)\.(?:amazonaws\.(?:com(?:\.cn)?|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;
const GOOGLE = /^(?:(?:[a-z0-9-]+\.)?gcr\.io|[a-z0-9-]+\.pkg\.dev)$/;
const ACR = /^[a-z0-9-]+\.azurecr\.(?:io|cn|us)$/;

/** Which cloud a registry is of; undefined for any other, and for those that are public and need no login (public.ecr.aws, mcr.microsoft.com). */
export function cloudRegistry(host: string): CloudRegistry | undefined {
  const ecr = ECR.exec(host)?.groups;
  if (ecr) {
    const [region, fips, dualStack] = [ecr['region']!, ecr['fips'] !== undefined, ecr['dash'] === '-'];
    return { cloud: 'aws', host, key: `aws ${region} ${fips} ${dualStack}`, aws: { region, fips, dualStack } };
  }
  if (GOOGLE.test(host)) return { cloud: 'gcp', host, key: 'gcp' };
  return ACR.test(host) ? { cloud: 'azure', host, key: `azure ${host}` } : undefined;
}

/** Loads a cloud's file with its SDK. */
async function load(cloud: Cloud): Promise<CloudModule> {
  switch (cloud) {
    case 'aws':
      return import('./aws.ts');
    case 'gcp':
      return import('./google.ts');
    case 'azure':
      return import('./azure.ts');
  }
}

/** An SDK that waits longer for its cloud is given up. */
const TIMEOUT_MS = 30_000;
/** A login is used for this part of its life. */
const USED = 0.8;

/** What `cloudSource` needs from outside; tests give their own. */
export interface CloudContext {
  http: Http;
  environment: NodeJS.ProcessEnv;
  now: () => number;
  load?: typeof load;
  timeoutMs?: number;
}

/** Logs in to the registries of the clouds that the user allows, by the identity that this machine or user has there. */
export function cloudSource(allowed: ReadonlySet<Cloud>, context: CloudContext): CredentialSource {
  const { now } = context;
  const registries = new Map<string, CloudRegistry>();
  const ask = kept(async (key) => {
    const { credentials, expires } = await login(registries.get(key)!, context);
    return { value: credentials, until: now() + (expires - now()) * USED };
  }, now);
  async function find(host: string): Promise<Credentials | undefined> {
    const registry = cloudRegistry(host);
    if (!registry || !allowed.has(registry.cloud)) return undefined;
    if (!registries.has(registry.key)) registries.set(registry.key, registry);
    return ask(registry.key);
  }
  const names = CLOUDS.filter((cloud) => allowed.has(cloud)).map((cloud) => NAMES[cloud]);
  return { name: `the identity at ${names.join(', ')}`, find };
}

const NAMES: Record<Cloud, string> = { aws: 'AWS', gcp: 'Google Cloud', azure: 'Azure' };

async function login(registry: CloudRegistry, context: CloudContext): Promise<CloudLogin> {
  const { http, environment, timeoutMs = TIMEOUT_MS } = context;
  const sdk = await (context.load ?? load)(registry.cloud);
  const abort = new AbortController();
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    timeout.reject(new Error(`no answer in ${timeoutMs / 1000} seconds`));
    abort.abort();
  }, timeoutMs);
  try {
    // Not every SDK heeds the signal.
    return await Promise.race([sdk.login(registry, http, abort.signal), timeout.promise]);
  } catch (error) {
    // The network's own errors say what to do already.
    if (error instanceof RegistryError) throw error;
    const problem = saying(error, environment);
    throw new RegistryError(
      'unauthorized',
      `${NAMES[registry.cloud]} gave no login for ${registry.host} by ${sdk.identity(environment)} (${problem}); ${sdk.advice}`,
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Variables of the clouds whose values are secret. */
const SECRETS =
  /^(?:AWS_(?:SECRET_ACCESS_KEY|SESSION_TOKEN|CONTAINER_AUTHORIZATION_TOKEN)|AZURE_(?:CLIENT_SECRET|CLIENT_CERTIFICATE_PASSWORD|PASSWORD)|IDENTITY_HEADER)$/;
const MAX_SAYING = 240;

/**
 * What an SDK's error says that may be shown: its name and the first line of its message, without the values of secret
 * variables, without queries of URLs, and without anything that has the look of a token.
 */
function saying(error: unknown, environment: NodeJS.ProcessEnv): string {
  if (!(error instanceof Error)) return 'unknown error';
  let [message = ''] = error.message.split(/[\r\n]/);
  for (const [name, value] of Object.entries(environment))
    if (SECRETS.test(name) && value) message = message.replaceAll(value, HIDDEN);
  message = message
    .replaceAll(/\?\S*/g, '')
    .replaceAll(/(?:[A-Za-z0-9+_-]{40,}|[A-Za-z0-9+_/.-]{80,}|eyJ[\w.-]+)={0,2}/g, HIDDEN)
    .replaceAll(/[^\x20-\x7E]/g, '')
    .slice(0, MAX_SAYING);
  return error.name === 'Error' || message === '' ? message || error.name : `${error.name}: ${message}`;
}

const HIDDEN = '[hidden]';
