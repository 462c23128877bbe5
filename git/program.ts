import { GitError } from './error.ts';
import { execute, start, type Ended, type Executed, type Running } from './process.ts';
import { redact } from './redact.ts';
import { failureOf } from './failure.ts';
import type { Access } from './credentials.ts';

/** The oldest git that has all that is used here; Debian 12's. */
const OLDEST = [2, 39] as const;
/** What a run over no network may take. */
const LOCAL_TIMEOUT_MS = 5 * 60_000;
/** More output than this is no answer that was asked for. A tree of 100,000 files has some 15 MB. */
const MAX_OUTPUT_BYTES = 256 << 20;

/** What each run is told, so that neither the machine's configuration nor a repository's has a say (reference/controllers.md B3). */
const CONFIG: readonly [key: string, value: string][] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.symlinks', 'false'],
  ['core.attributesFile', '/dev/null'],
  ['core.excludesFile', '/dev/null'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['core.autocrlf', 'false'],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['fetch.writeCommitGraph', 'false'],
  ['push.recurseSubmodules', 'no'],
  ['protocol.version', '2'],
  ['http.followRedirects', 'false'],
  ['transfer.fsckObjects', 'true'],
  // Warts of old tools that do no harm; forges let them pass too.
  ['fetch.fsck.zeroPaddedFilemode', 'ignore'],
  ['fetch.fsck.missingSpaceBeforeDate', 'ignore'],
  ['fetch.fsck.badTimezone', 'ignore'],
  ['transfer.credentialsInUrl', 'die'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['safe.bareRepository', 'explicit'],
  ['credential.helper', ''],
  ['log.mailmap', 'false'],
  ['log.showSignature', 'false'],
  ['advice.pushUpdateRejected', 'false'],
];

/** What of the caller's environment reaches git: where programs and proxies are. */
const INHERITED = [
  'PATH',
  'TMPDIR',
  ...['http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]),
];

export interface GitOptions {
  /** An empty directory of ours. */
  home: string;
  environment?: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
}

/** A remote as git's environment names it. */
export interface Reach {
  url: string;
  access: Access;
  /** Milliseconds. */
  timeout: number;
}

export interface RunOptions {
  /** Whatever it is that was done, for messages: `reading the tree`. */
  what: string;
  input?: string | Buffer;
  env?: Readonly<Record<string, string>>;
  /** Milliseconds. */
  timeout?: number;
  /** Ends this run, beside the signal that ends all. */
  signal?: AbortSignal;
}

export interface ReachOptions extends RunOptions {
  /** Objects may stay at the remote. */
  promisor?: boolean;
}

/** The git program on one bare repository. Every way to run it is here. */
export interface Git {
  readonly directory: string;
  /** Runs it without any remote or credential; missing objects are missing. Throws if it fails. */
  run(args: readonly string[], options: RunOptions): Promise<Buffer>;
  /** Likewise, for output that is too large to be kept. */
  stream(args: readonly string[], options: RunOptions): { running: Running; check(ended: Ended): void };
  /** Runs it with the remote `origin`. Returns how it ended, good or bad. */
  reach(args: readonly string[], reach: Reach, options: ReachOptions): Promise<Executed>;
}

/** What a program that belongs to git (ssh-keygen, gpg) runs with as well. */
export function cleanEnvironment(home: string, environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]]));
  return { ...Object.fromEntries(inherited), HOME: home, LC_ALL: 'C', TZ: 'UTC' };
}

export function gitOn(directory: string, { home, environment, signal }: GitOptions): Git {
  const base = {
    ...cleanEnvironment(home, environment),
    GIT_DIR: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_ADVICE: '0',
  };
  const local = { ...base, GIT_ALLOW_PROTOCOL: 'none', ...configured(CONFIG) };

  function command(args: readonly string[], { input, env, timeout = LOCAL_TIMEOUT_MS, signal: own }: RunOptions) {
    return {
      program: 'git',
      args,
      env: { ...local, ...env },
      ...(input !== undefined && { input }),
      timeout,
      signal: signal && own ? AbortSignal.any([signal, own]) : (signal ?? own),
    };
  }
  return {
    directory,
    async run(args, options) {
      const executed = await execute(command(args, options), MAX_OUTPUT_BYTES);
      checkEnded(executed, options, []);
      return executed.stdout;
    },
    stream(args, options) {
      return { running: start(command(args, options)), check: (ended) => checkEnded(ended, options, []) };
    },
    async reach(args, { url, access, timeout }, { promisor, ...options }) {
      const config: [string, string][] = [...CONFIG, ['remote.origin.url', url], ...access.config];
      // Given with every run, not kept in the repository: to all other runs a missing object is just missing.
      if (promisor) config.push(['remote.origin.promisor', 'true'], ['remote.origin.partialCloneFilter', 'blob:none']);
      const env = {
        ...base,
        ...access.env,
        GIT_ALLOW_PROTOCOL: new URL(url).protocol.slice(0, -1),
        ...configured(config),
        ...options.env,
      };
      const executed = await execute({ ...command(args, { timeout, ...options }), env }, MAX_OUTPUT_BYTES);
      const stderr = redact(executed.stderr, access.secrets);
      if (executed.stopped === 'timeout')
        throw new GitError(
          'GitUnavailable',
          `${options.what} was given up after ${timeout / 1000} s; the server is too slow, or the time-out too short`,
        );
      checkStopped(executed, options);
      return { ...executed, stderr };
    },
  };
}

function configured(entries: readonly [key: string, value: string][]): Record<string, string> {
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(entries.length) };
  for (const [i, [key, value]] of entries.entries()) {
    env[`GIT_CONFIG_KEY_${i}`] = key;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  }
  return env;
}

function checkEnded(ended: Ended, options: RunOptions, secrets: readonly string[]): void {
  checkStopped(ended, options);
  if (ended.status !== 0) throw failureOf(options.what, redact(ended.stderr, secrets));
}

/** @throws GitError if it was we who ended it. */
function checkStopped({ stopped }: Ended, { what, timeout = LOCAL_TIMEOUT_MS }: RunOptions): void {
  if (stopped === 'aborted') throw new GitError('Timeout', `${what} was stopped, as the whole run was`);
  if (stopped === 'timeout') throw new GitError('Timeout', `${what} was given up after ${timeout / 1000} s`);
  if (stopped === 'output')
    throw new GitError(
      'TooLarge',
      `${what} gave more than ${MAX_OUTPUT_BYTES >> 20} MiB; is the repository this large?`,
    );
}

/**
 * Checks that git is there and new enough.
 * @throws GitError of class `Internal` that says which version is wanted.
 */
export async function checkGit(home: string, environment?: NodeJS.ProcessEnv): Promise<void> {
  const command = { program: 'git', args: ['--version'], env: cleanEnvironment(home, environment), timeout: 30_000 };
  const { stdout } = await execute(command, 4096);
  const said = stdout.toString().trim();
  if (!isNewEnough(said))
    throw new GitError(
      'Internal',
      `git ${OLDEST.join('.')} or newer is needed; the one on PATH says "${said.slice(0, 100)}"`,
    );
}

/** Whether `git --version` says a version that will do. */
export function isNewEnough(said: string): boolean {
  const [, major, minor] = /^git version (\d+)\.(\d+)/.exec(said) ?? [];
  return Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1]);
}
