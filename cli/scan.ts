import { statSync } from 'node:fs';
import { toStdout } from '../fn/command.ts';
import type { Io } from '../fn/io.ts';
import { addDocuments } from '../fn/lookup/read.ts';
import type { Need } from '../fn/lookup/lookup.ts';
import { canonicalName, explainReference, parseReference } from '../fn/reference.ts';
import { describe, type Result } from '../fn/result.ts';
import { answersOf, configOf, writeNamed } from '../fn/run.ts';
import { DONE, FAILED } from '../fn/status.ts';
import { readTree } from '../fn/tree.ts';
import { UsageError } from '../fn/usage.ts';
import type { RegistryLookup } from '../registry/lookup.ts';
import type { GivenOptions } from '../registry/options.ts';
import { writeMetadata } from '../registry/record.ts';
import { carryOut, type Parsed } from './command.ts';
import type { DocumentFormat } from './formats.ts';
import { readRecord, uniteRecords } from './record.ts';
import { scan as spec } from './specs/scan.ts';
import { ruleOfFile, ruleOfFilter } from './rule.ts';

interface Options extends GivenOptions {
  filter?: string;
  policy?: string;
  fnConfig?: string;
  metadata: string[];
  output?: string;
  format?: DocumentFormat;
}

/** `tk-image scan`: asks registries, and records what they say. */
export async function scan(argv: string[], io: Io): Promise<number> {
  return carryOut(spec, argv, io, async ({ options, operands }: Parsed<Options>) => {
    if (operands.length === 0) throw new UsageError('say what to scan: images, or directories of manifests');
    toStdout(options);
    const directories = operands.filter(isDirectory);
    const ask = directories.length > 0 ? askForTree(operands, directories, options) : askForImages(operands, options);
    // Read first: a file that is not to be overwritten is told before anybody is asked.
    const earlier = options.output === undefined ? [] : await readRecord(io, options.output);
    const { connect } = await import('../registry/connect.ts');
    const lookup = await connect(options, io);
    await ask(lookup, io);
    const text = writeMetadata(uniteRecords(earlier, lookup.found()), formatOf(options));
    if (options.output === undefined) io.output(text);
    else writeNamed(options.output, text);
    return tell(lookup, io);
  });
}

/** Puts questions to a look-up, which remembers the answers. */
type Ask = (lookup: RegistryLookup, io: Io) => Promise<void>;

/** Asks for each image, and what a rule needs of it. */
function askForImages(operands: string[], { filter, policy, fnConfig, metadata }: Options): Ask {
  if (fnConfig !== undefined || metadata.length > 0)
    throw new UsageError('--fn-config and --metadata are for directories, and none of the operands is one');
  if (filter !== undefined && policy !== undefined) throw new UsageError('give one of --filter and --policy');
  const currents = new Map<string, { image: string; tags: Set<string> }>();
  for (const operand of operands) {
    const reference = parseReference(operand);
    if (!reference)
      throw new UsageError(`"${operand}" is neither a directory nor an image: ${explainReference(operand)}`);
    const { name: image, tag } = reference;
    const known = currents.get(canonicalName(image)) ?? { image, tags: new Set<string>() };
    currents.set(canonicalName(image), known);
    if (tag !== undefined) known.tags.add(tag);
  }
  return async (lookup, io) => {
    const rule = policy === undefined ? filter && ruleOfFilter(filter) : await ruleOfFile(io, policy);
    function needsOf(tags: ReadonlySet<string>): Need[] {
      if (!rule) return [];
      return tags.size === 0 ? [{ rule }] : [...tags].map((current) => ({ rule, current }));
    }
    await Promise.all([...currents.values()].map(({ image, tags }) => lookup.metadata(image, needsOf(tags))));
  };
}

/** Asks for what `image-update` would ask for, by running it without writing anything. */
function askForTree(operands: string[], directories: string[], options: Options): Ask {
  const other = operands.find((operand) => !directories.includes(operand));
  if (other !== undefined) throw new UsageError(`give directories or images, not both: ${other} is no directory`);
  if (options.filter !== undefined || options.policy !== undefined)
    throw new UsageError('--filter and --policy are for images; in a directory each field has its own rule');
  return async (lookup, io) => {
    const config = await configOf({ ...options, strict: false }, io);
    const answers = await answersOf(options, io);
    const { files, passedOver } = readTree(directories, config.spec);
    for (const { text, documents } of files.keys()) await addDocuments(answers, text, documents);
    // The record may stand among them.
    answers.dropMetadata();
    const { update } = await import('../fn/update.ts');
    const { results } = await update([...files.keys()], config, answers, lookup, passedOver);
    for (const result of results.filter(isOfFinding)) io.error(`tk-image: ${describe(result)}`);
  };
}

/** Reasons why it is not known what a field needs. What comes of a choice is told by who writes it. */
const FINDING = /^(?:policy-|repository-|filter-malformed|metadata-malformed|file-|directory-)/;

function isOfFinding({ severity, tags }: Result): boolean {
  return severity !== 'info' && FINDING.test(tags?.['reason'] ?? '');
}

function isDirectory(operand: string): boolean {
  return statSync(operand, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function formatOf({ format, output }: Options): DocumentFormat {
  return format ?? (output?.endsWith('.json') ? 'json' : 'yaml');
}

/** Says what could not be asked, and what the record's reader should know. */
function tell({ failures, notes, remarks }: RegistryLookup, io: Io): number {
  for (const { message } of [...remarks, ...notes]) io.error(`tk-image: ${message}`);
  for (const { message } of failures.values()) io.error(`tk-image: ${message}`);
  return failures.size > 0 ? FAILED : DONE;
}
