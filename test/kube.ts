// A real API server on loopback for the tests: kube-apiserver, built with Go, and Debian's etcd (scripts/tools.ts).
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpsRequest, Agent } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asText } from '../fn/lookup/values.ts';
import { findServer } from '../scripts/tools.ts';

export interface KubeServer {
  /** `https://127.0.0.1:PORT`. */
  url: string;
  /** Bearer token of somebody who may do everything. */
  token: string;
  /** PEM of its certificate. */
  ca: string;
  /** Sends JSON. `type` is the content type of a patch. */
  request(method: string, path: string, body?: unknown, type?: string): Promise<Answer>;
  stop(): Promise<void>;
}

export interface Answer {
  status: number;
  /** The object, or the Status that says what is wrong. */
  body: Record<string, unknown>;
  /** What the Status says; empty if there is none. */
  message: string;
  /** What the API server warns of. */
  warnings: string[];
}

/** Why no API server can be started here, for a test's `skip`; false if one can. */
export function cannotStartKube(): string | false {
  const missing = ['etcd', 'kube-apiserver'].filter((name) => !findServer(name));
  return missing.length > 0 && `${missing.join(' and ')} missing; npm run tools gets what can be had here`;
}

const START_SECONDS = 120;

/** Starts etcd and kube-apiserver on free ports, their files in a directory of their own. Stop it in a teardown. */
export async function startKube(): Promise<KubeServer> {
  const directory = mkdtempSync(join(tmpdir(), 'image-update-kube-'));
  const [client, peer, secure] = await freePorts(3);
  const token = randomUUID();
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const etcdUrl = `http://127.0.0.1:${client}`;
  const children = [
    start('etcd', directory, [
      `--data-dir=${join(directory, 'etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=default=http://127.0.0.1:${peer}`,
    ]),
    start('kube-apiserver', directory, [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      '--endpoint-reconciler-type=none',
      `--secure-port=${secure}`,
      `--cert-dir=${join(directory, 'certificates')}`,
      `--token-auth-file=${file('tokens.csv', `${token},tester,tester,system:masters\n`)}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${file('sa.pub', publicKey)}`,
      `--service-account-signing-key-file=${file('sa.key', privateKey)}`,
      '--disable-admission-plugins=ServiceAccount',
    ]),
  ];
  const url = `https://127.0.0.1:${secure}`;
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const stop = async () => {
    agent.destroy();
    await Promise.all(children.map(end));
    rmSync(directory, { recursive: true, force: true });
  };
  const certificate = () => readFileSync(join(directory, 'certificates/apiserver.crt'), 'utf8');
  const send = (ca: string) => (method: string, path: string, body?: unknown, type?: string) =>
    sendJson({ url, token, ca, agent }, method, path, body, type);
  for (let left = START_SECONDS * 5; ; left--) {
    try {
      const ca = certificate();
      const request = send(ca);
      const [{ status }, { status: namespace }] = [
        await request('GET', '/readyz?verbose'),
        await request('GET', '/api/v1/namespaces/default'),
      ];
      if (status === 200 && namespace === 200) return { url, token, ca, request, stop };
    } catch {
      // Not there yet.
    }
    const gone = children.find(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null);
    if (left === 0 || gone) {
      const logs = ['etcd', 'kube-apiserver'].map((name) => readFileSync(join(directory, `${name}.log`), 'utf8'));
      await stop();
      throw new Error(`the API server did not start; its log ends:\n${logs.map((log) => log.slice(-2000)).join('\n')}`);
    }
    await sleep(200);
  }
}

function start(name: string, directory: string, args: string[]): ChildProcess {
  const log = openSync(join(directory, `${name}.log`), 'w');
  return spawn(findServer(name)!, args, { cwd: directory, stdio: ['ignore', log, log] });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  // Nothing of theirs is kept.
  child.kill('SIGKILL');
  await ended;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

interface Connection {
  url: string;
  token: string;
  ca: string;
  agent: Agent;
}

function sendJson(
  { url, token, ca, agent }: Connection,
  method: string,
  path: string,
  body: unknown,
  type = 'application/json',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json', 'content-type': type };
    const request = httpsRequest(`${url}${path}`, { method, ca, agent, headers, timeout: 30_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const { statusCode: status = 0, headers } = response;
        const isJson = headers['content-type']?.startsWith('application/json') === true;
        const warnings = [headers['warning'] ?? []].flat();
        const body = isJson ? (JSON.parse(text) as Answer['body']) : { message: text };
        resolve({ status, body, message: asText(body['message']) ?? '', warnings });
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer to ${method} ${path}`)));
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
