/** What went wrong with git, by who must act (reference/controllers.md B6). */
export type GitErrorClass =
  | 'GitAuth'
  | 'HostKey'
  | 'GitUnavailable'
  | 'RefNotFound'
  | 'Race'
  | 'PushRefused'
  | 'DiskFull'
  | 'Timeout'
  | 'TooLarge'
  | 'Internal';

/** Git did not do what was asked. The message says what, where and what to do, with the server's own words where they help; never a secret. */
export class GitError extends Error {
  override name = 'GitError';
  readonly class: GitErrorClass;

  constructor(errorClass: GitErrorClass, message: string) {
    super(message);
    this.class = errorClass;
  }
}
