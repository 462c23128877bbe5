import { answerGroup, pullRequestGroup, registryGroup, type CommandSpec } from '../spec.ts';
import { GROUPINGS } from '../../job/grouping.ts';
import { FORMATS } from '../formats.ts';

export const SIGNING_TYPES = ['ssh', 'openpgp'] as const;

export const update: CommandSpec = {
  name: 'update',
  summary: 'moves images on in files, and commits and pushes that if asked to',
  usage: [
    '[DIR…] [options]',
    '[DIR…] --commit [--push] [options]',
    '[DIR…] --pull-request [options]',
    '--git URL [--push | --pull-request] [options]',
  ],
  about: `Finds the images that annotations, markers and policies govern in the YAML files below each \`DIR\` (default: \`.\`), asks
registries for their tags, and edits the files in place, all or none; no other byte changes. The changes are a table on stdout; why
something stays is on stderr.

With \`--commit\` what was edited is committed in your own work tree, by your own git: your name, your hooks, your key. It is refused
where one of the files has changes of yours. With \`--pull-request\` nothing is edited here: what the remote of the work tree has is
updated on a branch of its own, and proposed. With \`--git\` no work tree is needed: the repository's branch is updated as by an
[UpdateJob](update-job.md), and nothing is pushed unless \`--push\` or \`--pull-request\` says so.`,
  options: [
    { flags: '--dry-run', meaning: 'write nothing, commit nothing, push nothing' },
    { flags: '--diff', meaning: 'print the diff instead of the table' },
    {
      flags: '--interactive',
      meaning: 'ask for each field on the terminal: yes, no, all the rest, another tag, or stop',
    },
    {
      flags: '-w, --workload <workload>',
      meaning: 'these alone: `namespace:kind/name`, `kind/name` or `name`; may be repeated',
      several: true,
    },
    { flags: '-n, --namespace <namespace>', meaning: 'workloads of this namespace alone' },
    {
      flags: '--image <glob>',
      meaning: 'these image repositories alone, `*` for any part; may be repeated',
      several: true,
    },
    { flags: '--strict', meaning: 'warnings are errors: nothing is written if there is any' },
    { flags: '--max-changes <number>', meaning: 'write nothing if more fields than this would change' },
    { flags: '--results <file>', meaning: 'write all results to this file, as JSON', completes: 'file' },
    {
      flags: '-o, --format <format>',
      meaning: 'what was done, for programs; with `--git` the job with its [status](update-job.md#status)',
      choices: FORMATS,
    },
    { flags: '--commit', meaning: 'commit what was edited, and nothing else, whatever is staged' },
    {
      flags: '--push',
      meaning: 'push the commits, forward alone: with `--commit` to where the branch is pushed by `git push`',
    },
    {
      flags: '--branch <name>',
      meaning:
        'commit on this branch. In a work tree it is made where `HEAD` is, and stays checked out; with `--git` it is made from `--ref` if the remote has none, else added to',
    },
    {
      flags: '--group-by <what>',
      meaning: 'a commit for each of these, with its changes alone; default `run`, which is one',
      choices: Object.keys(GROUPINGS),
    },
    {
      flags: '--message <template>',
      meaning: 'template of the commit messages: see [Commit messages](update-job.md#commit-messages)',
    },
    { flags: '--author <author>', meaning: 'author of the commits, `Name <email>`, if it is not you' },
    { flags: '--sign', meaning: 'sign the commits, with the key that your git is configured with' },
    { flags: '--no-sign', meaning: 'sign none, whatever your git is configured to do' },
    {
      flags: '--git <url>',
      meaning: 'update this repository, `https://…`, `ssh://…` or `git@host:path`, instead of a directory',
    },
    { flags: '--ref <branch>', meaning: "the branch to begin with; the remote's default branch if left out" },
    {
      flags: '--path <dir>',
      meaning: 'a directory of the repository to read and change; all of it if none is given; may be repeated',
      several: true,
    },
    {
      flags: '--pull-request',
      meaning:
        'propose the changes by a [pull request](pull-requests.md), or one for each of `--group-by`: of the branch of `--git`, or of the one that is checked out and pushed',
    },
    {
      flags: '--release <image>',
      meaning:
        'let the fields of this image move on that a person had [moved back](update-job.md#reverts); `true` is all; may be repeated',
      several: true,
    },
    {
      flags: '--signing-key <file>',
      meaning:
        'sign the commits of `--git` with this private key; a passphrase is taken from `GIT_SIGNING_KEY_PASSPHRASE`',
      completes: 'file',
    },
    { flags: '--signing-type <type>', meaning: 'what kind of key that is; default `ssh`', choices: SIGNING_TYPES },
    {
      flags: '--allow-http',
      meaning: 'take an `http://` repository, by which anybody on the way reads and changes what is sent',
    },
  ],
  groups: [pullRequestGroup, answerGroup, registryGroup],
  operands: 'directory',
  examples: [
    {
      says: 'Look first, then do it:',
      command:
        'tk-image update examples/directory/clusters --metadata examples/directory/metadata/images.yaml --offline --dry-run --diff\ntk-image update examples/directory/clusters --metadata examples/directory/metadata/images.yaml --offline',
    },
    {
      says: 'Choose field by field, and make a commit for each image:',
      command: 'tk-image update clusters --interactive --commit --group-by image',
      needs: 'a terminal',
    },
    {
      says: 'Without a work tree:',
      command: 'tk-image update --git git@git.example.com:team/config --path clusters/production --push',
      needs: 'a git server',
    },
  ],
  more: `In a work tree nothing is edited before it is known that it can be committed: a file with changes of yours, an unfinished merge or
rebase, a branch that is elsewhere are refused. If a commit fails, by a hook for one, its files are put back; commits before it stay,
and are told.

With \`--git\` credentials come from the [environment](update-job.md#secrets): \`GIT_USERNAME\` and \`GIT_PASSWORD\`, \`GIT_TOKEN\`,
\`GIT_SSH_KEY_FILE\` and \`GIT_SSH_KNOWN_HOSTS_FILE\`. The author is who your git says you are, else \`image-update\`.

\`-o json\` of a directory prints one object:

| key | value |
| --- | --- |
| \`outcome\` | \`NothingToChange\`, \`DryRun\`, \`Written\`, \`Committed\`, \`Pushed\`, or \`Failed\`: then nothing was written |
| \`changes\` | the fields, as [status](update-job.md#status) has them |
| \`files\` | the files that change |
| \`branch\`, \`commits\` | with \`--commit\`: the branch, and of each commit its \`id\`, \`message\` and \`files\` |
| \`results\` | what else there is to say, as [results](function.md#results) have it |`,
};
