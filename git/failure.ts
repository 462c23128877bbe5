import { GitError, type GitErrorClass } from './error.ts';

/** What git or ssh says (LC_ALL=C), what class it is (reference/controllers.md B6), and what to do about it. First match wins. */
interface Sign {
  sign: RegExp;
  class: GitErrorClass;
  advice: string;
}

const SIGNS: readonly Sign[] = [
  {
    sign: /No space left on device|Disk quota exceeded/,
    class: 'DiskFull',
    advice: 'the disk is full here; make room, or give the run a larger volume',
  },
  {
    sign: /IDENTIFICATION HAS CHANGED|Host key for .* has changed/,
    class: 'HostKey',
    advice:
      'the server showed another host key than known_hosts has; find out why, and correct known_hosts if the change is meant',
  },
  {
    sign: /Host key verification failed|host key is known for/,
    class: 'HostKey',
    advice: 'known_hosts has no key of this host; add what its operator publishes',
  },
  {
    sign: /SSL certificate problem|certificate verification failed|server verification failed|SSL: no alternative certificate|self[- ]signed certificate/,
    class: 'HostKey',
    advice: "the server's certificate is not trusted; give its authority as ca.crt",
  },
  {
    sign: /error in libcrypto|incorrect passphrase|invalid format|UNPROTECTED PRIVATE KEY/,
    class: 'GitAuth',
    advice: 'the ssh key cannot be read; check that it is whole, and its passphrase',
  },
  {
    sign: /Permission denied|could not read (?:Username|Password)|Authentication failed|Invalid username or|returned error: 40[13]|HTTP 40[13]|Too many authentication failures|Access denied/i,
    class: 'GitAuth',
    advice: 'the server does not let these credentials do this; check them, and what they may do there',
  },
  {
    sign: /returned error: 404|not found$|does not appear to be a git repository|no such (?:repository|project)/im,
    class: 'RefNotFound',
    advice: 'there is no such repository for these credentials; check the URL, and whether the credentials may see it',
  },
  {
    sign: /returned error: 3\d\d|unable to update url base from redirection/,
    class: 'RefNotFound',
    advice: 'the server redirects, and credentials are not sent after it; give the URL that it redirects to',
  },
  {
    sign: /couldn't find remote ref|not our ref|unadvertised object|no such remote ref/,
    class: 'RefNotFound',
    advice: 'the repository has no such ref or commit',
  },
  {
    sign: /mismatched algorithms|unknown object format/,
    class: 'Internal',
    advice: 'the repository uses SHA-256, which is not supported',
  },
  {
    sign: /fsck error|bad object|malformed|has(?:Dot|Null|FullPathname|Dotdot|Dotgit)\w*:/,
    class: 'Internal',
    advice: 'the repository holds an object that git takes for damaged or hostile; its owner must repair it',
  },
  {
    sign: /Could not resolve host|Temporary failure in name resolution|Name or service not known|Failed to connect|Couldn't connect|Connection (?:refused|timed out|reset|closed)|Operation timed out|No route to host|Network is unreachable|returned error: (?:5\d\d|429|408)|HTTP (?:5\d\d|429)|hung up unexpectedly|unexpected disconnect|early EOF|RPC failed|Empty reply|kex_exchange_identification|Could not read from remote repository|unable to access/,
    class: 'GitUnavailable',
    advice: 'the server did not answer as it should; check its name and the way to it, or try again later',
  },
];

/** What a failed run of git means, in a sentence that begins with `what` ("fetching refs/heads/main of https://…"). */
export function failureOf(what: string, stderr: string): GitError {
  const { ours, theirs } = split(stderr);
  const said = theirs === '' ? '' : `; the server says: ${theirs}`;
  for (const { sign, class: errorClass, advice } of SIGNS)
    // The server's own words decide nothing but when ours do not: a hook may print what it likes.
    if (sign.test(ours)) return new GitError(errorClass, `${what} failed: ${advice} (${lastWords(ours)})${said}`);
  return new GitError('Internal', `${what} failed: ${lastWords(ours) || 'git said nothing'}${said}`);
}

/** How much of a program's or a server's words goes into a message. */
const MAX_WORDS = 1500;

/** Git's own lines and the server's, which git marks with `remote: `. */
function split(stderr: string): { ours: string; theirs: string } {
  const lines = stderr.split('\n').map((line) => line.trimEnd());
  const theirs = lines.filter((line) => line.startsWith('remote:')).map((line) => line.slice(7).trim());
  return {
    ours: lines.filter((line) => line !== '' && !line.startsWith('remote:') && !line.startsWith('hint:')).join('\n'),
    theirs: theirs
      .filter((line) => line !== '')
      .join(' ')
      .slice(0, MAX_WORDS),
  };
}

/** The lines that tell most: errors, else the last. */
function lastWords(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '');
  const told = lines.filter((line) => /^(?:fatal|error|ssh|gpg|remote)\b|denied|failed/i.test(line));
  return (told.length > 0 ? told : lines).slice(-4).join('; ').slice(-MAX_WORDS);
}

/** What became of a push, by its `--porcelain` output (reference/controllers.md B5.4). */
export function pushFailure(what: string, stdout: string, stderr: string): GitError {
  const { theirs } = split(stderr);
  const line = stdout.split('\n').find((line) => line.startsWith('!\t'));
  const summary = line?.split('\t')[2];
  if (summary === undefined) {
    if (/does not support push options/.test(stderr))
      return new GitError('PushRefused', `${what} failed: the server takes no push options; leave push.options out`);
    return failureOf(what, stderr);
  }
  const said = theirs === '' ? '' : `; the server says: ${theirs}`;
  const reason = /\((.*)\)\s*$/.exec(summary)?.[1] ?? summary;
  if (RACE.test(summary))
    return new GitError('Race', `${what} came too late: the branch has moved meanwhile (${reason})${said}`);
  if (/unpacker error|n\/a \(unpacker|missing necessary objects|remote failure|remote failed to report/.test(summary))
    return new GitError('GitUnavailable', `${what} failed: the server could not store it (${reason})${said}`);
  return new GitError(
    'PushRefused',
    `${what} was refused (${reason})${said}; a rule of the server forbids it: its owner must allow it, or another branch be pushed to`,
  );
}

/** A shallow update is one on a commit that no branch there has any more. */
const RACE =
  /^\[rejected\] \((?:fetch first|non-fast-forward|stale info|needs force|remote ref updated since checkout|already exists)\)|^\[remote rejected\] \((?:failed to update ref|cannot lock ref.*|failed to lock|incorrect old value provided|reference already exists|fetch first|non-fast-forward|stale info|shallow update not allowed)\)/;
