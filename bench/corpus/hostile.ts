/**
 * Files that break readers. Whatever is wrong with a document, none of its bytes may change; a sound document beside it
 * in the same file is updated as if nothing were.
 */
import { Page, type GroupedEdit, type Style, type ValueMap } from './emit.ts';
import type { Random } from './random.ts';

export interface RawFile {
  path: string;
  bytes: Buffer;
  edits: GroupedEdit[];
}

/** The hostile files; `sound` makes an automated document to stand beside a broken one. */
export function hostileFiles(random: Random, copy: number, style: Style, sound: () => ValueMap): RawFile[] {
  const folder = `legacy/import-${copy}`;
  const alone = Object.entries(BROKEN).map(([name, text]) => ({
    path: `${folder}/${name}.yaml`,
    bytes: Buffer.from(text),
    edits: [],
  }));
  const binary = {
    path: `${folder}/binary.yaml`,
    bytes: Buffer.from('fluxcd.io/automated\0\xff\xfe\xc3\x28"$imagepolicy"\n', 'latin1'),
    edits: [],
  };
  const empty = { path: `${folder}/empty.yaml`, bytes: Buffer.alloc(0), edits: [] };
  return [...alone, ...chart(folder), binary, empty, beside(random, `${folder}/beside.yaml`, style, sound())];
}

function beside(random: Random, path: string, style: Style, sound: ValueMap): RawFile {
  const page = new Page({ ...style, eol: '\n', bom: false }, random);
  page.put(`${BROKEN['duplicate-image']}---\n`);
  page.document(sound);
  page.put(`---\n${BROKEN['tab-indentation']}`);
  return { path, bytes: Buffer.from(page.text), edits: page.edits };
}

/** A chart's templates look like manifests and are none. */
function chart(folder: string): RawFile[] {
  const files: Record<string, string> = {
    'Chart.yaml': 'apiVersion: v2\nname: legacy\nversion: 0.1.0\n',
    'values.yaml': 'image:\n  repository: nginx\n  tag: 1.0.0\n',
    'templates/deployment.yaml': template('{{ .Values.image.repository }}:{{ .Values.image.tag }}'),
  };
  return Object.entries(files).map(([name, text]) => ({
    path: `${folder}/chart/${name}`,
    bytes: Buffer.from(text),
    edits: [],
  }));
}

function template(image: string, extra = ''): string {
  return deployment(
    '{{ .Release.Name }}',
    image,
    `${extra}      {{- with .Values.nodeSelector }}\n      nodeSelector:\n        {{- toYaml . | nindent 8 }}\n      {{- end }}\n`,
  );
}

function deployment(name: string, image: string, tail = ''): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  annotations:
    fluxcd.io/automated: "true"
spec:
  template:
    spec:
      containers:
      - name: app
        image: ${image}
${tail}`;
}

const BROKEN: Record<string, string> = {
  template: template('nginx:1.0.0'),
  'duplicate-image': deployment('twice', 'nginx:1.0.0', '        image: nginx:1.0.1\n'),
  'tab-indentation': deployment('tabs', 'nginx:1.0.0', '        ports:\n\t- containerPort: 80\n'),
  'undefined-alias': deployment('alias', '*nowhere'),
  'open-quote': deployment('quote', '"nginx:1.0.0'),
  'unknown-policy': 'kind: Thing\nspec:\n  image: nginx:1.0.0 # {"$imagepolicy": "flux-system:no-such-policy"}\n',
  'mistyped-marker':
    'kind: Thing\nspec:\n  image: nginx:1.0.0 # {"$imagepolicy": "no-such-policy"}\n  other: nginx:1.0.0 # {"$imagepolicy" "flux-system:app"}\n',
  'no-metadata': deployment('lonely', 'registry.example.com/never/scanned:1.0.0'),
  'bad-filter': deployment('filter', 'nginx:1.0.0').replace(
    '"true"\n',
    '"true"\n    filter.fluxcd.io/app: "semver:not a range"\n',
  ),
  scalar: 'fluxcd.io/automated\n',
  list: '- fluxcd.io/automated\n- nginx:1.0.0\n',
};
