import { registryGroup, type CommandSpec } from '../spec.ts';
import { DOCUMENT_FORMATS } from '../formats.ts';

export const scan: CommandSpec = {
  name: 'scan',
  summary: 'records what registries tell of repositories, as ImageMetadata',
  usage: ['IMAGE… [--filter FILTER | --policy FILE] [options]', 'DIR… [--fn-config FILE] [--metadata FILE…] [options]'],
  about: `Asks registries and prints [ImageMetadata](function.md#imagemetadata): of each \`IMAGE\`; or, where an operand is a directory, of
just the repositories that the automated fields of its files need. Give what it recorded to other commands with \`--metadata\`,
or keep it in the directory: the same choice is made again without a network, byte for byte.`,
  options: [
    {
      flags: '--filter <filter>',
      meaning: 'look up what this rule needs as well, such as times; without one an `IMAGE` costs its tag list alone',
    },
    {
      flags: '--policy <file>',
      meaning: 'the same, by the rule of the one ImagePolicy in this file',
      completes: 'file',
    },
    {
      flags: '--fn-config <file>',
      meaning: 'the functionConfig that the directory will be updated by',
      completes: 'file',
    },
    {
      flags: '--metadata <file>',
      meaning: 'ImagePolicy and ImageRepository objects that its markers need; may be repeated',
      several: true,
      completes: 'file',
    },
    {
      flags: '--output <file>',
      meaning:
        'write to this file (`-` is stdout), united with what it recorded before: what did not change stays as it is, first-seen times are kept, a repository that cannot be read keeps its old record',
      completes: 'file',
    },
    {
      flags: '-o, --format <format>',
      meaning: 'default as the name of `--output` ends, else `yaml`',
      choices: DOCUMENT_FORMATS,
    },
  ],
  groups: [registryGroup],
  operands: 'directory',
  examples: [
    { says: 'Two repositories:', command: 'tk-image scan nginx ghcr.io/org/app > images.yaml', needs: 'a registry' },
    {
      says: 'What a directory needs, into a file that grows:',
      command: 'tk-image scan clusters --output images.yaml',
      needs: 'a registry',
    },
  ],
  more: `A tag list cut short is recorded as \`complete: false\`. A repository that cannot be read is told on stderr, the others are
recorded all the same, and the exit status is 1.`,
};
