// The three forges against a scripted server: what is asked of them, to the letter, and what their answers come to.
import t from 'tap';
import type { ForgeType } from '../../../git/forge/forge.ts';
import { openForge, placeOf } from '../../../git/forge/open.ts';
import { forgeCases, placeCases, tokenCases } from '../../fixtures/git/forges.ts';
import { answer, startScripted, type Scripted } from '../../registry/scripted.ts';
import { makeCertificate } from '../servers.ts';

const REPOSITORIES = { github: 'acme/config', gitlab: 'acme/team/config', gitea: 'acme/config' };
const PATHS = { github: '/api/v3', gitlab: '/api/v4', gitea: '/api/v1' };
const AUTHORIZATIONS = {
  github: (token: string) => `token ${token}`,
  gitlab: (token: string) => `Bearer ${token}`,
  gitea: (token: string) => `token ${token}`,
};

function open(server: Scripted, type: ForgeType, token: string, waits: number[] = [], timeout = 10_000) {
  return openForge(`${server.origin}/${REPOSITORIES[type]}.git`, {
    type,
    token,
    timeout,
    environment: {},
    wait: async (milliseconds) => waits.push(milliseconds),
  });
}

t.test('what is asked, and what the answers come to', async (t) => {
  for (const { about, type, token = 'canary-token', work, exchanges, wanted, fails, waits } of forgeCases) {
    const left = [...exchanges];
    const server = await startScripted((seen, response) => {
      const expected = left.shift();
      const path = seen.url.replace(type === 'github' ? /^\/api(?:\/v3)?/ : PATHS[type], '');
      t.equal(`${seen.method} ${path}`, expected?.asks, `${about}: what is asked`);
      t.strictSame(seen.body === '' ? undefined : JSON.parse(seen.body), expected?.body, `${about}: its body`);
      t.equal(seen.authorization, AUTHORIZATIONS[type](token), `${about}: its token`);
      t.match(seen.headers['user-agent'], /^image-update/);
      if (seen.body !== '') t.match(seen.headers['content-type'], /^application\/json/);
      answer(response, expected?.status ?? 200, expected?.answer, expected?.headers);
    });
    const waited: number[] = [];
    const forge = await open(server, type, token, waited);
    try {
      t.strictSame(await work(forge), wanted, about);
      t.notOk(fails, `${about}: it was to fail`);
    } catch (error) {
      const { name, class: errorClass, message } = error as Error & { class?: string };
      t.equal(name, 'GitError', `${about}: ${message}`);
      t.equal(errorClass, fails?.[0], `${about}: ${message}`);
      t.match(message, fails?.[1] ?? /^$/, about);
      t.notMatch(message, /canary-token/, `${about}: no secret is told`);
    }
    t.same(left, [], `${about}: all was asked`);
    if (waits) t.strictSame(waited, waits, `${about}: how long it is waited`);
    await server.stop();
  }
});

t.test('answers without an end, too long, cut off; no server; private authorities', async (t) => {
  for (const type of ['github', 'gitlab', 'gitea'] as const) {
    const server = await startScripted(() => undefined);
    const waits: number[] = [];
    const slow = await open(server, type, 'canary-token', waits, 50);
    await t.rejects(slow.defaultBranch(), { class: 'GitUnavailable', message: /no whole answer in 0\.05 s/ });
    t.equal(server.seen.length, 4, 'it is asked again');
    server.script = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(1 << 16)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    const forge = await open(server, type, 'canary-token', waits);
    await t.rejects(forge.defaultBranch(), { class: 'GitUnavailable', message: /its answer is too long/ });
    t.equal(server.seen.length, 5, 'and not again, as it would be as long');
    server.script = (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"default_br');
      setImmediate(() => response.destroy());
    };
    const wish = { head: 'a', base: 'b', title: 't', body: '', draft: false };
    await t.rejects(forge.create(wish), { class: 'GitUnavailable', message: /cannot be asked/ });
    t.equal(server.seen.length, 6, 'what may have been done is not done again');
    await server.stop();
    await t.rejects(forge.create(wish), { class: 'GitUnavailable', message: /ECONNREFUSED/ });
  }

  const tls = makeCertificate(t.testdir());
  const server = await startScripted((_, response) => answer(response, 200, { default_branch: 'main' }), { tls });
  t.teardown(server.stop);
  const options = { type: 'gitea', token: 'x', environment: {}, wait: async () => undefined } as const;
  const url = `${server.origin}/acme/config`;
  await t.rejects((await openForge(url, options)).defaultBranch(), { message: /certificate/ });
  t.equal(await (await openForge(url, { ...options, ca: tls.cert })).defaultBranch(), 'main');
});

t.test('where the API is, and with which token', async (t) => {
  for (const { url, given = {}, environment = {}, wanted } of placeCases) {
    const about = `${url} ${JSON.stringify(given)} ${Object.keys(environment).join()}`;
    const place = () => placeOf(url, given, environment);
    if (wanted instanceof RegExp) {
      t.throws(place, { class: 'RefNotFound', message: wanted }, about);
      t.throws(place, { message: /^(?!.*canary)/ }, about);
    } else {
      const [type, apiUrl, repository] = wanted;
      t.strictSame(place(), { type, apiUrl, repository }, about);
    }
  }
  const server = await startScripted((_, response) => answer(response, 200, { default_branch: 'main' }));
  t.teardown(server.stop);
  for (const [type, given, wanted] of tokenCases) {
    const environment = { ...given, ...(given['GITHUB_API_URL'] === 'HERE' && { GITHUB_API_URL: server.origin }) };
    const opened = openForge(`${server.origin}/${REPOSITORIES[type]}`, { type, environment });
    if (wanted instanceof RegExp) await t.rejects(opened, { class: 'GitAuth', message: wanted });
    else {
      await (await opened).defaultBranch();
      t.equal(server.authorizations.at(-1), AUTHORIZATIONS[type](wanted), JSON.stringify(environment));
    }
  }
});
