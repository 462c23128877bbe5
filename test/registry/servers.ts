// Real registries for the tests: Debian's docker-registry 2.8, and distribution 3 built with Go (scripts/tools.ts).
import { execFileSync, spawn } from 'node:child_process';
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../scripts/tools.ts';
import { answer, startScripted, type Scripted } from './scripted.ts';

/** `docker-registry` 2.8 ignores `n`; `distribution-registry` 3 pages. */
export type RegistryProgram = 'docker-registry' | 'distribution-registry';

export interface ServerOptions {
  program?: RegistryProgram;
  /** Who may ask; default anybody. */
  login?: 'anonymous' | 'htpasswd' | 'token';
  /** With a certificate of `certificates`; `client`: and asks for one. */
  tls?: 'server' | 'client';
}

export interface Server {
  /** `127.0.0.1:PORT`. */
  host: string;
  origin: string;
  /** Its files, as a registry's storage driver lays them out. */
  storage: string;
  /** The token server, in token mode. */
  issuer?: Scripted;
  /** What logs a push in: headers of `Target`. */
  headersFor(path: string): Record<string, string>;
  stop(): Promise<void>;
}

/** A throw-away account, known to every server that wants a login. */
export const ACCOUNT = { username: 'tester', password: 'throw-away' };
const HTPASSWD = 'tester:$2y$05$/1VM38mvwCtoXylP4dH/LeAtfnygJOxciPJDzh0rLZyycVxsWfu9i\n';
const SERVICE = 'registry.test';
const START_SECONDS = 15;

/** Why a registry cannot be started here, for a test's `skip`; false if it can. */
export function cannotStart(program: RegistryProgram = 'docker-registry'): string | false {
  if (process.env['QUICK']) return 'QUICK: it starts other programs';
  if (!findProgram(program)) return `${program} is missing; npm test (as root) or npm run tools gets it`;
  return findProgram('openssl') ? false : 'openssl is missing';
}

/** Starts a registry on a free loopback port, its storage in a directory of its own. Stop it in a teardown. */
export async function startRegistry(options: ServerOptions = {}): Promise<Server> {
  const { program = 'docker-registry', login = 'anonymous', tls } = options;
  const directory = mkdtempSync(join(tmpdir(), 'image-update-registry-'));
  const storage = join(directory, 'storage');
  const keys = certificates();
  const issuer = login === 'token' ? await startIssuer() : undefined;
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: {
      addr: '127.0.0.1:0',
      secret: randomUUID(),
      ...(tls && {
        tls: {
          certificate: file('server.pem', keys.server.cert),
          key: file('server.key', keys.server.key),
          ...(tls === 'client' && { clientcas: [file('ca.pem', keys.ca)] }),
        },
      }),
    },
    ...(login === 'htpasswd' && { auth: { htpasswd: { realm: 'a realm', path: file('htpasswd', HTPASSWD) } } }),
    ...(issuer && {
      auth: {
        token: {
          realm: `${issuer.origin}/token`,
          service: SERVICE,
          issuer: 'test',
          rootcertbundle: file('issuer.pem', keys.issuer.cert),
        },
      },
    }),
  };
  // JSON is YAML.
  const child = spawn(findProgram(program)!, ['serve', file('config.yml', JSON.stringify(config))], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], OTEL_TRACES_EXPORTER: 'none' },
  });
  const closed = new Promise((resolve) => child.on('close', resolve));
  async function stop(): Promise<void> {
    child.kill('SIGKILL');
    await Promise.all([closed, issuer?.stop()]);
    rmSync(directory, { recursive: true, force: true });
  }
  let log = '';
  const port = await new Promise<string>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${program} ${why}: ${log.slice(-2000)}`));
    const timer = setTimeout(() => fail(`did not start in ${START_SECONDS} s`), START_SECONDS * 1000);
    child.on('error', reject).on('exit', (status) => fail(`exited with ${status}`));
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        // What it says later is read and dropped, so that its pipe never fills.
        if (log.length < 100_000) log += chunk;
        const [, port] = /listening on 127\.0\.0\.1:(\d+)/.exec(log) ?? [];
        if (port === undefined) return;
        clearTimeout(timer);
        resolve(port);
      });
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    host: `127.0.0.1:${port}`,
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    storage,
    ...(issuer && { issuer }),
    headersFor(path): Record<string, string> {
      if (login === 'htpasswd') return { authorization: basic() };
      if (login === 'token') return { authorization: `Bearer ${issueToken(`repository:${path}:pull,push`)}` };
      return {};
    },
    stop,
  };
}

function basic(): string {
  return `Basic ${Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64')}`;
}

/** A token server of the Docker kind: GET with Basic, POST with a refresh token; anonymously `public/…` alone. */
async function startIssuer(): Promise<Scripted> {
  return startScripted(({ method, path, query, authorization, body }, response) => {
    const form = method === 'POST' ? new URLSearchParams(body) : query;
    const known = method === 'POST' ? form.get('refresh_token') === REFRESH_TOKEN : authorization === basic();
    if (path !== '/token' || form.get('service') !== SERVICE) return answer(response, 404);
    if ((authorization !== undefined || method === 'POST') && !known)
      return answer(response, 401, { details: 'incorrect username or password' });
    const scopes = form.getAll('scope').filter((scope) => known || scope.startsWith('repository:public/'));
    return answer(response, 200, { token: issueToken(...scopes), expires_in: 300 });
  });
}

/** What the issuer takes as a refresh token. */
export const REFRESH_TOKEN = 'a-refresh-token-of-the-test';

/** A token that a registry in token mode accepts for scopes such as `repository:team/app:pull`. */
export function issueToken(...scopes: string[]): string {
  const { issuer } = certificates();
  const now = Math.floor(Date.now() / 1000);
  const header = { typ: 'JWT', alg: 'RS256', x5c: [new X509Certificate(issuer.cert).raw.toString('base64')] };
  const access = scopes.map((scope) => {
    const [type = '', ...rest] = scope.split(':');
    return { type, name: rest.slice(0, -1).join(':'), actions: (rest.at(-1) ?? '').split(',') };
  });
  const claims = {
    iss: 'test',
    sub: '',
    aud: SERVICE,
    nbf: now - 10,
    iat: now,
    exp: now + 300,
    jti: randomUUID(),
    access,
  };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${sign('sha256', Buffer.from(text), createPrivateKey(issuer.key)).toString('base64url')}`;
}

export interface KeyPair {
  cert: string;
  key: string;
}

/** A private authority and what it signed, PEM; made once a process by the openssl program. */
export interface Certificates {
  ca: string;
  /** For 127.0.0.1, localhost and registry.test. */
  server: KeyPair;
  client: KeyPair;
  /** Signs tokens; its own authority. */
  issuer: KeyPair;
}

let made: Certificates | undefined;

export function certificates(): Certificates {
  made ??= makeCertificates();
  return made;
}

function makeCertificates(): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'image-update-keys-'));
  try {
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
    const make = (name: string, ...more: string[]): KeyPair => {
      const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`];
      openssl('req', '-x509', ...key, '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`, ...more);
      return {
        cert: readFileSync(join(directory, `${name}.pem`), 'utf8'),
        key: readFileSync(join(directory, `${name}.key`), 'utf8'),
      };
    };
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'basicConstraints=critical,CA:FALSE'];
    return {
      ca: make('ca').cert,
      server: make('server', ...signed, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:registry.test'),
      client: make('client', ...signed, '-addext', 'extendedKeyUsage=clientAuth'),
      issuer: make('issuer'),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
