/** The table of fluxctl's `list-images`, with two columns more (reference/flux-v1-mode.md §15.1). */
import { onOneLine } from '../fn/result.ts';
import type { Paint } from './colour.ts';
import type { ContainerListing, ListedTag } from './listing.ts';

/** A row below a container: a tag, or how many are left out. */
export type TagRow = ShownTag | { omitted: number; place: Place };

interface ShownTag {
  tag: ListedTag;
  place: Place;
  /** It stands in the file, and the repository does not list it. */
  unlisted?: boolean;
}

type Place = 'newer' | 'current' | 'older';

/** The first tags of a listing, and in any case the current one and the one that would be chosen or is held back. */
export function shownTags(listing: ContainerListing, limit: number): TagRow[] {
  const { chosen, wanted } = listing;
  const rows: TagRow[] = [];
  for (const [i, row] of allTags(listing).entries()) {
    if (i < limit || row.place === 'current' || row.tag.name === (chosen ?? wanted)) {
      rows.push(row);
      continue;
    }
    const last = rows.at(-1);
    if (last && 'omitted' in last) last.omitted++;
    else rows.push({ omitted: 1, place: row.place });
  }
  return rows;
}

function allTags({ available, current, counts: { newer }, chosen, state }: ContainerListing): ShownTag[] {
  // Where nothing is known of the repository, the policy may still say what to write.
  if (!available) return state === 'moves' && chosen !== null ? [{ tag: { name: chosen }, place: 'newer' }] : [];
  const tags = available.map((tag, i): ShownTag => {
    if (i < newer) return { tag, place: 'newer' };
    return { tag, place: i === newer && current.listed ? 'current' : 'older' };
  });
  if (current.tag === null || current.listed) return tags;
  return tags.toSpliced(newer, 0, { tag: { name: current.tag }, place: 'current', unlisted: true });
}

const HEADERS = ['WORKLOAD', 'CONTAINER', 'IMAGE', 'CREATED', 'POLICY', 'STATE'];

/** The rows of the table: for each container one, and below it its tags, `limit` of them. */
export function* listingRows(
  listings: Iterable<ContainerListing>,
  limit: number,
  headers: boolean,
  paint: Paint,
): Generator<string[]> {
  let last: string | undefined;
  for (const listing of listings) {
    if (last === undefined && headers) yield HEADERS.map((header) => paint('bold', header));
    const { workload, file, container, image, policy } = listing;
    const name = workload ?? file ?? '';
    const cells = [name === last ? '' : name, container, image ?? '?', '', policy ?? ''];
    yield [...cells.map(onOneLine), stateText(listing, paint)];
    yield* tagRows(listing, limit, paint);
    last = name;
  }
}

function stateText({ state, reason, locked }: ContainerListing, paint: Paint): string {
  switch (state) {
    case 'moves':
      return paint('green', 'would move');
    case 'up-to-date':
      return 'up to date';
    case 'stays':
      return paint('yellow', `stays: ${reason}`);
    case 'not-automated':
      return locked ? 'locked' : '';
  }
}

function tagRows(listing: ContainerListing, limit: number, paint: Paint): string[][] {
  const { available, current } = listing;
  const rows = shownTags(listing, limit).map((row) => tagRow(row, listing, paint));
  if (!available) return [['', '', paint('red', 'image data not available')], ...rows];
  const untagged = current.digest === null ? '(untagged)' : `(by digest ${current.digest.slice(0, DIGEST_SHOWN)}…)`;
  return current.tag === null ? [...rows, ['', '', `'-> ${untagged}`]] : rows;
}

/** `sha256:` and twelve digits. */
const DIGEST_SHOWN = 19;

const MARKS: Record<Place, string> = { newer: '|   ', current: "'-> ", older: '    ' };

function tagRow(row: TagRow, { chosen, wanted, state, policy }: ContainerListing, paint: Paint): string[] {
  if ('omitted' in row) {
    const count = `(${row.omitted} tag${row.omitted === 1 ? '' : 's'} omitted)`;
    return ['', '', paint('dim', `${row.place === 'older' ? '    ' : ':   '}${count}`)];
  }
  const { tag, place, unlisted } = row;
  const isChosen = state === 'moves' && tag.name === chosen;
  const mark = isChosen && place !== 'current' ? '=>  ' : MARKS[place];
  // The policy itself stands above.
  const detail = tag.detail === undefined || tag.detail === policy ? '' : ` (${tag.detail})`;
  const why = tag.rejected && `filtered: ${tag.rejected}${detail}`;
  const text = mark + tag.name;
  const created = unlisted ? '?' : dateText(tag.created);
  if (isChosen) return ['', '', paint(['green', 'bold'], text), created, '', paint(['green', 'bold'], 'chosen')];
  if (tag.name === wanted) return ['', '', text, created, '', paint('yellow', 'held back')];
  const style = place === 'current' ? 'bold' : why ? 'dim' : 'none';
  return ['', '', paint(style, text), paint(style, created), '', paint('dim', onOneLine(why ?? ''))];
}

/** `02 Jan 20 15:04 UTC`, as fluxctl has it; the empty text for what is no time. */
function dateText(time: string | undefined): string {
  const date = new Date(time ?? '');
  if (Number.isNaN(date.getTime())) return '';
  const [, day, month, year, clock] = /^\w+, (\d+) (\w+) \d\d(\d\d) (\d\d:\d\d)/.exec(date.toUTCString()) ?? [];
  return year === undefined ? '' : `${day} ${month} ${year} ${clock} UTC`;
}
