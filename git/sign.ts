import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { askpass, writeKey } from './credentials.ts';
import { GitError } from './error.ts';
import { execute } from './process.ts';
import { cleanEnvironment } from './program.ts';
import { formsOf, redact } from './redact.ts';
import type { Signing } from './repository.ts';
import type { Scratch } from './scratch.ts';

/** Starting gpg's agent can take a second or more on a busy machine. */
const SIGN_TIMEOUT_MS = 60_000;
const MAX_SIGNATURE_BYTES = 64 << 10;

/**
 * Signs the text of a commit: an armoured signature for its `gpgsig`. ed25519 and RSA keys give the same one for the same
 * text; OpenPGP's holds a time, which is the commit's (reference/controllers.md E2).
 * @throws GitError of class `GitAuth` if the key cannot be used.
 */
export async function sign(text: Buffer, signing: Signing, time: number, scratch: Scratch): Promise<string> {
  return signing.type === 'ssh' ? sshSign(text, signing, scratch) : openpgpSign(text, signing, time, scratch);
}

async function sshSign(text: Buffer, { key, passphrase }: Signing, scratch: Scratch): Promise<string> {
  const file = writeKey(scratch, 'signing', key);
  const env = passphrase === undefined ? { SSH_ASKPASS_REQUIRE: 'never' } : askpass(scratch, passphrase);
  return run('ssh-keygen', ['-Y', 'sign', '-n', 'git', '-f', file], { key, passphrase, env, input: text, scratch });
}

async function openpgpSign(
  text: Buffer,
  { key, passphrase }: Signing,
  time: number,
  scratch: Scratch,
): Promise<string> {
  const home = join(scratch.path, 'gpg');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const env = { GNUPGHOME: home };
  const secret = scratch.write('passphrase', passphrase ?? '');
  const batch = ['--batch', '--no-tty', '--quiet', '--pinentry-mode', 'loopback', '--passphrase-file', secret];
  try {
    await run('gpg', [...batch, '--import'], { key, passphrase, env, input: key, scratch });
    const pinned = ['--faked-system-time', `${time}!`, '--ignore-time-conflict', '--ignore-valid-from'];
    return await run('gpg', [...batch, ...pinned, '--armor', '--detach-sign'], {
      key,
      passphrase,
      env,
      input: text,
      scratch,
    });
  } finally {
    // The agent would outlive us.
    const command = { program: 'gpgconf', args: ['--kill', 'all'], env: { ...cleanEnvironment(scratch.path), ...env } };
    await execute({ ...command, timeout: SIGN_TIMEOUT_MS }, MAX_SIGNATURE_BYTES).catch(() => {});
  }
}

interface Signer {
  key: string;
  passphrase: string | undefined;
  env: Record<string, string>;
  input: string | Buffer;
  scratch: Scratch;
}

async function run(program: string, args: string[], { key, passphrase, env, input, scratch }: Signer): Promise<string> {
  const command = {
    program,
    args,
    env: { ...cleanEnvironment(scratch.path), ...env },
    input,
    timeout: SIGN_TIMEOUT_MS,
  };
  const { status, stdout, stderr } = await execute(command, MAX_SIGNATURE_BYTES);
  if (status === 0) return stdout.toString();
  const said = redact(stderr, [...formsOf(key), ...(passphrase === undefined ? [] : formsOf(passphrase))]);
  throw new GitError(
    'GitAuth',
    `the commit cannot be signed: ${program} says: ${said.trim().slice(-500)}; check the signing key and its passphrase`,
  );
}
