import type { Test } from 'tap';
import { GitError, type GitErrorClass } from '../../git/error.ts';

/** Makes what tests that work fails with a GitError of a class, in fitting words, and without a secret. */
export function rejecting(secret: string | RegExp) {
  return async (t: Test, work: () => Promise<unknown>, wanted: GitErrorClass, words: RegExp, name: string) => {
    const error = await work().then(
      () => undefined,
      (error: unknown) => error,
    );
    t.ok(error instanceof GitError, `${name}: a GitError`);
    if (!(error instanceof GitError)) return;
    t.equal(error.class, wanted, `${name}: ${error.message}`);
    t.match(error.message, words, name);
    t.notMatch(error.message, secret, `${name}: no secret`);
  };
}
