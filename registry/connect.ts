import { readFileSync } from 'node:fs';
import { reasonOf } from '../fn/directory.ts';
import type { Io } from '../fn/io.ts';
import { InputError, readText } from '../fn/run.ts';
import { diskCache } from './cache.ts';
import { createRegistry } from './client.ts';
import { credentialChain } from './credentials/chain.ts';
import { loginSource } from './credentials/environment.ts';
import { RegistryLookup } from './lookup.ts';
import { createHttp, insecureHosts } from './network.ts';
import { readSettings, type GivenOptions, type RegistrySettings } from './options.ts';
import { cacheDirectory } from './place.ts';
import { Progress, stderrScreen } from './progress.ts';
import { createScanner } from './scan.ts';
import { pushTimeReaders } from './times/readers.ts';

/**
 * Makes the live look-up of a run out of what options and environment say: the one place where the parts of this room meet.
 * @throws UsageError, InputError or RegistryError for what the user gave and is not right.
 */
export async function connect(given: GivenOptions, io: Io): Promise<RegistryLookup> {
  const { environment } = io;
  const settings = readSettings(given, environment);
  const { insecure, ambient, cache, platform, labels, lookups } = settings;
  const http = createHttp({ environment, insecure, ...trust(settings) });
  const credentials = await credentialChain(credentialOptions(settings, io), { http, environment });
  const plain = insecureHosts(insecure);
  const scanner = createScanner({
    registry: createRegistry({ http, credentials, insecure }),
    pushTimes: pushTimeReaders({
      http,
      credentials,
      ambient: ambient.has('aws'),
      origin: (host) => `${plain.has(host) ? 'http' : 'https'}://${host}`,
    }),
    ...(cache !== false && { cache: diskCache(cache ?? cacheDirectory(environment)) }),
    ...(platform !== undefined && { platform }),
    labels,
    ...(lookups !== undefined && { maxLookups: lookups }),
  });
  return new RegistryLookup(scanner, new Progress(stderrScreen(environment), () => http.requests));
}

function credentialOptions({ dockerConfig, secretFile, login, ambient }: RegistrySettings, io: Io) {
  return {
    ...(login !== undefined && { login: loginSource(login, readText(io, '-')) }),
    ...(secretFile !== undefined && { secretFiles: [secretFile] }),
    ...(dockerConfig !== undefined && { dockerConfig }),
    ambient,
  };
}

/** Whom to trust, and what to show to whom. */
function trust({ caFile, clientCertificates }: RegistrySettings) {
  const shown = [...clientCertificates].map(
    ([host, { cert, key }]) => [host, { cert: readPem(cert), key: readPem(key) }] as const,
  );
  return { ...(caFile !== undefined && { ca: readPem(caFile) }), clientCertificates: new Map(shown) };
}

function readPem(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(`${file} cannot be read: ${reasonOf(error)}`);
  }
  if (text.includes('-----BEGIN ')) return text;
  throw new InputError(`${file} has no certificate or key in PEM form (-----BEGIN …)`);
}
