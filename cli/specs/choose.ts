import { registryGroup, type CommandSpec } from '../spec.ts';
import { FORMATS } from '../formats.ts';

export const choose: CommandSpec = {
  name: 'choose',
  summary: 'which tag a filter takes, and why no other',
  usage: [
    'FILTER IMAGE [options]',
    'FILTER --tags FILE [options]',
    'FILTER --metadata FILE… [options]',
    '--policy FILE … [options]',
  ],
  about: `Applies a rule to the tags of one repository: a filter as Flux v1 writes it in annotations (\`semver:~1.2\`, \`glob:main-*\`,
\`regexp:…\`), or the rule of an ImagePolicy. The winner stands alone on stdout; why it won, the runner-ups, and what was held
against each other tag, by rule, on stderr. With an \`IMAGE\` the registry is asked: for its tags, and if the rule goes by time or
age, for the times of as few tags as will do.`,
  options: [
    {
      flags: '--policy <file>',
      meaning: 'the rule of the one ImagePolicy in this file, instead of a filter',
      completes: 'file',
    },
    { flags: '--tags <file>', meaning: 'one tag a line, or ImageMetadata; `-` is stdin', completes: 'file' },
    { flags: '--metadata <file>', meaning: 'ImageMetadata; may be repeated', several: true, completes: 'file' },
    { flags: '--image <image>', meaning: 'which repository of `--tags` or `--metadata`, if they have several' },
    {
      flags: '--current <tag>',
      meaning: 'the tag that stands there now: the choice may be to keep it. An `IMAGE` with a tag says it too',
    },
    {
      flags: '--ties <how>',
      meaning: 'as `ties` of the [functionConfig](function.md#functionconfig)',
      choices: ['compat', 'version'],
    },
    {
      flags: '--unknown-current <how>',
      meaning: 'as `unknownCurrent` of the functionConfig',
      choices: ['move', 'hold'],
    },
    { flags: '-o, --format <format>', meaning: 'the whole account for programs, on stdout', choices: FORMATS },
  ],
  groups: [registryGroup],
  examples: [
    {
      says: 'From a list of tags:',
      command: `printf '%s\\n' 1.2.0 1.2.10 1.3.0-rc.1 main latest | tk-image choose 'semver:~1.2' --tags - --current 1.2.0`,
    },
    {
      says: 'From a record, for a program:',
      command:
        "tk-image choose 'glob:main-*' --metadata examples/directory/metadata/images.yaml --image registry.example.com:5000/acme/report -o json",
    },
    { says: 'From a registry:', command: "tk-image choose 'semver:~1.27' nginx:1.27.1", needs: 'a registry' },
  ],
  more: `\`-o json\` prints one object:

| key | value |
| --- | --- |
| \`image\`, \`policy\` | the repository, or where the tags came from; the rule in its canonical spelling |
| \`chosen\` | the winner, or \`null\` |
| \`reason\`, \`message\` | the reason as [results](function.md#results) have it, and a sentence for people |
| \`candidates\` | the tags that the rule accepts, best first; the current one may stay though it is not the first |
| \`rejected\` | every other tag: \`{"tag", "rule", "detail"}\`, by rule, then by name; \`detail\` where there is one |
| \`counts\` | how many tags each rule turned away |
| \`warnings\` | \`{"reason", "message"}\` of what the rule's author should know |

| \`rule\` | what it has against a tag |
| --- | --- |
| \`latest\` | it is \`latest\`, which must be asked for by name |
| \`excluded\`, \`filter\` | \`exclude\` has it, or the filter does not match it |
| \`not-a-version\`, \`prerelease\`, \`range\` | it is no version, a prerelease that the range does not ask for, or outside of the range |
| \`not-a-number\` | it is no number |
| \`no-time\` | it has no creation time |
| \`too-young\`, \`age-unknown\` | it is younger than the minimum age, or nobody knows how old it is |
| \`ambiguous\` | the filter extracts from it what it extracts from a tag before it |`,
};
