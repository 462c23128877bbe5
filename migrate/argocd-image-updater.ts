import { asMap, asText, type Values } from '../fn/lookup/values.ts';
import { compileRegexp } from '../fn/policy/regexp.ts';
import { textOrder, versionOrder } from '../fn/policy/orders.ts';
import type { PolicySpec } from '../fn/policy/policy.ts';
import { readRange } from '../fn/policy/range.ts';
import { readVersion } from '../fn/policy/version.ts';
import { canonicalName, isTag } from '../fn/reference.ts';
import { groupOf, type Resource } from '../fn/find/resources.ts';
import { at, textOf } from '../fn/yaml/tree.ts';
import { plainValues, siteAt, type Forest, type Leaf } from './forest.ts';
import { escapeRegexp } from './rules.ts';
import * as rules from './rules.ts';
import type { Before, Intent, Meaning, Site } from './intent.ts';

/** argocd-image-updater: annotations of Applications, and its kind ImageUpdater, as of version 1. */

const WORDS = ['argocd-image-updater.argoproj.io'] as const;
const GROUP = WORDS[0];
const PREFIX = `${GROUP}/`;
/** More images in one list are not read. */
const MAX_IMAGES = 500;

/** What is said of one image, wherever it is said. */
export interface ImageSettings {
  alias: string;
  /** Without constraint. */
  image: string;
  constraint: string;
  strategy: string;
  allowTags?: string;
  ignoreTags: readonly string[];
  platforms?: string;
  pullSecret?: string;
  /** Dotted keys of Helm values, and the name that a Kustomization calls it by. */
  helm: { name?: string; tag?: string; spec?: string };
  kustomizeName?: string;
}

/** The rule of settings in our terms, and how the other tool decides by it. */
export function meaningOf(settings: ImageSettings): { meaning: Meaning; before: Before } {
  const tags = readTags(settings);
  if ('cannot' in tags) return { meaning: tags, before: { unknown: tags.cannot } };
  switch (settings.strategy.toLowerCase()) {
    case 'newest-build':
    case 'latest':
      return newestBuild(tags);
    case 'alphabetical':
    case 'name':
      return alphabetical(tags);
    case 'digest':
      return digest(settings);
    default:
      return semver(settings, tags);
  }
}

/** Which tags count. */
interface Tags {
  regexp: string | undefined;
  /** Globs of Go that are left out, as regular expressions. */
  ignored: readonly { glob: string; regexp: string; test: (name: string) => boolean }[];
  test: ((name: string) => boolean) | undefined;
}

function readTags({ allowTags, ignoreTags }: ImageSettings): Tags | { cannot: string } {
  const ignored: Tags['ignored'][number][] = [];
  for (const glob of ignoreTags) {
    const regexp = regexpOfGlob(glob);
    const compiled = compileRegexp(regexp);
    if (typeof compiled === 'string')
      return { cannot: `ignore-tags "${glob}" cannot be read: ${compiled}; correct it` };
    ignored.push({ glob, regexp, test: compiled.test });
  }
  if (allowTags === undefined || allowTags === '' || allowTags.toLowerCase() === 'any')
    return { regexp: undefined, ignored, test: undefined };
  const [, body] = /^regexp:(.*)$/is.exec(allowTags) ?? [];
  const compiled = body === undefined ? 'it is neither any nor regexp:…' : compileRegexp(body);
  if (typeof compiled === 'string')
    return { cannot: `allow-tags "${allowTags}" cannot be read (${compiled}), and then no tag is taken; correct it` };
  return { regexp: body, ignored, test: compiled.test };
}

/** A glob of Go's filepath.Match as a regular expression: tags have no separators, so that `*` is anything. */
function regexpOfGlob(glob: string): string {
  const body = glob.replaceAll(/\\(.)|(\[\^?[^\]]+\])|([*?])|([^*?[\\]+)/gs, (whole, escaped, set, wild, plain) => {
    if (set !== undefined) return String(set);
    if (wild !== undefined) return wild === '*' ? '.*' : '.';
    return escapeRegexp(String(escaped ?? plain ?? whole));
  });
  return `^${body}$`;
}

function filterOf({ test, ignored }: Tags) {
  return rules.filterOf(
    test,
    ignored.map((each) => each.test),
  );
}

function specOf({ regexp, ignored }: Tags, policy: PolicySpec['policy'], otherwise?: PolicySpec['filter']): PolicySpec {
  const filter = regexp === undefined ? otherwise : { regexp };
  return {
    ...(filter && { filter }),
    ...(ignored.length > 0 && { exclude: ignored.map((each) => each.regexp) }),
    policy,
  };
}

function semver({ constraint, strategy }: ImageSettings, tags: Tags): { meaning: Meaning; before: Before } {
  const range = constraint || rules.ANY_VERSION;
  const read = readRange(range, 'group');
  if (typeof read === 'string') {
    const cannot = `its version constraint "${constraint}" cannot be read: ${read}; correct it`;
    return { meaning: { cannot }, before: { unknown: cannot } };
  }
  const known = ['semver', ''].includes(strategy.toLowerCase());
  const notes = [
    ...(known ? [] : [`the strategy "${strategy}" is not known, and is read as semver, as there`]),
    ...(constraint === ''
      ? ['without a version constraint prereleases count, too; say a range such as * if they should not']
      : []),
  ];
  // What is left out though it would not be taken in any case says nothing.
  const ignored = tags.ignored.filter(({ glob }) => /[*?[\\]/.test(glob) || readVersion(glob) !== undefined);
  const filter =
    tags.regexp !== undefined
      ? { cannot: 'an annotation has either a range or a pattern (allow-tags); --to policies can say both' }
      : ignored.length > 0
        ? { cannot: 'an annotation cannot leave out tags (ignore-tags); --to policies can' }
        : rules.isSameGate(range) === true
          ? { text: `semver:${range}` }
          : { cannot: rules.GATE };
  return {
    meaning: {
      policy: specOf(tags, { semver: { range } }),
      filter,
      notes,
      policyNotes: ['an ImagePolicy takes only versions of three numbers, where 1.2 counted as 1.2.0'],
    },
    before: { rule: rules.foreignRule(`semver ${range}`, versionOrder(range, read, readVersion), filterOf(tags)) },
  };
}

function newestBuild(tags: Tags): { meaning: Meaning; before: Before } {
  const others = tags.ignored.filter(({ glob }) => glob !== 'latest');
  const filter =
    others.length > 0
      ? { cannot: 'an annotation cannot leave out tags (ignore-tags); --to policies can' }
      : { text: tags.regexp === undefined ? 'glob:*' : `regexp:${tags.regexp}` };
  return {
    meaning: {
      policy: specOf(tags, { newest: {} }, { glob: '*' }),
      filter,
      notes: [
        'of tags with one build time the last name was taken; here the tie is told apart by version, or by the smallest name',
      ],
      ...(tags.ignored.length === others.length && { filterNotes: ['the tag latest is not chosen by time'] }),
    },
    before: { rule: rules.foreignRule('newest-build', rules.newestThenName, filterOf(tags)) },
  };
}

function alphabetical(tags: Tags): { meaning: Meaning; before: Before } {
  return {
    meaning: {
      policy: specOf(tags, { alphabetical: {} }),
      filter: { cannot: 'no annotation orders tags by the alphabet; --to policies can' },
      notes: [],
    },
    before: { rule: rules.foreignRule('alphabetical', textOrder, filterOf(tags)) },
  };
}

function digest({ constraint }: ImageSettings): { meaning: Meaning; before: Before } {
  if (isTag(constraint)) return { meaning: rules.digestTerms(constraint), before: { rule: rules.onlyTag(constraint) } };
  const cannot = `the strategy digest needs the tag that it follows, as in image:latest; "${constraint}" is none`;
  return { meaning: { cannot }, before: { unknown: cannot } };
}

/** Reads all that the tool's annotations and objects say of images. */
export async function read(forest: Forest): Promise<Intent[]> {
  const leaves = await forest.leavesWith(['argoproj.io']);
  const applications = leaves.flatMap((leaf) =>
    leaf.document.resources
      .filter(({ ref }) => ref.kind === 'Application' && groupOf(ref) === 'argoproj.io')
      .map((resource): Application => ({ leaf, resource, value: plainValues(resource.node) })),
  );
  const intents: Intent[] = [];
  // First, as an ImageUpdater counts before annotations, which it may name in its place.
  for (const leaf of leaves)
    for (const resource of leaf.document.resources)
      if (resource.ref.kind === 'ImageUpdater' && groupOf(resource.ref) === GROUP)
        intents.push(...(await ofUpdater(forest, leaf, resource, applications)));
  for (const application of applications) intents.push(...(await ofAnnotations(forest, application)));
  return intents;
}

interface Application {
  leaf: Leaf;
  resource: Resource;
  value: Values;
}

async function ofAnnotations(forest: Forest, application: Application): Promise<Intent[]> {
  const { leaf, resource } = application;
  const list = resource.annotations.get(`${PREFIX}image-list`);
  if (!list) return [];
  const said = new Map([...resource.annotations].map(([key, scalar]) => [key, textOf(scalar) ?? '']));
  const keys = [...said.keys()].filter((key) => key.startsWith(PREFIX));
  const target = said.get(`${PREFIX}write-back-target`);
  const specs = list.value
    .split(',')
    .map((spec) => spec.trim())
    .filter(Boolean)
    .slice(0, MAX_IMAGES);
  const intents: Intent[] = [];
  for (const spec of specs) {
    const settings = settingsOf(spec, said);
    intents.push({
      ...(await intentOf(forest, application, settings, target)),
      leaf,
      offset: list.start,
      remnants: [{ leaf, resource, keys }],
    });
  }
  return intents;
}

/** `[alias=]image[:constraint]`, with what other annotations say of the alias, or of all images. */
function settingsOf(spec: string, said: ReadonlyMap<string, string>): ImageSettings {
  const [, alias, reference = ''] = /^(?:([^=:]+)=)?(.*)$/s.exec(spec)!;
  const { image, constraint } = divided(reference);
  const name = (alias ?? image).replaceAll('/', '_');
  const own = (key: string) => (alias === undefined ? undefined : said.get(`${PREFIX}${name}.${key}`));
  const all = (key: string) => own(key) ?? said.get(`${PREFIX}${key}`);
  return {
    alias: alias ?? image,
    image,
    constraint,
    strategy: all('update-strategy') ?? 'semver',
    ignoreTags: (all('ignore-tags') ?? '')
      .split(',')
      .map((glob) => glob.trim())
      .filter(Boolean),
    helm: given({ name: own('helm.image-name'), tag: own('helm.image-tag'), spec: own('helm.image-spec') }),
    ...given({
      allowTags: all('allow-tags') ?? own('tag-match'),
      platforms: all('platforms'),
      pullSecret: all('pull-secret'),
      kustomizeName: own('kustomize.image-name'),
    }),
  };
}

/** The image, and what follows the colon behind its last slash. */
function divided(reference: string): { image: string; constraint: string } {
  const colon = reference.indexOf(':', reference.lastIndexOf('/') + 1);
  if (colon < 0) return { image: reference, constraint: '' };
  return { image: reference.slice(0, colon), constraint: reference.slice(colon + 1).trim() };
}

type Given<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** What is there of some values. */
function given<T extends Record<string, unknown>>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}

async function ofUpdater(
  forest: Forest,
  leaf: Leaf,
  resource: Resource,
  applications: readonly Application[],
): Promise<Intent[]> {
  const spec = asMap(plainValues(resource.node)['spec']) ?? {};
  const namespace = asText(spec['namespace']) ?? resource.ref.namespace;
  const referred = applications.filter(({ resource: { ref } }) => isSameNamespace(ref.namespace, namespace));
  const refs = mapsOf(spec['applicationRefs']);
  const closest = refs.toSorted((a, b) => closeness(b) - closeness(a));
  const counting = new Map(
    referred.map((application) => [application, closest.find((ref) => isReferred(ref, application))]),
  );
  const intents: Intent[] = [];
  for (const ref of refs) {
    if (ref['useAnnotations'] === true) continue;
    const concerned = referred.filter((application) => counting.get(application) === ref);
    const isOther = concerned.length === 0 && referred.some((application) => isReferred(ref, application));
    if (isOther) continue;
    const writeBack = asMap(asMap(ref['writeBackConfig'] ?? spec['writeBackConfig'])?.['gitConfig']);
    const target = asText(writeBack?.['writeBackTarget']);
    for (const image of mapsOf(ref['images'])) {
      const settings = settingsOfImage(image, commonSettings([spec, ref, image]));
      const rest = { leaf, offset: resource.node.start, remnants: [], notes: [...notesOf(settings), STAYS] };
      for (const application of concerned)
        intents.push({ ...(await intentOf(forest, application, settings, target)), ...rest });
      if (concerned.length === 0)
        intents.push({
          ...described(settings),
          ...rest,
          site: {
            missing: `no Application among the files is called ${asText(ref['namePattern']) ?? '?'}; give the directory that has them, too`,
          },
        });
    }
  }
  return intents;
}

const STAYS = 'the ImageUpdater stays; delete it, or take the image out of it, when this one runs';

function mapsOf(value: unknown): Values[] {
  const items: unknown[] = Array.isArray(value) ? value.slice(0, MAX_IMAGES) : [];
  return items.map(asMap).filter((map) => map !== undefined);
}

/** Settings of all levels, the nearest last. The API server gives each that is there the strategy semver, if it says none. */
function commonSettings(levels: readonly Values[]): Values {
  const settings = levels.map((level) => asMap(level['commonUpdateSettings'])).filter((each) => each !== undefined);
  return Object.assign({}, ...settings.map((each) => ({ updateStrategy: 'semver', ...each }))) as Values;
}

function isSameNamespace(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}

/** How closely a rule of an ImageUpdater says which Applications it is about: of those that fit, the closest alone counts. */
function closeness(ref: Values): number {
  const pattern = asText(ref['namePattern']) ?? '';
  const letters = pattern.replaceAll(/\[.*?\]|[*?]/g, '').length;
  const selectors = asMap(ref['labelSelectors']);
  const conditions = Object.keys(asMap(selectors?.['matchLabels']) ?? {}).length + expressionsOf(ref).length;
  return (/[*?[\]]/.test(pattern) ? 0 : 1_000_000) + (selectors ? 10_000 + 100 * conditions : 0) + letters;
}

/** Whether a rule of an ImageUpdater is about an Application. */
function isReferred(ref: Values, { resource, value }: Application): boolean {
  const pattern = compileRegexp(regexpOfGlob(asText(ref['namePattern']) ?? ''));
  const labels = asMap(asMap(value['metadata'])?.['labels']) ?? {};
  const wanted = asMap(asMap(ref['labelSelectors'])?.['matchLabels']) ?? {};
  return (
    typeof pattern !== 'string' &&
    pattern.test(resource.ref.name) &&
    Object.entries(wanted).every(([key, label]) => asText(labels[key]) === asText(label)) &&
    expressionsOf(ref).every((expression) => holds(expression, labels))
  );
}

function expressionsOf(ref: Values): Values[] {
  return mapsOf(asMap(ref['labelSelectors'])?.['matchExpressions']);
}

/** Whether an expression of a label selector holds, as Kubernetes has it; one that is not known never does. */
function holds({ key, operator, values }: Values, labels: Values): boolean {
  const label = asText(labels[asText(key) ?? '']);
  const isListed = Array.isArray(values) && values.some((value) => label !== undefined && asText(value) === label);
  switch (operator) {
    case 'In':
      return isListed;
    case 'NotIn':
      return !isListed;
    case 'Exists':
      return label !== undefined;
    case 'DoesNotExist':
      return label === undefined;
    default:
      return false;
  }
}

function settingsOfImage(image: Values, common: Values): ImageSettings {
  const manifest = asMap(image['manifestTargets']);
  const helm = asMap(manifest?.['helm']);
  const ignored = common['ignoreTags'];
  const platforms = common['platforms'];
  return {
    alias: asText(image['alias']) ?? '',
    ...divided(asText(image['imageName']) ?? ''),
    strategy: asText(common['updateStrategy']) ?? 'semver',
    ignoreTags: Array.isArray(ignored) ? ignored.flatMap((glob) => asText(glob) ?? []) : [],
    helm: given({ name: asText(helm?.['name']), tag: asText(helm?.['tag']), spec: asText(helm?.['spec']) }),
    ...given({
      allowTags: asText(common['allowTags']),
      platforms: Array.isArray(platforms) && platforms.length > 0 ? platforms.join(', ') : undefined,
      pullSecret: asText(common['pullSecret']),
      kustomizeName: asText(asMap(manifest?.['kustomize'])?.['name']),
    }),
  };
}

/** What an intent says of the rule, wherever the image stands. */
function described(
  settings: ImageSettings,
): Pick<Intent, 'from' | 'written' | 'image' | 'meaning' | 'before' | 'notes'> {
  const { image, constraint, strategy, allowTags, ignoreTags } = settings;
  const written = [
    [strategy, constraint].filter(Boolean).join(' '),
    ...(allowTags === undefined ? [] : [`allow-tags ${allowTags}`]),
    ...(ignoreTags.length > 0 ? [`ignore-tags ${ignoreTags.join(', ')}`] : []),
  ].join(', ');
  return { from: 'argocd-image-updater', written, image, notes: notesOf(settings), ...meaningOf(settings) };
}

/** Options that have no like in a rule, and what takes their place. */
function notesOf({ platforms, pullSecret }: ImageSettings): string[] {
  return [
    ...(platforms === undefined
      ? []
      : [`platforms ${platforms}: tags are not chosen by platform here; --platform says whose build time counts`]),
    ...(pullSecret === undefined
      ? []
      : [
          `pull-secret ${pullSecret}: say credentials by --docker-config or --registry-secret, or under auth of the ImageRepository`,
        ]),
  ];
}

type Located = Omit<Intent, 'leaf' | 'offset' | 'remnants'>;

async function intentOf(
  forest: Forest,
  application: Application,
  settings: ImageSettings,
  target: string | undefined,
): Promise<Located> {
  return { ...described(settings), site: await siteOf(forest, application, settings, target) };
}

/** Finds the image of an Application below the paths that it is deployed from, as far as these are among the files. */
async function siteOf(
  forest: Forest,
  { resource }: Application,
  settings: ImageSettings,
  target: string | undefined,
): Promise<Intent['site']> {
  const { node, ref } = resource;
  const sources = [at(node, 'spec', 'source'), ...listOf(at(node, 'spec', 'sources'))];
  const paths = sources.flatMap((source) => textOf(at(source, 'path')) ?? []);
  for (const path of paths) {
    const files = sources.flatMap((source) =>
      listOf(at(source, 'helm', 'valueFiles')).flatMap((file) => textOf(file) ?? []),
    );
    const found =
      (await inValues(forest, path, files, settings, target)) ?? (await inManifests(forest, path, settings, target));
    if (found) return found;
  }
  const where = paths.length > 0 ? `below ${paths.join(' and ')}` : `of ${ref.name}, which has no path`;
  const keys = settings.helm.spec ?? settings.helm.tag;
  return {
    missing: `the image ${settings.image}${keys === undefined ? '' : ` (${keys})`} stands nowhere ${where} among these files; run this in the repository that the Application deploys`,
  };
}

function listOf(node: ReturnType<typeof at>) {
  return node?.kind === 'seq' ? node.items : [];
}

/** A path of the repository, relative to a directory in it. */
function resolve(directory: string, path: string): string {
  if (path.startsWith('/')) return path.slice(1);
  const parts: string[] = [];
  for (const part of `${directory}/${path}`.split('/'))
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  return parts.join('/');
}

const DEFAULT_KEYS = { name: 'image.name', tag: 'image.tag' };

/** Where Helm values say the image: in the file that is written back, else in those that the Application names. */
async function inValues(
  forest: Forest,
  path: string,
  named: readonly string[],
  { image, helm }: ImageSettings,
  target: string | undefined,
): Promise<Site | undefined> {
  const [kind, file] = divideOnce(target ?? '');
  const own = kind === 'helmvalues' && file ? [file] : [...named.toReversed(), 'values.yaml'];
  for (const name of own)
    for (const leaf of await forest.leavesBelow(resolve(path, name))) {
      const key = helm.spec ?? helm.tag ?? DEFAULT_KEYS.tag;
      const site = siteAt(forest, leaf, leaf.document.root, key);
      const known = site?.field.reference?.name;
      const isOurs = known === undefined || known === '' || canonicalName(known) === canonicalName(image);
      if (site && (isOurs || helm.spec !== undefined || helm.tag !== undefined)) return site;
    }
  return undefined;
}

function divideOnce(target: string): [kind: string, path: string | undefined] {
  const colon = target.indexOf(':');
  return colon < 0 ? [target, undefined] : [target.slice(0, colon), target.slice(colon + 1)];
}

/** The field of this image: an entry of a Kustomization before what it would override. */
async function inManifests(
  forest: Forest,
  path: string,
  { image, kustomizeName }: ImageSettings,
  target: string | undefined,
): Promise<Site | undefined> {
  const [kind, directory] = divideOnce(target ?? '');
  const below = kind === 'kustomization' && directory ? resolve(path, directory) : path;
  const sites = (await forest.leavesBelow(below)).flatMap((leaf) => forest.sites(leaf));
  const wanted = canonicalName(kustomizeName ?? image);
  const entries = sites.filter(({ field }) => field.origin === 'kustomization');
  const entry = entries.find(
    ({ field: { container, reference } }) =>
      canonicalName(container) === wanted || (reference && canonicalName(reference.name) === canonicalName(image)),
  );
  return (
    entry ??
    sites.find(({ field: { reference } }) => reference && canonicalName(reference.name) === canonicalName(image))
  );
}
