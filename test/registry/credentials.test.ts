// Where credentials come from. Every secret of the cases has CANARY in it: no message may, and no other host or port may get it.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { parseScope } from '../../registry/credentials/auths.ts';
import { credentialChain } from '../../registry/credentials/chain.ts';
import {
  cloudRegistry,
  cloudSource,
  type Cloud,
  type CloudContext,
  type CloudModule,
} from '../../registry/credentials/clouds.ts';
import { dockerConfigPlaces, dockerConfigSource } from '../../registry/credentials/docker-config.ts';
import { environmentSource, loginSource } from '../../registry/credentials/environment.ts';
import { askHelper } from '../../registry/credentials/helper.ts';
import { secretSource } from '../../registry/credentials/secret.ts';
import type { CredentialSource } from '../../registry/credentials.ts';
import { RegistryError } from '../../registry/error.ts';
import type { Http, HttpRequest } from '../../registry/http.ts';
import {
  base64,
  basic,
  CANARY,
  cloudHosts,
  configs,
  environments,
  fakeHelper,
  helperAnswers,
  logins,
  malformedConfigs,
  malformedSecrets,
  places,
  scopes,
  secrets,
} from '../fixtures/registry/credentials.ts';

/** What goes wrong is told in words for the user, without a secret. */
async function fails(t: Test, wanted: RegExp, act: () => unknown, name: string): Promise<string> {
  try {
    await act();
  } catch (error) {
    t.ok(error instanceof RegistryError, `${name}: it is a RegistryError`, { error });
    const { message } = error as RegistryError;
    t.match(message, wanted, name);
    t.notMatch(String((error as Error).stack), CANARY, `${name}: no secret`);
    t.notMatch(message, base64(CANARY).slice(0, 8), `${name}: no secret in base64`);
    return message;
  }
  t.fail(`${name}: no error`);
  return '';
}

function configSource(config: unknown, environment: NodeJS.ProcessEnv = {}): CredentialSource {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  return dockerConfigSource({ name: 'config.json', text, required: true }, environment, Date.now);
}

const noNetwork: Http = { send: () => Promise.reject(new Error('nothing may be sent')) };

t.test('whom a key is for', async (t) => {
  for (const [key, scope] of scopes) t.same(parseScope(key), scope, JSON.stringify(key));
});

t.test('Docker configs', async (t) => {
  for (const { name, config, asks } of configs) {
    const source = configSource(config);
    for (const [host, path, found] of asks) t.same(await source.find(host, path), found, `${name}: ${host}/${path}`);
  }
  for (const [config, message] of malformedConfigs) {
    const name = JSON.stringify(config);
    const told = await fails(t, message, () => configSource(config).find('ghcr.io', 'app'), name);
    t.ok(told.includes('config.json') || told.includes('Docker config'), 'it says where');
  }
});

t.test('where Docker configs are', async (t) => {
  for (const { environment, given, places: wanted } of places) {
    const found = dockerConfigPlaces(given, environment);
    t.same(
      found.map(({ name, required }) => `${required ? '!' : ''}${name}`),
      wanted,
      JSON.stringify({ environment, given }),
    );
  }
});

t.test('credential helpers', async (t) => {
  const directory = t.testdir({ 'docker-credential-fake': fakeHelper });
  chmodSync(join(directory, 'docker-credential-fake'), 0o755);
  const log = join(directory, 'asked');
  const environment = {
    PATH: [directory, process.env['PATH']].join(delimiter),
    ASKED: log,
    CLOUD_REGION: 'eu',
    REGISTRY_PASSWORD: CANARY,
    REGISTRY_TOKEN: CANARY,
  };
  const asked = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);

  await t.test('what they answer', async (t) => {
    for (const { host, found, fail } of helperAnswers) {
      const env = host === 'early.example' ? { ...environment, EARLY: 'yes' } : environment;
      const source = configSource({ credsStore: 'fake' }, env);
      if (fail) await fails(t, fail, () => source.find(host, 'app'), host);
      else t.same(await source.find(host, 'app'), found, host);
    }
    const silent = () => askHelper('fake', 'hangs.example', environment, 200);
    await fails(t, /gave no answer for hangs\.example in 0\.2 seconds/, silent, 'one that hangs');
    const missing = configSource({ credsStore: 'missing' }, environment);
    await fails(
      t,
      /docker-credential-missing is not on PATH/,
      () => missing.find('a.example', 'a'),
      'one that is not there',
    );
  });

  await t.test('which is asked, and when auths count', async (t) => {
    writeFileSync(log, '');
    const source = configSource(
      {
        auths: {
          'basic.example': { auth: base64('file:file') },
          'fallback.example': { auth: base64('file:file') },
          'plain.example': { auth: base64('file:file') },
        },
        credHelpers: { 'plain.example': '', 'https://token.example': 'fake', 'docker.io': 'missing' },
        credsStore: 'fake',
      },
      environment,
    );
    t.same(await source.find('basic.example', 'app'), basic('helped'), 'a helper goes before auths');
    t.same(await source.find('fallback.example', 'app'), basic('file', 'file'), 'auths count where it has nothing');
    t.same(await source.find('plain.example', 'app'), basic('file', 'file'), 'a helper "" switches the store off');
    await source.find('token.example', 'app').catch(() => undefined);
    await fails(t, /docker-credential-missing/, () => source.find('docker.io', 'library/nginx'), 'one for the host');
    t.same(asked(), ['basic.example', 'fallback.example', 'https://token.example'], 'by the names of the file');
  });

  await t.test('once for all of a host, until the answer is old', async (t) => {
    writeFileSync(log, '');
    let time = 0;
    const text = JSON.stringify({ credsStore: 'fake' });
    const source = dockerConfigSource({ name: 'config.json', text, required: true }, environment, () => time);
    const found = await Promise.all(
      Array.from({ length: 100 }, (_, i) => source.find(i % 2 ? 'basic.example' : 'none.example', `app-${i}`)),
    );
    t.same(found.filter(Boolean), Array(50).fill(basic('helped')));
    t.same(asked().toSorted(), ['basic.example', 'none.example']);
    time = 6 * 60_000;
    await source.find('basic.example', 'app');
    t.equal(asked().length, 3, 'it is asked again later');
    await t.rejects(source.find('fails.example', 'a'));
    await t.rejects(source.find('fails.example', 'b'));
    t.equal(asked().length, 4, 'a failure is told again');
    time += 61_000;
    await t.rejects(source.find('fails.example', 'c'));
    t.equal(asked().length, 5, 'for a minute');
  });
});

t.test('pull Secrets', async (t) => {
  const file = join(t.testdir(), 'secret.yaml');
  for (const { name, text, asks } of secrets) {
    writeFileSync(file, text);
    const source = await secretSource(file);
    t.equal(source.name, file);
    for (const [host, path, found] of asks) t.same(await source.find(host, path), found, `${name}: ${host}/${path}`);
  }
  for (const [text, message] of malformedSecrets) {
    writeFileSync(file, text);
    const told = await fails(t, message, () => secretSource(file), text);
    t.ok(told.includes(file), 'it says where');
  }
  await fails(t, /is not there/, () => secretSource(`${file}.missing`), 'no file');
  await fails(t, /cannot be read \(EISDIR\)/, () => secretSource(join(file, '..')), 'a directory');
  writeFileSync(file, Buffer.alloc((8 << 20) + 1));
  await fails(t, /larger than/, () => secretSource(file), 'a file that is too large');
});

t.test('environment and stdin', async (t) => {
  for (const { environment, asks = [], error } of environments) {
    const name = Object.keys(environment).join() || 'nothing';
    if (error) await fails(t, error, () => environmentSource(environment), name);
    for (const [host, path, found] of asks)
      t.same(await environmentSource(environment)?.find(host, path), found, `${name}: ${host}/${path}`);
  }
  for (const { user, password, asks = [], error } of logins) {
    if (error) await fails(t, error, () => loginSource(user, password), user);
    for (const [host, path, found] of asks)
      t.same(await loginSource(user, password).find(host, path), found, `${user}: ${host}/${path}`);
  }
});

t.test('the order of sources', async (t) => {
  const config = (user: string, ...hosts: string[]) =>
    JSON.stringify({
      auths: Object.fromEntries(hosts.map((host) => [host, { auth: base64(`${user}:${CANARY}-${user}`) }])),
    });
  const home = t.testdir({
    'secret.json': JSON.stringify({
      kind: 'Secret',
      stringData: { '.dockerconfigjson': config('secret', 'a.example', 'b.example', 'c.example') },
    }),
    'given.json': config('given', 'd.example'),
    'broken.json': `{${CANARY}`,
    '.docker': { 'config.json': config('docker', 'c.example', 'd.example', 'e.example') },
    '.config': { containers: { 'auth.json': config('podman', 'e.example', 'f.example') } },
  });
  const environment = {
    HOME: home,
    REGISTRY_HOST: 'b.example',
    REGISTRY_USERNAME: 'env',
    REGISTRY_PASSWORD: `${CANARY}-env`,
  };
  const context = { http: noNetwork, environment };
  const options = {
    login: loginSource('stdin@a.example', `${CANARY}-stdin`),
    secretFiles: [join(home, 'secret.json')],
  };
  const chain = await credentialChain({ ...options, ambient: new Set(['gcp', 'aws']) }, context);
  for (const [host, user] of Object.entries({
    a: 'stdin',
    b: 'env',
    c: 'secret',
    d: 'docker',
    e: 'docker',
    f: 'podman',
  }))
    t.same(await chain.find(`${host}.example`, 'app'), basic(user), host);
  t.equal(await chain.find('g.example', 'app'), undefined);
  t.equal(
    chain.name,
    `stdin, environment, ${home}/secret.json, ${home}/.docker/config.json, ${home}/.config/containers/auth.json, the identity at AWS, Google Cloud`,
  );

  const given = await credentialChain({ dockerConfig: join(home, 'given.json') }, context);
  t.same(await given.find('d.example', 'app'), basic('given'));
  t.equal(await given.find('e.example', 'app'), undefined, 'a config that is given is the only one');
  const missing = await credentialChain({ dockerConfig: join(home, 'missing.json') }, context);
  await fails(
    t,
    /missing\.json is not there/,
    () => missing.find('d.example', 'app'),
    'a given config that is not there',
  );
  const broken = await credentialChain({ dockerConfig: join(home, 'broken.json') }, context);
  await fails(t, /broken\.json is not used/, () => broken.find('d.example', 'app'), 'a broken one');
  t.same(await broken.find('b.example', 'app'), basic('env'), 'which those before it do not need');
});

t.test('hosts of clouds', async (t) => {
  for (const [host, key] of cloudHosts) t.equal(cloudRegistry(host)?.key, key, host);
});

const ECR = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const ALL: ReadonlySet<Cloud> = new Set(['aws', 'gcp', 'azure']);

t.test('clouds are asked only if allowed, once, and again before their login expires', async (t) => {
  let time = 1000;
  const loaded: Cloud[] = [];
  const asked: string[] = [];
  const module: CloudModule = {
    login: async ({ host }) => {
      asked.push(host);
      return { credentials: basic(host), expires: time + 1000 };
    },
    identity: () => 'nobody',
    advice: '',
  };
  const context: CloudContext = {
    http: noNetwork,
    environment: {},
    now: () => time,
    load: async (cloud) => {
      loaded.push(cloud);
      return module;
    },
  };
  const source = cloudSource(new Set(['aws', 'azure']), context);
  for (const host of ['gcr.io', 'ghcr.io', 'docker.io', `${ECR}:443`, `${ECR}.evil.example`])
    t.equal(await source.find(host, 'app'), undefined, host);
  t.same(loaded, [], 'no SDK is loaded for them');

  const found = await Promise.all(Array.from({ length: 50 }, (_, i) => source.find(ECR, `app-${i}`)));
  t.same(found, Array(50).fill(basic(ECR)));
  t.same(await source.find(ECR.replace('1234', '9999'), 'app'), basic(ECR), 'another account of the region');
  t.same(asked, [ECR]);
  time += 799;
  await source.find(ECR, 'app');
  t.equal(asked.length, 1);
  time += 1;
  await source.find(ECR, 'app');
  t.equal(asked.length, 2, 'after 80 % of its life');
  t.same(await source.find('a.azurecr.io', 'app'), basic('a.azurecr.io'));
  t.same(await source.find('b.azurecr.io', 'app'), basic('b.azurecr.io'), 'of Azure each registry has its own');

  module.login = () => new Promise(() => undefined);
  const slow = cloudSource(ALL, { ...context, timeoutMs: 20 });
  await fails(
    t,
    /AWS gave no login for 1234.* by nobody \(no answer in 0\.02 seconds\)/,
    () => slow.find(ECR, 'a'),
    'silence',
  );
  module.login = () => Promise.reject(new RegistryError('unreachable', 'the network says it all'));
  await fails(t, /^the network says it all$/, () => cloudSource(ALL, context).find(ECR, 'a'), 'the network');
});

/** A cloud's endpoint on loopback, as far as an SDK needs it. */
async function endpoint(
  t: Test,
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => unknown,
) {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const value = answer(request, body, response);
      response.end(typeof value === 'string' ? value : JSON.stringify(value));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The environment of this process without any cloud's, with some variables: the SDKs read nothing else. */
function setEnvironment(t: Test, variables: Record<string, string>): void {
  const before = { ...process.env };
  for (const name of Object.keys(process.env))
    if (/^(?:AWS|AZURE|GOOGLE|GCE|GCLOUD|CLOUDSDK|METADATA|IDENTITY|MSI|REGISTRY|.*_proxy$)/i.test(name))
      delete process.env[name];
  Object.assign(process.env, { HOME: t.testdir(), ...variables });
  t.teardown(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  });
}

function cloud(http: Http = noNetwork): CredentialSource {
  return cloudSource(ALL, { http, environment: process.env, now: Date.now });
}

t.test("AWS's SDK", async (t) => {
  const seen: string[] = [];
  let answer: unknown = {
    authorizationData: [{ authorizationToken: base64(`AWS:${CANARY}`), expiresAt: Date.now() / 1000 + 43_200 }],
  };
  let status = 200;
  const host = await endpoint(t, ({ headers }, _, response) => {
    seen.push(`${headers['x-amz-target'] as string} ${headers.authorization ?? ''}`);
    response.statusCode = status;
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    return answer;
  });
  const files = { AWS_EC2_METADATA_DISABLED: 'true', AWS_REGION: 'us-east-1' };
  const where = { ...files, AWS_ENDPOINT_URL_ECR: `http://${host}` };

  await t.test('a login', async (t) => {
    setEnvironment(t, { ...where, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: CANARY });
    t.same(await cloud().find(ECR, 'app'), basic('AWS', CANARY));
    t.match(seen, [/^AmazonEC2ContainerRegistry_V20150921\.GetAuthorizationToken .*\/eu-west-1\/ecr\/aws4_request/]);
    t.notMatch(seen, CANARY);
    const told = { __type: 'AccessDeniedException', message: `User: arn:aws:iam::1:user/bob may not.\nThe ${CANARY}` };
    [status, answer] = [400, told];
    await fails(
      t,
      /^AWS gave no login for 1234\S+ by the key in AWS_ACCESS_KEY_ID \(AccessDeniedException: User: arn:aws:iam::1:user\/bob may not\.\); set AWS_/,
      () => cloud().find(ECR, 'app'),
      'a key that may not',
    );
    answer = { __type: 'InvalidSignatureException', message: `key=${CANARY} token=${'A1/'.repeat(40)} end` };
    await fails(
      t,
      /InvalidSignatureException: key=\[hidden\] token=\[hidden\] end/,
      () => cloud().find(ECR, 'app'),
      'secrets',
    );
    [status, answer] = [200, {}];
    await fails(t, /the answer has no authorization token/, () => cloud().find(ECR, 'app'), 'no token');
  });

  await t.test('no identity', async (t) => {
    setEnvironment(t, where);
    const wanted = /by the default profile or the role of this machine \(CredentialsProviderError: /;
    await fails(t, wanted, () => cloud().find(ECR, 'app'), 'nothing set');
    process.env['AWS_PROFILE'] = 'prod';
    await fails(t, /by the profile "prod" \(CredentialsProviderError: /, () => cloud().find(ECR, 'app'), 'a profile');
  });
});

t.test("Google's SDK", async (t) => {
  await t.test('the metadata server', async (t) => {
    const seen: string[] = [];
    let status = 200;
    const host = await endpoint(t, ({ url, headers }, _, response) => {
      seen.push(`${url} ${headers['metadata-flavor'] as string}`);
      response.statusCode = status;
      response.setHeader('metadata-flavor', 'Google');
      response.setHeader('content-type', 'application/json');
      return { access_token: CANARY, expires_in: 3599, token_type: 'Bearer' };
    });
    setEnvironment(t, { GCE_METADATA_HOST: host, METADATA_SERVER_DETECTION: 'assume-present' });
    const source = cloud();
    const wanted = basic('oauth2accesstoken', CANARY);
    t.same(await source.find('europe-docker.pkg.dev', 'p/r/app'), wanted);
    t.same(await source.find('eu.gcr.io', 'p/app'), wanted);
    t.equal(seen.length, 1, 'one login is good for all registries');
    t.match(seen[0], /service-accounts\/default\/token\?scopes=.*cloud-platform Google$/);
    status = 404;
    const wantedError =
      /Google Cloud gave no login for gcr\.io by the default credentials of gcloud or the service account of this machine \(.*\); set GOOGLE_/;
    await fails(t, wantedError, () => cloud().find('gcr.io', 'app'), 'no service account');
  });

  await t.test('workload identity federation', async (t) => {
    let sent = '';
    const host = await endpoint(t, (_, body, response) => {
      sent = body;
      response.setHeader('content-type', 'application/json');
      return { access_token: `${CANARY}-sts`, expires_in: 3600, token_type: 'Bearer', issued_token_type: 'x' };
    });
    setEnvironment(t, {});
    const home = process.env['HOME']!;
    writeFileSync(join(home, 'token'), `${CANARY}-subject`);
    const credentials = {
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `http://${host}/v1/token`,
      credential_source: { file: join(home, 'token') },
    };
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = join(home, 'wif.json');
    writeFileSync(join(home, 'wif.json'), JSON.stringify(credentials));
    t.same(await cloud().find('gcr.io', 'p/app'), basic('oauth2accesstoken', `${CANARY}-sts`));
    t.match(sent, /subject_token=CANARY-subject/);
  });

  await t.test('no identity', async (t) => {
    setEnvironment(t, { METADATA_SERVER_DETECTION: 'none' });
    await fails(t, /\(Could not load the default credentials\./, () => cloud().find('gcr.io', 'app'), 'nothing set');
    const file = join(process.env['HOME']!, 'key.json');
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file;
    await fails(
      t,
      /by the file \S+key\.json of GOOGLE_APPLICATION_CREDENTIALS \(/,
      () => cloud().find('gcr.io', 'a'),
      'no file',
    );
    writeFileSync(file, JSON.stringify({ type: 'service_account', client_email: 'a@b', private_key: CANARY }));
    await fails(t, /by the file \S+key\.json/, () => cloud().find('gcr.io', 'a'), 'a key that is none');
    writeFileSync(file, `{${CANARY}`);
    await fails(t, /by the file \S+key\.json/, () => cloud().find('gcr.io', 'a'), 'a file that is not JSON');
  });
});

t.test("Azure's SDK", async (t) => {
  const sent: HttpRequest[] = [];
  let [status, body] = [200, ''];
  const http: Http = {
    send: async (request) => {
      sent.push(request);
      return { status, headers: {}, body: Buffer.from(body), url: request.url };
    },
  };

  await t.test('no identity', async (t) => {
    setEnvironment(t, { AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential' });
    const wanted =
      /Azure gave no login for a\.azurecr\.io by the managed identity of this machine or the login of az \(.*\); set AZURE_/;
    await fails(t, wanted, () => cloud(http).find('a.azurecr.io', 'app'), 'nothing set');
    t.same(sent, []);
  });

  await t.test('a managed identity', async (t) => {
    const seen: string[] = [];
    const host = await endpoint(t, ({ url, headers }, _, response) => {
      seen.push(`${url} ${headers['x-identity-header'] as string}`);
      response.setHeader('content-type', 'application/json');
      const expires = Math.floor(Date.now() / 1000) + 3600;
      return { access_token: `${CANARY}-entra`, expires_on: String(expires), token_type: 'Bearer' };
    });
    setEnvironment(t, {
      IDENTITY_ENDPOINT: `http://${host}/msi/token`,
      IDENTITY_HEADER: 'header',
      AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    });
    const jwt = ['x', base64(JSON.stringify({ exp: Date.now() / 1000 + 10_800 })), CANARY].join('.');
    body = JSON.stringify({ refresh_token: jwt });
    const source = cloud(http);
    t.same(await source.find('acme.azurecr.io', 'app'), { kind: 'identity-token', token: jwt });
    await source.find('acme.azurecr.io', 'other');
    t.match(seen, [/resource=https%3A%2F%2Fcontainerregistry\.azure\.net header$/]);
    t.equal(sent.length, 1, 'the refresh token is kept');
    t.match(sent[0], { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    t.equal(sent[0]!.url.href, 'https://acme.azurecr.io/oauth2/exchange');
    t.equal(sent[0]!.body, `grant_type=access_token&service=acme.azurecr.io&access_token=${CANARY}-entra`);

    [status, body] = [401, CANARY];
    const refused = /the registry answered the exchange of the token with status 401\); .*AcrPull/;
    await fails(t, refused, () => cloud(http).find('a.azurecr.io', 'a'), 'an identity without a role');
    for (const text of [CANARY, '{}', '[]', '{"refresh_token": 1}']) {
      [status, body] = [200, text];
      await fails(t, /without a refresh token/, () => cloud(http).find('a.azurecr.io', 'a'), text);
    }
  });

  await t.test('an error of the identity that was there is told, not those of all others', async (t) => {
    setEnvironment(t, {});
    const { login } = await import('../../registry/credentials/azure.ts');
    const error = Object.assign(new Error('chain'), {
      errors: [
        Object.assign(new Error('not here'), { name: 'CredentialUnavailableError' }),
        Object.assign(new Error('AADSTS7000215: Invalid client secret'), { name: 'AuthenticationError' }),
      ],
    });
    const credential = { getToken: () => Promise.reject(error) };
    const registry = cloudRegistry('acme.azurecr.io')!;
    await t.rejects(login(registry, http, AbortSignal.timeout(1000), credential), /AADSTS7000215/);
  });
});

t.test('nothing is printed, whatever fails', async (t) => {
  const directory = t.testdir({
    'docker-credential-fake': fakeHelper,
    'config.json': JSON.stringify({
      credHelpers: { 'fails.example': 'fake' },
      auths: { 'a.example': { auth: CANARY } },
    }),
    'key.json': `{${CANARY}`,
    'try.ts': `
import { credentialChain } from ${JSON.stringify(join(import.meta.dirname, '../../registry/credentials/chain.ts'))};
const http = { send: () => Promise.reject(new Error('nothing')) };
const chain = await credentialChain({ dockerConfig: process.argv[2], ambient: new Set(['aws', 'gcp', 'azure']) }, { http });
const hosts = ['fails.example', 'a.example', '${ECR}', 'gcr.io', 'acme.azurecr.io'];
for (const host of hosts) await chain.find(host, 'app').then(() => console.log('found?'), (error) => console.log(error));
`,
  });
  chmodSync(join(directory, 'docker-credential-fake'), 0o755);
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(directory, 'try.ts'), join(directory, 'config.json')],
    {
      encoding: 'utf8',
      timeout: 60_000,
      env: {
        PATH: [directory, process.env['PATH']].join(delimiter),
        HOME: directory,
        ASKED: join(directory, 'asked'),
        AWS_ENDPOINT_URL_ECR: 'http://127.0.0.1:1',
        AWS_MAX_ATTEMPTS: '1',
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: CANARY,
        AWS_SESSION_TOKEN: CANARY,
        GOOGLE_APPLICATION_CREDENTIALS: join(directory, 'key.json'),
        AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
        AZURE_CLIENT_SECRET: CANARY,
      },
    },
  );
  t.equal(status, 0, stderr);
  t.equal(stdout.match(/^RegistryError: /gm)?.length, 5, 'each has failed with our own error');
  t.notMatch(stdout + stderr, CANARY);
  t.equal(stderr, '');
});
