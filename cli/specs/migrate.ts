import { FORMATS } from '../formats.ts';
import { answerGroup, registryGroup, type CommandSpec } from '../spec.ts';

export const migrate: CommandSpec = {
  name: 'migrate',
  summary: 'rules of argocd-image-updater, Keel, Renovate and Flux v2 become ours',
  usage: ['[DIR…] [--from SOURCE…] [--to TARGET] [options]'],
  about: `Finds what governs images in the YAML files below \`DIR\` (the present directory if none is given), writes the same as annotations or as
ImagePolicy objects with markers, and says of each image which tag the other tool would choose and which one this does. A rule that
cannot be said exactly is never written silently: what differs, what cannot be migrated, and what to do about it, stands on stderr.
Files are edited byte by byte, all of them or none; a second run changes nothing. What the other tool reads stays, as it may still
run, unless \`--remove\` is given. Pages for each tool: [Flux v1](from-flux-v1.md), [Flux v2](from-flux-v2.md),
[argocd-image-updater](from-argocd-image-updater.md), [Keel](from-keel.md), [Renovate](from-renovate.md).`,
  options: [
    {
      flags: '--from <source>',
      meaning:
        'whose rules; may be repeated. Default: whatever is found of other tools, and with `--to flux-v2` of ours',
      choices: ['argocd-image-updater', 'keel', 'renovate', 'flux-v2', 'annotations', 'policies'],
      several: true,
    },
    {
      flags: '--to <target>',
      meaning: 'what they become; default `annotations`',
      choices: ['annotations', 'policies', 'flux-v2'],
    },
    { flags: '--remove', meaning: 'take away the annotations and comments of the other tool that were migrated' },
    {
      flags: '--output <file>',
      meaning: 'put new objects behind what this file holds; without it they are printed, and the table goes to stderr',
      completes: 'file',
    },
    {
      flags: '-n, --namespace <name>',
      meaning: 'of new objects; default `flux-system` with `--to flux-v2`, else `default`',
    },
    { flags: '--dry-run', meaning: 'write nothing' },
    { flags: '--diff', meaning: 'print what changes in files, as `git apply` takes it' },
    { flags: '-o, --format <format>', meaning: 'the whole report for programs, on stdout', choices: FORMATS },
  ],
  groups: [answerGroup, registryGroup],
  operands: 'directory',
  examples: [
    {
      says: 'Look first: what would be decided before and after.',
      command:
        'cd examples/from-argocd-image-updater\ntk-image migrate apps clusters charts --metadata metadata/images.yaml --offline --dry-run --diff',
    },
    {
      says: 'From Flux v2 to objects of ours, markers as they are:',
      command:
        'tk-image migrate examples/from-flux-v2/clusters --to policies --output examples/from-flux-v2/policies.yaml --metadata examples/from-flux-v2/metadata/images.yaml --offline',
    },
    {
      says: 'Ask the registries, and take the old annotations away:',
      command: 'tk-image migrate clusters --from keel --remove',
      needs: 'a registry',
    },
  ],
  more: `\`-o json\` prints \`{"rows", "objects", "notes"}\`. A row is an image with the rule that governed it:

| key | value |
| --- | --- |
| \`file\`, \`line\`, \`workload\`, \`container\`, \`field\`, \`image\` | where it stands |
| \`from\`, \`written\` | whose rule, and the rule as it was written |
| \`ours\` | the filter or the policy that is written |
| \`status\` | \`written\`; \`there\`, if it was before; \`held\`, if the other tool leaves the image alone; \`cannot\` |
| \`current\` | the tag that stands there |
| \`before\`, \`after\` | \`{"tag"}\`, with a reason where it stays, or \`{"unknown": why}\`: what the other tool would choose, and what this does |
| \`verdict\` | \`equal\`, \`different\` or \`unknown\` |
| \`notes\` | why it cannot be migrated; what differs, and what to do |`,
};
