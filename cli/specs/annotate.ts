import type { CommandSpec, OptionSpec } from '../spec.ts';

/** The commands that edit annotations of workloads: which workloads, and what is written, is the same for all. */

const selection: readonly OptionSpec[] = [
  {
    flags: '-w, --workload <workload>',
    meaning:
      'a workload, as `namespace:kind/name`, `kind/name` or `name`; kinds in any case, and `deploy`, `sts`, `ds`, `cj`, `hr`; may be repeated',
    several: true,
  },
  {
    flags: '-n, --namespace <namespace>',
    meaning: 'the namespace of workloads that are named without one, and of `--all`',
  },
  {
    flags: '--all',
    meaning: 'every workload that has images; with `-w` every one that is called so, be it in several files',
  },
];

const writing: readonly OptionSpec[] = [
  { flags: '--dry-run', meaning: 'write nothing' },
  { flags: '--diff', meaning: 'print what changes as a unified diff' },
];

const locking: readonly OptionSpec[] = [
  { flags: '-m, --message <text>', meaning: 'why, for whoever finds the lock' },
  { flags: '--user <user>', meaning: 'who; default as git is configured in the directory: `Name <address>`' },
];

const USAGE = ['[DIR…] -w WORKLOAD… [options]', '[DIR…] --all [options]'];

const how = `Files below \`DIR\`, which is the current directory if none is given, are edited in place, all or none: the annotations'
own characters and no others. A key that is there is changed where it stands, whichever prefix it has.`;

const directory = 'examples/directory/clusters/production';

export const automate: CommandSpec = {
  name: 'automate',
  summary: 'lets images of workloads be updated, by an annotation',
  usage: USAGE,
  about: `Annotates workloads with \`fluxcd.io/automated: "true"\`.

${how}`,
  options: [...selection, ...writing],
  operands: 'directory',
  examples: [
    { says: 'What it would write:', command: `tk-image automate ${directory} -w deployment/checkout --dry-run --diff` },
  ],
};

export const deautomate: CommandSpec = {
  name: 'deautomate',
  summary: 'takes that annotation away',
  usage: USAGE,
  about: `Takes \`fluxcd.io/automated\` away from workloads; filters stay.

${how}`,
  options: [...selection, ...writing],
  operands: 'directory',
  examples: [
    { says: 'Every workload of a namespace:', command: `tk-image deautomate ${directory} --all -n shop --dry-run` },
  ],
};

export const lock: CommandSpec = {
  name: 'lock',
  summary: 'holds workloads as they are, and says who wanted it and why',
  usage: USAGE,
  about: `Annotates workloads with \`fluxcd.io/locked: "true"\`, and with \`fluxcd.io/locked_user\` and \`fluxcd.io/locked_msg\` as far
as both are known. Until it is unlocked, nothing updates the images of a locked workload.

${how}`,
  options: [...locking, ...selection, ...writing],
  operands: 'directory',
  examples: [
    { says: 'With a reason:', command: `tk-image lock ${directory} -w checkout -m 'until the sale is over' --dry-run` },
  ],
};

export const unlock: CommandSpec = {
  name: 'unlock',
  summary: 'takes a lock away, with its user and its message',
  usage: USAGE,
  about: `Takes \`fluxcd.io/locked\`, \`fluxcd.io/locked_user\` and \`fluxcd.io/locked_msg\` away from workloads.

${how}`,
  options: [...selection, ...writing],
  operands: 'directory',
  examples: [{ says: 'One workload:', command: `tk-image unlock ${directory} -w checkout --dry-run` }],
};

export const policy: CommandSpec = {
  name: 'policy',
  summary: 'sets filters of containers, and automates and locks in one go',
  usage: USAGE,
  about: `Sets which tags containers may have, by [filters](flux-v1-annotations.md#filters), and does what \`automate\`, \`deautomate\`,
\`lock\` and \`unlock\` do. A filter that cannot be read is not written; the others are written in their canonical spelling, as
\`filter.fluxcd.io/CONTAINER\` or as the workload's other filters are spelt.

${how}`,
  options: [
    {
      flags: '--tag <container=filter>',
      meaning: 'the filter of a container; `*` takes it away; may be repeated',
      several: true,
    },
    {
      flags: '--tag-all <filter>',
      meaning: 'the filter of every container that no `--tag` is about; `*` takes them away',
    },
    { flags: '--automate', meaning: 'as the command does' },
    { flags: '--deautomate', meaning: 'as the command does' },
    { flags: '--lock', meaning: 'as the command does' },
    { flags: '--unlock', meaning: 'as the command does' },
    ...locking,
    ...selection,
    ...writing,
  ],
  operands: 'directory',
  examples: [
    {
      says: 'One container:',
      command: `tk-image policy ${directory} -w checkout --automate --tag 'checkout=semver:~1.4' --dry-run --diff`,
    },
    {
      says: 'Any tag for all others:',
      command: `tk-image policy ${directory} -w checkout --tag 'checkout=semver:^2' --tag-all '*' --dry-run`,
    },
  ],
};
