import type { ImageMetadata, TagMetadata } from '../fn/lookup/metadata.ts';
import type { Note } from '../fn/note.ts';
import { isEpochDay, readTime, type Instant } from '../fn/policy/time.ts';
import { RegistryError, type RegistryErrorKind } from './error.ts';
import { inspect, inspectedBy, type Inspection } from './inspect.ts';
import type { DigestFact, Knowledge, TagFact } from './knowledge.ts';
import { isCommitNamed } from './looks.ts';
import type { Registry, Repository, TagList } from './registry.ts';
import { BELIEVE_LOSS_AFTER_MS } from './shrink.ts';
import type { PushTimes } from './times/times.ts';

/** How long a tag is taken to name what it named when the registry was asked last. */
export const BELIEVE_TAG_MS = 24 * 3600 * 1000;

export interface RoomOptions {
  registry: Registry;
  pushTimes: readonly PushTimes[];
  inspection: Inspection;
  /** How many tags may still be looked up. */
  lookups: number;
}

/** Failures that are of one tag; after any other the registry is left alone. */
const OF_ONE_TAG: ReadonlySet<RegistryErrorKind> = new Set(['not-found', 'malformed', 'too-large']);

/** One repository in one run: its listing, what is known of it, and what may still be asked. */
export class Room {
  readonly repository: Repository;
  readonly knowledge: Knowledge;
  /** The time of the run, RFC 3339 in whole seconds. */
  readonly now: string;
  /** False when the listing was cut short or is not believed. */
  complete = false;
  listedAgain = false;
  /** Whether there is something to keep. */
  changed = false;
  /** How many tags may still be looked up. */
  lookups: number;
  /** Why look-ups ended before their time. */
  stopped: string | undefined;
  readonly #options: RoomOptions;
  /** The last whole listing before this run, if there is one. */
  readonly #earlier: string | undefined;
  #list: TagList | undefined;
  #names: readonly string[] = [];
  /** Of a listing that was cut short; of a whole one the knowledge says it. */
  #listed: ReadonlySet<string> | undefined;
  /** Tags that could not be read, and why. */
  #failed = new Map<string, string>();
  #inspections = new Map<string, Promise<DigestFact>>();
  #digests = new Map<string, Promise<string>>();
  #pushesAsked = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(repository: Repository, knowledge: Knowledge, now: number, options: RoomOptions) {
    this.repository = repository;
    this.knowledge = knowledge;
    this.now = `${new Date(now).toISOString().slice(0, 19)}Z`;
    this.lookups = options.lookups;
    this.#options = options;
    this.#earlier = knowledge.listedAt;
  }

  /** Runs one after another what is asked of the repository: the second mostly finds what it needs. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Asks for the listing, if it was not asked for or is asked for `again`. */
  async list(again = false): Promise<void> {
    if (this.#list && !again) return;
    this.listedAgain = again;
    const list = await this.#options.registry.tags(this.repository);
    // A second listing that was cut short says less than the first.
    if (this.#list && !list.complete) return;
    this.#list = list;
    this.complete = list.complete;
    this.#names = isSorted(list.tags) ? list.tags : list.tags.toSorted();
    const { seen, gone } = this.knowledge;
    for (const name of this.#names) {
      if (!seen.has(name)) {
        seen.set(name, this.now);
        this.changed = true;
      }
      if (gone.delete(name)) this.changed = true;
    }
    if (list.complete) {
      this.#missLost();
      this.changed ||= this.knowledge.listedAt === undefined;
      this.knowledge.listedAt = this.now;
    }
    this.#listed = list.complete ? undefined : new Set(list.tags);
    for (const [name, fact] of list.facts ?? []) this.#takeListed(name, fact);
  }

  /** Puts what the listing no longer has among the tags that are gone. */
  #missLost(): void {
    const { seen, gone } = this.knowledge;
    // Each listed name is in `seen`, and none in `gone`: where the numbers are equal nothing is lost.
    if (seen.size - gone.size === this.#names.length) return;
    const listed = new Set(this.#names);
    for (const name of seen.keys())
      if (!listed.has(name) && !gone.has(name)) {
        gone.set(name, this.now);
        this.changed = true;
      }
  }

  /** What the listing itself tells of a tag (Google's registries). */
  #takeListed(name: string, { digest, pushed, created }: { digest?: string; pushed?: string; created?: string }): void {
    if (!this.isListed(name)) return;
    this.#takeTag(name, { ...(digest !== undefined && { digest }), ...(pushed !== undefined && { pushed }) });
    const time = readTime(created);
    // An index has no time of its own there, and labels are not read.
    if (digest === undefined || !time || isEpochDay(time) || this.#options.inspection.labels) return;
    if (!this.#digestFact(digest)) this.#keepDigest(digest, { by: LISTING, created: created as string });
  }

  #takeTag(name: string, fact: Omit<TagFact, 'checkedAt'>): void {
    const known = this.knowledge.tags.get(name);
    this.knowledge.tags.set(name, { ...fact, checkedAt: this.now });
    // That it was asked again is worth a write only now and then.
    if (!known || known.digest !== fact.digest || known.pushed !== fact.pushed || !this.#believed(name, known))
      this.changed = true;
  }

  #keepDigest(digest: string, fact: DigestFact): void {
    this.knowledge.digests.set(digest, fact);
    this.changed = true;
  }

  /** Asks for push times, once a run: what `wanted` says of tags is to be known, so many of them at least. */
  async askPushTimes(wanted: readonly string[], enough: number): Promise<void> {
    if (this.#pushesAsked) return;
    this.#pushesAsked = true;
    const { host } = this.repository;
    const challenge = this.#options.registry.challenge(host);
    const reader = this.#options.pushTimes.find((each) => each.serves(host, challenge));
    const pushes = await reader?.read(this.repository, { tags: new Set(wanted), enough }, challenge);
    if (!pushes) return;
    for (const [name, { pushed, digest }] of pushes.tags)
      if (this.isListed(name)) this.#takeTag(name, { pushed, ...(digest !== undefined && { digest }) });
    if (pushes.othersBefore !== undefined) this.knowledge.pushedBefore = { at: this.now, before: pushes.othersBefore };
    this.changed = true;
  }

  /** Looks tags up, as far as the budget goes: what each names now, and what that says. */
  async lookUp(names: readonly string[]): Promise<void> {
    const affordable = names.slice(0, this.lookups);
    this.lookups -= affordable.length;
    await Promise.all(affordable.map((name) => this.#lookUp(name)));
  }

  async #lookUp(name: string): Promise<void> {
    try {
      await this.#learn(name);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      if (OF_ONE_TAG.has(error.kind)) this.#failed.set(name, error.message);
      else this.stopped ??= error.message;
    }
  }

  async #learn(name: string): Promise<void> {
    const { registry } = this.#options;
    const known = this.knowledge.tags.get(name);
    let digest = known && this.#believed(name, known) ? known.digest : undefined;
    // A HEAD is cheap, and is no pull; it is enough where the digest, as is likely, did not change.
    if (digest === undefined && known?.digest !== undefined) digest = await this.digest(name);
    if (digest !== undefined && this.#digestFact(digest)) return;
    const manifest = await registry.manifest(this.repository, digest ?? name);
    if (digest === undefined) this.#takeTag(name, { ...this.#pushedAt(name), digest: manifest.digest });
    if (this.#digestFact(manifest.digest)) return;
    let inspection = this.#inspections.get(manifest.digest);
    if (!inspection) {
      inspection = inspect(registry, this.repository, manifest, this.#options.inspection);
      this.#inspections.set(manifest.digest, inspection);
    }
    this.#keepDigest(manifest.digest, await inspection);
  }

  /** A push time is kept where only the digest was not known. */
  #pushedAt(name: string): Pick<TagFact, 'pushed'> {
    const known = this.knowledge.tags.get(name);
    return known?.pushed !== undefined && this.#believed(name, known) ? { pushed: known.pushed } : {};
  }

  /** The digest of what a tag names now, asked once a run. */
  digest(name: string): Promise<string> {
    let asked = this.#digests.get(name);
    if (!asked) {
      asked = this.#options.registry.digest(this.repository, name).then((digest) => {
        const known = this.knowledge.tags.get(name);
        const same = known?.digest === digest || known?.digest === undefined;
        this.#takeTag(name, { digest, ...(same && known?.pushed !== undefined && { pushed: known.pushed }) });
        return digest;
      });
      this.#digests.set(name, asked);
    }
    return asked;
  }

  #believed(name: string, { checkedAt }: TagFact): boolean {
    return this.#isRecent(checkedAt) || isCommitNamed(name);
  }

  #digestFact(digest: string | undefined): DigestFact | undefined {
    const fact = digest === undefined ? undefined : this.knowledge.digests.get(digest);
    const { inspection } = this.#options;
    if (fact?.by === inspectedBy(inspection) || (fact?.by === LISTING && !inspection.labels)) return fact;
    return undefined;
  }

  /** When the image of a tag was built, by a digest that is believed; null: it has no time, undefined: it is not known. */
  created(name: string): Instant | null | undefined {
    if (this.#failed.has(name)) return null;
    const tag = this.knowledge.tags.get(name);
    const fact = tag && this.#believed(name, tag) ? this.#digestFact(tag.digest) : undefined;
    return fact ? (readTime(fact.created) ?? null) : undefined;
  }

  /** When the registry got the tag, where it said so of late. */
  pushed(name: string): Instant | undefined {
    const tag = this.knowledge.tags.get(name);
    return tag && this.#believed(name, tag) ? readTime(tag.pushed) : undefined;
  }

  /** Nothing behind the tag was built after this: it was pushed then, or before; or it is named by a commit and was seen then. */
  bound(name: string): Instant | undefined {
    const pushed = this.pushed(name);
    if (pushed) return pushed;
    const { pushedBefore } = this.knowledge;
    if (pushedBefore && this.#isRecent(pushedBefore.at) && this.firstSeen(name) <= pushedBefore.at)
      return readTime(pushedBefore.before);
    return isCommitNamed(name) ? readTime(this.firstSeen(name)) : undefined;
  }

  #isRecent(time: string): boolean {
    return Date.parse(this.now) - Date.parse(time) < BELIEVE_TAG_MS;
  }

  firstSeen(name: string): string {
    return this.knowledge.seen.get(name) ?? this.now;
  }

  /** Whether a tag came since the last listing before this run. */
  fresh(name: string): boolean {
    return this.#earlier !== undefined && this.firstSeen(name) === this.now && this.#earlier < this.now;
  }

  /** The listed names, sorted. */
  get names(): readonly string[] {
    return this.#names;
  }

  isListed(name: string): boolean {
    return this.#listed?.has(name) ?? (this.knowledge.seen.has(name) && !this.knowledge.gone.has(name));
  }

  /** The tags of the listing, sorted, as far as they are known. */
  listed(): TagMetadata[] {
    return this.#names.map((name) => this.#describe(name));
  }

  /** Tags that are gone from the listing too short a time to believe it. */
  lost(): TagMetadata[] {
    const until = Date.parse(this.now) - BELIEVE_LOSS_AFTER_MS;
    return [...this.knowledge.gone]
      .filter(([name, since]) => !this.isListed(name) && Date.parse(since) > until)
      .map(([name]) => this.#describe(name));
  }

  /** A tag that is gone from the listing, if it was known. */
  vanished(name: string): TagMetadata | undefined {
    return this.isListed(name) || !this.knowledge.seen.has(name) ? undefined : this.#describe(name);
  }

  metadata(image: string): ImageMetadata {
    return { image, scannedAt: this.now, complete: this.complete, tags: this.listed() };
  }

  #describe(name: string): TagMetadata {
    const tag: TagMetadata = { name };
    const fact = this.knowledge.tags.get(name);
    const said = this.#digestFact(fact?.digest);
    // A digest is written into manifests, so an old one is not given; the time that went with it is the best there is.
    if (fact?.digest !== undefined && this.#believed(name, fact)) tag.digest = fact.digest;
    if (said?.created !== undefined) tag.created = said.created;
    if (fact?.pushed !== undefined) tag.pushed = fact.pushed;
    tag.firstSeen = this.firstSeen(name);
    if (said?.platforms && said.platforms.length > 0) tag.platforms = said.platforms;
    return tag;
  }

  /** What its reader should know of the listing and of tags that could not be read. */
  notes(): Note[] {
    const notes: Note[] = [];
    const { image } = this.knowledge;
    const { dropped = 0, complete = true, problem } = this.#list ?? {};
    if (dropped > 0)
      notes.push({
        reason: 'tags-dropped',
        message: `${dropped} of the names that ${image} lists are no tags by the grammar, and left out`,
      });
    if (!complete)
      notes.push({
        reason: 'listing-incomplete',
        message: `the listing of ${image} was cut short${problem ? `: ${problem}` : ''}; nothing moves back because of it`,
      });
    const [first] = this.#failed;
    if (first)
      notes.push({
        reason: 'tags-unreadable',
        message: `${this.#failed.size === 1 ? 'a tag' : `${this.#failed.size} tags`} of ${image} cannot be read, and so ${this.#failed.size === 1 ? 'has' : 'have'} no time; ${first[0]}: ${first[1]}`,
      });
    return notes;
  }
}

function isSorted(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) if ((names[i - 1] as string) > (names[i] as string)) return false;
  return true;
}

/** By which a time is known that the listing told. */
const LISTING = 'listing';
