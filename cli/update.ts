import type { Io } from '../fn/io.ts';
import { UsageError } from '../fn/usage.ts';
import { classes, failureOf } from '../job/failure.ts';
import { compileTemplate } from '../job/message.ts';
import { refProblem } from '../api/ref.ts';
import type { GivenOptions } from '../registry/options.ts';
import { carryOut, type Parsed } from './command.ts';
import { ABOUT_PULL_REQUESTS, flagOf, givenOf } from './given.ts';
import type { Format } from './formats.ts';
import type { PullRequestFlags } from './pull-request.ts';
import { update as spec, type SIGNING_TYPES } from './specs/update.ts';

export interface UpdateOptions extends GivenOptions, PullRequestFlags {
  dryRun?: boolean;
  diff?: boolean;
  interactive?: boolean;
  workload: string[];
  namespace?: string;
  image: string[];
  strict?: boolean;
  maxChanges?: string;
  results?: string;
  format?: Format;
  commit?: boolean;
  push?: boolean;
  message?: string;
  author?: string;
  sign?: boolean;
  git?: string;
  ref?: string;
  path: string[];
  release: string[];
  signingKey?: string;
  signingType?: (typeof SIGNING_TYPES)[number];
  allowHttp?: boolean;
  metadata: string[];
  fnConfig?: string;
  offline?: boolean;
}

/** `tk-image update`: the whole pipeline, on files or on a repository. */
export async function update(argv: string[], io: Io): Promise<number> {
  return carryOut(spec, argv, io, async ({ options, operands }: Parsed<UpdateOptions>) => {
    check(options, operands, io);
    try {
      const directories = operands.length > 0 ? operands : ['.'];
      if (options.git === undefined && !options.pullRequest) {
        const { updateDirectories } = await import('./update-directories.ts');
        return await updateDirectories(directories, options, io);
      }
      const { updateRemote } = await import('./update-remote.ts');
      if (options.git !== undefined) return await updateRemote(options.git, options, io);
      const { placeOnRemote } = await import('./own-remote.ts');
      const { url, branch, paths } = await placeOnRemote(directories, io);
      return await updateRemote(url, { ...options, ref: branch, path: paths }, io, 'the remote');
    } catch (error) {
      if (!(error instanceof Error) || (error.name !== 'GitError' && error.name !== 'JobError')) throw error;
      const failure = failureOf(error);
      // What is of no class speaks for itself.
      const about = failure.class === 'Internal' ? '' : `${failure.class}: `;
      io.error(`tk-image: ${about}${failure.message}`);
      return classes[failure.class].exit;
    }
  });
}

/** Options that mean something with some others alone. */
const NEEDS: readonly [
  options: readonly (keyof UpdateOptions)[],
  isMet: (options: UpdateOptions) => boolean,
  why: string,
][] = [
  [['ref', 'path'], ({ git }) => git !== undefined, 'is for a repository; name it with --git URL'],
  [
    ['release', 'signingKey', 'signingType', 'allowHttp'],
    ({ git, pullRequest }) => git !== undefined || pullRequest === true,
    'is for a repository; name it with --git URL, or say --pull-request',
  ],
  [
    ['interactive', 'workload', 'namespace', 'results', 'commit', 'sign'],
    ({ git, pullRequest }) => git === undefined && !pullRequest,
    'is for files that are edited here, and not for --git and --pull-request',
  ],
  [ABOUT_PULL_REQUESTS, ({ pullRequest }) => pullRequest === true, 'is about pull requests; say --pull-request too'],
  [
    ['push', 'branch', 'groupBy', 'message', 'author', 'sign'],
    ({ git, commit, pullRequest }) => git !== undefined || commit === true || pullRequest === true,
    'is about commits; say --commit too',
  ],
];

/** @throws UsageError for options that do not go together, and values that can be judged before anything runs. */
function check(options: UpdateOptions, operands: readonly string[], io: Io): void {
  for (const [names, isMet, why] of NEEDS) {
    const given = isMet(options) ? undefined : givenOf(options, names);
    if (given === undefined) continue;
    const flag = given === 'sign' && options.sign === false ? '--no-sign' : flagOf(given);
    throw new UsageError(`${flag} ${why}`);
  }
  const { git, branch, ref, author, message, maxChanges, interactive, signingKey, signingType } = options;
  if (git !== undefined && operands[0] !== undefined)
    throw new UsageError(
      `"${operands[0]}" is one word too many: --git is instead of a directory; narrow it with --path`,
    );
  if (interactive && !io.isTerminal)
    throw new UsageError(
      '--interactive asks on a terminal, and stdin is none; leave it out, or narrow with -w or --image',
    );
  for (const [flag, name] of Object.entries({ '--branch': branch, '--ref': ref })) {
    const problem = name === undefined ? undefined : refProblem(name);
    if (problem !== undefined) throw new UsageError(`${flag} ${JSON.stringify(name)}: ${problem}`);
  }
  if (author !== undefined && !AUTHOR.test(author))
    throw new UsageError(`--author ${JSON.stringify(author)}: write it as 'Name <email>'`);
  if (message !== undefined) compileTemplate(message, '--message');
  if (maxChanges !== undefined && !/^[1-9]\d{0,8}$/.test(maxChanges))
    throw new UsageError(`--max-changes ${maxChanges}: it takes a whole number from 1`);
  if (signingType !== undefined && signingKey === undefined)
    throw new UsageError('--signing-type says what kind of key --signing-key is; give that too');
}

/** Name and address, as git takes them. */
// oxlint-disable-next-line no-control-regex -- they are what is refused
export const AUTHOR = /^([^<>\u0000-\u001F]*[^<>\s\u0000-\u001F])\s*<([^<>\s\u0000-\u001F]+)>$/;
