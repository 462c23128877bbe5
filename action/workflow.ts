import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asMap, asText } from '../fn/lookup/values.ts';
import { UsageError } from '../fn/usage.ts';

/** What the runner says of the workflow that this step is in (docs.github.com, "Variables reference"). */
export interface Workflow {
  /** `https://github.com`, or an Enterprise server. */
  serverUrl: string;
  apiUrl: string;
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
  /** The page of this run, for those who read a pull request. */
  runUrl?: string;
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
  const run = value('GITHUB_RUN_ID');
  return {
    serverUrl,
    repository,
    apiUrl: needed('GITHUB_API_URL').replace(/\/+$/, ''),
    workspace: needed('GITHUB_WORKSPACE'),
    temporary: needed('RUNNER_TEMP'),
    ...(branch !== undefined && { branch }),
    ...(defaultBranch !== undefined && { defaultBranch }),
    ...(run !== undefined && { runUrl: `${serverUrl}/${repository}/actions/runs/${run}` }),
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

/** Where what was found out is kept for later steps of the job. */
export function cacheIn({ temporary }: Workflow, environment: NodeJS.ProcessEnv): string {
  return environment['IMAGE_UPDATE_CACHE'] || join(temporary, 'image-update');
}
