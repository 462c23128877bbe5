// The example of an UpdateJob, by the commands of its README, with the program as it is built, on a git server with TLS.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { root } from '../../scripts/build.ts';
import { createRepository, git, makeCertificate, startHttp } from '../git/servers.ts';
import { commandsOf, copyOf, makeWorkshop, treeOf } from '../examples.ts';

const program = join(root, 'dist/tk-image.js');
const cannot = process.env['QUICK']
  ? 'no other programs in a quick run'
  : !existsSync(program)
    ? 'dist/tk-image.js is not there; run: npm run build'
    : spawnSync('openssl', ['version']).status !== 0 && 'needs openssl, to make a certificate';

t.test('the README of examples/update-job does what it says', { skip: cannot }, async (t) => {
  const workshop = makeWorkshop();
  t.teardown(() => rmSync(workshop, { recursive: true, force: true }));
  const work = copyOf('update-job', workshop);
  const served = join(workshop, 'served');
  mkdirSync(served);
  const repository = join(served, 'config.git');
  const files = Object.fromEntries(treeOf(join(work, 'config')));
  const base = createRepository(repository, files);
  const tls = makeCertificate(join(workshop, 'tls'));
  const server = await startHttp({ root: served, users: { robot: 'secret' }, tls });
  t.teardown(() => server.close());
  const job = join(work, 'updatejob.yaml');
  writeFileSync(job, readFileSync(job, 'utf8').replace('https://git.example.com/shop', server.url));
  const environment = {
    PATH: [join(workshop, 'bin'), dirname(process.execPath), process.env['PATH']].join(':'),
    HOME: join(workshop, 'home'),
    GIT_USERNAME: 'robot',
    GIT_PASSWORD: 'secret',
    GIT_CA_FILE: join(workshop, 'tls/tls.crt'),
  };
  const shell = async (command: string, more: Record<string, string> = {}) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', command], { cwd: work, env: { ...environment, ...more } });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const status = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)));
    return { status, stdout, stderr };
  };

  const [dryRun = '', push = '', again = '', ...rest] = commandsOf('update-job').trim().split('\n');
  t.same(rest, [], 'three commands');
  const dry = await shell(dryRun);
  t.equal(dry.status, 0, dry.stderr);
  t.match(dry.stdout, /^--- a\/apps\/web\.yaml\n\+\+\+ b\/apps\/web\.yaml\n/, 'the diff');
  t.same(
    dry.stdout.split('\n').filter((line) => /^[-+] /.test(line)),
    [
      '-        image: registry.example.com/shop/web:1.4.2   # behind the load balancer',
      '+        image: registry.example.com/shop/web:1.4.10   # behind the load balancer',
    ],
  );
  t.equal(git(repository, ['rev-parse', 'main']), base, 'and no push');

  const pushed = await shell(push);
  t.equal(pushed.status, 0, pushed.stderr);
  t.equal(git(repository, ['rev-parse', 'main~1']), base, 'one commit');
  t.equal(git(repository, ['diff', '--numstat', base, 'main']), '1\t1\tapps/web.yaml', 'of one line');
  const message = git(repository, ['log', '-1', '--format=%B', 'main']);
  t.match(message, /^Auto-release registry\.example\.com\/shop\/web:1\.4\.10\n\nUpdate-Job: default\/shop\/\S+$/);

  server.requests.length = 0;
  const nothing = await shell(again);
  t.match(nothing, { status: 0, stderr: 'tk-image: nothing to change\n', stdout: /outcome: NothingToChange/ });
  t.equal(server.requests.length, 2, 'for one ls-remote');

  const compiledIn = (home: string) => join(home, '.cache/image-update/compiled');
  t.not(readdirSync(compiledIn(environment.HOME)).length, 0, 'what was compiled is kept');
  // Others could put there what is then run.
  mkdirSync(compiledIn(workshop), { recursive: true });
  chmodSync(compiledIn(workshop), 0o777);

  // As it is built: what is loaded late has classes of its own.
  t.match(await shell(push, { GIT_PASSWORD: 'wrong', HOME: workshop }), { status: 20, stderr: /GitAuth/ });
  t.strictSame(readdirSync(compiledIn(workshop)), [], 'but not in a directory that others can write to');
  writeFileSync(job, readFileSync(job, 'utf8').replace('image: image-update', 'image: alpine'));
  t.match(await shell(push, { PATH: withoutEngines(workshop, environment.PATH) }), {
    status: 45,
    stderr: /ImagePull: no program runs containers here/,
  });
});

/** A PATH on which the programs that run containers do not work. */
function withoutEngines(workshop: string, path: string): string {
  const bin = join(workshop, 'no-engines');
  mkdirSync(bin);
  for (const name of ['docker', 'podman', 'nerdctl'])
    writeFileSync(join(bin, name), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return `${bin}:${path}`;
}
