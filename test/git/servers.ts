// Git servers on loopback for the tests: the real `git http-backend` behind a small HTTP server that can fail on purpose,
// and the real sshd. Each test file starts its own and closes it.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { findServer } from '../../scripts/tools.ts';

/** What a request is answered with instead of the backend's answer. A number is a bare HTTP status. */
export type Fault =
  /** The backend does its work, and the connection is cut before a byte of the answer. */
  | 'drop-answer'
  /** No answer, ever. */
  | 'hang'
  | { redirect: string }
  | number;

export interface HttpServerOptions {
  /** The directory whose repositories are served. */
  root: string;
  /** Any of these gets in; without one, everybody does. */
  users?: Readonly<Record<string, string>>;
  bearer?: string;
  /** Speaks the first protocol alone, which gives out only what refs name. */
  isOld?: boolean;
  /** PEM; makes it `https://`. */
  tls?: { key: string; cert: string };
}

/** A served request, as the tests count them: `GET /repo.git/info/refs?service=git-upload-pack`. */
export interface HttpServer {
  /** Without a slash at its end. */
  url: string;
  requests: string[];
  /** The `Authorization` headers that came, in order of the requests. */
  authorizations: (string | undefined)[];
  /** Asked before each request is served. Set it to fail. */
  fault: (request: IncomingMessage) => Fault | undefined;
  close(): Promise<void>;
}

const push = /\/git-receive-pack$/;

/** A fault for the first POST of a push alone. */
export function onPush(fault: Fault, times = 1): HttpServer['fault'] {
  let left = times;
  return ({ method, url }) => (method === 'POST' && push.test(url ?? '') && left-- > 0 ? fault : undefined);
}

/** Starts `git http-backend` on a free port of loopback. */
export async function startHttp({ root, users, bearer, isOld, tls }: HttpServerOptions): Promise<HttpServer> {
  const children = new Set<ChildProcess>();
  const sockets = new Set<Socket>();
  const allowed = new Set<string>();
  for (const [name, password] of Object.entries(users ?? {}))
    allowed.add(`Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`);
  if (bearer !== undefined) allowed.add(`Bearer ${bearer}`);

  const listener: RequestListener = (request, response) => {
    const { method, url = '', headers } = request;
    server.requests.push(`${method} ${url}`);
    server.authorizations.push(headers.authorization);
    const fault = server.fault(request);
    if (fault === 'hang') return;
    if (typeof fault === 'number') return void response.writeHead(fault).end();
    if (typeof fault === 'object') return void response.writeHead(302, { location: fault.redirect + url }).end();
    if (allowed.size > 0 && !allowed.has(headers.authorization ?? ''))
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    if (isOld) delete headers['git-protocol'];
    const child = spawnBackend(root, request);
    children.add(child);
    child.on('close', () => children.delete(child));
    if (fault === 'drop-answer') {
      child.stdout!.resume();
      child.on('close', () => request.socket.destroy());
    } else answer(child, response);
  };
  const listening = tls ? createHttpsServer(tls, listener) : createHttpServer(listener);
  listening.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  const server: HttpServer = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests: [],
    authorizations: [],
    fault: () => undefined,
    async close() {
      for (const socket of sockets) socket.destroy();
      for (const child of children) child.kill('SIGKILL');
      await new Promise((resolve) => listening.close(resolve));
    },
  };
  return server;
}

function spawnBackend(root: string, request: IncomingMessage): ChildProcess {
  const { method = 'GET', url = '', headers } = request;
  const at = url.indexOf('?');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...serverEnvironment(),
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REMOTE_USER: 'test',
      REQUEST_METHOD: method,
      PATH_INFO: decodeURIComponent(at < 0 ? url : url.slice(0, at)),
      QUERY_STRING: at < 0 ? '' : url.slice(at + 1),
      CONTENT_TYPE: headers['content-type'] ?? '',
      ...(headers['content-length'] && { CONTENT_LENGTH: headers['content-length'] }),
      ...(headers['content-encoding'] && { HTTP_CONTENT_ENCODING: headers['content-encoding'] }),
      ...(headers['git-protocol'] && { GIT_PROTOCOL: String(headers['git-protocol']) }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // A client that goes away, or a backend that answers before it has read all, is part of the tests.
  child.stdin.on('error', () => {});
  request.pipe(child.stdin);
  return child;
}

/** Turns the head of a CGI answer into an HTTP one. */
function answer(child: ChildProcess, response: ServerResponse): void {
  let head = Buffer.alloc(0);
  child.stdout!.on('data', (chunk: Buffer) => {
    if (response.headersSent) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    let status = 200;
    for (const line of head.toString('latin1', 0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(/:\s*/, 2);
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(head.subarray(end + 4));
  });
  child.on('close', () => (response.headersSent ? response.end() : response.writeHead(500).end()));
}

/** What a server's git runs with: nothing of the machine's configuration. */
export function serverEnvironment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
}

/** Runs git on a server's repository and returns what it prints. */
export function git(directory: string, args: readonly string[], input?: string | Buffer): string {
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd: directory,
    env: serverEnvironment(),
    ...(input !== undefined && { input }),
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${String(stderr)}`);
  return stdout.toString().trimEnd();
}

/** Files of a commit: content by path; `null` removes one; an object sets a mode (`120000`: content is the link's target). */
export type Files = Readonly<Record<string, string | Buffer | null | { mode: string; content: string | Buffer }>>;

/** Makes a bare repository that takes pushes and knows filters, with one commit of the files on `main`. */
export function createRepository(
  directory: string,
  files: Files,
  config: Readonly<Record<string, string>> = {},
): string {
  mkdirSync(directory, { recursive: true });
  git(directory, ['init', '--quiet', '--bare', '--initial-branch=main', '--template=']);
  const settings = {
    'http.receivepack': 'true',
    'uploadpack.allowFilter': 'true',
    'core.logAllRefUpdates': 'true',
    ...config,
  };
  for (const [key, value] of Object.entries(settings)) git(directory, ['config', key, value]);
  return addCommit(directory, 'refs/heads/main', files);
}

export interface CommitOptions {
  message?: string;
  /** Seconds since 1970. */
  time?: number;
  author?: string;
}

/** Adds a commit to a ref of a server's repository, as another pusher would. Returns its id. */
export function addCommit(directory: string, ref: string, files: Files, options: CommitOptions = {}): string {
  const { message = 'change', time = 1_700_000_000, author = 'Somebody <somebody@example.com>' } = options;
  const parent = spawnSync('git', ['rev-parse', '--verify', '--quiet', ref], {
    cwd: directory,
    env: serverEnvironment(),
  });
  const from = parent.status === 0 ? `from ${parent.stdout.toString().trim()}\n` : '';
  const parts: (string | Buffer)[] = [
    `commit ${ref}\nauthor ${author} ${time} +0000\ncommitter ${author} ${time} +0000\n`,
    ...data(message),
    from,
  ];
  for (const [path, file] of Object.entries(files)) {
    const name = `"${path.replaceAll(/["\\\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))}"`;
    if (file === null) parts.push(`D ${name}\n`);
    else {
      const { mode, content } =
        typeof file === 'string' || Buffer.isBuffer(file) ? { mode: '100644', content: file } : file;
      if (mode === '160000') parts.push(`M ${mode} ${String(content)} ${name}\n`);
      else parts.push(`M ${mode} inline ${name}\n`, ...data(content));
    }
  }
  git(
    directory,
    ['fast-import', '--quiet', '--date-format=raw'],
    Buffer.concat(parts.map((part) => Buffer.from(part))),
  );
  return git(directory, ['rev-parse', ref]);
}

function data(content: string | Buffer): (string | Buffer)[] {
  return [`data ${Buffer.byteLength(content)}\n`, content, '\n'];
}

/** Installs a hook of a server's repository. */
export function addHook(directory: string, name: string, script: string): void {
  mkdirSync(join(directory, 'hooks'), { recursive: true });
  writeFileSync(join(directory, 'hooks', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** The path of sshd; undefined if it is not installed. */
export const SSHD = findServer('sshd');

export interface SshServer {
  /** `ssh://user@127.0.0.1:port` and the root's path, without a slash at its end. */
  url: string;
  /** Lines for `known_hosts`. */
  knownHosts: string;
  close(): Promise<void>;
}

/** Makes an ssh key pair by ssh-keygen; returns the texts of its two halves. */
export function makeKey(
  directory: string,
  name: string,
  passphrase = '',
  type = 'ed25519',
): { key: string; publicKey: string } {
  const file = join(directory, name);
  const { status, stderr } = spawnSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', name, '-f', file]);
  if (status !== 0) throw new Error(`ssh-keygen: ${String(stderr)}`);
  return { key: readFileSync(file, 'utf8'), publicKey: readFileSync(`${file}.pub`, 'utf8') };
}

/** Starts sshd on a free port of loopback for the user that runs the tests. Ask whether `SSHD` is there first. */
export async function startSshd(directory: string, root: string, authorized: readonly string[]): Promise<SshServer> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // As root, sshd separates privileges in this directory; a package's service makes it at its start.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const host = makeKey(directory, 'host');
  writeFileSync(join(directory, 'authorized_keys'), authorized.join(''), { mode: 0o600 });
  const port = await freePort();
  const config = `
HostKey ${join(directory, 'host')}
AuthorizedKeysFile ${join(directory, 'authorized_keys')}
PidFile none
ListenAddress 127.0.0.1
Port ${port}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserEnvironment no
MaxStartups 100
AcceptEnv GIT_PROTOCOL
`;
  writeFileSync(join(directory, 'sshd_config'), config);
  const child = spawn(SSHD!, ['-D', '-e', '-f', join(directory, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  for (let tries = 0; !(await answers(port)); tries++) {
    if (child.exitCode !== null || tries === 100) throw new Error(`sshd did not start: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const user = spawnSync('id', ['-un']).stdout.toString().trim();
  return {
    url: `ssh://${user}@127.0.0.1:${port}${root}`,
    knownHosts: `[127.0.0.1]:${port} ${host.publicKey}`,
    async close() {
      child.kill();
      await closed;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const answered = await new Promise<boolean>((resolve) => {
    socket.on('data', () => resolve(true));
    socket.on('error', () => resolve(false));
  });
  socket.destroy();
  return answered;
}

/** Makes a certificate for 127.0.0.1 that no machine trusts by itself. */
export function makeCertificate(directory: string): { key: string; cert: string } {
  const [key, cert] = [join(directory, 'tls.key'), join(directory, 'tls.crt')];
  mkdirSync(dirname(key), { recursive: true });
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1';
  const files = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
  const { status, stderr } = spawnSync('openssl', [...request.split(' '), ...files]);
  if (status !== 0) throw new Error(`openssl: ${String(stderr)}`);
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
