/**
 * Holds a corpus against itself: reads what was written with the `yaml` package, finds the automated fields by their
 * paths, chooses by npm's `semver` and JavaScript's patterns (the corpus uses only what these share with Masterminds and
 * RE2), and compares with the truth that the generator noted while writing. Slow, and for small corpora.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';
import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseAllDocuments,
  visit,
  type Document,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import type { Edit } from './emit.ts';
import { places, readTruth, VARIANTS, type Truth, type Variant } from './truth.ts';

interface Tag {
  name: string;
  digest?: string;
  created?: string;
}

interface Known {
  tags: Map<string, Tag[]>;
  policies: Map<string, { name: string; tag: string; digest?: string }>;
}

/** What differs between the truth and an independent reading, in words; nothing if all is well. */
export function verify(dir: string): string[] {
  const variants = VARIANTS.map((variant) => ({ variant, known: readKnown(places.metadata(dir, variant)) }));
  const tree = places.tree(dir);
  const truths = variants.map(({ variant }) => readTruth(places.truth(dir, variant)));
  const paths = readdirSync(tree, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(?:\.ya?ml|Kustomization)$/.test(path),
  );
  const inTree = paths.flatMap((path) => problemsOf(join(tree, path), path, variants, truths));
  const listTruths = variants.map(({ variant }) => readTruth(places.listTruth(dir, variant)));
  return [...inTree, ...problemsOf(places.list(dir), 'list.yaml', variants, listTruths)];
}

function problemsOf(
  file: string,
  path: string,
  variants: readonly { variant: Variant; known: Known }[],
  truths: readonly Truth[],
): string[] {
  const text = readFileSync(file, 'utf8');
  const documents = parseAllDocuments(text, { prettyErrors: false });
  const broken = documents.find(({ errors }) => errors.length > 0);
  if (broken && !path.startsWith('legacy/')) return [`${path}: does not parse: ${broken.errors[0]?.message}`];
  const sound = documents.filter(({ errors }) => errors.length === 0);
  return variants.flatMap(({ variant, known }, index) => {
    const found = editsOf(text, sound, known);
    return differences(`${variant} ${path}`, found, truths[index]?.[path] ?? []);
  });
}

function readKnown(path: string): Known {
  const known: Known = { tags: new Map(), policies: new Map() };
  for (const document of JSON.parse(readFileSync(path, 'utf8'))) {
    if (document.kind === 'ImageMetadata') known.tags.set(fullName(document.image), document.tags);
    else known.policies.set(`${document.metadata.namespace}:${document.metadata.name}`, document.status.latestRef);
  }
  return known;
}

function fullName(name: string): string {
  const [first = '', ...rest] = name.split('/');
  if (rest.length > 0 && /[.:]/.test(first)) return name;
  return `docker.io/${rest.length > 0 ? name : `library/${name}`}`;
}

function differences(where: string, found: readonly Edit[], truth: readonly Edit[]): string[] {
  const here = new Set(found.map((edit) => JSON.stringify(edit)));
  const there = new Set(truth.map((edit) => JSON.stringify(edit)));
  return [
    ...[...here].filter((edit) => !there.has(edit)).map((edit) => `${where}: not in the truth: ${edit}`),
    ...[...there].filter((edit) => !here.has(edit)).map((edit) => `${where}: only in the truth: ${edit}`),
  ];
}

/** The edits that the known answers ask for; two aliases of one scalar make one. */
function editsOf(text: string, documents: readonly Document[], known: Known): Edit[] {
  const edits = new Map<number, Edit>();
  for (const { node, value } of documents.flatMap((document) => fieldsOf(document, known))) {
    const old = String(node.source);
    const offset = text.indexOf(old, node.range?.[0]);
    if (old !== value) edits.set(offset, { offset, old, new: value });
  }
  return [...edits.values()].toSorted((a, b) => a.offset - b.offset);
}

interface Found {
  node: Scalar;
  value: string;
}

function fieldsOf(document: Document, known: Known): Found[] {
  const root = document.contents;
  if (!isMap(root)) return [];
  const reader = createReader(document);
  const annotations = objectsOf(reader, root).flatMap((object) => annotated(reader, object, known));
  return [...annotations, ...marked(document, known)];
}

/** The objects of a List, nested ones too; of anything else itself. */
function objectsOf(reader: Reader, object: YAMLMap): YAMLMap[] {
  const items = reader.text(object, 'kind')?.endsWith('List') ? object.get('items') : undefined;
  return isSeq(items) ? items.items.filter(isMap).flatMap((item) => objectsOf(reader, item)) : [object];
}

type Reader = ReturnType<typeof createReader>;

/** Reads a document through its aliases. */
function createReader(document: Document) {
  const resolve = (node: unknown) => (isAlias(node) ? node.resolve(document) : node);
  function get(node: unknown, ...keys: string[]): unknown {
    return resolve(
      keys.reduce<unknown>(
        (current, key) => (isMap(current) ? resolve(current.get(key, true)) : undefined),
        resolve(node),
      ),
    );
  }
  function scalar(node: unknown, ...keys: string[]): Scalar | undefined {
    const found = get(node, ...keys);
    return isScalar(found) && found.value !== null ? found : undefined;
  }
  const text = (node: unknown, ...keys: string[]) => {
    const found = scalar(node, ...keys);
    return found === undefined ? undefined : String(found.source);
  };
  return { get, scalar, text };
}

function annotated(reader: Reader, object: YAMLMap, known: Known): Found[] {
  const annotation = (...names: string[]) =>
    names.map((name) => reader.text(object, 'metadata', 'annotations', name)).find((text) => text !== undefined);
  const policy = (name: string) => annotation(`fluxcd.io/${name}`, `flux.weave.works/${name}`);
  if (policy('automated') !== 'true' || policy('locked') === 'true' || policy('ignore') === 'true') return [];
  const images =
    reader.text(object, 'kind') === 'HelmRelease' ? helmImages(reader, object, annotation) : podImages(reader, object);
  return images.flatMap(({ container, name, parts }) => {
    const filter =
      annotation(`fluxcd.io/tag.${container}`, `flux.weave.works/tag.${container}`, `filter.fluxcd.io/${container}`) ??
      'glob:*';
    const tag = best(filter, known.tags.get(fullName(name)) ?? []);
    return tag ? parts.map(({ node, write }) => ({ node, value: write(tag) })) : [];
  });
}

interface FoundImage {
  container: string;
  name: string;
  parts: { node: Scalar; write: (tag: Tag) => string }[];
}

function podImages(reader: Reader, object: YAMLMap): FoundImage[] {
  const paths = [['spec', 'template', 'spec'], ['spec', 'jobTemplate', 'spec', 'template', 'spec'], ['spec']];
  return paths.flatMap((path) =>
    ['containers', 'initContainers'].flatMap((list) => {
      const containers = reader.get(object, ...path, list);
      if (!isSeq(containers)) return [];
      return containers.items.flatMap((item) =>
        whole(reader.text(item, 'name') ?? '', reader.scalar(item, 'image'), ''),
      );
    }),
  );
}

/** A field that holds the tag behind a colon, and perhaps a digest behind that. */
function whole(container: string, node: Scalar | undefined, registry: string): FoundImage[] {
  const match = /^([^@]*):([^:/@]+)(@.*)?$/.exec(String(node?.source));
  if (!node || !match) return [];
  const [, name, , digest] = match;
  const write = (tag: Tag) => `${name}:${tag.name}${digest ? `@${tag.digest}` : ''}`;
  return [{ container, name: registry + name, parts: [{ node, write }] }];
}

function helmImages(reader: Reader, object: YAMLMap, annotation: (name: string) => string | undefined): FoundImage[] {
  const values = reader.get(object, 'spec', 'values');
  if (!isMap(values)) return [];
  const inner = values.items.filter(isPair).map(({ key }) => String(key));
  const shaped = [
    ...helmShape(reader, values, 'chart-image'),
    ...inner.flatMap((key) => helmShape(reader, reader.get(values, key), key)),
  ];
  const path = annotation('repository.fluxcd.io/server');
  const node = reader.scalar(values, ...(annotation('tag.fluxcd.io/server') ?? '').split('.'));
  const name = path && reader.text(values, ...path.split('.'));
  return name && node
    ? [...shaped, { container: 'server', name, parts: [{ node, write: (tag) => tag.name }] }]
    : shaped;
}

function helmShape(reader: Reader, map: unknown, container: string): FoundImage[] {
  if (!isMap(map)) return [];
  const nested = isMap(reader.get(map, 'image'));
  const holder = nested ? reader.get(map, 'image') : map;
  const image = reader.scalar(holder, nested ? 'repository' : 'image');
  const tag = reader.scalar(holder, 'tag');
  const registry = reader.text(holder, 'registry');
  const prefix = registry ? `${registry}/` : '';
  if (!image) return [];
  if (!tag) return whole(container, image, prefix);
  return [{ container, name: prefix + String(image.source), parts: [{ node: tag, write: ({ name }) => name }] }];
}

function marked(document: Document, known: Known): Found[] {
  const found: Found[] = [];
  visit(document, {
    Scalar(_, node) {
      const match = /^ *\{"\$imagepolicy": *"([^":]+:[^":]+)(?::(tag|name|digest))?"\}$/.exec(node.comment ?? '');
      const latest = known.policies.get(match?.[1] ?? '');
      if (!latest) return;
      const { name, tag, digest } = latest;
      const part = match?.[2];
      if (part === 'tag') found.push({ node, value: tag });
      else if (part === 'name') found.push({ node, value: name });
      else if (part === 'digest') found.push({ node, value: digest ?? '' });
      else found.push({ node, value: `${name}:${tag}${digest ? `@${digest}` : ''}` });
    },
  });
  return found;
}

function best(filter: string, tags: readonly Tag[]): Tag | undefined {
  const [, kind = 'glob', body = ''] = /^(?:(glob|semver|regexp?):)?(.*)$/.exec(filter) ?? [];
  const open = tags.filter(({ name }) => name !== 'latest');
  if (kind === 'semver') return highest(body.replaceAll(',', ' '), open);
  const pattern =
    kind === 'glob'
      ? new RegExp(
          `^${body
            .split('*')
            .map((piece) => piece.replaceAll(/[.]/g, '\\.'))
            .join('.*')}$`,
        )
      : new RegExp(body);
  const matching = open.filter(({ name, created }) => created !== undefined && pattern.test(name));
  return matching.toSorted((a, b) => Date.parse(b.created ?? '') - Date.parse(a.created ?? ''))[0];
}

function highest(range: string, tags: readonly Tag[]): Tag | undefined {
  if (semver.validRange(range) === null) return undefined;
  const versions = tags.flatMap((tag) => {
    const version = semver.parse(/^\d+\.\d+$/.test(tag.name) ? `${tag.name}.0` : tag.name);
    return version && semver.satisfies(version, range) ? [{ tag, version }] : [];
  });
  return versions.toSorted((a, b) => semver.rcompare(a.version, b.version))[0]?.tag;
}
