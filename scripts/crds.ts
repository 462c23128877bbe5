// Writes the CustomResourceDefinitions of `config/crd` from the schemas in `api/`. `npm run crds`; `npm run check` fails where
// they are not what this would write.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GROUP, VERSION, type Kind } from '../api/kind.ts';
import { kinds } from '../api/kinds.ts';
import { RULES } from '../api/rule.ts';
import { toStructural } from '../api/structural.ts';
import { printYaml } from '../fn/yaml/print.ts';
import { root } from './build.ts';

const DIRECTORY = 'config/crd';
const HEAD = '# Written by `npm run crds` from the schemas in api/.\n';

/** A kind as the API server is told of it. */
export function crdOf({ kind, plural, shortNames, scope, about, spec, status, immutable, columns }: Kind) {
  const specSchema = toStructural(spec);
  const fixed = immutable.map((field) => ({
    rule: `self.${field} == oldSelf.${field}`,
    message: 'it cannot be changed; make another object',
    fieldPath: `.${field}`,
  }));
  const rules = [...(specSchema[RULES] ?? []), ...fixed];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames,
        categories: ['image-update'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              description: about,
              type: 'object',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: {
                  description: 'What is wanted.',
                  ...specSchema,
                  ...(rules.length > 0 && { [RULES]: rules }),
                },
                status: { description: 'What its controller found and did.', ...toStructural(status) },
              },
            },
          },
        },
      ],
    },
  };
}

/** Every file of `config/crd`, by its path below the root. */
function files(): Map<string, string> {
  const crds = Object.values(kinds).map((kind) => [`${kind.plural}.yaml`, crdOf(kind)] as const);
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: crds.map(([name]) => name).toSorted(),
  };
  return new Map(
    [...crds, ['kustomization.yaml', kustomization] as const].map(([name, value]) => [
      `${DIRECTORY}/${name}`,
      HEAD + printYaml(value),
    ]),
  );
}

/** The files that `npm run crds` would change, with what it would write; undefined for one that nobody writes any more. */
export function outdatedCrds(): Map<string, string | undefined> {
  const wanted = files();
  const there = existsSync(join(root, DIRECTORY)) ? readdirSync(join(root, DIRECTORY)) : [];
  const changed = new Map<string, string | undefined>();
  for (const name of there) if (!wanted.has(`${DIRECTORY}/${name}`)) changed.set(`${DIRECTORY}/${name}`, undefined);
  for (const [file, text] of wanted)
    if (!existsSync(join(root, file)) || readFileSync(join(root, file), 'utf8') !== text) changed.set(file, text);
  return changed;
}

if (import.meta.main) {
  mkdirSync(join(root, DIRECTORY), { recursive: true });
  for (const [file, text] of outdatedCrds()) {
    if (text === undefined) rmSync(join(root, file));
    else writeFileSync(join(root, file), text);
    console.log(`crds: ${file} ${text === undefined ? 'taken away' : 'written'}`);
  }
}
