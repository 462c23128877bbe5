/** An image repository on a registry, canonical: `docker.io`, `library/nginx`. */
export interface Repository {
  /** As in a canonical name, with its port: `ghcr.io`, `localhost:5000`, `docker.io`. */
  host: string;
  path: string;
}

export interface TagList {
  /** As the registry sent them, each once; names that break the grammar are left out. */
  tags: string[];
  /** How many names broke the grammar. */
  dropped: number;
  /** False when the listing was cut short: too many pages, tags or bytes, a loop of links, or a page that failed. */
  complete: boolean;
  /** Why it is not complete, in words. */
  problem?: string;
  /** What the listing itself told of tags beside their names (Google's registries do). */
  facts?: ReadonlyMap<string, { digest?: string; pushed?: string; created?: string }>;
}

/** A manifest or index, of OCI or of Docker. */
export interface Manifest {
  digest: string;
  mediaType: string;
  /** The parsed JSON, not yet looked at. */
  body: unknown;
}

/** What a bearer challenge tells of the kind of registry (Harbor, GitLab) without another request. */
export interface Challenge {
  realm: string;
  service?: string;
}

/**
 * The OCI distribution API of any registry, logged in as far as credentials are known. One instance a run: it shares
 * tokens, connections, limits and the retry budget.
 * @throws RegistryError from each of its methods.
 */
export interface Registry {
  tags(repository: Repository): Promise<TagList>;
  /** The digest of what a tag names now; of an index, the index's own. Costs a HEAD, or a GET where a registry has none. */
  digest(repository: Repository, tag: string): Promise<string>;
  /** By tag or by digest; by digest the content is checked against it. */
  manifest(repository: Repository, reference: string): Promise<Manifest>;
  /** A JSON blob, such as an image's config, checked against its digest. */
  blob(repository: Repository, digest: string): Promise<unknown>;
  /** The bearer challenge that the host answered with, if it was asked anything and did. */
  challenge(host: string): Challenge | undefined;
}
