import { answerGroup, registryGroup, type CommandSpec } from '../spec.ts';
import { FORMATS } from '../formats.ts';

const example = 'examples/directory/clusters --metadata examples/directory/metadata/images.yaml --offline';

export const list: CommandSpec = {
  name: 'list',
  summary: 'workloads, containers and images, with the tags around each',
  usage: ['[DIR] [-w WORKLOAD…] [options]'],
  about: `Lists the images in the YAML files below \`DIR\` (default: \`.\`), automated or not, as \`list-images\` of Flux v1 did: below each
its tags, in the order of the policy that it has. \`|\` stands before tags that come before the current one, \`'->\` at the current
one, \`=>\` at the one that an update would write. Tags that the policy turns away are told, with the rule. Registries are asked for
what has no metadata, and nothing is written.`,
  options: [
    {
      flags: '-w, --workload <workload>',
      meaning: 'these alone: `namespace:kind/name`, `kind/name` or `name`; may be repeated',
      several: true,
    },
    { flags: '-n, --namespace <namespace>', meaning: 'workloads of this namespace alone' },
    {
      flags: '-l, --limit <number>',
      meaning: 'so many tags of each image; default 10, in `json` and `yaml` all; 0 is all',
    },
    { flags: '--no-headers', meaning: 'no line of headers' },
    { flags: '-o, --format <format>', meaning: 'everything for programs', choices: FORMATS },
  ],
  groups: [answerGroup, registryGroup],
  operands: 'directory',
  examples: [
    { says: 'One workload, from a record:', command: `tk-image list ${example} -w checkout` },
    { says: 'What has been pushed lately:', command: 'tk-image list clusters -n shop --limit 3', needs: 'a registry' },
  ],
  more: `Without a policy tags are in the order of their creation, the newest first, as in Flux v1; where no tag has a creation time, by
version, the highest first. A registry is asked for creation times only where a policy goes by them. A tag that stands in a file and
that the registry does not list has \`?\` for its creation time. A registry that cannot be read is told on stderr, its images have
\`image data not available\`, the others are listed all the same, and the exit status is 1.

\`-o json\` prints an array with an object for each container:

| key | value |
| --- | --- |
| \`workload\`, \`container\`, \`image\` | as in the table; \`workload\` is \`null\` for what has no name |
| \`file\`, \`line\`, \`path\` | where it stands, and the field path below the resource |
| \`current\` | \`tag\`, \`digest\` and \`created\`, each or \`null\`; \`listed\`: whether the registry has the tag |
| \`chosen\` | the tag that an update would write or leave; \`null\` if it can say none |
| \`wanted\` | the tag that it would write if nothing held it back; or \`null\` |
| \`policy\` | what governs it, or the filter that it has without being automated; or \`null\` |
| \`state\`, \`reason\`, \`message\` | as [\`explain\`](#explain) has them |
| \`locked\` | whether an annotation locks it |
| \`available\` | the tags, best first, as ImageMetadata has them, \`rejected\` with the rule that turns one away and \`detail\`; or \`null\` |
| \`orderedBy\` | what they are ordered by: \`version\`, \`time\`, \`number\`, \`text\`; or \`null\` |
| \`counts\` | of all tags: \`available\`, \`newer\` than the current one, \`accepted\` by the policy, \`newerAccepted\` |
| \`problem\` | why there are no tags, or \`null\` |`,
};
