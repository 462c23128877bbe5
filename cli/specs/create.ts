import type { KindName } from '../../api/kinds.ts';
import { kinds } from '../../api/kinds.ts';
import { canBeEmptied, fieldOptions, isRepeated, SHORT, type FieldOption } from '../../api/options.ts';
import type { CommandSpec, Example, OptionSpec } from '../spec.ts';

/** A command that prints an object of a kind. */
interface Created {
  kind: KindName;
  example: Example;
}

/** By the words of their names. */
export const created: Readonly<Record<string, Created>> = {
  'create repository': {
    kind: 'ImageRepository',
    example: {
      says: 'A repository to scan:',
      command: 'tk-image create repository app --image ghcr.io/org/app --interval 5m --export',
    },
  },
  'create policy': {
    kind: 'ImagePolicy',
    example: {
      says: 'The highest version of a range:',
      command: "tk-image create policy app --image-repository app --semver '~1.2' --export",
    },
  },
  'create automation': {
    kind: 'ImageAutomation',
    example: {
      says: 'A branch that is kept up to date by the annotations in it:',
      command:
        'tk-image create automation config --url git@git.example.com:team/config --branch main --secret-ref git --author-email bot@example.com --export',
    },
  },
  'create cluster-automation': {
    kind: 'ClusterImageAutomation',
    example: {
      says: 'The same for some namespaces of a cluster:',
      command:
        'tk-image create cluster-automation config --target-namespace image-update --namespace-selector-match-labels team=a --url https://git.example.com/team/config --branch main --author-email bot@example.com --export',
    },
  },
  'create updatejob': {
    kind: 'UpdateJob',
    example: {
      says: 'One update, which `tk-image run -f -` could carry out here:',
      command:
        "tk-image create updatejob once --url https://git.example.com/team/config --branch main --author-email bot@example.com --image ghcr.io/org/image-update:v1 --run-contract Function --run-function-config '{apiVersion: image-update.dev/v1alpha1, kind: ImageUpdate, spec: {lookup: registry}}' --export",
    },
  },
};

/** What stands for the value of an option. */
const PLACEHOLDERS: Record<Exclude<FieldOption['form'], 'switch'>, string> = {
  text: 'value',
  integer: 'number',
  texts: 'value',
  names: 'name',
  pairs: 'key=value',
  object: 'yaml',
  objects: 'yaml',
};

/** Options that are no field of a spec. */
const common: readonly OptionSpec[] = [
  { flags: '--export', meaning: 'print the object; nothing is ever sent to a cluster' },
  { flags: '--label <key=value>', meaning: 'label of the object; may be repeated', several: true },
  { flags: '--annotation <key=value>', meaning: 'annotation of the object; may be repeated', several: true },
];

const namespace: OptionSpec = { flags: '-n, --namespace <name>', meaning: 'namespace of the object' };

export const create: readonly CommandSpec[] = Object.entries(created).map(([name, { kind, example }]) => ({
  name,
  summary: `prints ${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`,
  usage: ['NAME [options] --export'],
  about: `${kinds[kind].about} The object is checked by the rules of [the kind](api.md#${kind.toLowerCase()}), and goes to stdout as YAML; what is
left out is left to the API server's defaults. To create it: \`… --export | kubectl apply -f -\`.`,
  options: [
    ...(kinds[kind].scope === 'Namespaced' ? [namespace] : []),
    ...common,
    ...shortOptions(kind),
    ...fieldOptions(kind).flatMap(optionOf),
  ],
  examples: [example],
}));

function shortOptions(kind: KindName): OptionSpec[] {
  const fields = new Map(fieldOptions(kind).map((option) => [option.path.join('.'), option]));
  return Object.entries(SHORT[kind]).map(([name, path]) => {
    const field = fields.get(path)!;
    return { ...declared({ ...field, name }), meaning: `short for \`--${field.name}\`` };
  });
}

function optionOf(field: FieldOption): OptionSpec[] {
  const emptied: OptionSpec = {
    flags: `--no-${field.name}`,
    meaning: `no \`--${field.name}\` at all, in place of the default`,
  };
  return [declared(field), ...(canBeEmptied(field) ? [emptied] : [])];
}

function declared(field: FieldOption): OptionSpec {
  const { name, form, schema, meaning } = field;
  const repeated = isRepeated(field);
  return {
    flags: form === 'switch' ? `--${name}` : `--${name} <${PLACEHOLDERS[form]}>`,
    meaning: `${meaning.replace(/\.$/, '')}${repeated ? '; may be repeated' : ''}`,
    ...(schema.enum && { choices: schema.enum }),
    ...(repeated && { several: true }),
  };
}
