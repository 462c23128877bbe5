import { joinShared } from './anchors.ts';
import { lineAt, lineStart, nextLine } from './lines.ts';
import type { Replacement } from './replace.ts';
import type { Result } from './result.ts';
import type { Slice } from './source.ts';
import type { Refusal } from './yaml/compose.ts';
import { readDocument } from './yaml/read.ts';
import { toValue } from './yaml/value.ts';
import { at, deref, get, textOf, type MapNode, type Node, type SeqNode } from './yaml/tree.ts';

/**
 * A ResourceList as text (reference/krm-function.md A1): where its items lie, and what else it says. Nothing is ever
 * re-encoded; `results` are inserted as text.
 */
export interface ResourceList {
  text: string;
  items: Slice[];
  functionConfig?: Node;
  /** The entries of an earlier function, which are kept. */
  results?: Node;
  /** Where a `results` that is not there yet goes; inside the braces of a list in flow style (JSON). */
  insertAt: number;
  /** What stands before `results` there: the indentation of the list's keys, or a comma in flow style. */
  lead: string;
  flow: boolean;
}

interface Span {
  start: number;
  end: number;
}

/** The input is no ResourceList that can be worked on. The caller who made it must act; nothing is printed. */
export class ResourceListError extends Error {
  override name = 'ResourceListError';
}

/**
 * Reads a ResourceList, or a `List` as kyaml takes it.
 * @throws ResourceListError saying what it is instead.
 */
export async function readResourceList(text: string): Promise<ResourceList> {
  if (text.trim() === '')
    throw new ResourceListError('stdin is empty, not a ResourceList; did the program before it fail?');
  return (await readBlockList(text)) ?? (await readAnyList(text));
}

/** A top-level key of a block-style list, with the lines up to the next one. */
interface Section extends Span {
  key: string;
}

/**
 * The form that orchestrators send, by lines alone: block style, keys at the left edge, so that 25 MB of items are not
 * parsed to find the few that matter. Undefined for any other form.
 */
async function readBlockList(text: string): Promise<ResourceList | undefined> {
  const sections = splitSections(text);
  if (!sections) return undefined;
  const byKey = new Map(sections.map((section) => [section.key, section]));
  if (byKey.size < sections.length) return undefined;
  const head = await readSection(text, byKey.get('kind'));
  checkKind(textOf(get(head, 'kind')));
  const itemsSection = byKey.get('items');
  const items = itemsSection ? splitItems(text, itemsSection) : [];
  if (!items) return undefined;
  // kpt deletes what is not given back, so a list that was cut off must not pass. If the cut can be seen, then in the last
  // item: that one is read, whoever asks about it. What stands before it is whole.
  if (itemsSection === sections.at(-1)) await checkReadable(text, items.at(-1));
  const functionConfig = get(await readSection(text, byKey.get('functionConfig')), 'functionConfig');
  const results = get(await readSection(text, byKey.get('results')), 'results');
  const end = sections.at(-1)!.end;
  // Without a last line end, text added behind could become part of a block scalar.
  const atEnd = end === 0 || text[end - 1] === '\n';
  return {
    text,
    items: joinShared(text, items),
    ...(functionConfig && { functionConfig }),
    ...(results && { results }),
    insertAt: atEnd ? end : sections[0]!.start,
    lead: '',
    flow: false,
  };
}

/** The top-level sections of a single block-style document; undefined if it is anything else. */
function splitSections(text: string): Section[] | undefined {
  const sections: Section[] = [];
  let end = text.length;
  for (let pos = text.charCodeAt(0) === 0xfeff ? 1 : 0; pos < text.length;) {
    const code = text.charCodeAt(pos);
    const newline = text.indexOf('\n', pos);
    const next = newline < 0 ? text.length : newline + 1;
    // A blank, an item at the left edge, a line end or a comment: it belongs to the section above.
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x23) {
      const line = text.slice(pos, newline < 0 ? text.length : newline).trimEnd();
      if (code !== 0x2d || line.startsWith('---')) {
        if (line === '...') {
          if (text.slice(next).trim() !== '') return undefined;
          end = pos;
          break;
        }
        if (line === '---' && sections.length === 0) {
          pos = next;
          continue;
        }
        const key = /^([A-Za-z]+):(?:\s|$)/.exec(line)?.[1];
        if (!key) return undefined;
        const previous = sections.at(-1);
        if (previous) previous.end = pos;
        sections.push({ key, start: pos, end: text.length });
      } else if (sections.length === 0) return undefined;
    }
    pos = next;
  }
  const last = sections.at(-1);
  if (!last) return undefined;
  last.end = end;
  return sections;
}

/** The items of a block sequence, by the lines that start one; undefined if the section holds anything else. */
function splitItems(text: string, { start, end }: Section): Slice[] | undefined {
  const header = text.slice(start, nextLine(text, start)).trimEnd();
  if (header === 'items: []' || header === 'items: null') return [];
  if (!/^items:(?:\s+#.*)?$/.test(header)) return undefined;
  return splitSequence(text, nextLine(text, start), end);
}

/** The items of the block sequence on the lines in `[start, end)`; undefined if they hold anything else. */
function splitSequence(text: string, start: number, end: number): Slice[] | undefined {
  const items: Slice[] = [];
  let column = -1;
  for (let pos = start; pos < end;) {
    let first = pos;
    if (column < 0) while (text[first] === ' ') first++;
    else first = pos + column;
    const code = text.charCodeAt(first);
    if (column < 0) {
      if (code === 0x2d) column = first - pos;
      else if (code !== 0x23 && code !== 0x0a && code !== 0x0d) return undefined;
    }
    if (column >= 0 && code === 0x2d && isBlank(text, pos, first) && isSpace(text.charCodeAt(first + 1))) {
      const previous = items.at(-1);
      if (previous) previous.end = pos;
      items.push({ start: pos, end, item: true });
    }
    pos = nextLine(text, pos);
  }
  return items;
}

function isBlank(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (text.charCodeAt(i) !== 0x20) return false;
  return true;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || Number.isNaN(code);
}

/** Any other form, JSON among them: the whole text is parsed to find the items. */
async function readAnyList(text: string): Promise<ResourceList> {
  const { root } = await read(text, 0, text.length);
  const list = deref(root);
  if (list?.kind !== 'map') throw new ResourceListError('stdin holds no ResourceList: it is not a map');
  checkKind(textOf(get(list, 'kind')));
  const items = deref(get(list, 'items'));
  if (items && items.kind !== 'seq' && (items.kind !== 'scalar' || textOf(items) !== undefined))
    throw new ResourceListError('the items of the ResourceList are not a list');
  const functionConfig = get(list, 'functionConfig');
  const results = get(list, 'results');
  return {
    text,
    items: items?.kind === 'seq' ? slicesOf(text, items) : [],
    ...(functionConfig && { functionConfig }),
    ...(results && { results }),
    ...insertionPoint(text, list),
    flow: list.flow,
  };
}

/** An item in block style is read from its dash on, as its lines are indented by it, and to the end of its last line's comment. */
function slicesOf(text: string, { flow, start, end, items }: SeqNode): Slice[] {
  const lines = flow ? undefined : splitSequence(text, lineStart(text, start), nextLine(text, end - 1));
  if (lines) return joinShared(text, lines);
  const slices = items.map((item) => ({ start: item.start, end: item.end, item: true }));
  return joinShared(text, slices, { start, end });
}

function insertionPoint(text: string, list: MapNode): Pick<ResourceList, 'insertAt' | 'lead'> {
  if (list.flow) return { insertAt: list.end - 1, lead: comma(text, list.entries.at(-1)?.value, list) };
  const first = list.entries[0]!.key.start;
  const insertAt = lineStart(text, first);
  const lead = text.slice(insertAt, first);
  const atEnd = text.endsWith('\n') && !/^(?:---|\.\.\.)(?:\s|$)/m.test(text.slice(list.end));
  return { insertAt: atEnd ? text.length : insertAt, lead };
}

/** What parts a new last entry of a collection in flow style from the present one; that may have its comma already. */
function comma(text: string, last: Span | undefined, { end }: Span): string {
  return !last || text.slice(last.end, end).replaceAll(/#.*/g, '').includes(',') ? '' : ', ';
}

function checkKind(kind: string | undefined): void {
  if (kind === 'ResourceList' || kind === 'List') return;
  throw new ResourceListError(
    kind === undefined
      ? 'stdin holds no ResourceList: it has no kind'
      : `stdin holds a ${kind}, not a ResourceList; to edit files, name their directory: image-update DIR`,
  );
}

async function readSection(text: string, section: Section | undefined): Promise<Node | undefined> {
  return section && (await read(text, section.start, section.end)).root;
}

async function read(text: string, start: number, end: number): Promise<{ root?: Node | undefined }> {
  const outcome = await readDocument(text, start, end);
  if ('problem' in outcome) throw unreadable(text, outcome.problem);
  return outcome;
}

/** Whether an item is YAML to everybody; what is not clear or too much to us alone is nobody's loss. */
async function checkReadable(text: string, item: Slice | undefined): Promise<void> {
  const outcome = item && (await readDocument(text, item.start, item.end));
  if (outcome && 'problem' in outcome && outcome.problem.reason === 'yaml-invalid')
    throw unreadable(text, outcome.problem);
}

function unreadable(text: string, { message, offset }: Refusal['problem']): ResourceListError {
  return new ResourceListError(`stdin is not readable YAML at line ${lineAt(text, offset)}: ${message}`);
}

/**
 * The value of a list's functionConfig, if it has one.
 * @throws ResourceListError where its aliases make it larger or deeper than any configuration.
 */
export function configValue({ functionConfig }: ResourceList): unknown {
  try {
    return functionConfig && toValue(functionConfig);
  } catch (error) {
    if (error instanceof RangeError)
      throw new ResourceListError(`the functionConfig is not readable: ${error.message}`);
    throw error;
  }
}

/**
 * What adds results to the text of a list, each as one line of JSON, which is YAML with safe quoting
 * (reference/krm-function.md B4). Earlier results stay, and come first. Nothing to report replaces nothing.
 */
export function resultsEdit(
  { text, results: earlier, insertAt, lead, flow }: ResourceList,
  results: Result[],
): Replacement[] {
  if (results.length === 0) return [];
  const entries = results.map((result) => JSON.stringify(result));
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  if (earlier?.kind === 'seq' && earlier.flow) {
    return [insertion(earlier.end - 1, comma(text, earlier.items.at(-1), earlier) + entries.join(', '))];
  }
  if (earlier?.kind === 'seq') {
    const column = earlier.start - (text.lastIndexOf('\n', earlier.start - 1) + 1);
    const at = lineBehind(text, earlier.items.at(-1)!.end);
    const before = text[at - 1] === '\n' ? '' : eol;
    return [insertion(at, before + entries.map((entry) => `${' '.repeat(column)}- ${entry}${eol}`).join(''))];
  }
  if (earlier) {
    const beforeComment = text[earlier.end] === '#' ? ' ' : '';
    return [{ start: earlier.start, end: earlier.end, text: ` [${entries.join(', ')}]${beforeComment}` }];
  }
  if (flow) return [insertion(insertAt, `${lead}"results": [${entries.join(', ')}]`)];
  const lines = ['results:', ...entries.map((entry) => `- ${entry}`)];
  return [insertion(insertAt, lines.map((line) => lead + line + eol).join(''))];
}

function insertion(at: number, text: string): Replacement {
  return { start: at, end: at, text };
}

/** The start of the line after an offset; the offset itself where it already starts a line. */
function lineBehind(text: string, offset: number): number {
  return offset > 0 && text[offset - 1] === '\n' ? offset : nextLine(text, offset);
}

/** File path and index of an item by its annotations (reference/krm-function.md A2); the `internal.` spelling wins. */
export function itemPlace(item: Node | undefined): { path?: string; index?: number } {
  const annotations = at(item, 'metadata', 'annotations');
  const path =
    textOf(get(annotations, 'internal.config.kubernetes.io/path')) ??
    textOf(get(annotations, 'config.kubernetes.io/path'));
  const index =
    textOf(get(annotations, 'internal.config.kubernetes.io/index')) ??
    textOf(get(annotations, 'config.kubernetes.io/index'));
  return {
    ...(path !== undefined && { path }),
    ...(index !== undefined && /^\d{1,9}$/.test(index) && { index: Number(index) }),
  };
}
