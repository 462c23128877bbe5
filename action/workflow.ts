import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asMap, asText } from '../fn/lookup/values.ts';
import { UsageError } from '../fn/usage.ts';

/** What the runner says of the workflow that this step is in (docs.github.com, "Variables reference"). */
export interface Workflow {
  /** `https://github.com`, or an Enterprise server. */
  serverUrl: string;
  /** `owner/name`. */
  repository: string;
  /** The branch that it runs on; undefined on a tag or a pull request. */
  branch?: string;
  /** Of the event. */
  defaultBranch?: string;
  /** Of the repository's files, which need not be there. */
  workspace: string;
  /** Emptied when the job ends. */
  temporary: string;
  /** Where the results of this step go, unless an input says it. */
  resultsFile: string;
}

/** Reads the runner's variables. @throws UsageError for one that is missing, as outside of a workflow. */
export function readWorkflow(environment: NodeJS.ProcessEnv): Workflow {
  const value = (name: string) => environment[name] || undefined;
  const needed = (name: string) => {
    const text = value(name);
    if (text === undefined)
      throw new UsageError(`${name} is not set: this runs in a step of a GitHub workflow; elsewhere use tk-image`);
    return text;
  };
  const [serverUrl, repository] = [needed('GITHUB_SERVER_URL').replace(/\/+$/, ''), needed('GITHUB_REPOSITORY')];
  const branch = value('GITHUB_REF_TYPE') === 'branch' ? branchOf(value('GITHUB_REF')) : undefined;
  const defaultBranch = defaultBranchOf(value('GITHUB_EVENT_PATH'));
  const temporary = needed('RUNNER_TEMP');
  // Each step of a job has an action name of its own.
  const step = (value('GITHUB_ACTION') ?? '').replaceAll(/[^\w-]/g, '');
  return {
    serverUrl,
    repository,
    workspace: needed('GITHUB_WORKSPACE'),
    temporary,
    resultsFile: join(temporary, `image-update-results${step}.json`),
    ...(branch !== undefined && { branch }),
    ...(defaultBranch !== undefined && { defaultBranch }),
  };
}

/** A pull request's ref is of the type `branch` too, and names none. */
function branchOf(ref: string | undefined): string | undefined {
  return /^refs\/heads\/(.+)$/.exec(ref ?? '')?.[1];
}

/** An event may have no repository, and its file may be gone: then nothing is known. */
function defaultBranchOf(eventFile: string | undefined): string | undefined {
  if (eventFile === undefined) return undefined;
  try {
    const event = asMap(JSON.parse(readFileSync(eventFile, 'utf8')) as unknown);
    return asText(asMap(event?.['repository'])?.['default_branch']) || undefined;
  } catch {
    return undefined;
  }
}
