import type { ForgeType } from '../git/forge/forge.ts';
import { registryOptions } from '../registry/options.ts';

/**
 * A command as its help, the reference page, completion and the parser know it: data alone, so that all four say the same and
 * none of them loads what the command does. Texts are Markdown.
 */
export interface CommandSpec {
  /** Its words: `list`, `create policy`. */
  name: string;
  /** What it does, in a line of the list of commands. */
  summary: string;
  /** What may follow its name, a form each. */
  usage: readonly string[];
  /** What it does, in a paragraph or a few. */
  about: string;
  options: readonly OptionSpec[];
  /** Options that several commands have, described once. */
  groups?: readonly OptionGroup[];
  examples: readonly Example[];
  /** Whatever else there is to know, below the options: tables, formats. */
  more?: string;
  /** What its operands are, for completion. */
  operands?: Completion;
  /** Words that stand for one of its operands, for completion. */
  words?: readonly string[];
}

export interface OptionSpec {
  /** As commander wants it: `-n, --namespace <name>`. */
  flags: string;
  /** A phrase, without an end. */
  meaning: string;
  choices?: readonly string[];
  /** May be given several times, and becomes a list. */
  several?: boolean;
  /** Must be given. */
  required?: boolean;
  /** The variable that says the same where there is no command line. */
  variable?: string;
  completes?: Completion;
}

/** What a word of the command line names. */
export type Completion = 'file' | 'directory';

/** A command line and what it is good for. */
export interface Example {
  says: string;
  command: string;
  /** Why no test can run it on the examples of a clone: it needs a registry, a cluster, a forge. */
  needs?: string;
}

/** Options of several commands. */
export interface OptionGroup {
  title: string;
  /** Anchor of the section of the page that has them. */
  anchor: string;
  options: readonly OptionSpec[];
}

/** How registries are asked: of each command that may ask one. */
export const registryGroup: OptionGroup = {
  title: 'Options for registries',
  anchor: 'options-for-registries',
  options: registryOptions,
};

/** What a choice among tags rests on: of each command that looks into files. */
export const answerGroup: OptionGroup = {
  title: 'Where answers come from',
  anchor: 'where-answers-come-from',
  options: [
    {
      flags: '--metadata <file>',
      meaning:
        'ImageMetadata, ImagePolicy and ImageRepository objects, beside those in the files; may be repeated. Registries are asked for what they do not tell',
      several: true,
      completes: 'file',
    },
    {
      flags: '--fn-config <file>',
      meaning: 'a [functionConfig](function.md#functionconfig)',
      completes: 'file',
    },
    { flags: '--offline', meaning: 'ask no registry: what no metadata was given for stays as it is' },
  ],
};

const FORGES: readonly ForgeType[] = ['github', 'gitlab', 'gitea'];

/** How pull requests look, and where they are. */
export const pullRequestGroup: OptionGroup = {
  title: 'Options for pull requests',
  anchor: 'options-for-pull-requests',
  options: [
    { flags: '--title <template>', meaning: 'the title: [a template](pull-requests.md#templates)' },
    { flags: '--body <template>', meaning: 'the body; `{{report}}` is what it says without a template' },
    {
      flags: '--add-labels <labels>',
      meaning: 'labels to add, with commas between; those that the repository lacks are made; may be repeated',
      several: true,
    },
    {
      flags: '--reviewers <names>',
      meaning:
        'whom to ask for a review, once, with commas between; `ORG/TEAM` is a team, on GitHub, Gitea and Forgejo; may be repeated',
      several: true,
    },
    { flags: '--draft', meaning: 'open it as a draft' },
    { flags: '--auto-merge', meaning: 'have it merged by itself when its checks have passed' },
    {
      flags: '--forge <forge>',
      meaning: 'which forge it is, where the host does not tell; `gitea` is Forgejo too',
      choices: FORGES,
    },
    { flags: '--forge-url <url>', meaning: 'of the forge or of its API, where it is not at `https://HOST`' },
  ],
};

/** All options of a command, its groups' behind its own. */
export function optionsOf({ options, groups = [] }: CommandSpec): readonly OptionSpec[] {
  return [...options, ...groups.flatMap((group) => group.options)];
}
