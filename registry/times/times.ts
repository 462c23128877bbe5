import type { Challenge, Repository } from '../registry.ts';

/**
 * Where a registry tells when it got a tag, beside the OCI API. It is an extra: `read` gives undefined for whatever goes
 * wrong (no such API, no access, a limit, an answer that makes no sense), and the scan goes on with plain OCI.
 */
export interface PushTimes {
  /** For messages: `Docker Hub`. */
  readonly name: string;
  /** Whether the API is there, by the host's name or by the challenge that the host sent. */
  serves(host: string, challenge: Challenge | undefined): boolean;
  /** Costs one request a page of 100 tags (ECR: 1,000), newest first where the API sorts, until there is enough. */
  read(repository: Repository, wanted: Wanted, challenge: Challenge | undefined): Promise<Pushes | undefined>;
}

export interface Wanted {
  tags: ReadonlySet<string>;
  /** So many of `tags` are enough. */
  enough: number;
}

export interface Pushes {
  /** By tag, all that were read. */
  tags: Map<string, Push>;
  /** RFC 3339: no tag that is not in `tags` was pushed later. Undefined if that is not known. */
  othersBefore?: string;
}

export interface Push {
  /** RFC 3339. */
  pushed: string;
  digest?: string;
}
