import { spawn } from 'node:child_process';
import { asMap } from '../../fn/lookup/values.ts';
import type { Credentials } from '../credentials.ts';
import { RegistryError } from '../error.ts';
import { basic } from './auths.ts';

/** Some helpers ask a cloud; a helper that waits for a person takes longer and is given up. */
const TIMEOUT_MS = 30_000;
/** Longer answers are no credentials. */
const MAX_BYTES = 1 << 20;
/** Secrets of ours that are for one registry, which no helper is. */
const OURS = ['REGISTRY_PASSWORD', 'REGISTRY_TOKEN', 'DOCKER_AUTH_CONFIG'];

/**
 * Asks a credential helper of Docker's protocol (docker-credential-helpers: `docker-credential-NAME get`, the server on
 * stdin, JSON on stdout). Undefined: it has none for the server.
 * @throws RegistryError that names the helper, and nothing of what it printed.
 */
export async function askHelper(
  name: string,
  server: string,
  environment: NodeJS.ProcessEnv,
  timeoutMs = TIMEOUT_MS,
): Promise<Credentials | undefined> {
  if (!/^[A-Za-z0-9._-]+$/.test(name))
    throw failed(
      `the credential helper ${JSON.stringify(name)} has a name that is none; correct it in the Docker config`,
    );
  const program = `docker-credential-${name}`;
  const { status, stdout } = await run(program, server, environment, timeoutMs);
  // The helpers' own words for it (credentials.errCredentialsNotFoundMessage), on stdout.
  if (status !== 0 && /credentials not found/i.test(stdout)) return undefined;
  if (status !== 0)
    throw failed(
      `${program} failed for ${server} with status ${status}; run "echo ${server} | ${program} get" to see why`,
    );
  const answer = parse(stdout);
  const [username, secret] = [answer?.['Username'], answer?.['Secret']];
  if (typeof username !== 'string' || typeof secret !== 'string')
    throw failed(`${program} answered for ${server} with something else than JSON with Username and Secret`);
  return username === '' && secret === '' ? undefined : basic(username, secret);
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return asMap(JSON.parse(text));
  } catch {
    return undefined;
  }
}

interface Ended {
  status: number | string;
  stdout: string;
}

async function run(program: string, input: string, environment: NodeJS.ProcessEnv, timeoutMs: number): Promise<Ended> {
  const env = { ...environment };
  for (const name of OURS) delete env[name];
  return new Promise((resolve, reject) => {
    // No shell: the name and the server stay data. What it says on stderr may hold secrets and goes nowhere.
    const child = spawn(program, ['get'], { env, stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true });
    const chunks: Buffer[] = [];
    let bytes = 0;
    function giveUp(problem: string): void {
      clearTimeout(timer);
      child.kill('SIGKILL');
      // A grandchild may hold the pipe open.
      child.stdout.destroy();
      child.unref();
      reject(failed(`${program} ${problem}`));
    }
    const timer = setTimeout(
      () => giveUp(`gave no answer for ${input} in ${timeoutMs / 1000} seconds; does it wait for somebody?`),
      timeoutMs,
    );
    child.on('error', ({ code }: NodeJS.ErrnoException) =>
      giveUp(
        code === 'ENOENT'
          ? 'is not on PATH, though the Docker config names it; install it or remove its name there'
          : `cannot be run (${code ?? 'unknown'})`,
      ),
    );
    // It may end without reading.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${input}\n`);
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_BYTES) giveUp(`answered for ${input} with more than ${MAX_BYTES} bytes`);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ status: code ?? signal ?? 'unknown', stdout: Buffer.concat(chunks).toString('utf8') });
    });
  });
}

function failed(message: string): RegistryError {
  return new RegistryError('unauthorized', message);
}
