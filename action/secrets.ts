import * as core from '@actions/core';
import { asMap, asText } from '../fn/lookup/values.ts';
import { formsOf } from '../git/redact.ts';
import { dockerConfigPlaces } from '../registry/credentials/docker-config.ts';
import { readCredentialFile } from '../registry/credentials/file.ts';
import type { Inputs } from './inputs.ts';

/** Variables by which the program takes secrets (docs/registries.md, docs/update-job.md). */
const VARIABLES = ['REGISTRY_PASSWORD', 'REGISTRY_TOKEN', 'GIT_PASSWORD', 'GIT_TOKEN', 'GIT_SIGNING_KEY_PASSPHRASE'];
/** Shorter texts would mask every line, and hide nothing. */
const MIN_SECRET = 4;

/** Every secret that this run was given, in each form in which it could come back. */
export async function secretsOf(inputs: Inputs, environment: NodeJS.ProcessEnv): Promise<string[]> {
  const tokens = [inputs.token, inputs['branch-token']];
  const forms = new Set<string>();
  const add = (secret: string) => {
    for (const form of [...formsOf(secret), base64(secret)]) if (form.length >= MIN_SECRET) forms.add(form);
  };
  for (const token of tokens)
    if (token !== undefined) {
      add(token);
      // As git sends it, and as Octokit could.
      add(`x-access-token:${token}`);
    }
  for (const name of VARIABLES) if (environment[name]) add(environment[name]);
  for (const place of dockerConfigPlaces(inputs['registry-config'], environment))
    for (const secret of secretsIn(place.text ?? (await textOf(place.name)))) add(secret);
  return [...forms];
}

/** Has the runner take them out of the log. */
export function mask(secrets: readonly string[]): void {
  for (const secret of secrets) core.setSecret(secret);
}

/** The passwords of a Docker config, as far as it is one: what is wrong with it is told by who uses it. */
function secretsIn(text: string): string[] {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    return [];
  }
  return Object.values(asMap(asMap(config)?.['auths']) ?? {}).flatMap((value) => {
    const entry = asMap(value) ?? {};
    const [auth, password] = [asText(entry['auth']), asText(entry['password'])];
    const login = auth === undefined ? '' : Buffer.from(auth, 'base64').toString('utf8');
    const texts = [auth, password, login, login.slice(login.indexOf(':') + 1)];
    return [...texts, asText(entry['identitytoken']), asText(entry['registrytoken'])].flatMap((secret) => secret || []);
  });
}

async function textOf(file: string): Promise<string> {
  try {
    return (await readCredentialFile(file)) ?? '';
  } catch {
    return '';
  }
}

/** With and without the signs at its end, which differ where more follows. */
function base64(text: string): string {
  return Buffer.from(text).toString('base64').replace(/=+$/, '');
}
