/** Who must act, and on what; stable, for machines. It becomes the `reason` of a result as `registry-KIND`. */
export type RegistryErrorKind =
  | 'unreachable'
  | 'timeout'
  | 'tls'
  | 'rate-limited'
  | 'unavailable'
  | 'unauthorized'
  | 'denied'
  | 'not-found'
  | 'too-large'
  | 'malformed'
  | 'refused-address'
  | 'budget';

/** A registry did not answer, or not with what was asked for. The message names host, repository, status and what to do; never a secret. */
export class RegistryError extends Error {
  override name = 'RegistryError';
  readonly kind: RegistryErrorKind;

  constructor(kind: RegistryErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
