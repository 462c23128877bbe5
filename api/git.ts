import * as z from 'zod';
import { pathProblem } from '../git/path.ts';
import { sshUrl, urlProblem } from '../git/url.ts';
import { duration, formed, it, secretRef } from './fields.ts';
import { refProblem } from './ref.ts';
import { exactlyOne, ruled } from './rule.ts';

/** Where changes come from (reference/controllers.md A2): `git` of UpdateJob and of the automations. */

export const refName = formed({
  max: 255,
  problem: refProblem,
  rules: [
    {
      rule: String.raw`!self.matches(r'^[-/]|^refs/|^(@|HEAD)$|\.\.|//|@\{|[\s\pZ\p{Cc}~^:?*\[\\]|[./]$|(^|/)\.|\.lock(/|$)')`,
      message: 'git takes it for no name of a branch or tag; write it without refs/heads/ or refs/tags/',
    },
  ],
});

const commitId = formed({
  max: 64,
  problem: (value) => (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value) ? undefined : 'it is no full commit id'),
  pattern: '^([0-9a-f]{40}|[0-9a-f]{64})$',
});

const refSchema = ruled(
  z.strictObject({
    branch: refName.optional().describe('A branch, without `refs/heads/`.'),
    tag: refName.optional().describe('A tag, without `refs/tags/`.'),
    commit: commitId.optional().describe('A commit, by its full id.'),
  }),
  [exactlyOne(['branch', 'tag', 'commit'])],
);

const url = formed({
  max: 2048,
  problem: it((url) => urlProblem(url, ['https:', 'ssh:', 'http:'])),
  rules: [
    { rule: "self.matches(r'^(https?|ssh)://[^/]+/+[^/]')", message: 'write https://HOST/PATH or ssh://HOST/PATH' },
    {
      rule: "!self.matches(r'^https?://[^/]*@|^ssh://[^/]*:[^/]*@')",
      message: 'give credentials by a Secret, not in it',
    },
    {
      rule: "!self.matches(r'^[a-z]+://([^/]*@)?(-|%2[dD])|^[a-z]+://[^/]*/+(-|%2[dD])')",
      message: 'has a user, host or path that begins with "-"',
    },
    {
      rule: String.raw`!self.matches(r'[\s\pZ\p{Cc}\\?#]')`,
      message: 'has white space, a control character, a backslash, a query or a fragment',
    },
  ],
});

const path = formed({
  max: 1024,
  problem: it(pathProblem),
  rules: [
    {
      rule: String.raw`!self.matches(r'^/|//|/$|(^|/)\.\.?(/|$)')`,
      message: 'write a path below the root of the repository, without "." and ".."',
    },
    {
      rule: String.raw`!self.matches(r'[\\\p{Cc}\x{200B}-\x{200F}\x{2028}-\x{202E}\x{2060}-\x{206F}\x{FEFF}]')`,
      message: 'has a backslash, a control character, or one that cannot be seen',
    },
    {
      rule: String.raw`!self.matches(r'(^|/)(?i:\.git(modules|attributes)?|(git|gitmod|gitatt|gi[0-9a-f]{4})~[0-9]+)[. ]*(:[^/]*)?(/|$)')`,
      message: 'has a segment that git could take for its own',
    },
  ],
});

/** Fields of `git`; `ref` as a schema of its own, as what may stand there differs. */
export function gitSchema<T extends z.core.$ZodType>(ref: T) {
  return z.strictObject({
    url: url.describe(
      'The repository: `https://` or `ssh://` (`http://` if allowed). No password in it. `tk-image` takes `git@host:path` too.',
    ),
    ref,
    secretRef: secretRef
      .optional()
      .describe('Secret to log in with, with the keys that Flux uses: see [Secrets](update-job.md#secrets).'),
    depth: z.int().min(0).max(1_000_000).default(1).describe('Commits to fetch; 0 is all. 1 is enough.'),
    paths: z
      .array(path)
      .max(64)
      .default([])
      .describe('Directories that are fetched, and the only places that may change; the whole repository if empty.'),
    timeout: duration.default('60s').describe('For each operation over the network.'),
  });
}

/** `git` of an UpdateJob. */
export const anyRef = gitSchema(refSchema.describe('What to start from: exactly one of the three.'));

/** A spec with a URL where `git@host:path` was, which the API server does not take. */
export function withUrl(spec: unknown): unknown {
  const { git } = (spec ?? {}) as { git?: { url?: unknown } };
  return typeof git?.url === 'string' ? { ...(spec as object), git: { ...git, url: sshUrl(git.url) } } : spec;
}
