import type { Io } from '../fn/io.ts';
import { describe, onOneLine } from '../fn/result.ts';
import { DONE, FAILED } from '../fn/status.ts';
import type { SurveyedField } from '../fn/survey.ts';
import { UsageError } from '../fn/usage.ts';
import { paintFor } from './colour.ts';
import { carryOut, type Parsed } from './command.ts';
import { documentFormat, type Format } from './formats.ts';
import { listingTable, shownTags } from './list-table.ts';
import { listingOf, type ContainerListing } from './listing.ts';
import { print } from './output.ts';
import { list as spec } from './specs/list.ts';
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
  const listings = await listingsOf(surveyed);
  const format = documentFormat(options.format);
  if (format)
    io.output(await print(format, limit === undefined ? listings : listings.map((one) => shortened(one, limit))));
  else io.output(listingTable(listings, limit ?? LIMIT, options.headers, paintFor(1, io.environment)));
  tell(surveyed, listings, directory, io);
  return surveyed.failed() ? FAILED : DONE;
}

function limitOf({ limit }: Options): number | undefined {
  if (limit === undefined) return undefined;
  if (!/^\d{1,9}$/.test(limit)) throw new UsageError(`--limit "${limit}" is no number; 0 is all tags`);
  return Number(limit) || Infinity;
}

async function listingsOf({ fields, tags, config }: Surveyed): Promise<ContainerListing[]> {
  return Promise.all(fields.map(async (field) => listingOf(field, await known(field, tags), config)));
}

/** The tags of a field; there are none of one that is no image. */
async function known(field: SurveyedField, tags: Surveyed['tags']) {
  if (field.from) return tags(field);
  return { reason: 'reference-malformed', message: field.problem ?? 'it is no image reference' };
}

/** With as many tags as are asked for, the current one and the chosen one among them. */
function shortened(listing: ContainerListing, limit: number): ContainerListing {
  const { available } = listing;
  const shown = new Set(shownTags(listing, limit).flatMap((row) => ('tag' in row ? row.tag : [])));
  return { ...listing, available: available && available.filter((tag) => shown.has(tag)) };
}

/** On stderr: what could not be read or asked, and where there is nothing. */
function tell({ fields, files, unusable }: Surveyed, listings: readonly ContainerListing[], directory: string, io: Io) {
  for (const result of unusable) io.error(`tk-image: ${describe(result)}`);
  const problems = new Map(
    listings.flatMap(({ image, problem }) => (problem === null ? [] : [[image ?? '', problem]])),
  );
  for (const [image, problem] of problems)
    io.error(`tk-image: ${onOneLine(`${image}: image data not available: ${problem}`)}`);
  if (fields.length === 0) io.error(`tk-image: ${nothingIn(files, directory)}`);
}
