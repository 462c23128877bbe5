/** What to log in to a registry with. Never printed: see `redact.ts`. */
export type Credentials =
  | { kind: 'basic'; username: string; password: string }
  /** A refresh token of the registry's own token server (`identitytoken` of a Docker config). */
  | { kind: 'identity-token'; token: string }
  /** A bearer token for the registry as it stands (`registrytoken`). */
  | { kind: 'registry-token'; token: string };

/**
 * Finds the credentials for a repository: host and port exactly, the longest path first. Undefined: ask anonymously.
 * `host` is canonical (`docker.io` for each of the Docker Hub's three names). May start a helper program or ask a cloud,
 * so its answer is kept until it expires.
 */
export interface CredentialSource {
  /** For messages: `~/.docker/config.json`, `environment`, `AWS`. */
  readonly name: string;
  find(host: string, path: string): Promise<Credentials | undefined>;
}
