import type { Command } from 'commander';
import { UsageError } from '../fn/usage.ts';
import { CLOUDS, type Cloud } from './credentials/clouds.ts';

/** How registries are asked: the options of both programs, else the environment, as checked values. */
export interface RegistrySettings {
  /** A Docker config file instead of the usual ones. */
  dockerConfig?: string;
  /** A file with Kubernetes pull Secrets. */
  secretFile?: string;
  /** `USER@HOST`, whose password stdin has. */
  login?: string;
  /** A PEM file of authorities to trust beside Node's own. */
  caFile?: string;
  /** PEM files, by the host, with its port, that they are shown to. */
  clientCertificates: Map<string, { cert: string; key: string }>;
  /** Hosts, with their ports, that are asked by plain http. */
  insecure: string[];
  ambient: Set<Cloud>;
  /** Where what digests say is kept; false: nowhere; undefined: in the user's own cache. */
  cache?: string | false;
  /** `os/arch[/variant]`, whose image gives an index its time. */
  platform?: string;
  /** Globs of repositories whose labels and annotations may say when an image was built. */
  labels: string[];
  /** Most tags of a repository whose times are looked up in a run. */
  lookups?: number;
}

/** An option of both programs. */
interface RegistryOption {
  /** As commander wants it. */
  flags: string;
  /** Says the same where there is no command line, as under kpt. */
  variable?: string;
  /** May be given several times, with commas between in a variable. */
  several?: boolean;
  meaning: string;
}

/** What the pages say, in this order. */
export const registryOptions: readonly RegistryOption[] = [
  {
    flags: '--docker-config <file>',
    meaning: 'a Docker config file, instead of `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`',
  },
  {
    flags: '--registry-secret <file>',
    variable: 'REGISTRY_SECRET_FILE',
    meaning: 'a file with image pull Secrets of Kubernetes, as YAML or JSON',
  },
  {
    flags: '--registry-login <user@host>',
    meaning: 'log in to this host as this user; the password comes by `--password-stdin`',
  },
  { flags: '--password-stdin', meaning: 'read the password of `--registry-login` from stdin' },
  {
    flags: '--ca <file>',
    variable: 'REGISTRY_CA_FILE',
    meaning: 'a PEM file of authorities to trust beside the usual ones',
  },
  {
    flags: '--client-cert <host=file>',
    variable: 'REGISTRY_CLIENT_CERT',
    several: true,
    meaning: 'a PEM file with the certificate to show to this host, with its port; may be repeated',
  },
  {
    flags: '--client-key <host=file>',
    variable: 'REGISTRY_CLIENT_KEY',
    several: true,
    meaning: 'a PEM file with its key, if it is not in the same file',
  },
  {
    flags: '--insecure <host>',
    variable: 'REGISTRY_INSECURE',
    several: true,
    meaning: 'a host, with its port, that is asked by plain http; may be repeated',
  },
  {
    flags: '--ambient <clouds>',
    variable: 'REGISTRY_AMBIENT',
    several: true,
    meaning: "use this machine's own login in its cloud, for that cloud's registries: `aws`, `gcp`, `azure`",
  },
  {
    flags: '--cache <dir>',
    variable: 'IMAGE_UPDATE_CACHE',
    meaning:
      'where what digests say is kept between runs; default `image-update` below `$XDG_CACHE_HOME` or `~/.cache`',
  },
  { flags: '--no-cache', meaning: 'keep nothing between runs' },
  {
    flags: '--platform <platform>',
    variable: 'REGISTRY_PLATFORM',
    meaning: 'the platform whose image gives a multi-platform tag its time; default `linux/amd64`',
  },
  {
    flags: '--labels <image>',
    variable: 'REGISTRY_LABELS',
    several: true,
    meaning:
      'repositories, `*` for any part, whose label or annotation `org.opencontainers.image.created` is the time of an image; default none, as images inherit labels; may be repeated',
  },
  {
    flags: '--lookups <number>',
    variable: 'REGISTRY_LOOKUPS',
    meaning: 'most tags of a repository whose times are looked up in a run; default 100',
  },
];

/** Declares the options on a command line. */
export function declareRegistryOptions(command: Command): void {
  for (const { flags, several } of registryOptions)
    if (several) command.option(flags, '', (value: string, values: string[] | undefined) => [...(values ?? []), value]);
    else command.option(flags);
}

/** What commander made of the options. */
export interface GivenOptions {
  dockerConfig?: string;
  registrySecret?: string;
  registryLogin?: string;
  passwordStdin?: boolean;
  ca?: string;
  clientCert?: string[];
  clientKey?: string[];
  insecure?: string[];
  ambient?: string[];
  cache?: string | boolean;
  platform?: string;
  labels?: string[];
  lookups?: string;
}

/** The settings that options give, else the environment. @throws UsageError that names the option and what it takes. */
export function readSettings(given: GivenOptions, environment: NodeJS.ProcessEnv): RegistrySettings {
  const { dockerConfig } = given;
  const from = (variable: string) => environment[variable] || undefined;
  const severalFrom = (variable: string) => (environment[variable] ?? '').split(',');
  const secretFile = given.registrySecret ?? from('REGISTRY_SECRET_FILE');
  const caFile = given.ca ?? from('REGISTRY_CA_FILE');
  const cache = given.cache === false ? false : given.cache === true ? undefined : given.cache;
  const platform = given.platform ?? from('REGISTRY_PLATFORM');
  const lookups = given.lookups ?? from('REGISTRY_LOOKUPS');
  const login = readLogin(given);
  return {
    ...(dockerConfig !== undefined && { dockerConfig }),
    ...(secretFile !== undefined && { secretFile }),
    ...(login !== undefined && { login }),
    ...(caFile !== undefined && { caFile }),
    clientCertificates: readCertificates(
      given.clientCert ?? severalFrom('REGISTRY_CLIENT_CERT'),
      given.clientKey ?? severalFrom('REGISTRY_CLIENT_KEY'),
    ),
    insecure: parts(given.insecure ?? severalFrom('REGISTRY_INSECURE')).map((host) => readHost('--insecure', host)),
    ambient: new Set(parts(given.ambient ?? severalFrom('REGISTRY_AMBIENT')).map(readCloud)),
    ...(cache !== undefined && { cache }),
    ...(platform !== undefined && { platform: readPlatform(platform) }),
    labels: parts(given.labels ?? severalFrom('REGISTRY_LABELS')),
    ...(lookups !== undefined && { lookups: readCount('--lookups', lookups) }),
  };
}

/** The words of values that may have several each. */
function parts(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(',')).flatMap((part) => part.trim() || []);
}

const HOST = /^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?$/i;

function readHost(option: string, host: string): string {
  if (!HOST.test(host))
    throw new UsageError(`${option} ${host}: it takes a host with its port, such as localhost:5000`);
  return host.toLowerCase();
}

function readCertificates(certs: readonly string[], keys: readonly string[]): RegistrySettings['clientCertificates'] {
  const keyFiles = new Map(parts(keys).map((value) => readFileOf('--client-key', value)));
  const certificates: RegistrySettings['clientCertificates'] = new Map();
  for (const [host, cert] of parts(certs).map((value) => readFileOf('--client-cert', value)))
    certificates.set(host, { cert, key: keyFiles.get(host) ?? cert });
  const lone = [...keyFiles.keys()].find((host) => !certificates.has(host));
  if (lone !== undefined) throw new UsageError(`--client-key for ${lone} has no --client-cert beside it`);
  return certificates;
}

function readFileOf(option: string, value: string): [host: string, file: string] {
  const equals = value.indexOf('=');
  if (equals < 1 || equals === value.length - 1)
    throw new UsageError(`${option} ${value}: it takes HOST=FILE, such as registry.example.com=client.pem`);
  return [readHost(option, value.slice(0, equals)), value.slice(equals + 1)];
}

function readCloud(cloud: string): Cloud {
  const known = CLOUDS.find((name) => name === cloud);
  if (!known) throw new UsageError(`--ambient ${cloud}: the clouds are ${CLOUDS.join(', ')}`);
  return known;
}

const PLATFORM = /^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/;

function readPlatform(platform: string): string {
  if (PLATFORM.test(platform)) return platform;
  throw new UsageError(`--platform ${platform}: it is os/arch or os/arch/variant, such as linux/arm64`);
}

function readCount(option: string, text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new UsageError(`${option} ${text}: it takes a whole number`);
  return Number(text);
}

function readLogin({ registryLogin, passwordStdin }: GivenOptions): string | undefined {
  if (registryLogin !== undefined && !passwordStdin)
    throw new UsageError(
      '--registry-login needs --password-stdin: an argument can be seen by everybody on this machine',
    );
  if (registryLogin === undefined && passwordStdin)
    throw new UsageError('--password-stdin needs --registry-login USER@HOST');
  return registryLogin;
}
