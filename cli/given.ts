import type { PullRequestFlags } from './pull-request.ts';

/** What has registries asked, of each command that asks them unless `--offline` is given. */
export const TO_ASK = 'leave --offline out';

/** Options that mean something with `--pull-request` alone. */
export const ABOUT_PULL_REQUESTS = [
  'title',
  'body',
  'addLabels',
  'reviewers',
  'draft',
  'autoMerge',
  'forge',
  'forgeUrl',
] as const satisfies readonly (keyof PullRequestFlags)[];

/** The first of some options that was given. */
export function givenOf<T extends object>(options: T, names: readonly (keyof T & string)[]): string | undefined {
  return names.find((name) => {
    const value = options[name];
    return Array.isArray(value) ? value.length > 0 : value !== undefined;
  });
}

/** An option as it is typed: `--dry-run` of `dryRun`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
