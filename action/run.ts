import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as core from '@actions/core';
import { readConfig } from '../fn/config/config.ts';
import type { Io } from '../fn/io.ts';
import { configValue, InputError, readText, writeNamed } from '../fn/run.ts';
import { scopeOf } from '../fn/scope.ts';
import { UsageError } from '../fn/usage.ts';
import { updateBranch } from './branch.ts';
import { functionConfigOf } from './config.ts';
import { updateFiles } from './files.ts';
import { readInputs, unknownInputs, type Inputs } from './inputs.ts';
import { log } from './log.ts';
import { failedOutcome, type Outcome } from './outcome.ts';
import { mask, secretsOf } from './secrets.ts';
import { cleaned, tell } from './tell.ts';
import { readWorkflow, type Workflow } from './workflow.ts';

/** A step of a workflow, from its inputs to what it tells. */
export async function run(environment: NodeJS.ProcessEnv): Promise<void> {
  try {
    const inputs = readInputs(core.getInput);
    const workflow = readWorkflow(environment);
    const secrets = await secretsOf(inputs, environment);
    mask(secrets);
    enter(workflow);
    const file = inputs['results-file'] ?? workflow.resultsFile;
    begin(file);
    const outcome = await carryOut(inputs, workflow, ioOf(inputs, workflow, environment));
    await tell(cleaned(outcome, secrets), inputs, file, unknownInputs(environment));
  } catch (error) {
    // What the workflow's author must correct fails the step in any case.
    if (!(error instanceof Error) || !MISUSE.has(error.name)) throw error;
    core.setFailed(error.message);
  }
}

/** By their names: what is loaded late has classes of its own. */
const MISUSE = new Set(['UsageError', 'ConfigError']);
const USER_ERRORS = new Set(['InputError', 'WriteError', 'RegistryError', 'GitError', 'JobError']);

/** Paths in the inputs are below the workspace. */
function enter({ workspace }: Workflow): void {
  try {
    process.chdir(workspace);
  } catch (error) {
    throw new UsageError(`GITHUB_WORKSPACE cannot be entered: ${(error as Error).message}`);
  }
}

/** Sees to it that the results can be written, before there are some. */
function begin(file: string): void {
  try {
    writeNamed(file, '[]\n');
  } catch (error) {
    throw new UsageError(`results-file: ${(error as Error).message}`);
  }
}

/** The name by which the documents in the input `metadata` are read, and told of. */
const INLINE = 'the input metadata';

/** The process's ends as the engine wants them. */
function ioOf({ metadata }: Inputs, { temporary }: Workflow, environment: NodeJS.ProcessEnv): Io {
  return {
    read: (name) => (name === INLINE ? Buffer.from(metadata?.inline ?? '') : readFileSync(name)),
    isTerminal: false,
    output: log,
    error: log,
    environment: { IMAGE_UPDATE_CACHE: join(temporary, 'image-update'), ...environment },
  };
}

/** Does what is asked; what users or servers must see to is an outcome, too. */
async function carryOut(inputs: Inputs, workflow: Workflow, io: Io): Promise<Outcome> {
  const { mode = 'pull-request', metadata } = inputs;
  const names = metadata?.inline === undefined ? (metadata?.files ?? []) : [INLINE];
  try {
    return mode === 'files' || mode === 'check'
      ? await inWorkspace(inputs, names, io)
      : await updateBranch(inputs, names, workflow, io);
  } catch (error) {
    if (!(error instanceof Error) || !USER_ERRORS.has(error.name)) throw error;
    return failedOutcome(error.message);
  }
}

async function inWorkspace(inputs: Inputs, metadata: string[], io: Io): Promise<Outcome> {
  if (readdirSync('.').length === 0)
    throw new InputError('the workspace is empty: put a step with actions/checkout before this one');
  const { path: paths = [], images, mode, 'registry-config': dockerConfig, 'config-file': file } = inputs;
  const value = file === undefined ? undefined : await configValue(readText(io, file), file);
  const config = { ...readConfig(functionConfigOf(inputs, value)), ...(images && { scope: scopeOf({ images }) }) };
  const registries = { ...(dockerConfig !== undefined && { dockerConfig }) };
  const writes = mode === 'files' && inputs['dry-run'] !== true;
  return updateFiles(config, { paths, metadata, registries, writes }, io);
}
