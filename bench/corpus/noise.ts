/** Manifests without images, and YAML that is no manifest: what most of a repository consists of. */
import { as, type Value, type ValueMap } from './emit.ts';
import type { Random } from './random.ts';
import { configText, type App } from './workloads.ts';

export function service(app: App): ValueMap {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: app.name, namespace: app.team, labels: { 'app.kubernetes.io/name': app.name } },
    spec: { selector: { 'app.kubernetes.io/name': app.name }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  };
}

export function configMap(random: Random, app: App): ValueMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: app.name, namespace: app.team },
    data: {
      'app.conf': as(configText(random, app.name, random.between(2, 9)), { style: 'literal' }),
      'pool.size': String(random.between(1, 99)),
      ...(random.chance(0.2) && {
        'dashboard.json': as(
          JSON.stringify({
            title: app.name,
            panels: Array.from({ length: random.between(1, 8) }, (_, id) => ({
              id,
              type: 'graph',
              expr: `rate(x_total{app="${app.name}"}[5m])`,
            })),
          }),
          { style: 'single' },
        ),
      }),
    },
  };
}

export function ingress(app: App): ValueMap {
  const backend = { service: { name: app.name, port: { name: 'http' } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: app.name, namespace: app.team, annotations: { 'cert-manager.io/cluster-issuer': 'letsencrypt' } },
    spec: {
      tls: [{ hosts: as([`${app.name}.example.com`], { style: 'flow' }), secretName: `${app.name}-tls` }],
      rules: [{ host: `${app.name}.example.com`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  };
}

export function autoscaler(random: Random, app: App): ValueMap {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: app.name, namespace: app.team },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: app.name },
      minReplicas: 2,
      maxReplicas: random.between(3, 20),
    },
  };
}

export function sealedSecret(random: Random, app: App): ValueMap {
  return {
    apiVersion: 'bitnami.com/v1alpha1',
    kind: 'SealedSecret',
    metadata: { name: app.name, namespace: app.team },
    spec: { encryptedData: { password: `AgB${random.hex(random.between(150, 400))}`, token: `AgC${random.hex(150)}` } },
  };
}

export function base(app: App, resources: readonly string[]): ValueMap {
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [...resources],
    commonLabels: { team: app.team },
  };
}

/** Values of a chart: images that belong to no object, which nothing may touch. */
export function chartValues(random: Random, app: App): ValueMap {
  const component = (): Value => ({
    enabled: random.chance(0.5),
    image: {
      repository: `example/${app.name}`,
      tag: `${random.int(4)}.${random.int(20)}.${random.int(20)}`,
      pullPolicy: 'IfNotPresent',
    },
    replicas: random.between(1, 9),
    podAnnotations: {},
    nodeSelector: {},
    tolerations: [],
  });
  return {
    nameOverride: '',
    server: component(),
    worker: component(),
    extraEnv: [{ name: 'A', value: '1' }, as({ name: 'B', value: 'two' }, { style: 'flow' })],
    config: as(configText(random, app.name, random.between(1, 8)), { style: 'literal' }),
  };
}

/** What makes Flux apply a team's directory: it mentions `fluxcd.io/` and has no image. */
export function fluxKustomization(team: string, cluster: string): ValueMap {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: team, namespace: 'flux-system' },
    spec: {
      interval: '10m',
      path: `./clusters/${cluster}/${team}`,
      prune: true,
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
    },
  };
}
