// Runs the built Action as GitHub's runner does: inputs in variables, files for what it tells, commands on its output.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readAction } from '../../scripts/action.ts';
import { root } from '../../scripts/build.ts';

export const program = join(root, 'dist/action.js');
/** What `${{ github.token }}` is. */
export const JOB_TOKEN = 'ghs_canaryOfTheJob0123456789';

const action = await readAction();

export interface Step {
  with?: Record<string, string>;
  /** Variables beside the runner's own. */
  env?: Record<string, string>;
  /** Files of the workspace; none is a job without a checkout. */
  files?: Record<string, string>;
  /** Of the server that stands for GitHub. */
  serverUrl?: string;
  apiUrl?: string;
  ref?: string;
  event?: unknown;
  /** Another program than the built one. */
  program?: string;
}

/** `::name key=value::message`, decoded. */
export interface Command {
  name: string;
  properties: Record<string, string>;
  message: string;
}

export interface Stepped {
  status: number;
  /** All that was written, as it was. */
  raw: string;
  /** Lines that are no commands. */
  lines: string[];
  commands: Command[];
  outputs: Record<string, string>;
  summary: string;
  workspace: string;
  temporary: string;
}

/** Runs a step. Its job has directories of its own. */
export async function runStep(step: Step): Promise<Stepped> {
  const job = mkdtempSync(join(tmpdir(), 'image-update-step-'));
  const [workspace, temporary] = [join(job, 'work'), join(job, 'temp')];
  for (const directory of [workspace, temporary, join(job, 'home')]) mkdirSync(directory);
  for (const [path, text] of Object.entries(step.files ?? {})) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), text);
  }
  const fileOf = (name: string, text = '') => {
    writeFileSync(join(job, name), text);
    return join(job, name);
  };
  const [output, summary] = [fileOf('output'), fileOf('summary')];
  const { serverUrl = 'https://github.com', apiUrl = 'https://api.github.com', ref = 'refs/heads/main' } = step;
  const env = {
    PATH: [dirname(process.execPath), process.env['PATH']].join(':'),
    HOME: join(job, 'home'),
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: '__acme_image-update',
    GITHUB_ACTOR: 'ada',
    GITHUB_SERVER_URL: serverUrl,
    GITHUB_API_URL: apiUrl,
    GITHUB_REPOSITORY: 'acme/config',
    GITHUB_EVENT_PATH: fileOf('event.json', JSON.stringify(step.event ?? {})),
    GITHUB_REF: ref,
    GITHUB_REF_NAME: ref.replace(/^refs\/(?:heads|tags|pull)\//, ''),
    GITHUB_REF_TYPE: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    GITHUB_RUN_ID: '1',
    GITHUB_WORKSPACE: workspace,
    GITHUB_OUTPUT: output,
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_STATE: fileOf('state'),
    GITHUB_ENV: fileOf('env'),
    GITHUB_PATH: fileOf('path'),
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: temporary,
    ...inputVariables(step.with ?? {}),
    ...step.env,
  };
  // Linux's runner starts node in the workspace, and stdin is no terminal.
  const child = spawn(process.execPath, [step.program ?? program], {
    cwd: workspace,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let raw = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (raw += text));
  const status = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)));
  const lines = raw.split('\n').filter((line) => line !== '');
  const commands = lines.flatMap((line) => parseCommand(line) ?? []);
  return {
    status,
    raw,
    lines: lines.filter((line) => !parseCommand(line)),
    commands,
    outputs: readOutputs(readFileSync(output, 'utf8')),
    summary: readFileSync(summary, 'utf8'),
    workspace,
    temporary,
  };
}

/** Each input of action.yml, empty where it has no default, and what `with` says: also what action.yml does not have. */
function inputVariables(given: Record<string, string>): Record<string, string> {
  const defaults = Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? '']);
  const all: Record<string, string> = { ...(Object.fromEntries(defaults) as Record<string, string>), ...given };
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [
      `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
      value.replaceAll('${{ github.token }}', JOB_TOKEN),
    ]),
  );
}

/** As actions/runner reads a line: `::` at its start, before it what is not seen, or `##[` anywhere (ActionCommand.cs). */
export function parseCommand(line: string): Command | undefined {
  const [, name = '', properties = '', message = ''] =
    /^[^\p{L}\p{N}\p{P}\p{S}]*::([^\s:]+)(?: (.*?))?::(.*)$/su.exec(line) ?? [];
  if (name !== '') return { name, properties: readProperties(properties, ','), message: decoded(message) };
  const [, old = '', rest = ''] = /##\[(\S+?)(?: [^\]]*)?\](.*)$/s.exec(line) ?? [];
  return old === '' ? undefined : { name: old, properties: {}, message: rest };
}

function readProperties(text: string, separator: string): Record<string, string> {
  const pairs = text.split(separator).filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => [
      pair.slice(0, pair.indexOf('=')),
      decoded(
        pair
          .slice(pair.indexOf('=') + 1)
          .replaceAll('%3A', ':')
          .replaceAll('%2C', ','),
      ),
    ]),
  );
}

function decoded(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}

/** `name<<DELIMITER`, lines, `DELIMITER`. */
function readOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const [, name, delimiter] = /^([^<=]+)<<(.+)$/.exec(lines[i]!) ?? [];
    if (name === undefined) continue;
    const end = lines.indexOf(delimiter!, i);
    outputs[name] = lines.slice(i + 1, end).join('\n');
    i = end;
  }
  return outputs;
}
