/** Which files an app consists of and where they lie, in the ways that repositories are laid out. */
import type { Style, ValueMap } from './emit.ts';
import type { Random } from './random.ts';
import {
  autoscaler,
  base,
  chartValues,
  configMap,
  fluxKustomization,
  ingress,
  sealedSecret,
  service,
} from './noise.ts';
import { helmRelease, LONG_RUNNING, overlay, workload, type App, type WorkloadKind, type World } from './workloads.ts';

export interface ManifestFile {
  path: string;
  documents: ValueMap[];
}

/** The files of one app. */
export function filesOf(world: World, app: App): ManifestFile[] {
  const layout = world.random.weighted<(world: World, app: App) => ManifestFile[]>([
    [30, flat],
    [20, environments],
    [18, kustomized],
    [16, helm],
    [8, jobs],
    [4, list],
    [4, chartOnly],
  ]);
  return layout(world, app);
}

const CLUSTERS = ['prod-eu', 'prod-us', 'staging', 'dev'];

function anyKind(world: World): WorkloadKind {
  return world.random.weighted(LONG_RUNNING);
}

/** Everything of an app in one file, and sometimes a second workload. */
function flat(world: World, app: App): ManifestFile[] {
  const { random } = world;
  const folder = `clusters/${random.pick(CLUSTERS)}/${app.team}`;
  const documents = [workload(world, app, anyKind(world)), service(app)];
  if (random.chance(0.4)) documents.push(configMap(random, app));
  if (random.chance(0.3)) documents.push(ingress(app));
  if (random.chance(0.2)) documents.push(autoscaler(random, app));
  const files = [
    { path: `${folder}/${app.name}.yaml`, documents: random.chance(0.8) ? documents : random.shuffle(documents) },
  ];
  if (random.chance(0.35))
    files.push({
      path: `${folder}/${app.name}-worker.yml`,
      documents: [workload(world, app, anyKind(world), '-worker')],
    });
  return files;
}

/** The same app in several clusters, each with its own file and pace. */
function environments(world: World, app: App): ManifestFile[] {
  const { random } = world;
  const kind = anyKind(world);
  return CLUSTERS.slice(0, random.between(2, 4)).map((cluster) => ({
    path: `clusters/${cluster}/${app.team}/${app.name}/${kind.toLowerCase()}.yaml`,
    documents: [workload(world, app, kind), ...(random.chance(0.3) ? [service(app)] : [])],
  }));
}

/** A base and overlays that set its image. */
function kustomized(world: World, app: App): ManifestFile[] {
  const { random } = world;
  const folder = `apps/${app.team}/${app.name}`;
  const files: ManifestFile[] = [
    { path: `${folder}/base/deployment.yaml`, documents: [workload(world, app, anyKind(world))] },
    { path: `${folder}/base/kustomization.yaml`, documents: [base(app, ['deployment.yaml', 'service.yaml'])] },
    {
      path: `${folder}/base/service.yaml`,
      documents: [service(app), ...(random.chance(0.3) ? [configMap(random, app)] : [])],
    },
  ];
  const live = random.chance(0.7);
  for (const environment of ['staging', 'prod']) {
    const name = random.weighted([
      [94, 'kustomization.yaml'],
      [4, 'kustomization.yml'],
      [2, 'Kustomization'],
    ] as const);
    files.push({
      path: `${folder}/overlays/${environment}/${name}`,
      documents: [overlay(world, app, environment, live)],
    });
  }
  return files;
}

function helm(world: World, app: App): ManifestFile[] {
  const { random } = world;
  const files = CLUSTERS.slice(0, random.between(1, 2)).map((cluster) => ({
    path: `clusters/${cluster}/${app.team}/releases/${app.name}.yaml`,
    documents: [helmRelease(world, app, cluster), ...(random.chance(0.2) ? [sealedSecret(random, app)] : [])],
  }));
  return random.chance(0.7)
    ? [...files, { path: `apps/${app.team}/${app.name}/values.yaml`, documents: [chartValues(random, app)] }]
    : files;
}

function jobs(world: World, app: App): ManifestFile[] {
  const { random } = world;
  const folder = `clusters/${random.pick(CLUSTERS)}/${app.team}/jobs`;
  const files = [{ path: `${folder}/${app.name}.yaml`, documents: [workload(world, app, 'CronJob')] }];
  if (random.chance(0.4))
    files.push({ path: `${folder}/${app.name}-once.yaml`, documents: [workload(world, app, 'Job', '-once')] });
  return files;
}

/** A `kind: List`, as `kubectl get -o yaml` prints it. */
function list(world: World, app: App): ManifestFile[] {
  const items = Array.from({ length: world.random.between(2, 4) }, (_, i) =>
    workload(world, app, anyKind(world), `-${i}`),
  );
  const document: ValueMap = { apiVersion: 'v1', kind: 'List', items: [service(app), ...items] };
  return [{ path: `clusters/${world.random.pick(CLUSTERS)}/${app.team}/${app.name}-list.yaml`, documents: [document] }];
}

function chartOnly({ random }: World, app: App): ManifestFile[] {
  return [
    { path: `apps/${app.team}/${app.name}/values.yaml`, documents: [chartValues(random, app)] },
    { path: `apps/${app.team}/${app.name}/values-prod.yaml`, documents: [chartValues(random, app)] },
  ];
}

/** What a team has in each cluster beside its apps. */
export function teamFiles(team: string): ManifestFile[] {
  return CLUSTERS.map((cluster) => ({
    path: `clusters/${cluster}/flux/${team}.yaml`,
    documents: [fluxKustomization(team, cluster)],
  }));
}

/** How a file is written; each author has habits. */
export function styleOf(random: Random): Style {
  const indent = random.weighted([
    [80, 2],
    [14, 4],
    [6, 3],
  ] as const);
  return {
    indent,
    flush: random.chance(0.5),
    dash: random.chance(0.85) ? 2 : indent,
    eol: random.chance(0.04) ? '\r\n' : '\n',
    bom: random.chance(0.01),
    finalNewline: random.chance(0.95),
    quote: random.chance(0.6) ? 'double' : 'single',
    quoted: random.pick([0, 0, 0.1, 0.5]),
    comments: random.pick([0, 0.01, 0.03, 0.1]),
    blanks: random.pick([0, 0, 0.02, 0.08]),
    odd: random.chance(0.1) ? 0.02 : 0,
    kyaml: false,
  };
}
