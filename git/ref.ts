import { GitError } from './error.ts';

/** The id of an object, of either hash. */
const OID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const MAX_REF = 1024;

export function isOid(text: string): boolean {
  return OID.test(text);
}

/**
 * Checks that a name is a full ref (`refs/heads/main`) by the rules of git-check-ref-format.
 * @throws GitError of class `RefNotFound`: nothing can have that name.
 */
export function checkRef(ref: string): void {
  const problem = refProblem(ref);
  if (problem !== undefined)
    throw new GitError('RefNotFound', `the ref ${JSON.stringify(ref.slice(0, MAX_REF))} ${problem}`);
}

function refProblem(ref: string): string | undefined {
  if (!ref.startsWith('refs/')) return 'is not a full one; write refs/heads/… or refs/tags/…';
  if (ref.length > MAX_REF) return `has ${ref.length} characters, more than ${MAX_REF}`;
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  if (/[\u0000-\u0020\u007F~^:?*[\\]|\.\.|@\{|\/\/|\/$|\.$/.test(ref)) return 'holds what git allows in no ref';
  const segments = ref.split('/');
  if (segments.length < 3) return 'is not a full one; write refs/heads/… or refs/tags/…';
  if (segments.some((segment) => segment.startsWith('.') || segment.endsWith('.lock')))
    return 'has a segment that begins with "." or ends with ".lock"';
  return undefined;
}

/** @throws GitError of class `Internal`. */
export function checkOid(oid: string): void {
  if (!isOid(oid)) throw new GitError('Internal', `${JSON.stringify(oid.slice(0, 80))} is not the id of an object`);
}
