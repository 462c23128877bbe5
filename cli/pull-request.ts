import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { reasonOf } from '../fn/directory.ts';
import { InputError } from '../fn/run.ts';
import { UsageError } from '../fn/usage.ts';
import type { Forge, ForgeType } from '../git/forge/forge.ts';
import { GROUPINGS, type PullRequestWishes } from '../job/pull-request/options.ts';

/** What the options about pull requests were given, as commander reads them. */
export interface PullRequestFlags {
  pullRequest?: boolean;
  branch?: string;
  groupBy?: PullRequestWishes['groupBy'];
  title?: string;
  body?: string;
  labels?: string;
  reviewers?: string;
  draft?: boolean;
  autoMerge?: boolean;
  forge?: ForgeType;
  forgeUrl?: string;
}

/** Declares the options about pull requests: the table of docs/pull-requests.md. `--branch` is the command's own. */
export function declarePullRequestOptions(command: Command): void {
  command
    .option('--pull-request')
    .addOption(new Option('--group-by <what>').choices(GROUPINGS))
    .option('--title <template>')
    .option('--body <template>')
    .option('--labels <names>')
    .option('--reviewers <names>')
    .option('--draft')
    .option('--auto-merge')
    .addOption(new Option('--forge <type>').choices(['github', 'gitlab', 'gitea']))
    .option('--forge-url <url>');
}

/**
 * How pull requests shall be; undefined where none are asked for.
 * @throws UsageError for what means nothing without them.
 */
export function wishesOf(flags: PullRequestFlags): PullRequestWishes | undefined {
  const { pullRequest, branch, labels, reviewers, forge, forgeUrl, ...wishes } = flags;
  if (!pullRequest) {
    const { groupBy, title, body, draft, autoMerge } = wishes;
    const alone = { groupBy, title, body, labels, reviewers, draft, autoMerge, forge, forgeUrl };
    const [name] = Object.entries(alone).find(([, value]) => value !== undefined) ?? [];
    if (name === undefined) return undefined;
    const option = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(`--${option} is about a pull request; say --pull-request too, or leave it out`);
  }
  const { groupBy, title, body, draft, autoMerge } = wishes;
  return {
    ...(branch !== undefined && { branch }),
    ...(groupBy !== undefined && { groupBy }),
    ...(title !== undefined && { title }),
    ...(body !== undefined && { body }),
    ...(labels !== undefined && { labels: labels.split(',') }),
    ...(reviewers !== undefined && { reviewers: reviewers.split(',') }),
    ...(draft !== undefined && { draft }),
    ...(autoMerge !== undefined && { autoMerge }),
  };
}

/** Opens the forge of a repository by what was given and the environment; `GIT_CA_FILE` is trusted there too. @throws GitError, InputError */
export async function forgeOf(
  repositoryUrl: string,
  { forge, forgeUrl }: PullRequestFlags,
  environment: NodeJS.ProcessEnv,
): Promise<Forge> {
  const { openForge } = await import('../git/forge/open.ts');
  const ca = environment['GIT_CA_FILE'] ? readCa(environment['GIT_CA_FILE']) : undefined;
  return openForge(repositoryUrl, {
    environment,
    ...(forge && { type: forge }),
    ...(forgeUrl !== undefined && { url: forgeUrl }),
    ...(ca !== undefined && { ca }),
  });
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(`GIT_CA_FILE names ${file}, which cannot be read: ${reasonOf(error)}`);
  }
}
