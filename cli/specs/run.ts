import { pullRequestGroup, registryGroup, type CommandSpec } from '../spec.ts';
import { GROUPINGS } from '../../job/grouping.ts';
import { FORMATS } from '../formats.ts';

export const run: CommandSpec = {
  name: 'run',
  summary: 'carries out an UpdateJob: check out, run, commit, push',
  usage: ['-f FILE [--dry-run] [options]'],
  about: `Carries out an [UpdateJob](update-job.md) on this machine: checks out, runs, commits and pushes, exactly once. The changes go to
stdout, with \`--dry-run\` the diff. Where nothing is new since the last run it asks the remote one question and is done.`,
  options: [
    {
      flags: '-f, --file <file>',
      meaning: 'the UpdateJob, YAML or JSON; `-` is stdin',
      required: true,
      completes: 'file',
    },
    { flags: '--dry-run', meaning: 'as `push.mode: DryRun`: everything but the push, and the diff' },
    {
      flags: '--metadata <file>',
      meaning:
        'ImageMetadata, ImagePolicy and ImageRepository objects to look answers up in, beside those in the repository; may be repeated',
      several: true,
      completes: 'file',
    },
    {
      flags: '--secret <file>',
      meaning:
        'Secrets that the job names; may be repeated. Without them the [environment](update-job.md#secrets) is asked',
      several: true,
      completes: 'file',
    },
    {
      flags: '--release <image>',
      meaning:
        'let the fields of this image move on that a person had [moved back](update-job.md#reverts); `true` is all; may be repeated',
      several: true,
    },
    {
      flags: '--allow-http',
      meaning: 'take an `http://` repository, by which anybody on the way reads and changes what is sent',
    },
    {
      flags: '--pull-request',
      meaning:
        'propose the changes by a [pull request](pull-requests.md), or several, instead of pushing them to the branch',
    },
    {
      flags: '--branch <name>',
      meaning: "branch to propose from; the job's `push.branch`, else `image-update/all`, if left out",
    },
    {
      flags: '--group-by <what>',
      meaning: 'a pull request for each of these; default `run`, which is one',
      choices: Object.keys(GROUPINGS),
    },
    {
      flags: '-o, --format <format>',
      meaning: 'print the job with its [status](update-job.md#status), and what became of its pull requests',
      choices: FORMATS,
    },
  ],
  groups: [pullRequestGroup, registryGroup],
  examples: [
    {
      says: 'Look first, then do it:',
      command: 'tk-image run -f job.yaml --dry-run\ntk-image run -f job.yaml',
      needs: 'a git server',
    },
  ],
  more: `With \`lookup: registry\` in its functionConfig the [options for registries](#options-for-registries) count. The repository,
what was found in it, and what Node compiled of this program are kept below \`--cache\` too; nobody else may be able to write there.`,
};
