import type { Io } from '../fn/io.ts';
import type { ImageMetadata } from '../fn/lookup/metadata.ts';
import type { Note } from '../fn/note.ts';
import { describe, onOneLine } from '../fn/result.ts';
import { DONE, FAILED } from '../fn/status.ts';
import { UsageError } from '../fn/usage.ts';
import { paintFor } from './colour.ts';
import { carryOut, type Parsed } from './command.ts';
import { documentFormat, type Format } from './formats.ts';
import { listingRows, shownTags } from './list-table.ts';
import { listingOf, type ContainerListing } from './listing.ts';
import { outputAll, printItems } from './output.ts';
import { list as spec } from './specs/list.ts';
import { tableLines } from './table.ts';
import { nothingIn, surveyDirectory, type AnswerOptions, type Surveyed } from './surveyed.ts';

interface Options extends AnswerOptions {
  namespace?: string;
  workload: string[];
  limit?: string;
  headers: boolean;
  format?: Format;
}

/** `tk-image list`: workloads, containers, images, and the tags around the current one. */
export async function list(argv: string[], io: Io): Promise<number> {
  return carryOut(spec, argv, io, async (parsed: Parsed<Options>) => listAndTell(parsed, io));
}

/** Rows of tags below a container, as many as fluxctl shows. */
const LIMIT = 10;

async function listAndTell({ options, operands }: Parsed<Options>, io: Io): Promise<number> {
  const [directory = '.', ...rest] = operands;
  if (rest.length > 0) throw new UsageError(`one directory is enough; what is "${rest[0]}"?`);
  const { namespace, workload: words } = options;
  const limit = limitOf(options);
  const surveyed = await surveyDirectory(
    directory,
    { words, ...(namespace !== undefined && { namespace }) },
    options,
    io,
  );
  const problems = new Map<string, string>();
  const listings = listingsOf(surveyed, await knownTags(surveyed), problems);
  const format = documentFormat(options.format);
  if (format) {
    await outputAll(io, printItems(format, limit === undefined ? listings : shortened(listings, limit)));
  } else {
    const rows = listingRows(listings, limit ?? LIMIT, options.headers, paintFor(1, io.environment));
    await outputAll(io, tableLines([...rows]));
  }
  tell(surveyed, problems, directory, io);
  return surveyed.failed() ? FAILED : DONE;
}

function limitOf({ limit }: Options): number | undefined {
  if (limit === undefined) return undefined;
  if (!/^\d{1,9}$/.test(limit)) throw new UsageError(`--limit "${limit}" is no number; 0 is all tags`);
  return Number(limit) || Infinity;
}

type Known = ImageMetadata | Note;

/** The tags of each field, all asked for at once; there are none of one that is no image. */
async function knownTags({ fields, tags }: Surveyed): Promise<Known[]> {
  return Promise.all(
    fields.map(async (field): Promise<Known> => {
      if (field.from) return tags(field);
      return { reason: 'reference-malformed', message: field.problem ?? 'it is no image reference' };
    }),
  );
}

/** One after the other, as all tags of all fields are much. Notes the problem of each image. */
function* listingsOf(
  { fields, config }: Surveyed,
  known: readonly Known[],
  problems: Map<string, string>,
): Generator<ContainerListing> {
  for (const [i, field] of fields.entries()) {
    const listing = listingOf(field, known[i]!, config);
    if (listing.problem !== null) problems.set(listing.image ?? '', listing.problem);
    yield listing;
  }
}

/** With as many tags as are asked for, the current one and the chosen one among them. */
function* shortened(listings: Iterable<ContainerListing>, limit: number): Generator<ContainerListing> {
  for (const listing of listings) {
    const shown = new Set(shownTags(listing, limit).flatMap((row) => ('tag' in row ? row.tag : [])));
    yield { ...listing, available: listing.available && listing.available.filter((tag) => shown.has(tag)) };
  }
}

/** On stderr: what could not be read or asked, and where there is nothing. */
function tell({ fields, files, unusable }: Surveyed, problems: ReadonlyMap<string, string>, directory: string, io: Io) {
  for (const result of unusable) io.error(`tk-image: ${describe(result)}`);
  for (const [image, problem] of problems)
    io.error(`tk-image: ${onOneLine(`${image}: image data not available: ${problem}`)}`);
  if (fields.length === 0) io.error(`tk-image: ${nothingIn(files, directory)}`);
}
