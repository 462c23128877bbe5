import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Arguments } from './arguments.ts';
import { defaultSpec } from './config/defaults.ts';
import type { Config } from './config/config.ts';
import { decode, reasonOf } from './directory.ts';
import { Answers } from './lookup/answers.ts';
import type { Lookup } from './lookup/lookup.ts';
import { addFile, isNote, readValue } from './lookup/read.ts';
import type { Io } from './io.ts';
import { describe, type Result } from './result.ts';
import { FAILED, MISUSED } from './status.ts';
import { usage } from './usage.ts';
import { splitDocuments } from './yaml/documents.ts';

/** What both faces of the executable, the directory and the ResourceList, do alike. */

/** A file named on the command line, or stdin, cannot be used: the user must act. */
export class InputError extends Error {
  override name = 'InputError';
}

/** Runs a face and turns what the user must act on into a message and an exit status. */
export async function guarded(
  io: Io,
  face: () => Promise<number>,
  program = 'image-update',
  command = program,
): Promise<number> {
  try {
    return await face();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === 'ConfigError' || error.name === 'UsageError') {
      io.error(usage(error.message, program, command));
      return MISUSED;
    }
    if (!USER_ERRORS.has(error.name)) throw error;
    io.error(`${program}: ${error.message}`);
    return FAILED;
  }
}

const USER_ERRORS = new Set(['InputError', 'ResourceListError', 'WriteError', 'RegistryError']);

/** The text of a file, or of stdin where the name is `-`. */
export function readText(io: Io, name: string): string {
  const what = name === '-' ? 'stdin' : name;
  let bytes: Buffer;
  try {
    bytes = io.read(name);
  } catch (error) {
    throw new InputError(`${what} cannot be read: ${reasonOf(error)}`);
  }
  const text = decode(bytes);
  if (text === undefined) throw new InputError(`${what} is not UTF-8 text`);
  return text;
}

/** The configuration: of `--fn-config`, else of the list, else the defaults; `--strict` on top. */
export async function configOf(args: Pick<Arguments, 'strict' | 'fnConfig'>, io: Io, given?: unknown): Promise<Config> {
  const value = args.fnConfig === undefined ? given : await configFile(io, args.fnConfig);
  if (value === undefined) return { spec: { ...defaultSpec(), strict: args.strict }, setImage: false };
  // The schemas load only where there is something for them to check.
  const { readConfig } = await import('./config/config.ts');
  const config = readConfig(value);
  return args.strict ? { ...config, spec: { ...config.spec, strict: true } } : config;
}

async function configFile(io: Io, name: string): Promise<unknown> {
  return configValue(readText(io, name), name);
}

/** The functionConfig of a text, not yet looked at. `name` says where it is from. */
export async function configValue(text: string, name: string): Promise<unknown> {
  const documents = splitDocuments(text);
  if (documents.length !== 1)
    throw new InputError(`${name} holds ${documents.length} documents; a functionConfig is one`);
  const value = await readValue(text, documents[0]!);
  if (isNote(value)) throw new InputError(`${name} is not readable YAML: ${value.message}`);
  return value;
}

/** Makes the look-up that asks registries. It is the executable's, as `fn/` has no network. */
export type Connect = () => Promise<Lookup>;

/** The look-up, if the configuration wants one. */
export async function lookupOf({ spec }: Config, connect: Connect): Promise<Lookup | undefined> {
  return spec.lookup === 'registry' ? connect() : undefined;
}

/** The answers of all `--metadata` files. */
export async function answersOf(args: Pick<Arguments, 'metadata'>, io: Io): Promise<Answers> {
  const answers = new Answers();
  for (const name of args.metadata) await addFile(answers, readText(io, name), name);
  return answers;
}

/** Writes a file that an option names, whole or not at all: it may be the very file that was read. */
export function writeNamed(name: string, text: string): void {
  let temporary: string | undefined;
  try {
    const present = statSync(name, { throwIfNoEntry: false });
    // A device or a pipe has no content to lose, and must stay what it is.
    if (present && !present.isFile()) return writeFileSync(name, text);
    const target = present ? realpathSync(name) : name;
    temporary = `${target}.${process.pid}.tmp`;
    writeFileSync(temporary, text, { flag: 'wx', ...(present && { mode: present.mode & 0o777 }) });
    renameSync(temporary, target);
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    throw new InputError(`${name} cannot be written: ${reasonOf(error)}`);
  }
}

/** Writes `--results`: a JSON array of the wire format's entries. */
export function report({ results: name }: Pick<Arguments, 'results'>, results: readonly Result[]): void {
  if (name !== undefined) writeNamed(name, `${JSON.stringify(results, null, 2)}\n`);
}

/**
 * Writes `--results`, then does what they tell: in this order, as the first may fail, and then no file shall have changed. If the
 * work fails, no change is told.
 */
export async function reported(
  args: Pick<Arguments, 'results'>,
  results: readonly Result[],
  work: () => void | Promise<void>,
): Promise<void> {
  report(args, results);
  try {
    await work();
  } catch (error) {
    report(
      args,
      results.filter(({ severity }) => severity !== 'info'),
    );
    throw error;
  }
}

/** The lines for what needs a person's eye. */
export function tell(io: Io, results: Result[]): void {
  for (const result of results) io.error(describe(result));
}
