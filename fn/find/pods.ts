import { deref, get, textOf, type MapNode, type Node } from '../yaml/tree.ts';
import { imageField, noText, type ImageField } from './field.ts';
import { follow, itemPath, parsePath, type Found, type Step } from './path.ts';
import { groupOf, type Resource } from './resources.ts';

/** Where a kind keeps pod specs, or the like of Tekton's tasks. */
interface Kind {
  /**
   * Only in this API group; a kind by itself is enough otherwise, whatever its apiVersion (reference/flux-v1-mode.md
   * §10.1).
   */
  group?: string;
  pods?: readonly string[];
  tasks?: readonly string[];
  /** What a container without a name is called in the pod. */
  unnamed?: string;
}

const TEMPLATE: Kind = { pods: ['spec.template.spec'] };
const KNATIVE = { group: 'serving.knative.dev', unnamed: 'user-container' };
const TEKTON = { group: 'tekton.dev' };

const KINDS: Record<string, Kind> = {
  // Kubernetes; the two sets also of OpenKruise.
  Deployment: TEMPLATE,
  StatefulSet: TEMPLATE,
  DaemonSet: TEMPLATE,
  ReplicaSet: TEMPLATE,
  ReplicationController: TEMPLATE,
  Job: TEMPLATE,
  CronJob: { pods: ['spec.jobTemplate.spec.template.spec'] },
  Pod: { pods: ['spec'] },
  PodTemplate: { pods: ['template.spec'] },
  // Argo Rollouts
  Rollout: TEMPLATE,
  // Knative
  Service: { ...KNATIVE, ...TEMPLATE },
  Configuration: { ...KNATIVE, ...TEMPLATE },
  Revision: { ...KNATIVE, pods: ['spec'] },
  // Tekton
  Task: { ...TEKTON, tasks: ['spec'] },
  ClusterTask: { ...TEKTON, tasks: ['spec'] },
  TaskRun: { ...TEKTON, tasks: ['spec.taskSpec'] },
  Pipeline: { ...TEKTON, tasks: ['spec.tasks[].taskSpec', 'spec.finally[].taskSpec'] },
  PipelineRun: {
    ...TEKTON,
    tasks: ['spec.pipelineSpec.tasks[].taskSpec', 'spec.pipelineSpec.finally[].taskSpec'],
  },
  // OpenKruise
  CloneSet: TEMPLATE,
  BroadcastJob: TEMPLATE,
  AdvancedCronJob: {
    pods: ['spec.template.jobTemplate.spec.template.spec', 'spec.template.broadcastJobTemplate.spec.template.spec'],
  },
  SidecarSet: { pods: ['spec'] },
  UnitedDeployment: {
    pods: [
      'spec.template.statefulSetTemplate.spec.template.spec',
      'spec.template.advancedStatefulSetTemplate.spec.template.spec',
      'spec.template.cloneSetTemplate.spec.template.spec',
      'spec.template.deploymentTemplate.spec.template.spec',
    ],
  },
  // Agones
  GameServer: TEMPLATE,
  GameServerSet: { pods: ['spec.template.spec.template.spec'] },
  Fleet: { group: 'agones.dev', pods: ['spec.template.spec.template.spec'] },
  // Sets of jobs and of groups
  JobSet: { pods: ['spec.replicatedJobs[].template.spec.template.spec'] },
  LeaderWorkerSet: {
    pods: ['spec.leaderWorkerTemplate.leaderTemplate.spec', 'spec.leaderWorkerTemplate.workerTemplate.spec'],
  },
};

/** Where other kinds keep pod templates, if what is there has a container with an image. */
const USUAL_PLACES = compile(['spec.template.spec', 'spec.jobTemplate.spec.template.spec', 'spec.podTemplate.spec']);

interface Places {
  group: string | undefined;
  pods: readonly Step[][];
  tasks: readonly Step[][];
  unnamed: string | undefined;
}

const PLACES = new Map<string, Places>(
  Object.entries(KINDS).map(([kind, { group, pods = [], tasks = [], unnamed }]) => [
    kind,
    { group, pods: compile(pods), tasks: compile(tasks), unnamed },
  ]),
);

function compile(paths: readonly string[]): Step[][] {
  return paths.map((path) => parsePath(path)!);
}

const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers'] as const;

/**
 * The images of a workload: containers, init containers, ephemeral containers, then image volumes, which are called by
 * the volume's name. Tekton: steps, sidecars, then `stepTemplate`.
 */
export function podImages(resource: Resource): ImageField[] {
  const fields: ImageField[] = [];
  const known = PLACES.get(resource.ref.kind);
  if (!known || (known.group !== undefined && known.group !== groupOf(resource.ref))) {
    for (const steps of USUAL_PLACES)
      for (const place of follow(resource.node, '', steps)) if (isPod(place.node)) readPod(resource, place, '', fields);
    return fields;
  }
  for (const steps of known.pods)
    for (const place of follow(resource.node, '', steps)) readPod(resource, place, known.unnamed ?? '', fields);
  for (const steps of known.tasks)
    for (const place of follow(resource.node, '', steps)) readTask(resource, place, fields);
  return fields;
}

function isPod(node: Node): boolean {
  const containers = get(node, 'containers');
  return containers?.kind === 'seq' && containers.items.some((item) => get(item, 'image')?.kind === 'scalar');
}

function readPod(resource: Resource, { node, path }: Found, unnamed: string, into: ImageField[]): void {
  for (const key of CONTAINERS) readContainers(resource, get(node, key), `${path}.${key}`, unnamed, into);
  const volumes = get(node, 'volumes');
  if (volumes?.kind !== 'seq') return;
  for (let i = 0; i < volumes.items.length; i++) {
    const volume = deref(volumes.items[i]);
    const reference = get(get(volume, 'image'), 'reference');
    if (!reference) continue;
    const name = textOf(get(volume, 'name')) ?? `volumes[${i}]`;
    into.push(fieldOf(resource, name, `${itemPath(`${path}.volumes`, i)}.image.reference`, reference));
  }
}

function readTask(resource: Resource, { node, path }: Found, into: ImageField[]): void {
  for (const key of ['steps', 'sidecars']) readContainers(resource, get(node, key), `${path}.${key}`, '', into);
  const template = get(node, 'stepTemplate');
  if (template?.kind === 'map') readContainer(resource, template, `${path}.stepTemplate`, 'stepTemplate', into);
}

/** A container without a name is called by its place, as in `steps[0]`, unless its kind has a name for it. */
function readContainers(
  resource: Resource,
  list: Node | undefined,
  path: string,
  unnamed: string,
  into: ImageField[],
): void {
  if (list?.kind !== 'seq') return;
  for (let i = 0; i < list.items.length; i++) {
    const container = deref(list.items[i]);
    if (container?.kind !== 'map') continue;
    const at = itemPath(path, i);
    const name = textOf(get(container, 'name')) || unnamed || at.slice(at.lastIndexOf('.') + 1);
    readContainer(resource, container, at, name, into);
  }
}

function readContainer(resource: Resource, container: MapNode, path: string, name: string, into: ImageField[]): void {
  const image = get(container, 'image');
  if (image) into.push(fieldOf(resource, name, `${path}.image`, image));
}

/** What stands in the place of a whole reference; of a list or a map it is told. */
function fieldOf({ ref: resource }: Resource, container: string, path: string, image: Found['node']): ImageField {
  const place = { resource, container, path, origin: 'pod' as const };
  return image.kind === 'scalar'
    ? imageField({ ...place, slots: { whole: image } })
    : noText({ ...place, slots: {}, offset: image.start }, 'image', image);
}
