/**
 * Image repositories whose answers are certain by construction: tags are made in order of time, versions are three plain
 * numbers, and each filter carries its own meaning as a function. Nothing here reads a pattern.
 */
import type { Random } from './random.ts';

export interface Tag {
  name: string;
  digest?: string;
  created?: string;
  /** Present if every version rule takes the tag as this release, and no prerelease. */
  version?: Version;
}

type Version = readonly [major: number, minor: number, patch: number];

export interface Repository {
  /** As manifests spell it. */
  name: string;
  /** As its metadata spells it. */
  canonical: string;
  /** Whether its scan recorded build times; without them only versions have an order. */
  times: boolean;
  digests: boolean;
  /** In order of time. */
  tags: Tag[];
  /** Tags to be pushed later: one for every series, so that every filter's choice changes. */
  coming: Tag[];
  /** Filters with a choice among the tags. */
  filters: Filter[];
}

export interface Filter {
  /** Text of the annotation; none means any tag but `latest`, the newest first. */
  pattern?: string;
  order: 'version' | 'time';
  accepts(tag: Tag): boolean;
}

export interface Choice {
  repository: Repository;
  now: Tag;
  next: Tag;
}

/** The choice of a filter before and after the coming tags. */
export function choose(repository: Repository, filter: Filter): Choice {
  const now = winner(repository.tags, filter);
  const next = winner([...repository.tags, ...repository.coming], filter);
  if (!now || !next || now === next)
    throw new Error(`${filter.pattern ?? 'no filter'} has no news in ${repository.name}`);
  return { repository, now, next };
}

function winner(tags: readonly Tag[], filter: Filter): Tag | undefined {
  const matching = tags.filter((tag) => tag.name !== 'latest' && filter.accepts(tag));
  if (filter.order === 'time') return matching.at(-1);
  return matching.reduce<Tag | undefined>((best, tag) => (best && compare(best, tag) > 0 ? best : tag), undefined);
}

function compare(a: Tag, b: Tag): number {
  const [left, right] = [a.version ?? [-1, -1, -1], b.version ?? [-1, -1, -1]];
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
}

export interface RepositoryOptions {
  name: string;
  canonical?: string;
  /** How many tags it has, about. */
  size: number;
}

/** A repository of one of the usual kinds: releases, two-part releases, builds of a branch, or both. */
export function createRepository(random: Random, { name, canonical, size }: RepositoryOptions): Repository {
  const kind = random.weighted([
    [55, 'releases'],
    [8, 'two-part'],
    [22, 'builds'],
    [15, 'both'],
  ] as const);
  const builds = kind === 'builds' || kind === 'both';
  const times = builds || random.chance(0.55);
  const digests = times && random.chance(0.4);
  const press = tagPress(random, times, digests);

  const repository: Repository = {
    name,
    canonical: canonical ?? name,
    times,
    digests,
    tags: [],
    coming: [],
    filters: [],
  };
  const lines: Line[] = [];
  if (kind === 'two-part') lines.push(twoPartLine(random));
  if (kind === 'releases' || kind === 'both') lines.push(releaseLine(random));
  if (builds) lines.push(buildLine(random));

  const share = Math.max(4, Math.floor(size / lines.length));
  for (const line of lines) line.past(share).forEach(({ text, version }) => repository.tags.push(press(text, version)));
  if (random.chance(0.5)) repository.tags.push(press('latest'));
  for (const line of lines) line.future().forEach(({ text, version }) => repository.coming.push(press(text, version)));
  for (const line of lines)
    repository.filters.push(...line.filters().filter((filter) => times || filter.order === 'version'));
  if (times) repository.filters.push(...UNFILTERED);
  return repository;
}

const UNFILTERED: Filter[] = [
  { order: 'time', accepts: () => true },
  { pattern: 'glob:*', order: 'time', accepts: () => true },
];

/** Makes tags a few hours apart, and never two at one time. */
function tagPress(random: Random, times: boolean, digests: boolean): (name: string, version?: Version) => Tag {
  let clock = Date.UTC(2024, 0, 1) + random.int(200) * 86_400_000;
  return (name, version) => {
    clock += random.between(3_600, 200_000) * 1000;
    const tag: Tag = { name };
    if (digests) tag.digest = `sha256:${random.hex(64)}`;
    if (times) tag.created = new Date(clock).toISOString().replace('.000Z', 'Z');
    if (version) tag.version = version;
    return tag;
  };
}

/** A way of naming tags. */
interface Line {
  past(count: number): Name[];
  future(): Name[];
  filters(): Filter[];
}

interface Name {
  text: string;
  version?: Version;
}

/** Releases of a few minor series, backports, release candidates and variants of the base image. */
function releaseLine(random: Random): Line {
  const prefix = random.chance(0.3) ? 'v' : '';
  const variants = random.chance(0.15);
  let major = random.between(1, 4);
  let minor = random.int(12);
  const series = Array.from({ length: random.between(2, 5) }, () => {
    const started = { major, minor, patch: 0 };
    if (random.chance(0.25)) [major, minor] = [major + 1, 0];
    else minor++;
    return started;
  });

  function name([major, minor, patch]: Version, suffix = ''): Name {
    const text = `${prefix}${major}.${minor}.${patch}${suffix}`;
    return suffix ? { text } : { text, version: [major, minor, patch] };
  }

  function release(one: (typeof series)[number]): Name[] {
    const version: Version = [one.major, one.minor, one.patch++];
    const names = [name(version)];
    if (version[2] === 0) names.unshift(name(version, '-rc.1'));
    if (variants) names.push(name(version, '-alpine'));
    return names;
  }

  return {
    past(count) {
      const names = series.flatMap(release);
      const rest = Math.max(0, count - names.length);
      for (let i = 0; i < rest; i++) {
        const at = Math.floor((i / rest) * series.length);
        names.push(...release(series[random.chance(0.15) ? random.int(at + 1) : at] as (typeof series)[number]));
      }
      return names;
    },
    future: () => series.flatMap(release),
    filters: () => series.flatMap(({ major, minor }) => releaseFilters(prefix, major, minor)),
  };
}

function releaseFilters(prefix: string, major: number, minor: number): Filter[] {
  const within = (test: (version: Version) => boolean) => (tag: Tag) => tag.version !== undefined && test(tag.version);
  const sameMinor = within((version) => version[0] === major && version[1] === minor);
  const sameMajor = within((version) => version[0] === major);
  const upward = within((version) => version[0] > major || (version[0] === major && version[1] >= minor));
  const upwardInMajor = within((version) => version[0] === major && version[1] >= minor);
  const versions: [string, (tag: Tag) => boolean][] = [
    [`~${major}.${minor}`, sameMinor],
    [`~${major}.${minor}.0`, sameMinor],
    [`${major}.${minor}.x`, sameMinor],
    [`^${major}`, sameMajor],
    [`${major}.x`, sameMajor],
    [`^${major}.${minor}.0`, upwardInMajor],
    [` ~${major}.${minor}`, sameMinor],
    [`>=${major}.${minor}.0`, upward],
    [`>=${major}.${minor}.0 <${major + 1}.0.0`, upwardInMajor],
    [`>= ${major}.${minor}.0, < ${major + 1}.0.0`, upwardInMajor],
    ['*', within(() => true)],
  ];
  const start = `${prefix}${major}.${minor}.`;
  const starts = (tag: Tag) => tag.name.startsWith(start);
  const plain = (tag: Tag) => tag.version !== undefined && starts(tag);
  return [
    ...versions.map(([range, accepts]): Filter => ({ pattern: `semver:${range}`, order: 'version', accepts })),
    { pattern: `glob:${start}*`, order: 'time', accepts: starts },
    { pattern: `${start}*`, order: 'time', accepts: starts },
    { pattern: `regexp:^${start.replaceAll('.', '\\.')}[0-9]+$`, order: 'time', accepts: plain },
    { pattern: `regex:^${prefix}${major}\\.${minor}\\.\\d+$`, order: 'time', accepts: plain },
  ];
}

/** `1.7`, `1.8`, … `1.10`: versions that read as numbers when they are not quoted. */
function twoPartLine(random: Random): Line {
  const major = random.between(1, 5);
  let minor = random.int(8);
  const name = (): Name => ({ text: `${major}.${minor}`, version: [major, minor++, 0] });
  const accepts = (tag: Tag) => tag.version?.[0] === major;
  return {
    past: (count) => Array.from({ length: count }, name),
    future: () => [name()],
    filters: () =>
      ['*', `^${major}`, `${major}.x`, `>=${major}.0`].map((range) => ({
        pattern: `semver:${range}`,
        order: 'version',
        accepts,
      })),
  };
}

/** Builds of a branch, numbered and with a commit, among those of pull requests. */
function buildLine(random: Random): Line {
  const branch = random.pick(['main', 'master', 'stable', 'develop']);
  let number = random.between(1, 900);
  const name = (kind: string): Name => ({ text: `${kind}-${number++}-${random.hex(7)}` });
  const accepts = (tag: Tag) => tag.name.startsWith(`${branch}-`);
  const patterns = [`glob:${branch}-*`, `${branch}-*`, `regexp:^${branch}-[0-9]+-[0-9a-f]{7}$`, `regex:^${branch}-`];
  return {
    past: (count) => [
      name(branch),
      ...Array.from({ length: count - 1 }, () => name(random.chance(0.2) ? 'pr' : branch)),
    ],
    future: () => [name(branch)],
    filters: () => patterns.map((pattern) => ({ pattern, order: 'time', accepts })),
  };
}

/** One `ImageMetadata` document. Registries list tags by name, not by time. */
export function metadataOf(repository: Repository, withComing: boolean): object {
  const tags = withComing ? [...repository.tags, ...repository.coming] : repository.tags;
  return {
    apiVersion: 'image-update.dev/v1alpha1',
    kind: 'ImageMetadata',
    metadata: { name: repository.canonical.replaceAll(/[^a-z0-9.-]+/g, '-') },
    image: repository.canonical,
    scannedAt: '2026-11-22T10:00:00Z',
    complete: true,
    tags: tags
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, digest, created }) => ({ name, digest, created })),
  };
}
