// A git server on loopback with one repository, and `tk-image run` on it in this process. Used by the tests of jobs.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../cli/run.ts';
import type { Io } from '../../fn/io.ts';
import { addCommit, createRepository, git, startHttp, type Files, type HttpServer } from '../git/servers.ts';

export const MAIN = 'refs/heads/main';

/** A Deployment that follows the newest 1.x of its image, as people write it. */
export function deployment(name: string, tag: string, more = ''): string {
  return `# ${name}, as its team keeps it
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: shop
  annotations:
    fluxcd.io/automated: "true"
    fluxcd.io/tag.app: semver:~1
spec:
  template:
    spec:
      containers:
      - name: app
        image: ghcr.io/acme/${name}:${tag} # keep me
${more}`;
}

/** ImageMetadata of repositories, by their tags. */
export function metadata(images: Record<string, string[]>): string {
  return Object.entries(images)
    .map(([name, tags]) => {
      const list = tags.map((tag) => `- {name: "${tag}"}`).join('\n');
      return `apiVersion: image-update.dev/v1alpha1\nkind: ImageMetadata\nmetadata: {name: ${name}}\nimage: ghcr.io/acme/${name}\ncomplete: true\ntags:\n${list}\n`;
    })
    .join('---\n');
}

export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** A server, a repository on it, and a private home of files and cache. */
export interface Shop {
  server: HttpServer;
  /** The server's bare repository. */
  repository: string;
  /** Of that repository. */
  url: string;
  /** A directory for files and programs. */
  home: string;
  /** Runs `tk-image run` on a job, whose spec is completed. `files` are what `--metadata NAME` and its like may name. */
  run(spec: Record<string, unknown>, options?: RunOptions): Promise<Ran>;
  /** The commit of a ref. */
  head(ref?: string): string;
  show(ref: string, path: string): string;
  commit(files: Files, message?: string): string;
  close(): Promise<void>;
}

export interface RunOptions {
  args?: string[];
  files?: Record<string, string>;
  metadata?: Record<string, unknown>;
  environment?: NodeJS.ProcessEnv;
  /** Another cache directory, as on another machine. */
  cache?: string;
}

let made = 0;

export async function openShop(files: Files, users?: Record<string, string>): Promise<Shop> {
  const home = mkdtempSync(join(tmpdir(), 'image-update-shop-'));
  const root = join(home, 'served');
  mkdirSync(root);
  const repository = join(root, 'config.git');
  createRepository(repository, files);
  const server = await startHttp({ root, ...(users && { users }) });
  const url = `${server.url}/config.git`;
  return {
    server,
    repository,
    url,
    home,
    async run(spec, { args = [], files = {}, metadata = {}, environment = {}, cache = 'cache' } = {}) {
      const job = {
        apiVersion: 'image-update.dev/v1alpha1',
        kind: 'UpdateJob',
        metadata: { name: 'update', ...metadata },
        spec: {
          git: { url, ref: { branch: 'main' } },
          run: { image: 'image-update' },
          commit: { author: { email: 'bot@example.com' } },
          ...spec,
        },
      };
      const ran: Ran = { status: -1, stdout: '', stderr: '' };
      const io: Io = {
        read(name) {
          const text = name === 'job.yaml' ? JSON.stringify(job) : files[name];
          if (text === undefined) throw new Error('no such file');
          return Buffer.from(text);
        },
        isTerminal: false,
        output: (text) => (ran.stdout += text),
        error: (line) => (ran.stderr += `${line}\n`),
        environment: { PATH: process.env['PATH'], IMAGE_UPDATE_CACHE: join(home, cache), ...environment },
      };
      ran.status = await run(['-f', 'job.yaml', '--allow-http', ...args], io);
      return ran;
    },
    head: (ref = MAIN) => git(repository, ['rev-parse', ref]),
    show: (ref, path) => `${git(repository, ['show', `${ref}:${path}`])}\n`,
    commit: (files, message = `by hand ${made++}`) =>
      addCommit(repository, MAIN, files, { message, time: Math.floor(Date.now() / 1000) }),
    async close() {
      await server.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
