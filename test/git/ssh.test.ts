// ssh with the real sshd, signatures with the real ssh-keygen and gpg, and GitHub Apps with a server of their API.
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { GitErrorClass } from '../../git/error.ts';
import { appCredentials, type GitHubApp } from '../../git/github-app.ts';
import { openRepository } from '../../git/open.ts';
import type { NewCommit, Remote, Signing } from '../../git/repository.ts';
import { findProgram } from '../../scripts/tools.ts';
import { createRepository, git, makeKey, serverEnvironment, SSHD, startHttp, startSshd } from './servers.ts';
import { leaveOutOfQuickRun } from '../quick.ts';
import { rejecting } from './rejects.ts';

leaveOutOfQuickRun();

const base = mkdtempSync(join(tmpdir(), 'image-update-test-'));
// Keys lie at paths that ssh and a shell read in their own ways.
const odd = join(base, "o'dd %d $HOME");
mkdirSync(odd);
t.teardown(() => rmSync(base, { recursive: true, force: true }));

// Servers and programs take their time on a busy machine.
t.setTimeout(160_000);

const MAIN = 'refs/heads/main';
const PASSPHRASE = 'canary-9b "$(id)" x';
const author = { name: 'image-update', email: 'bot@example.com' };

/** For the length of a test. Not for gpg, whose sockets take no path as long. */
function temporaryAt(t: Test, directory: string): void {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = directory;
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
}

let count = 0;
async function opened(t: Test, remote: Remote) {
  const directory = join(odd, `cache-${count++}`);
  const repository = await openRepository(remote, { directory, protocols: ['ssh:', 'http:'] });
  t.teardown(() => repository.close());
  return repository;
}

const rejects = rejecting(/canary|PRIVATE KEY/);

function change(parent: string, more: Partial<NewCommit> = {}): NewCommit {
  return {
    parent,
    changes: [{ path: 'a.yaml', content: Buffer.from('image: a:2\n') }],
    message: 'x',
    author,
    time: 1_800_000_000,
    ...more,
  };
}

t.test('ssh', { skip: SSHD ? false : 'sshd is not installed; npm run tools gets it where it can' }, async (t) => {
  temporaryAt(t, odd);
  const root = join(base, 'root');
  const directory = join(root, 'config.git');
  const commit = createRepository(directory, { 'a.yaml': 'image: a:1\n' });
  const keys = join(base, 'keys');
  mkdirSync(keys, { mode: 0o700 });
  const plain = makeKey(keys, 'plain');
  const locked = makeKey(keys, 'locked', PASSPHRASE);
  const stranger = makeKey(keys, 'stranger');
  const server = await startSshd(join(base, 'sshd'), root, [plain.publicKey, locked.publicKey]);
  t.teardown(() => server.close());
  const url = `${server.url}/config.git`;
  const knownHosts = server.knownHosts;
  const remote = (more: object): Remote => ({
    url,
    timeout: 30_000,
    credentials: { kind: 'ssh', key: plain.key, knownHosts, ...more },
  });

  const repository = await opened(t, remote({}));
  t.equal(await repository.remoteHead(MAIN), commit);
  t.equal(await repository.fetch(MAIN), commit);
  for await (const { content } of repository.blobs((await repository.list(commit)).map(({ oid }) => oid)))
    t.equal(content.toString(), 'image: a:1\n');
  const made = await repository.commit(change(commit));
  await repository.push({ commit: made, ref: MAIN });
  t.equal(git(directory, ['rev-parse', MAIN]), made);
  for await (const { oid } of repository.log(made, { max: 1 })) t.equal(oid, made);

  const mode = (name: string) => statSync(name).mode & 0o777;
  const mine = readdirSync(tmpdir()).filter(
    (name) => name.startsWith('image-update-git-') && name.includes(`-${process.pid}-`),
  );
  t.ok(mine.length > 0);
  t.equal(tmpdir(), odd);
  for (const name of mine) {
    t.equal(mode(join(tmpdir(), name)), 0o700, 'a private directory');
    for (const file of ['identity', 'known_hosts'])
      t.equal(mode(join(tmpdir(), name, file)), 0o600, `${file} is ours alone`);
  }
  repository.close();
  t.strictSame(
    readdirSync(tmpdir()).filter((name) => mine.includes(name)),
    [],
    'and is taken away',
  );

  const crlf = await opened(t, remote({ key: plain.key.replaceAll('\n', '\r\n').trimEnd() }));
  t.equal(await crlf.remoteHead(MAIN), made, 'a key as Windows and Secrets may have it');
  const withPassphrase = await opened(t, remote({ key: locked.key, passphrase: PASSPHRASE }));
  t.equal(await withPassphrase.fetch(MAIN), made, 'a key with a passphrase');

  const cases: [object, GitErrorClass, RegExp, string][] = [
    [{ key: stranger.key }, 'GitAuth', /credentials/, 'a key that the server does not know'],
    [{ key: locked.key, passphrase: 'canary wrong' }, 'GitAuth', /credentials|passphrase/, 'a wrong passphrase'],
    [{ key: locked.key }, 'GitAuth', /credentials|passphrase/, 'no passphrase'],
    [{ key: 'canary no key' }, 'GitAuth', /key cannot be read/, 'a key that is none'],
    [
      { knownHosts: knownHosts.replace(/ssh-ed25519 .*/, stranger.publicKey.trim()) },
      'HostKey',
      /another host key/,
      'a changed host key',
    ],
    [
      { knownHosts: stranger.publicKey.replace(/^/, 'elsewhere.example.com ') },
      'HostKey',
      /no key of this host/,
      'a host that is not known',
    ],
  ];
  for (const [more, wanted, words, name] of cases) {
    const repository = await opened(t, remote(more));
    await rejects(t, () => repository.fetch(MAIN), wanted, words, name);
    repository.close();
  }
  await rejects(
    t,
    () => opened(t, remote({ knownHosts: ' \n' })),
    'HostKey',
    /no known_hosts/,
    'no known hosts at all',
  );
  await rejects(t, () => opened(t, { url, timeout: 1000 }), 'GitAuth', /needs an ssh key/, 'no key at all');
  await rejects(
    t,
    () => opened(t, { url, timeout: 1000, credentials: { kind: 'bearer', token: 'x' } }),
    'GitAuth',
    /ssh key/,
    'a token for ssh',
  );
  const none = await opened(t, { ...remote({}), url: `${server.url}/none.git` });
  await rejects(t, () => none.fetch(MAIN), 'RefNotFound', /no such repository/, 'no such repository');
  const gone = await opened(t, { ...remote({}), url: 'ssh://127.0.0.1:1/config.git' });
  await rejects(t, () => gone.fetch(MAIN), 'GitUnavailable', /did not answer/, 'nobody listens');
});

t.test('signatures', async (t) => {
  temporaryAt(t, odd);
  const root = join(base, 'signed');
  const directory = join(root, 'config.git');
  const commit = createRepository(directory, { 'a.yaml': 'image: a:1\n' });
  const server = await startHttp({ root });
  t.teardown(() => server.close());
  const remote: Remote = { url: `${server.url}/config.git`, timeout: 30_000 };
  const signed = async (signing: Signing) => {
    const repository = await opened(t, remote);
    await repository.fetch(MAIN);
    const oid = await repository.commit(
      change(commit, { signing, message: 'Auto-release a\n\nüber\n\nUpdate-Job: ns/a/1' }),
    );
    await repository.push({ commit: oid, ref: MAIN });
    git(directory, ['update-ref', MAIN, commit]);
    repository.close();
    return oid;
  };
  const keys = join(base, 'signing');
  mkdirSync(keys, { mode: 0o700 });
  const ssh = makeKey(keys, 'ed25519');
  const rsa = makeKey(keys, 'rsa', '', 'rsa');
  const locked = makeKey(keys, 'locked', PASSPHRASE);
  writeFileSync(
    join(keys, 'allowed'),
    [ssh, rsa, locked].map(({ publicKey }) => `bot@example.com ${publicKey}`).join(''),
  );
  const verify = (oid: string) =>
    git(directory, ['-c', `gpg.ssh.allowedSignersFile=${join(keys, 'allowed')}`, 'log', '-1', '--format=%G? %GS', oid]);
  for (const [name, signing] of Object.entries({
    ed25519: { type: 'ssh', key: ssh.key },
    rsa: { type: 'ssh', key: rsa.key },
    passphrase: { type: 'ssh', key: locked.key, passphrase: PASSPHRASE },
  } as const)) {
    const oid = await signed(signing);
    t.equal(verify(oid), 'G bot@example.com', `${name}: a good signature`);
    t.equal(await signed(signing), oid, `${name}: the same again`);
  }
  for (const signing of [
    { type: 'ssh', key: 'canary' },
    { type: 'ssh', key: locked.key },
    { type: 'ssh', key: locked.key, passphrase: 'canary wrong' },
  ] as const)
    await rejects(
      t,
      () => signed(signing),
      'GitAuth',
      /cannot be signed/,
      `${signing.type} with a key that cannot be used`,
    );
});

t.test('OpenPGP', { skip: findProgram('gpg') ? false : 'gpg is not installed' }, async (t) => {
  const root = join(base, 'pgp');
  const directory = join(root, 'config.git');
  const commit = createRepository(directory, { 'a.yaml': 'image: a:1\n' });
  const server = await startHttp({ root });
  const home = mkdtempSync('/tmp/image-update-gpg-');
  const env = { ...serverEnvironment(), GNUPGHOME: home };
  t.teardown(async () => {
    await server.close();
    spawnSync('gpgconf', ['--kill', 'all'], { env });
    rmSync(home, { recursive: true, force: true });
  });
  const gpg = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      'gpg',
      ['--batch', '--pinentry-mode', 'loopback', '--passphrase', PASSPHRASE, ...args],
      { env },
    );
    if (status !== 0) throw new Error(String(stderr));
    return stdout.toString();
  };
  gpg('--quick-gen-key', 'Bot <bot@example.com>', 'ed25519', 'sign', 'never');
  const signing: Signing = { type: 'openpgp', key: gpg('--armor', '--export-secret-keys'), passphrase: PASSPHRASE };
  const made: string[] = [];
  for (let run = 0; run < 2; run++) {
    const repository = await opened(t, { url: `${server.url}/config.git`, timeout: 30_000 });
    await repository.fetch(MAIN);
    made.push(await repository.commit(change(commit, { signing })));
    await repository.push({ commit: made[run]!, ref: MAIN });
    git(directory, ['update-ref', MAIN, commit]);
    repository.close();
  }
  t.equal(made[0], made[1], 'the same again, though made at another time');
  const { stdout } = spawnSync('git', ['log', '-1', '--format=%G? %GS', made[0]!], { cwd: directory, env });
  t.match(stdout.toString(), /^[GU] Bot <bot@example.com>/, 'a good signature');
  const repository = await opened(t, { url: `${server.url}/config.git`, timeout: 30_000 });
  await repository.fetch(MAIN);
  const broken: Signing = { type: 'openpgp', key: 'canary' };
  await rejects(
    t,
    () => repository.commit(change(commit, { signing: broken })),
    'GitAuth',
    /cannot be signed/,
    'a key that is none',
  );
  await rejects(
    t,
    () => repository.commit(change(commit, { signing: { ...signing, passphrase: 'canary wrong' } })),
    'GitAuth',
    /cannot be signed/,
    'a wrong passphrase',
  );
  repository.close();
  const agents = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isAgentOf(pid));
  t.strictSame(agents, [], 'no agent of ours stays');
});

function isAgentOf(pid: string): boolean {
  try {
    return /gpg-agent.*image-update-git-/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    return false;
  }
}

t.test('GitHub Apps', async (t) => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const privateKey = pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const now = 1_800_000_000_000;
  let answer: [status: number, body: string] = [
    201,
    JSON.stringify({ token: 'canary-token', expires_at: '2027-01-15T09:00:00Z' }),
  ];
  let last: IncomingMessage | undefined;
  const api = createServer((request, response) => {
    last = request;
    response.writeHead(answer[0], { location: 'http://127.0.0.1:1/' }).end(answer[1]);
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  t.teardown(() => api.close());
  const apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}/api/v3/`;
  const app: GitHubApp = { appId: '12', installationId: '34', privateKey, apiUrl };

  t.strictSame(await appCredentials(app, { now }), {
    credentials: { kind: 'basic', username: 'x-access-token', password: 'canary-token' },
    expires: Date.parse('2027-01-15T09:00:00Z'),
  });
  t.equal(`${last?.method} ${last?.url}`, 'POST /api/v3/app/installations/34/access_tokens');
  const [header = '', claims = '', signature = ''] = (last?.headers.authorization ?? '')
    .replace('Bearer ', '')
    .split('.');
  const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown;
  t.strictSame(decode(header), { alg: 'RS256', typ: 'JWT' });
  t.strictSame(decode(claims), { iat: now / 1000 - 60, exp: now / 1000 + 540, iss: '12' });
  t.ok(
    createVerify('sha256').update(`${header}.${claims}`).verify(pair.publicKey, signature, 'base64url'),
    'signed by the key',
  );

  const answers: [number, string, GitErrorClass, RegExp][] = [
    [
      401,
      '{"message":"A JSON web token could not be decoded"}',
      'GitAuth',
      /does not take the key.*could not be decoded/,
    ],
    [404, '{"message":"Not Found"}', 'GitAuth', /no installation 34/],
    [403, '{"message":"suspended"}', 'GitAuth', /suspended/],
    [500, '', 'GitUnavailable', /answered 500/],
    [302, '', 'GitUnavailable', /answered 302/],
    [201, '{"token":"canary\\nX-Evil: 1","expires_at":"x"}', 'GitUnavailable', /something else than a token/],
    [201, 'canary', 'GitUnavailable', /something else than a token/],
    [201, 'x'.repeat(2 << 20), 'GitUnavailable', /too long/],
  ];
  for (const [status, body, wanted, words] of answers) {
    answer = [status, body];
    await rejects(t, () => appCredentials(app, { now }), wanted, words, `${status} ${body.slice(0, 20)}`);
  }
  const ec = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  for (const key of ['canary', ec])
    await rejects(
      t,
      () => appCredentials({ ...app, privateKey: key }),
      'GitAuth',
      /not an RSA private key/,
      'a key that is none',
    );
  await rejects(
    t,
    () => appCredentials({ ...app, installationId: '../34' }),
    'GitAuth',
    /must be a number/,
    'an installation that is none',
  );
  await rejects(
    t,
    () => appCredentials({ ...app, apiUrl: 'http://127.0.0.1:1' }),
    'GitUnavailable',
    /cannot be asked/,
    'nobody listens',
  );
});
