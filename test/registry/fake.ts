import { createHash } from 'node:crypto';
import { RegistryError } from '../../registry/error.ts';
import type { Challenge, Manifest, Registry, Repository, TagList } from '../../registry/registry.ts';
import type { FakeTag } from '../fixtures/registry/scan.ts';

const START = Date.UTC(2026, 0, 1);
const DAY = 24 * 3600 * 1000;

/** The time so many days after the start of the year. */
export function day(days: number): string {
  return new Date(START + days * DAY).toISOString().replace('.000Z', 'Z');
}

/** A clock that stands so many days after the start of the year. */
export function clockAt(days: number): { now(): number } {
  return { now: () => START + days * DAY };
}

/** A registry of one repository, in memory, that counts what it is asked. */
export class FakeRegistry implements Registry {
  tagsByName: Record<string, number | FakeTag>;
  calls = { tags: 0, digest: 0, manifest: 0, blob: 0 };
  /** Thrown by look-ups of these tags, or of all by `*`. */
  failures: Record<string, RegistryError> = {};
  /** Changes what the next listing says; the last stays. */
  lists: Partial<TagList>[] = [];
  answer: Challenge | undefined;
  #manifests = new Map<string, Manifest>();
  #blobs = new Map<string, unknown>();

  constructor(tags: Record<string, number | FakeTag>) {
    this.tagsByName = tags;
  }

  get requests(): number {
    return Object.values(this.calls).reduce((sum, count) => sum + count);
  }

  async tags(_repository: Repository): Promise<TagList> {
    this.calls.tags++;
    const said = this.lists.length > 1 ? this.lists.shift() : this.lists[0];
    return { tags: Object.keys(this.tagsByName), dropped: 0, complete: true, ...said };
  }

  async digest(_repository: Repository, tag: string): Promise<string> {
    this.calls.digest++;
    return this.#manifest(tag).digest;
  }

  async manifest(_repository: Repository, reference: string): Promise<Manifest> {
    this.calls.manifest++;
    const known = this.#manifests.get(reference);
    return known ?? this.#manifest(reference);
  }

  async blob(_repository: Repository, digest: string): Promise<unknown> {
    this.calls.blob++;
    return this.#blobs.get(digest);
  }

  challenge(_host: string): Challenge | undefined {
    return this.answer;
  }

  digestOf(tag: string): string {
    return this.#manifest(tag).digest;
  }

  #manifest(tag: string): Manifest {
    const failure = this.failures[tag] ?? this.failures['*'];
    if (failure) throw failure;
    const given = this.tagsByName[tag];
    if (given === undefined) throw new RegistryError('not-found', `there is no ${tag}`);
    const { built, image = tag, index }: FakeTag = typeof given === 'number' ? { built: given } : given;
    const key = JSON.stringify([image, built, index]);
    if (!index) return this.#image(key, 'linux/amd64', built);
    const manifests = index.map((platform, i) => {
      const [os, architecture] = platform.split('/');
      // The preferred platform has the time; another is a day younger.
      const child = this.#image(
        `${key}${platform}`,
        platform,
        typeof built === 'number' && platform !== 'linux/amd64' ? built + 1 + i : built,
      );
      return { digest: child.digest, mediaType: child.mediaType, platform: { os, architecture } };
    });
    return this.#keep({
      digest: sha(key),
      mediaType: 'application/vnd.oci.image.index.v1+json',
      body: { schemaVersion: 2, manifests },
    });
  }

  #image(key: string, platform: string, built: FakeTag['built']): Manifest {
    const [os, architecture] = platform.split('/');
    const created = built === null ? undefined : built === 'epoch' ? '1970-01-01T00:00:00Z' : day(built);
    const config = sha(`config of ${key}`);
    this.#blobs.set(config, { os, architecture, created });
    return this.#keep({
      digest: sha(key),
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      body: {
        schemaVersion: 2,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config },
        layers: [],
      },
    });
  }

  #keep(manifest: Manifest): Manifest {
    this.#manifests.set(manifest.digest, manifest);
    return manifest;
  }
}

function sha(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
