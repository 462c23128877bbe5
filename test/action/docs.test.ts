// The pages for GitHub and GitLab: their workflows say what action.yml knows, with permissions and without scripts of strangers, and
// their commands run, on real git.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import t from 'tap';
import { inputNames, readInputs } from '../../action/inputs.ts';
import { asMap, asText } from '../../fn/lookup/values.ts';
import { isNote, readValue } from '../../fn/lookup/read.ts';
import { splitDocuments } from '../../fn/yaml/documents.ts';
import { root } from '../../scripts/build.ts';
import { pages } from '../../scripts/docs.ts';
import { createRepository, git, makeCertificate, startHttp } from '../git/servers.ts';
import { deployment, metadata } from '../job/places.ts';
import { answer, startScripted } from '../registry/scripted.ts';

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Job {
  permissions?: unknown;
  steps?: Step[];
  script?: string[];
  rules?: unknown;
}

/** The YAML blocks of a page, each with its line. */
async function yamlOf(page: string): Promise<{ place: string; value: Record<string, unknown>; text: string }[]> {
  const text = readFileSync(join(root, page), 'utf8');
  const found = [];
  for (const { index, 1: body = '' } of text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)) {
    const place = `${page}:${text.slice(0, index).split('\n').length}`;
    const value = await readValue(body, splitDocuments(body)[0]!);
    if (isNote(value)) throw new Error(`${place}: ${value.message}`);
    found.push({ place, value: asMap(value) ?? {}, text: body });
  }
  return found;
}

t.test('workflows of the pages', async (t) => {
  const blocks = (await Promise.all(pages().map(yamlOf))).flat().filter(({ value }) => 'jobs' in value);
  t.ok(blocks.length > 5, 'there are some');
  const used = new Set<string>();
  for (const { place, value, text } of blocks) {
    t.ok('on' in value, `${place}: it says when it runs`);
    t.same(value['permissions'], {}, `${place}: nothing is allowed to all jobs`);
    for (const [name, job] of Object.entries(value['jobs'] as Record<string, Job>)) {
      t.ok(job.permissions !== undefined, `${place}: permissions of ${name}`);
      const ours = (job.steps ?? []).filter(({ uses }) => uses?.startsWith('OWNER/image-update@'));
      t.ok(ours.length > 0, `${place}: ${name} uses it`);
      for (const { with: given = {} } of ours) {
        for (const input of Object.keys(given)) {
          used.add(input);
          t.ok((inputNames as string[]).includes(input), `${place}: ${input} is an input`);
        }
        // An expression becomes something that its input takes.
        const textOf = (input: string) => (asText(given[input]) ?? '').replaceAll(/\$\{\{.*?\}\}/g, 'expression');
        t.doesNotThrow(() => readInputs(textOf), place);
      }
      for (const { run } of job.steps ?? [])
        t.notMatch(run ?? '', /\$\{\{/, `${place}: no script of what a stranger may say`);
      for (const { uses } of job.steps ?? [])
        if (uses !== undefined) t.match(uses, /@v?\d+$/, `${place}: ${uses} has a version`);
    }
    t.notMatch(text, /pull_request_target/, place);
  }
  t.ok(used.size > 10);
});

t.test('jobs of docs/gitlab-ci.md', { skip: cannot() }, async (t) => {
  const blocks = (await yamlOf('docs/gitlab-ci.md')).map(({ value }) => Object.values(value)[0] as Job);
  const scripts = blocks.flatMap(({ script = [] }) => script);
  t.equal(scripts.length, 3);
  t.ok(blocks.every(({ rules }) => Array.isArray(rules)));

  const home = t.testdir({ bin: {}, served: { team: {} }, work: { metadata: {}, clusters: {} } });
  symlinkSync(join(root, 'dist/tk-image.js'), join(home, 'bin/tk-image'));
  const registry = await startScripted((_, response) =>
    answer(response, 200, { name: 'web', tags: ['1.0.0', '1.1.0'] }),
  );
  t.teardown(registry.stop);
  const text = deployment('web', '1.0.0').replace('ghcr.io', registry.host);
  const repository = join(home, 'served/team/config.git');
  createRepository(repository, { 'clusters/production/web.yaml': text });
  writeFileSync(join(home, 'work/clusters/web.yaml'), deployment('web', '1.0.0'));
  writeFileSync(join(home, 'work/metadata/images.yaml'), metadata({ web: ['1.1.0'] }));
  const server = await startHttp({
    root: join(home, 'served'),
    users: { 'x-access-token': 'secret' },
    tls: makeCertificate(join(home, 'tls')),
  });
  t.teardown(() => server.close());
  const env = {
    PATH: [join(home, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: home,
    CI_PROJECT_URL: `${server.url}/team/config`,
    CI_DEFAULT_BRANCH: 'main',
    CI_SERVER_URL: server.url,
    CI_API_V4_URL: `${server.url}/api/v4`,
    GIT_TOKEN: 'secret',
    GIT_CA_FILE: join(home, 'tls/tls.crt'),
    REGISTRY_INSECURE: registry.host,
  };
  const shell = async (command: string) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', command], { cwd: join(home, 'work'), env });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => (said += part));
    const status = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)));
    return { status, said };
  };
  const [propose = '', push = '', check = ''] = scripts;
  // Merge requests have tests of their own; here, that the command is right as it stands.
  t.match(await shell(`${propose} --dry-run`), { status: 0, said: /1\.1\.0/ });
  t.match(await shell(push), { status: 0, said: /pushed/ });
  t.equal(git(repository, ['log', '-1', '--format=%s', 'main']), `Update ${registry.host}/acme/web:1.1.0`);
  t.match(await shell(check), { status: 0, said: /\+ +image: ghcr\.io\/acme\/web:1\.1\.0/ });
});

function cannot(): string | false {
  if (process.env['QUICK']) return 'no other programs in a quick run';
  if (!existsSync(join(root, 'dist/tk-image.js'))) return 'dist/tk-image.js is not there; run: npm run build';
  return spawnSync('openssl', ['version']).status !== 0 && 'needs openssl, to make a certificate';
}
