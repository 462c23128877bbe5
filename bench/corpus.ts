/**
 * A made-up GitOps monorepo, the same for the same seed and size, with the metadata to update it by and the truth of what
 * an update must do to it. `bench/README.md` says what is in it.
 *
 *     node bench/corpus.ts DIR [--apps N] [--seed N] [--verify]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  as,
  howOf,
  isMap,
  KYAML,
  Page,
  plainly,
  type Edit,
  type GroupedEdit,
  type Value,
  type ValueMap,
} from './corpus/emit.ts';
import { hostileFiles } from './corpus/hostile.ts';
import { filesOf, styleOf, teamFiles, type ManifestFile } from './corpus/layout.ts';
import { createRandom, type Random } from './corpus/random.ts';
import { metadataOf } from './corpus/repositories.ts';
import { places, VARIANTS, type Truth, type Variant } from './corpus/truth.ts';
import { verify } from './corpus/verify.ts';
import { createApp, createWorld, workload, type Policy, type World } from './corpus/workloads.ts';

export interface CorpusOptions {
  apps: number;
  seed: number;
}

export interface Summary extends CorpusOptions {
  files: number;
  bytes: number;
  /** Documents and items of lists, by kind; `-` is YAML without one. */
  kinds: Record<string, number>;
  /** Objects by what is asked for them. */
  modes: Record<string, number>;
  /** Edits and changed files of each variant. */
  edits: Record<Variant, { fields: number; files: number }>;
  list: { items: number; bytes: number; fields: Record<Variant, number> };
  metadata: { repositories: number; tags: number; policies: number; bytes: number };
}

/** The ResourceList has as many bytes an app as the tree. */
const LIST_BYTES_PER_APP = 2500;
const APPS_PER_TEAM = 40;
/** One set of hostile files for so many apps. */
const APPS_PER_HOSTILE = 1000;

/** Writes a corpus into an empty directory: the tree, a ResourceList of it, metadata and truth for each variant. */
export function generate(dir: string, { apps, seed }: CorpusOptions): Summary {
  const random = createRandom(seed, apps);
  const world = createWorld(random, apps);
  const tree = new Tree(places.tree(dir));
  const list = new List(apps * LIST_BYTES_PER_APP);

  let number = 0;
  for (const file of manifests(world, apps)) {
    number++;
    tree.add(file.path, write(file, createRandom(seed, number, 1)), file.documents);
    list.add(file, createRandom(seed, number, 2));
  }
  for (let copy = 0; copy < Math.ceil(apps / APPS_PER_HOSTILE); copy++) {
    const sound = () => workload(world, createApp(world, apps + copy, 'legacy'), 'Deployment', '', 'automated');
    for (const { path, bytes, edits } of hostileFiles(random, copy, styleOf(random), sound))
      tree.addBytes(path, bytes, edits);
  }
  tree.addBytes('README.md', Buffer.from('# Fleet\n\nAnnotate a workload with `fluxcd.io/automated: "true"`.\n'), []);

  const changing: Record<Variant, Set<string>> = {
    none: new Set(),
    '1pct': someGroups(random, tree.edits),
    all: groupsOf(tree.edits),
  };
  const summary: Summary = {
    apps,
    seed,
    files: tree.files,
    bytes: tree.bytes,
    kinds: tree.kinds,
    modes: world.modes,
    edits: perVariant((variant) => {
      const truth = truthOf(tree.edits, changing[variant]);
      writeFileSync(places.truth(dir, variant), JSON.stringify(truth));
      return { fields: Object.values(truth).flat().length, files: Object.keys(truth).length };
    }),
    list: {
      items: list.items,
      bytes: list.write(places.list(dir)),
      fields: perVariant((variant) => {
        const truth = truthOf(new Map([['list.yaml', list.edits]]), changing[variant]);
        writeFileSync(places.listTruth(dir, variant), JSON.stringify(truth));
        return Object.values(truth).flat().length;
      }),
    },
    metadata: {
      repositories: world.asked.size,
      tags: [...world.asked.values()].reduce((sum, { tags }) => sum + tags.length, 0),
      policies: world.policies.length,
      bytes: Math.max(
        ...VARIANTS.map((variant) => writeMetadata(places.metadata(dir, variant), world, changing[variant])),
      ),
    },
  };
  writeFileSync(places.summary(dir), JSON.stringify(summary, null, 2));
  return summary;
}

// --- the tree -------------------------------------------------------------------------------------------------------

function* manifests(world: World, apps: number): Generator<ManifestFile> {
  let team = '';
  for (let index = 0; index < apps; index++) {
    if (index % APPS_PER_TEAM === 0) {
      team = `team-${index / APPS_PER_TEAM}`;
      yield* teamFiles(team);
    }
    yield* filesOf(world, createApp(world, index, team));
  }
}

function write({ documents }: ManifestFile, random: Random): Page {
  const style = styleOf(random);
  const page = new Page(style, random);
  if (random.chance(0.08))
    page.put(
      '# Copyright Example Ltd.\n#\n# Generated once, kept by hand: "fluxcd.io/automated" is explained in the wiki.\n\n',
    );
  if (random.chance(0.3)) page.put('---\n');
  for (const [index, document] of documents.entries()) {
    if (index > 0)
      page.put(
        random.weighted([
          [85, '---\n'],
          [5, '\n---\n'],
          [4, '--- # next\n'],
          [3, '---\n# nothing here\n---\n'],
          [3, '---  \n'],
        ] as const),
      );
    page.document(document);
  }
  if (random.chance(0.01)) page.put('...\n');
  page.close();
  return page;
}

class Tree {
  files = 0;
  bytes = 0;
  readonly kinds: Record<string, number> = {};
  readonly edits = new Map<string, GroupedEdit[]>();
  readonly #root: string;
  readonly #folders = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  add(path: string, page: Page, documents: readonly ValueMap[]): void {
    for (const document of documents) this.#count(document);
    this.addBytes(path, Buffer.from(page.text), page.edits);
  }

  addBytes(path: string, bytes: Buffer, edits: readonly GroupedEdit[]): void {
    const file = join(this.#root, path);
    const folder = dirname(file);
    if (!this.#folders.has(folder)) mkdirSync(folder, { recursive: true });
    this.#folders.add(folder);
    writeFileSync(file, bytes);
    if (/(?:\.ya?ml|Kustomization)$/.test(path)) this.files++;
    this.bytes += bytes.length;
    if (edits.length > 0) this.edits.set(path, [...edits]);
  }

  #count(document: Value): void {
    const map = plainly(document);
    if (!isMap(map)) return;
    const kind = typeof map['kind'] === 'string' ? map['kind'] : '-';
    const name = kind === 'HelmRelease' ? `HelmRelease ${map['apiVersion'] as string}` : kind;
    this.kinds[name] = (this.kinds[name] ?? 0) + 1;
    if (kind === 'List' && Array.isArray(map['items'])) map['items'].forEach((item) => this.#count(item));
  }
}

// --- the ResourceList -----------------------------------------------------------------------------------------------

/** One text as kyaml sends it to a function: items at column 0, each with the annotations that say where it is from. */
class List {
  items = 0;
  edits: GroupedEdit[] = [];
  #text = 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n';
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add({ path, documents }: ManifestFile, random: Random): void {
    for (const [index, document] of documents.entries()) {
      if (this.#text.length >= this.#limit) return;
      this.items++;
      const page = new Page(KYAML, random);
      page.item(withOrigin(document, path, index, this.items));
      this.edits.push(...page.edits.map((edit) => ({ ...edit, offset: edit.offset + this.#text.length })));
      this.#text += page.text;
    }
  }

  /** Returns how many bytes were written. */
  write(path: string): number {
    const bytes = Buffer.from(this.#text);
    writeFileSync(path, bytes);
    return bytes.length;
  }
}

function withOrigin(document: ValueMap, path: string, index: number, id: number): ValueMap {
  const metadata = asMap(document['metadata']);
  const annotations = asMap(metadata['annotations'] ?? {});
  const origin: ValueMap = {
    'config.kubernetes.io/index': as(String(index), { style: 'single' }),
    'config.kubernetes.io/path': as(path, { style: 'single' }),
    'internal.config.kubernetes.io/index': as(String(index), { style: 'single' }),
    'internal.config.kubernetes.io/path': as(path, { style: 'single' }),
    'internal.config.kubernetes.io/seqindent': as('compact', { style: 'single' }),
    'config.k8s.io/id': as(String(id), { style: 'single' }),
    'internal.config.kubernetes.io/id': as(String(id), { style: 'single' }),
  };
  const all = as({ ...annotations, ...origin }, howOf(metadata['annotations'] ?? null));
  return { ...document, metadata: { ...metadata, annotations: all } };
}

function asMap(value: Value | undefined): ValueMap {
  const map = plainly(value ?? {});
  return isMap(map) ? map : {};
}

// --- metadata and truth ---------------------------------------------------------------------------------------------

/** Writes one JSON array: ImageMetadata of what automation asks for, and ImagePolicies with their results. */
function writeMetadata(path: string, { asked, policies }: World, changing: ReadonlySet<string>): number {
  const documents = [
    ...[...asked].map(([group, repository]) => metadataOf(repository, changing.has(group))),
    ...policies.map((policy) => policyObject(policy, changing.has(policy.group))),
  ];
  const text = `[\n${documents.map((document) => JSON.stringify(document)).join(',\n')}\n]\n`;
  writeFileSync(path, text);
  return Buffer.byteLength(text);
}

function policyObject({ name, namespace, choice, digest }: Policy, news: boolean): object {
  const tag = news ? choice.next : choice.now;
  const latestRef = { name: choice.repository.name, tag: tag.name, ...(digest && { digest: tag.digest }) };
  return {
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    kind: 'ImagePolicy',
    metadata: { name, namespace, generation: 2 },
    spec: {
      imageRepositoryRef: { name },
      policy: { alphabetical: { order: 'asc' } },
      ...(digest && { digestReflectionPolicy: 'IfNotPresent' }),
    },
    status: {
      latestRef,
      observedGeneration: 2,
      conditions: [{ type: 'Ready', status: 'True', reason: 'Succeeded', observedGeneration: 2 }],
    },
  };
}

function truthOf(edits: ReadonlyMap<string, GroupedEdit[]>, changing: ReadonlySet<string>): Truth {
  const truth: Truth = {};
  for (const [path, all] of edits) {
    const some = all
      .filter(({ group }) => changing.has(group))
      .map((edit): Edit => ({ offset: edit.offset, old: edit.old, new: edit.new }));
    if (some.length > 0) truth[path] = some;
  }
  return truth;
}

function groupsOf(edits: ReadonlyMap<string, GroupedEdit[]>): Set<string> {
  return new Set([...edits.values()].flat().map(({ group }) => group));
}

/** Groups whose news change one field in a hundred, but at least one. */
function someGroups(random: Random, edits: ReadonlyMap<string, GroupedEdit[]>): Set<string> {
  const uses = new Map<string, number>();
  for (const { group } of [...edits.values()].flat()) uses.set(group, (uses.get(group) ?? 0) + 1);
  const total = [...uses.values()].reduce((sum, count) => sum + count, 0);
  let left = Math.max(1, Math.round(total / 100));
  const chosen = new Set<string>();
  for (const [group, count] of random.shuffle([...uses])) {
    if (count > left) continue;
    chosen.add(group);
    left -= count;
  }
  return chosen;
}

function perVariant<T>(make: (variant: Variant) => T): Record<Variant, T> {
  return { none: make('none'), '1pct': make('1pct'), all: make('all') };
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      apps: { type: 'string', default: '150' },
      seed: { type: 'string', default: '1' },
      verify: { type: 'boolean', default: false },
    },
  });
  const [dir] = positionals;
  if (!dir) throw new Error('usage: node bench/corpus.ts DIR [--apps N] [--seed N] [--verify]');
  console.log(JSON.stringify(generate(dir, { apps: Number(values.apps), seed: Number(values.seed) }), null, 2));
  if (!values.verify) return;
  const problems = verify(dir);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}

if (import.meta.main) main();
