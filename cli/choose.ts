import type { Io } from '../fn/io.ts';
import { Answers } from '../fn/lookup/answers.ts';
import type { ImageMetadata, TagMetadata } from '../fn/lookup/metadata.ts';
import { addFile } from '../fn/lookup/read.ts';
import type { Note } from '../fn/note.ts';
import { accountFor, accountLines } from '../fn/policy/account.ts';
import { choose as chooseTag, type ChooseOptions, type Current } from '../fn/policy/choose.ts';
import type { Rule } from '../fn/policy/rule.ts';
import { explainReference, isTag, parseReference, type Reference } from '../fn/reference.ts';
import { InputError, readText } from '../fn/run.ts';
import { DONE, NO_CHOICE } from '../fn/status.ts';
import { UsageError } from '../fn/usage.ts';
import type { GivenOptions } from '../registry/options.ts';
import { carryOut, type Parsed } from './command.ts';
import { documentFormat, type Format } from './formats.ts';
import { print } from './output.ts';
import { choose as spec } from './specs/choose.ts';
import { ruleOfFile, ruleOfFilter } from './rule.ts';

interface Options extends ChooseOptions, GivenOptions {
  policy?: string;
  tags?: string;
  metadata: string[];
  image?: string;
  current?: string;
  format?: Format;
}

/** `tk-image choose`: which tag a rule takes, and what it has against each of the others. */
export async function choose(argv: string[], io: Io): Promise<number> {
  return carryOut(spec, argv, io, async (parsed: Parsed<Options>) => chooseAndTell(parsed, io));
}

async function chooseAndTell({ options, operands }: Parsed<Options>, io: Io): Promise<number> {
  const rule = await ruleOf(options, operands, io);
  const image = imageOf(options, operands);
  const current = currentOf(options, image);
  const { metadata, notes } = image ? await asked(image, rule, current, options, io) : await given(options, io);
  const account = accountFor(metadata, rule, chooseTag(rule, metadata, current, options), notes);
  const format = documentFormat(options.format);
  if (format) io.output(await print(format, account));
  else {
    // The winner alone on stdout, for `$(…)`.
    if (account.chosen !== null) io.output(`${account.chosen}\n`);
    for (const line of accountLines(account)) io.error(line);
  }
  return account.chosen === null ? NO_CHOICE : DONE;
}

async function ruleOf({ policy }: Options, operands: string[], io: Io): Promise<Rule> {
  if (policy !== undefined) return ruleOfFile(io, policy);
  const filter = operands.shift();
  if (filter === undefined) throw new UsageError('say by which rule: a filter such as semver:~1.2, or --policy FILE');
  return ruleOfFilter(filter);
}

/** The image whose registry is asked; undefined where its tags are given. What is left of the operands is no more than that. */
function imageOf({ tags, metadata, image }: Options, [operand, ...rest]: string[]): Reference | undefined {
  if (rest.length > 0) throw new UsageError(`one rule and one image are enough; what is "${rest[0]}"?`);
  const sources = [operand, tags, metadata[0]].filter((source) => source !== undefined);
  if (sources.length !== 1)
    throw new UsageError('say from what to choose, by one of: an image, to ask its registry; --tags; --metadata');
  if (operand === undefined) return undefined;
  if (image !== undefined) throw new UsageError(`--image is for --tags and --metadata; the image is ${operand}`);
  const reference = parseReference(operand);
  if (!reference) throw new UsageError(`"${operand}" is not an image: ${explainReference(operand)}`);
  return reference;
}

/** An empty text is a reference without a tag. */
function currentOf({ current }: Options, image: Reference | undefined): Current | undefined {
  const tag = current ?? image?.tag;
  return tag === undefined ? undefined : tag === '' ? {} : { tag };
}

/** The tags to choose from, and where they are from. */
interface Tags {
  metadata: ImageMetadata;
  notes: readonly Note[];
}

async function asked(
  { name }: Reference,
  rule: Rule,
  current: Current | undefined,
  options: Options,
  io: Io,
): Promise<Tags> {
  const { connect } = await import('../registry/connect.ts');
  const lookup = await connect(options, io);
  const metadata = await lookup.metadata(name, [{ rule, ...(current?.tag && { current: current.tag }) }]);
  if ('reason' in metadata) throw new InputError(metadata.message);
  return { metadata, notes: [...lookup.remarks, ...lookup.notes] };
}

async function given({ tags, metadata, image }: Options, io: Io): Promise<Tags> {
  if (tags === undefined) {
    const files = metadata.map((name): [string, string] => [name, readText(io, name)]);
    return { metadata: await recorded(files, image), notes: [] };
  }
  const text = readText(io, tags);
  if (/^\s*[[{]|\bImageMetadata\b/.test(text)) return { metadata: await recorded([[tags, text]], image), notes: [] };
  const where = tags === '-' ? 'stdin' : tags;
  return { metadata: { image: image ?? where, complete: true, tags: tagLines(text, where) }, notes: [] };
}

function tagLines(text: string, where: string): TagMetadata[] {
  const names = new Set(text.split('\n').flatMap((line) => line.trim() || []));
  const wrong = [...names].find((name) => !isTag(name));
  if (wrong === undefined) return [...names].map((name) => ({ name }));
  throw new InputError(`${where}: ${JSON.stringify(wrong.slice(0, 80))} is no tag; give one a line, or ImageMetadata`);
}

/** The metadata of an image in files of ImageMetadata; where they have one repository alone, it need not be named. */
async function recorded(files: [name: string, text: string][], image: string | undefined): Promise<ImageMetadata> {
  const answers = new Answers();
  for (const [name, text] of files) await addFile(answers, text, name);
  const [note] = answers.notes;
  if (note) throw new InputError(note.message);
  const all = answers.allMetadata();
  const found = image === undefined && all.length === 1 ? all[0] : answers.metadata(image ?? '');
  if (found) return found;
  const names = files.map(([name]) => name).join(', ');
  const known = all.map(({ image }) => image);
  const there = known.length > 0 ? `there is ${known.slice(0, 5).join(', ')}` : 'there is none';
  if (image === undefined) throw new UsageError(`say with --image whose tags of ${names} count; ${there}`);
  throw new InputError(`${names} has no ImageMetadata of ${image}; ${there}`);
}
