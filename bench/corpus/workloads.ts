/** The manifests of the corpus that hold images: workloads, HelmReleases, kustomizations, and which of them is automated. */
import { alias, as, howOf, plainly, type Slot, type Value, type ValueMap } from './emit.ts';
import type { Random } from './random.ts';
import { choose, createRepository, type Choice, type Filter, type Repository, type Tag } from './repositories.ts';

/** What the whole corpus has in common. */
export interface World {
  random: Random;
  /** Repositories that many workloads use. */
  shared: Repository[];
  /** Repositories whose metadata automation asks for, by group. */
  asked: Map<string, Repository>;
  policies: Policy[];
  /** How many automated, locked, ignored, … objects there are. */
  modes: Record<string, number>;
}

/** A Flux ImagePolicy; its status comes from the repository as an annotation's would. */
export interface Policy {
  group: string;
  name: string;
  namespace: string;
  choice: Choice;
  /** Whether it reflects digests. */
  digest: boolean;
}

export interface App {
  name: string;
  team: string;
  /** Its own repository, scanned like the shared ones. */
  own: Repository;
}

/** What the annotations of an object ask for. A marked object has `$imagepolicy` comments instead. */
type Mode = 'automated' | 'locked' | 'ignored' | 'off' | 'filters' | 'manual' | 'marked';

const MODES: readonly (readonly [number, Mode])[] = [
  [33.5, 'automated'],
  [2, 'locked'],
  [1.5, 'ignored'],
  [3, 'off'],
  [2, 'filters'],
  [4, 'marked'],
  [54, 'manual'],
];

export function createWorld(random: Random, apps: number): World {
  const names = [
    ...HUB_NAMES,
    ...Array.from(
      { length: Math.min(400, Math.ceil(apps / 25)) },
      (_, i) => `${random.pick(REGISTRIES)}/platform/${random.pick(TOOLS)}-${i}`,
    ),
  ];
  const shared = names.map((name) =>
    createRepository(random, { name, canonical: spelling(random, name), size: random.between(20, 100) }),
  );
  return { random, shared, asked: new Map(), policies: [], modes: {} };
}

export function createApp(world: World, index: number, team: string): App {
  const { random } = world;
  const name = `${random.pick(SUBJECTS)}-${random.pick(ROLES)}-${index}`;
  const own = createRepository(random, {
    name: `${random.pick(REGISTRIES)}/${team}/${name}`,
    size: random.between(4, 18),
  });
  return { name, team, own };
}

const HUB_NAMES = [
  'nginx',
  'redis',
  'postgres',
  'busybox',
  'envoyproxy/envoy',
  'prom/statsd-exporter',
  'grafana/agent',
  'fluent/fluent-bit',
];
const REGISTRIES = [
  'ghcr.io/example',
  'quay.io/example',
  'registry.example.com:5000',
  '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
  'europe-west1-docker.pkg.dev/example/images',
  'example',
];
const TOOLS = ['proxy', 'migrate', 'cache', 'agent', 'exporter', 'vault-sync', 'geo', 'mailer', 'queue', 'auth'];
const SUBJECTS = [
  'billing',
  'search',
  'checkout',
  'catalog',
  'ledger',
  'profile',
  'shipping',
  'pricing',
  'notify',
  'media',
  'fraud',
  'report',
];
const ROLES = ['api', 'web', 'worker', 'sync', 'gateway', 'store', 'feed', 'admin'];

/** Metadata may name a repository of the Docker Hub more fully than manifests do. */
function spelling(random: Random, name: string): string {
  if (name.split('/')[0]?.match(/[.:]/) || random.chance(0.5)) return name;
  return name.includes('/') ? `docker.io/${name}` : `docker.io/library/${name}`;
}

// --- images ---------------------------------------------------------------------------------------------------------

interface Image {
  repository: Repository;
  /** What automation would choose, if it is asked. */
  filter: Filter;
  /** False: no metadata of it is known, so that automation leaves it alone. */
  scanned: boolean;
}

function pickImage(world: World, app: App, main: boolean): Image {
  const { random } = world;
  const scanned = main || random.chance(0.85);
  const repository = main && random.chance(0.75) ? app.own : random.pick(world.shared);
  const wanted = random.weighted([
    [45, 'semver'],
    [20, 'glob'],
    [15, 'regex'],
    [20, ''],
  ] as const);
  const fitting = repository.filters.filter(({ pattern = '' }) =>
    wanted === '' ? pattern === '' : pattern.startsWith(wanted),
  );
  return { repository, filter: random.pick(fitting.length > 0 ? fitting : repository.filters), scanned };
}

function nameOf(image: Image): string {
  return image.scanned ? image.repository.name : `${image.repository.name}-unscanned`;
}

/** A part of an image field: a slot if it is to change, else its text of today. */
function part(world: World, image: Image, live: boolean, render: (tag: Tag) => string): Slot | string {
  const choice = choose(image.repository, image.filter);
  if (!live || !image.scanned) return render(choice.now);
  const group = image.repository.canonical;
  world.asked.set(group, image.repository);
  return { slot: true, group, old: render(choice.now), new: render(choice.next) };
}

function policyFor(world: World, image: Image, prefix: string, digest: boolean): Policy {
  const namespace = 'flux-system';
  const name = `${prefix}-${world.policies.length}`;
  const policy = {
    group: `${namespace}:${name}`,
    name,
    namespace,
    choice: choose(image.repository, image.filter),
    digest,
  };
  world.policies.push(policy);
  return policy;
}

/** A scalar with a marker behind it; `suffix` is `:tag`, `:name`, `:digest` or nothing. */
function marked(policy: Policy, suffix: string, render: (tag: Tag) => string): Value {
  const slot: Slot = {
    slot: true,
    group: policy.group,
    old: render(policy.choice.now),
    new: render(policy.choice.next),
  };
  return as(slot, { comment: `{"$imagepolicy": "${policy.group}${suffix}"}` });
}

function reference(name: string, tag: Tag, digest: boolean): string {
  return digest && tag.digest ? `${name}:${tag.name}@${tag.digest}` : `${name}:${tag.name}`;
}

// --- workloads ------------------------------------------------------------------------------------------------------

export type WorkloadKind =
  | 'Deployment'
  | 'StatefulSet'
  | 'DaemonSet'
  | 'ReplicaSet'
  | 'Rollout'
  | 'Pod'
  | 'Job'
  | 'CronJob';

export const LONG_RUNNING: readonly (readonly [number, WorkloadKind])[] = [
  [72, 'Deployment'],
  [14, 'StatefulSet'],
  [8, 'DaemonSet'],
  [3, 'Rollout'],
  [2, 'ReplicaSet'],
  [1, 'Pod'],
];

const API: Record<WorkloadKind, string> = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  ReplicaSet: 'apps/v1',
  Rollout: 'argoproj.io/v1alpha1',
  Pod: 'v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
};

interface PlannedContainer {
  name: string;
  image: Image;
  value: Value;
}

/** A workload of an app, as its mode has it; `suffix` tells it from the app's other ones. */
export function workload(
  world: World,
  app: App,
  kind: WorkloadKind,
  suffix = '',
  mode: Mode = world.random.weighted(MODES),
): ValueMap {
  const { random } = world;
  count(world, mode);
  const name = `${app.name}${suffix}`;
  const main = planContainer(
    world,
    app,
    random.pick(['app', app.name, 'main']),
    mode,
    `${name}-${kind.toLowerCase()}`,
    true,
  );
  const sidecars = Array.from(
    {
      length: random.weighted([
        [78, 0],
        [18, 1],
        [4, 2],
      ]),
    },
    (_, i) =>
      planContainer(world, app, `${random.pick(TOOLS)}-${i}`, mode, `${name}-side${i}-${kind.toLowerCase()}`, false),
  );
  const inits = random.chance(0.1)
    ? [planContainer(world, app, 'init', mode, `${name}-init-${kind.toLowerCase()}`, false)]
    : [];
  if (inits[0] && mode !== 'marked' && random.chance(0.3)) shareImage(inits[0], main);

  const containers = [main, ...sidecars];
  const defaults = random.chance(0.03);
  const pod: ValueMap = {};
  if (random.chance(0.25)) pod['serviceAccountName'] = name;
  if (random.chance(0.15)) pod['securityContext'] = { runAsNonRoot: true, runAsUser: 65_534, fsGroup: 65_534 };
  if (inits.length > 0) pod['initContainers'] = inits.map((planned) => container(world, planned, false));
  pod['containers'] = containers.map((planned) => container(world, planned, defaults));
  if (kind === 'Job' || kind === 'CronJob') pod['restartPolicy'] = random.pick(['Never', 'OnFailure']);
  if (random.chance(0.08))
    pod['tolerations'] = [{ key: 'dedicated', operator: 'Equal', value: app.team, effect: 'NoSchedule' }];
  if (random.chance(0.1)) pod['nodeSelector'] = { 'kubernetes.io/os': 'linux' };
  if (random.chance(0.12))
    pod['volumes'] = [
      { name: 'config', configMap: { name, defaultMode: 420 } },
      { name: 'tmp', emptyDir: {} },
    ];

  const labels: ValueMap = { 'app.kubernetes.io/name': name };
  if (random.chance(0.3)) labels['app.kubernetes.io/part-of'] = app.team;
  const template: ValueMap = { metadata: { labels: { ...labels } }, spec: pod };
  const document: ValueMap = {
    apiVersion: API[kind],
    kind,
    metadata: metadata(world, name, app, { ...labels }, annotations(world, mode, [...inits, ...containers])),
  };
  if (defaults)
    document['x-defaults'] = as(
      { imagePullPolicy: 'IfNotPresent', terminationMessagePolicy: 'FallbackToLogsOnError' },
      { anchor: 'defaults' },
    );
  document['spec'] = podOwner(random, kind, name, template);
  return document;
}

function podOwner(random: Random, kind: WorkloadKind, name: string, template: ValueMap): Value {
  if (kind === 'Pod') return template['spec'] ?? null;
  if (kind === 'Job') return { backoffLimit: random.between(0, 6), template };
  if (kind === 'CronJob')
    return {
      schedule: `${random.int(60)} ${random.int(24)} * * *`,
      concurrencyPolicy: 'Forbid',
      jobTemplate: { spec: { template } },
    };
  const spec: ValueMap = { selector: { matchLabels: { 'app.kubernetes.io/name': name } } };
  if (kind !== 'DaemonSet') spec['replicas'] = random.between(1, 12);
  if (kind === 'StatefulSet') spec['serviceName'] = name;
  if (kind === 'Deployment' && random.chance(0.3))
    spec['strategy'] = { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } };
  spec['template'] = template;
  return spec;
}

function planContainer(
  world: World,
  app: App,
  name: string,
  mode: Mode,
  policyName: string,
  main: boolean,
): PlannedContainer {
  const { random } = world;
  const image = pickImage(world, app, main);
  const digest = image.repository.digests && random.chance(0.25);
  if (mode === 'marked' && main) {
    const policy = policyFor(world, image, policyName, digest);
    return { name, image, value: marked(policy, '', (tag) => reference(image.repository.name, tag, digest)) };
  }
  const value = part(world, image, mode === 'automated', (tag) => reference(nameOf(image), tag, digest));
  if (typeof value === 'string' && mode === 'manual' && random.chance(0.05))
    return { name, image, value: nameOf(image) };
  const style = random.weighted([
    [93, undefined],
    [3, 'double'],
    [2, 'single'],
    [1, 'folded'],
    [1, 'next-line'],
  ] as const);
  const comment = random.chance(0.04) ? random.pick(['keep in step with the chart', 'see "release notes"']) : undefined;
  return { name, image, value: as(value, { ...(style && { style }), ...(comment && { comment }) }) };
}

/** Lets a later container take the image of an earlier one by an anchor; both then ask for the same. */
function shareImage(first: PlannedContainer, second: PlannedContainer): void {
  second.image = first.image;
  first.value = as(plainly(first.value), { anchor: 'image' });
  second.value = alias('image');
}

function container(world: World, { name, value }: PlannedContainer, withDefaults: boolean): Value {
  const { random } = world;
  const parts: ValueMap = { name, image: value };
  if (withDefaults) parts['<<'] = alias('defaults');
  if (random.chance(0.15))
    parts['args'] = as(
      [`--name=${name}`, '--log-level', 'info', `--workers=${random.between(1, 32)}`],
      random.chance(0.4) ? { style: 'flow' } : {},
    );
  if (random.chance(0.05)) parts['command'] = as(['/bin/sh', '-c'], { style: 'flow' });
  if (random.chance(0.03))
    parts['lifecycle'] = {
      preStop: {
        exec: {
          command: ['/bin/sh', '-c', as('sleep 5\n# drain: give the mesh time\nkill -TERM 1\n', { style: 'literal' })],
        },
      },
    };
  if (random.chance(0.3)) parts['env'] = environment(random, name);
  if (random.chance(0.5))
    parts['ports'] = [
      random.chance(0.5)
        ? as({ name: 'http', containerPort: 8080 }, { style: 'flow' })
        : { name: 'http', containerPort: 8080, protocol: 'TCP' },
    ];
  if (random.chance(0.4)) parts['resources'] = resources(random);
  if (random.chance(0.2))
    parts['readinessProbe'] = { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: random.between(5, 30) };
  if (random.chance(0.1))
    parts['livenessProbe'] = {
      httpGet: { path: '/livez?full=1', port: 8080 },
      initialDelaySeconds: 10,
      timeoutSeconds: 2,
    };
  if (random.chance(0.1))
    parts['volumeMounts'] = [
      { name: 'config', mountPath: `/etc/${name}`, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ];
  const ordered = random.chance(0.8) ? parts : Object.fromEntries(random.shuffle(Object.entries(parts)));
  const block = parts['<<'] !== undefined || howOf(value).comment !== undefined;
  return !block && random.chance(0.02) ? as(ordered, { style: 'flow' }) : ordered;
}

function environment(random: Random, name: string): Value[] {
  const variables: Value[] = [
    { name: 'LOG_LEVEL', value: random.pick(['info', 'debug', 'warn']) },
    { name: 'PORT', value: '8080' },
    { name: 'FEATURE_X', value: random.pick(['true', 'off', 'yes']) },
    { name: 'GREETING', value: 'it\'s: "quoted" # and not a comment' },
    { name: 'HOST_TEMPLATE', value: '{{ .Env.HOST }}' },
    { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'DATABASE_URL', value: `postgres://db.${name}.svc:5432/app?sslmode=disable` },
    { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: `${name}-db`, key: 'password' } } },
  ];
  return random.shuffle(variables).slice(0, random.between(1, 4));
}

function resources(random: Random): Value {
  const limits = {
    cpu: random.pick(['100m', '500m', '1', '2']),
    memory: random.pick(['64Mi', '256Mi', '1Gi', '1.5Gi']),
  };
  if (random.chance(0.3))
    return { limits: as(limits, { style: 'flow' }), requests: as({ ...limits }, { style: 'flow' }) };
  if (random.chance(0.1)) return { limits: as(limits, { anchor: 'limits' }), requests: alias('limits') };
  return { limits, requests: { ...limits } };
}

// --- annotations ----------------------------------------------------------------------------------------------------

interface Filtered {
  name: string;
  image: Image;
}

function annotations(world: World, mode: Mode, containers: readonly Filtered[]): [string, Value][] {
  const { random } = world;
  if (mode === 'manual' || mode === 'marked') return random.chance(0.03) ? [['fluxcd.io/ignore', 'false']] : [];
  const legacy = random.chance(0.1);
  const prefix = legacy ? 'flux.weave.works' : 'fluxcd.io';
  const wanted: [string, Value][] = [];
  if (mode === 'off') wanted.push([`${prefix}/automated`, 'false']);
  else if (mode !== 'filters') wanted.push([`${prefix}/automated`, random.chance(0.02) ? true : 'true']);
  if (mode === 'locked')
    wanted.push(
      [`${prefix}/locked`, 'true'],
      [`${prefix}/locked_msg`, 'broken upstream: wait for the fix'],
      [`${prefix}/locked_user`, 'Jo <jo@example.com>'],
    );
  if (mode === 'ignored') wanted.push([`${prefix}/ignore`, 'true']);
  if (mode === 'automated' && random.chance(0.02)) wanted.push([`${prefix}/ignore`, 'sync_only']);
  const key = legacy
    ? 'flux.weave.works/tag.'
    : random.pick(['filter.fluxcd.io/', 'filter.fluxcd.io/', 'fluxcd.io/tag.']);
  for (const { name, image } of containers)
    if (image.filter.pattern !== undefined) wanted.push([`${key}${name}`, image.filter.pattern]);
  return wanted;
}

function metadata(
  world: World,
  name: string,
  app: App,
  labels: ValueMap,
  wanted: readonly [string, Value][],
): ValueMap {
  const { random } = world;
  const others: [string, Value][] = [
    ['prometheus.io/scrape', 'true'],
    ['example.com/owner', `${app.team}@example.com`],
    ['example.com/description', `Serves ${app.name}; see https://wiki.example.com/${app.name}`],
  ];
  const all = random.shuffle([
    ...wanted,
    ...random.shuffle(others).slice(
      0,
      random.weighted([
        [60, 0],
        [30, 1],
        [10, 2],
      ]),
    ),
  ]);
  const result: ValueMap = { name, namespace: app.team };
  if (random.chance(0.6)) result['labels'] = labels;
  if (all.length > 0)
    result['annotations'] = random.chance(0.03)
      ? as(Object.fromEntries(all), { style: 'flow' })
      : Object.fromEntries(all);
  return random.chance(0.8) ? result : Object.fromEntries(random.shuffle(Object.entries(result)));
}

function count(world: World, what: string): void {
  world.modes[what] = (world.modes[what] ?? 0) + 1;
}

// --- HelmReleases ---------------------------------------------------------------------------------------------------

const HELM_APIS = [
  ['flux.weave.works/v1beta1', 'helm.fluxcd.io/v1', 'helm.fluxcd.io/v1'],
  ['helm.toolkit.fluxcd.io/v2', 'helm.toolkit.fluxcd.io/v2', 'helm.toolkit.fluxcd.io/v2beta1'],
] as const;

/** A HelmRelease of either generation, with images in the shapes that Flux knows (reference/flux-v1-mode.md §10.3, §10.4). */
export function helmRelease(world: World, app: App, environment: string): ValueMap {
  const { random } = world;
  const mode = random.weighted(MODES);
  count(world, mode);
  const generation = random.int(2);
  const values: ValueMap = { replicaCount: random.between(1, 5) };
  const found: Filtered[] = [];
  const paths: [string, Value][] = [];

  const main = pickImage(world, app, true);
  if (mode === 'marked') {
    values['image'] = markedValues(world, main, `${app.name}-${environment}`);
  } else if (random.chance(0.12)) {
    found.push({ name: 'server', image: main });
    values['controller'] = {
      server: { repo: nameOf(main), version: part(world, main, mode === 'automated', (tag) => tag.name) },
    };
    paths.push(
      ['repository.fluxcd.io/server', 'controller.server.repo'],
      ['tag.fluxcd.io/server', 'controller.server.version'],
    );
  } else {
    found.push({ name: 'chart-image', image: main });
    Object.assign(values, imageShape(world, main, mode === 'automated'));
  }
  values['service'] = { type: 'ClusterIP', port: 80 };
  if (random.chance(0.3)) {
    const image = pickImage(world, app, false);
    found.push({ name: 'metrics', image });
    values['metrics'] = { enabled: true, ...imageShape(world, image, mode === 'automated') };
  }
  if (random.chance(0.2))
    values['global'] = { deeper: { proxy: { image: { repository: 'example/deep', tag: '1.0.0' } } } };
  values['ingress'] = {
    enabled: true,
    hosts: [
      as(
        { host: `${app.name}.example.com`, paths: as(['/'], { style: 'flow' }) },
        random.chance(0.3) ? { style: 'flow' } : {},
      ),
    ],
  };
  values['resources'] = resources(random);
  if (random.chance(0.3)) values['extraConfig'] = as(configText(random, app.name, 6), { style: 'literal' });

  return {
    apiVersion: random.pick(HELM_APIS[generation] as readonly string[]),
    kind: 'HelmRelease',
    metadata: metadata(world, app.name, app, { 'app.kubernetes.io/part-of': app.team }, [
      ...annotations(world, mode, found),
      ...paths,
    ]),
    spec: generation === 0 ? helmV1(random, app, values) : helmV2(random, app, values),
  };
}

function helmV1(random: Random, app: App, values: ValueMap): ValueMap {
  return {
    releaseName: app.name,
    chart: {
      repository: 'https://charts.example.com/',
      name: random.pick(ROLES),
      version: `${random.int(5)}.${random.int(20)}.0`,
    },
    values,
  };
}

function helmV2(random: Random, app: App, values: ValueMap): ValueMap {
  const sourceRef = { kind: 'HelmRepository', name: 'charts', namespace: 'flux-system' };
  return {
    interval: '10m',
    releaseName: app.name,
    chart: { spec: { chart: random.pick(ROLES), version: `${random.int(5)}.x`, sourceRef } },
    values,
  };
}

function imageShape(world: World, image: Image, live: boolean): ValueMap {
  const name = nameOf(image);
  const slash = name.indexOf('/');
  const hosted = slash > 0 && /[.:]/.test(name.slice(0, slash));
  const registry = name.slice(0, slash);
  const path = name.slice(slash + 1);
  const tag = () => part(world, image, live, ({ name }) => name);
  const tagged = (prefix: string) => part(world, image, live, ({ name }) => `${prefix}:${name}`);
  const shapes: (() => ValueMap)[] = [
    () => ({ image: tagged(name) }),
    () => ({ image: name, tag: tag() }),
    () => ({ image: { repository: tagged(name) } }),
    () => ({ image: { repository: name, tag: tag(), pullPolicy: 'IfNotPresent' } }),
    () => ({ image: { repository: name, pullPolicy: 'Always', tag: tag() } }),
    () => ({ image: as({ repository: name, tag: tag() }, { style: 'flow' }) }),
  ];
  if (hosted) {
    shapes.push(
      () => ({ registry, image: tagged(path) }),
      () => ({ registry, image: path, tag: tag() }),
      () => ({ image: { registry, repository: tagged(path) } }),
      () => ({ image: { registry, repository: path, tag: tag() } }),
    );
  }
  return world.random.pick(shapes)();
}

function markedValues(world: World, image: Image, policyName: string): ValueMap {
  const { name } = image.repository;
  const policy = policyFor(world, image, policyName, false);
  if (world.random.chance(0.2)) return { reference: marked(policy, '', (tag) => `${name}:${tag.name}`) };
  return { repository: marked(policy, ':name', () => name), tag: marked(policy, ':tag', (tag) => tag.name) };
}

// --- kustomizations -------------------------------------------------------------------------------------------------

/** An overlay that sets the image of the app: by a marker if `live`. */
export function overlay(world: World, app: App, environment: string, live: boolean): ValueMap {
  const { random } = world;
  const image = pickImage(world, app, true);
  const { name } = image.repository;
  const now = choose(image.repository, image.filter).now;
  count(world, live ? 'overlay-marked' : 'overlay');
  const entry: ValueMap = { name: random.chance(0.5) ? app.name : name };
  if (live) {
    const byDigest = image.repository.digests && random.chance(0.2);
    const policy = policyFor(world, image, `${app.name}-${environment}`, byDigest);
    if (random.chance(0.4)) entry['newName'] = marked(policy, ':name', () => name);
    if (byDigest) entry['digest'] = marked(policy, ':digest', (tag) => tag.digest ?? '');
    else entry['newTag'] = marked(policy, ':tag', (tag) => tag.name);
  } else {
    entry['newTag'] = now.name;
  }
  const images: Value[] = [entry];
  if (random.chance(0.3)) images.push({ name: 'nginx', newTag: `1.${random.int(30)}.${random.int(10)}` });
  const document: ValueMap = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: `${app.team}-${environment}`,
    resources: ['../../base'],
    images,
  };
  if (random.chance(0.3)) document['commonLabels'] = { env: environment };
  if (random.chance(0.2))
    document['patches'] = [
      {
        target: { kind: 'Deployment', name: app.name },
        patch: as(`- op: replace\n  path: /spec/replicas\n  value: ${random.between(2, 9)}\n`, { style: 'literal' }),
      },
    ];
  return document;
}

/** Some lines of configuration that mean nothing to anyone, with traps for who reads them as YAML. */
export function configText(random: Random, name: string, lines: number): string {
  const body = Array.from({ length: lines }, () =>
    random
      .pick(LINES)
      .replace('NAME', name)
      .replace('N', String(random.int(10_000))),
  );
  return `# configuration of ${name}\n${body.join('\n')}\n`;
}

const LINES = [
  'server { listen N; server_name NAME.example.com; }',
  'log_format main \'$remote_addr - $remote_user [$time_local] "$request"\';',
  'timeout = N',
  'image: nginx:1.25.N',
  '  fluxcd.io/automated: "true"',
  '  - name: app  # {"$imagepolicy": "flux-system:in-a-text"}',
  'description: "{{ $labels.instance }} of {{ $labels.job }} is down"',
  'expr: sum(rate(http_requests_total{job="NAME",code=~"5.."}[5m])) > 0.N',
  '# a comment that is text',
  '',
  '---NAME',
  '{"panels": [{"type": "graph", "id": N, "title": "NAME"}]}',
];
