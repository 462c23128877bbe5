import { answerGroup, registryGroup, type CommandSpec } from '../spec.ts';
import { FORMATS } from '../formats.ts';

const example =
  'examples/directory/clusters --metadata examples/directory/metadata/images.yaml --metadata examples/directory/metadata/policies.yaml --offline';

export const explain: CommandSpec = {
  name: 'explain',
  summary: 'field by field what an update would do, and why',
  usage: ['[DIR] [WORKLOAD] [options]'],
  about: `Goes through the YAML files below \`DIR\` (default: \`.\`) as an update would, and writes nothing. Of each image that something
governs it says what stands there, what governs it and where that is written, what would become of it and why, the best candidates,
and what was held against the other tags. Whatever is automated and can't move has a line \`to do\`; so has each warning. Images that
nothing governs follow in short. A word that is no file and no directory is a \`WORKLOAD\`: \`namespace:kind/name\`, \`kind/name\` or
\`name\`.`,
  options: [
    { flags: '-n, --namespace <namespace>', meaning: 'workloads of this namespace alone' },
    { flags: '--all', meaning: 'all images that nothing governs, not the first twenty alone' },
    { flags: '-o, --format <format>', meaning: 'everything for programs', choices: FORMATS },
  ],
  groups: [answerGroup, registryGroup],
  operands: 'directory',
  examples: [
    { says: 'One workload, from a record:', command: `tk-image explain ${example.replace(' ', ' deployment/cart ')}` },
    { says: 'All of a directory:', command: `tk-image explain ${example}` },
    { says: 'Asking registries:', command: 'tk-image explain clusters', needs: 'a registry' },
  ],
  more: `That something can't move is no failure: the exit status is 0. It is 1 where a file or a registry could not be read.

\`-o json\` prints one object: \`fields\`; \`others\`, warnings about no field; and \`summary\`. A field has

| key | value |
| --- | --- |
| \`file\`, \`line\`, \`workload\`, \`resource\`, \`container\`, \`path\` | where it stands; \`null\` as far as it is not known |
| \`image\` | what stands there; \`null\` if it is no image reference |
| \`governor\` | \`{"by": "update", "image"}\`, \`{"by": "marker", "policy", "line"}\` or \`{"by": "annotation", "automatedBy"}\`; or \`null\` |
| \`filter\`, \`policy\` | the annotation that is its filter, with key, value and line; the policy for people |
| \`locked\`, \`ignored\` | what annotations say |
| \`state\` | \`moves\`, \`up-to-date\`, \`stays\` or \`not-automated\` |
| \`reason\`, \`message\` | the reason as [results](function.md#results) have it, and a sentence for people |
| \`becomes\` | what it would become, of one that stays if nothing held it; or \`null\` |
| \`remedy\` | what to do about it; or \`null\` |
| \`candidates\`, \`accepted\` | the first five of the tags that the policy accepts, best first, and how many there are; or \`null\` |
| \`turnedAway\` | for each rule as [\`choose\`](#choose) has them: \`{"rule", "count", "examples"}\` |
| \`warnings\`, \`workloadWarnings\` | of the field, and of its workload: \`{"severity", "reason", "message", "file", "line", "workload", "remedy"}\` |`,
};
