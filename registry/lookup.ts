import pLimit from 'p-limit';
import type { Lookup, Need } from '../fn/lookup/lookup.ts';
import type { ImageMetadata } from '../fn/lookup/metadata.ts';
import type { Note } from '../fn/note.ts';
import { canonicalName } from '../fn/reference.ts';
import { RegistryError } from './error.ts';
import type { Progress } from './progress.ts';
import type { Scanner } from './scan.ts';

/** Repositories that are scanned at once; what each host bears at once is the matter of its requests. */
const SCANS_AT_ONCE = 32;

/** Where an answer rests on the order of names there is nothing to do about it: who asks for an account is told, no more. */
const REMARKS = new Set(['times-by-order']);

/** What was found out of a repository. */
export interface Found {
  metadata: ImageMetadata;
  /** False where digests alone were asked for: then the tags are those, whatever else there is. */
  listed: boolean;
}

/** The live look-up. It remembers what it was told, so that the same can be recorded. */
export class RegistryLookup implements Lookup {
  readonly notes: Note[] = [];
  /** What a person may like to know of an answer that is as good as it can be. */
  readonly remarks: Note[] = [];
  /** Why repositories did not answer, by the names they were asked for. */
  readonly failures = new Map<string, Note>();
  readonly #scanner: Scanner;
  readonly #progress: Progress;
  readonly #limit = pLimit(SCANS_AT_ONCE);
  readonly #found = new Map<string, Found>();

  constructor(scanner: Scanner, progress: Progress) {
    this.#scanner = scanner;
    this.#progress = progress;
  }

  async metadata(image: string, needs: readonly Need[]): Promise<ImageMetadata | Note> {
    return this.#ask(image, async () => {
      const { metadata, notes } = await this.#scanner.scan(image, needs);
      for (const note of notes) (REMARKS.has(note.reason) ? this.remarks : this.notes).push(note);
      this.#found.set(canonicalName(image), { metadata, listed: true });
      return metadata;
    });
  }

  async digest(image: string, tag: string): Promise<string | Note> {
    return this.#ask(image, async () => {
      const digest = await this.#scanner.digest(image, tag);
      this.#remember(image, tag, digest);
      return digest;
    });
  }

  /** Requests that all of it took so far. */
  get requests(): number {
    return this.#progress.requests();
  }

  /** The labels of an image by tag or digest; undefined where the registry does not tell, which is nobody's fault. */
  async labels(image: string, reference: string): Promise<Record<string, string> | undefined> {
    return this.#progress.during(async () => {
      try {
        return await this.#limit(async () => this.#scanner.labels(image, reference));
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        return undefined;
      }
    });
  }

  /** All that was found out, to be recorded: a repository each, with the digests that were asked for. */
  found(): Found[] {
    return [...this.#found.values()];
  }

  #remember(image: string, name: string, digest: string): void {
    const unlisted: Found = { metadata: { image, complete: false, tags: [] }, listed: false };
    const { metadata, listed } = this.#found.get(canonicalName(image)) ?? unlisted;
    const known = metadata.tags.find((tag) => tag.name === name);
    // By what else is known of the tag a choice was made: a record of it makes the same again.
    const tags = [...metadata.tags.filter((tag) => tag !== known), { ...known, name, digest }];
    this.#found.set(canonicalName(image), { metadata: { ...metadata, tags }, listed });
  }

  async #ask<T>(image: string, question: () => Promise<T>): Promise<T | Note> {
    return this.#progress.during(async () => {
      try {
        return await this.#limit(question);
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        const note: Note = { reason: `registry-${error.kind}`, message: error.message, image };
        this.failures.set(image, note);
        return note;
      }
    });
  }
}
