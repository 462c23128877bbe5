import pLimit from 'p-limit';
import type { Lookup, Need } from '../fn/lookup/lookup.ts';
import type { ImageMetadata } from '../fn/lookup/metadata.ts';
import type { Note } from '../fn/note.ts';
import { canonicalName } from '../fn/reference.ts';
import { RegistryError } from './error.ts';
import type { Progress } from './progress.ts';
import type { Scan } from './scan.ts';

/** What asks the registries, a repository at a time. @throws RegistryError */
export interface Scanner {
  scan(image: string, needs: readonly Need[]): Promise<Scan>;
  digest(image: string, tag: string): Promise<string>;
}

/** Repositories that are scanned at once; what each host bears at once is the matter of its requests. */
const SCANS_AT_ONCE = 32;

/** The live look-up. It remembers what it was told, so that the same can be recorded. */
export class RegistryLookup implements Lookup {
  readonly notes: Note[] = [];
  /** The repositories that did not answer, by the names they were asked for, and why. */
  readonly failures = new Map<string, Note>();
  readonly #scanner: Scanner;
  readonly #progress: Progress;
  readonly #limit = pLimit(SCANS_AT_ONCE);
  readonly #found = new Map<string, ImageMetadata>();

  constructor(scanner: Scanner, progress: Progress) {
    this.#scanner = scanner;
    this.#progress = progress;
  }

  async metadata(image: string, needs: readonly Need[]): Promise<ImageMetadata | Note> {
    return this.#ask(image, async () => {
      const { metadata, notes } = await this.#scanner.scan(image, needs);
      this.notes.push(...notes.map((note) => ({ image, ...note })));
      this.#found.set(canonicalName(image), metadata);
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

  /** All that was found out, to be recorded: a repository each, with the digests that were asked for. */
  found(): ImageMetadata[] {
    return [...this.#found.values()];
  }

  /** Nobody listed the tags of a repository whose digest alone was asked for: its record says that it is not whole. */
  #remember(image: string, tag: string, digest: string): void {
    const { tags, ...rest } = this.#found.get(canonicalName(image)) ?? { image, complete: false, tags: [] };
    const others = tags.filter(({ name }) => name !== tag);
    const known = tags.find(({ name }) => name === tag);
    this.#found.set(canonicalName(image), { ...rest, tags: [...others, { ...known, name: tag, digest }] });
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
