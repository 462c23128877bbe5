import type { Need } from '../fn/lookup/lookup.ts';
import type { ImageMetadata } from '../fn/lookup/metadata.ts';
import type { Note } from '../fn/note.ts';
import { canonicalName } from '../fn/reference.ts';
import type { Cache } from './cache.ts';
import { systemClock, type Clock } from './clock.ts';
import { RegistryError } from './error.ts';
import { emptyKnowledge } from './knowledge.ts';
import { readLabels } from './labels.ts';
import { allowList } from '../fn/allow.ts';
import { lookUpAges, lookUpTimes } from './needs.ts';
import type { Registry, Repository } from './registry.ts';
import { Room, type RoomOptions } from './room.ts';
import { doubt } from './shrink.ts';
import type { PushTimes } from './times/times.ts';

export type { Need };

/** What was found out of a repository. */
export interface Scan {
  metadata: ImageMetadata;
  /** What its reader should know: names that were dropped, times that were not looked up, tags that vanished. */
  notes: Note[];
}

export interface ScannerOptions {
  registry: Registry;
  /** Where registries tell push times; see `pushTimeReaders`. */
  pushTimes?: readonly PushTimes[];
  /** What is known from earlier runs; without one each run starts anew. */
  cache?: Cache;
  clock?: Pick<Clock, 'now'>;
  /** `os/arch[/variant]` whose time counts where an index has several; default `linux/amd64`. */
  platform?: string;
  /** Globs of canonical names whose annotations and labels may say when an image was built; default none. */
  labels?: readonly string[];
  /** How many tags may be looked up in a repository, in a run; default 100. A look-up is one to three requests. */
  maxLookups?: number;
}

/** One run over any number of repositories. */
export interface Scanner {
  /**
   * The tags of a repository, with what the needs ask for. The listing is asked for once a run; tags are looked up only
   * for a rule that orders by time or has a minimum age, only those that pass its filter, and each once.
   * @throws RegistryError if there is no listing. A look-up that fails is a note.
   */
  scan(image: string, needs: readonly Need[]): Promise<Scan>;
  /**
   * The digest of what a tag names now: asked once a run, never from the cache.
   * @throws RegistryError
   */
  digest(image: string, tag: string): Promise<string>;
  /**
   * The labels and annotations of an image by tag or digest: see `readLabels`.
   * @throws RegistryError
   */
  labels(image: string, reference: string): Promise<Record<string, string>>;
}

const MAX_LOOKUPS = 100;

/** The repository of an image's name, in any of its spellings. */
export function repositoryOf(image: string): Repository {
  const name = canonicalName(image);
  const slash = name.indexOf('/');
  return { host: name.slice(0, slash), path: name.slice(slash + 1) };
}

/**
 * Scans repositories: the listing, then what the needs ask for, from the cache where it is known.
 *
 * A tag's digest is believed for 24 hours (`BELIEVE_TAG_MS`), that of a tag named by a commit for good; what a digest says
 * is kept for good. So a run with nothing new costs the listing alone.
 */
export function createScanner(options: ScannerOptions): Scanner {
  const {
    registry,
    cache,
    pushTimes = [],
    platform = 'linux/amd64',
    maxLookups = MAX_LOOKUPS,
    clock = systemClock,
  } = options;
  const labelled = options.labels?.length ? allowList(options.labels, []) : undefined;
  const rooms = new Map<string, Promise<Room>>();

  function roomOf(image: string): Promise<Room> {
    const name = canonicalName(image);
    let room = rooms.get(name);
    if (!room) {
      room = open(name);
      rooms.set(name, room);
    }
    return room;
  }

  async function open(name: string): Promise<Room> {
    const knowledge = (await cache?.load(name)) ?? emptyKnowledge(name);
    const labels = labelled !== undefined && labelled(name) === undefined;
    const how: RoomOptions = { registry, pushTimes, inspection: { platform, labels }, lookups: maxLookups };
    return new Room(repositoryOf(name), knowledge, clock.now(), how);
  }

  async function scan(image: string, needs: readonly Need[]): Promise<Scan> {
    const room = await roomOf(image);
    return room.alone(async () => {
      await room.list();
      const notes = await relist(room, needs);
      for (const need of needs) {
        if (need.current !== undefined) room.currents.add(need.current);
        const note = need.rule.order.by === 'time' ? await lookUpTimes(room, need) : await lookUpAges(room, need);
        if (note) notes.push(note);
      }
      await keep(room);
      return {
        metadata: room.metadata(image),
        notes: [...room.notes(), ...notes, ...(cache?.notes() ?? [])].map((note) => ({ image, ...note })),
      };
    });
  }

  async function keep(room: Room): Promise<void> {
    if (room.changed) await cache?.save(room.knowledge);
    room.changed = false;
  }

  return {
    scan,
    labels: async (image, reference) => readLabels(registry, repositoryOf(image), reference, platform),
    async digest(image, tag) {
      const room = await roomOf(image);
      return room.alone(async () => {
        const digest = await room.digest(tag);
        await keep(room);
        return digest;
      });
    },
  };
}

/** A listing that lost what matters is asked for once more, and if it stays so, is not taken for whole. */
async function relist(room: Room, needs: readonly Need[]): Promise<Note[]> {
  function why(): string | undefined {
    const lost = room.lost();
    // Hardly ever is anything lost, and to describe all tags takes memory.
    return lost.length === 0 ? undefined : doubt(room.listed(), lost, needs);
  }
  if (why() === undefined) return [];
  if (!room.listedAgain) {
    try {
      await room.list(true);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
    }
  }
  const doubted = why();
  if (doubted === undefined) return [];
  room.complete = false;
  return [
    {
      reason: 'tags-vanished',
      message: `the listing of ${room.knowledge.image} is not believed: ${doubted}; if that is meant, a scan an hour from now takes it as it is`,
    },
  ];
}
