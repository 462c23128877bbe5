import mustache from 'mustache';
import { nearest } from '../fn/nearest.ts';
import { parseReference } from '../fn/reference.ts';
import { workloadOf, type Change } from './change.ts';
import { JobError } from './failure.ts';
import { JobSpecError, type JobMetadata } from './read.ts';

/** The trailer by which our commits are known again (reference/controllers.md A8). */
export const TRAILER = 'Update-Job';
/** A longer message is cut at a line. With the trailer it stays below the 64 KiB that a commit takes. */
const MAX_MESSAGE_BYTES = 63 << 10;
/** A template that could come to more than this, with sections inside of sections, is not rendered at all. */
const MAX_RENDERED_CHARACTERS = 16 << 20;

/**
 * Flux v1's texts of an automated release (reference/flux-v1-mode.md §13). What a foreign image did may be about no image at
 * all: then its files are told.
 */
const DEFAULT_TEMPLATE = `{{#single}}Auto-release {{image}}{{/single}}{{#multiple}}Auto-release multiple ({{imageCount}}) images

{{#images}}
 - {{.}}
{{/images}}
{{/multiple}}{{#other}}Update {{fileCount}} {{#oneFile}}file{{/oneFile}}{{^oneFile}}files{{/oneFile}}

{{#files}}
 - {{.}}
{{/files}}
{{/other}}`;

/** The names that a template may use, and what they are: the table in docs/update-job.md. */
export const names: Readonly<Record<string, string>> = {
  image: 'The new reference; of several the first. In `changes` the repository that stood there.',
  images: 'The new references, unique and sorted; `{{.}}` is each of them.',
  imageCount: 'How many.',
  single: 'Whether there is one image.',
  multiple: 'Whether there are several.',
  other: 'Whether no image field changed, which only an image other than `image-update` can bring about.',
  changes:
    'The fields that changed. In it: `file`, `object`, `workload`, `field`, `container`, `image`, `from`, `to`, `oldTag`, `newTag`, `policy`.',
  changeCount: 'How many.',
  workloads: 'The workloads, as `namespace:kind/name`; `{{.}}` is each of them.',
  files: 'The files that changed; `{{.}}` is each of them.',
  fileCount: 'How many.',
  oneFile: 'Whether it is one file.',
  file: 'In `changes`: the path of the file.',
  object: 'In `changes`: `group/Kind/namespace/name`.',
  workload: 'In `changes`: `namespace:kind/name`.',
  field: 'In `changes`: the path of the field.',
  container: 'In `changes`: the name of the container.',
  from: 'In `changes`: what stood there.',
  to: 'In `changes`: what stands there now.',
  oldTag: 'In `changes`: the tag of `from`.',
  newTag: 'In `changes`: the tag of `to`.',
  policy: 'In `changes`: what governs the field, such as `semver:~1.2`.',
  branch: 'The branch that is pushed to.',
  job: 'The name of the UpdateJob.',
  namespace: 'Its namespace.',
};

/** A token of a template: type, name or text, start, end; of a section its tokens. */
type Token = [type: string, value: string, start: number, end: number, tokens?: Token[]];

/** A template that was checked. */
export interface Template {
  /** What it was given as, for messages. */
  where: string;
  text: string;
  tokens: Token[];
}

/** Makes a value fit to stand in a text of some kind. */
export type Show = (value: string) => string;

/** What a message is made of. */
export interface MessageData {
  changes: readonly Change[];
  files: readonly string[];
  branch: string;
}

/** Checks a template of a commit message, given as `where`, before anything runs. @throws JobSpecError that says what is wrong with it. */
export function compileTemplate(text: string = DEFAULT_TEMPLATE, where = 'spec.commit.messageTemplate'): Template {
  const template = compileText(text, where);
  if (new RegExp(`^\\s*${TRAILER}:`, 'im').test(text))
    throw new JobSpecError(`${where}: the line ${TRAILER}: is always added; leave it out`);
  return template;
}

/** Checks a template of any text about changes; `more` are names beside the usual. @throws JobSpecError */
export function compileText(text: string, where: string, more: readonly string[] = []): Template {
  let tokens: Token[];
  try {
    tokens = mustache.parse(text) as Token[];
  } catch (error) {
    throw new JobSpecError(`${where}: ${(error as Error).message}`);
  }
  refuseUnknown(tokens, where, [...Object.keys(names), ...more]);
  return { where, text, tokens };
}

/** The lists of texts, in which `{{.}}` is each. */
const TEXTS = ['images', 'workloads', 'files'];

/** Names that are not ours would be looked up among what every object has, functions among it. `list` is the one around the tokens. */
function refuseUnknown(tokens: readonly Token[], where: string, known: readonly string[], list?: string): void {
  for (const [type, value, , , inner] of tokens) {
    if (type === '>') throw new JobSpecError(`${where}: {{> ${value}}}: there are no partials`);
    if (type === 'text' || type === '=' || type === '!') continue;
    if (value === '.' && !TEXTS.includes(list ?? ''))
      throw new JobSpecError(`${where}: {{.}} stands in none of ${TEXTS.join(', ')}`);
    if (value !== '.' && !known.includes(value)) {
      const near = nearest(value, known);
      throw new JobSpecError(
        `${where}: {{${value}}} is no name it knows; ${near ? `did you mean {{${near}}}?` : `there are ${known.join(', ')}`}`,
      );
    }
    const isList = type === '#' && (value === 'changes' || TEXTS.includes(value));
    if (inner) refuseUnknown(inner, where, known, isList ? value : list);
  }
}

/** The whole message of a commit: the rendered template, bounded, and our trailer. @throws JobError where it would be endless or is empty. */
export function renderMessage(template: Template, data: MessageData, job: JobMetadata): string {
  return `${cut(renderText(template, data, job))}\n\n${TRAILER}: ${trailerValue(job)}\n`;
}

/** A template with the values of some changes, each as `show` makes it, and with what `more` names stand for. @throws JobError */
export function renderText(
  template: Template,
  data: MessageData,
  job: JobMetadata,
  show: Show = oneLine,
  more: Readonly<Record<string, string>> = {},
): string {
  const { where, tokens, text } = template;
  const view = Object.assign(viewOf(data, job, show), more);
  if (bound(tokens, view) > MAX_RENDERED_CHARACTERS)
    throw new JobError('TooLarge', `${where}: it comes to more than 16 MiB of text; lists inside of lists multiply`);
  const rendered = clean(mustache.render(text, view, undefined, { escape: String }));
  if (rendered === '') throw new JobError('FunctionFailed', `${where}: the message that it makes is empty`);
  return rendered;
}

/** What the trailer of a job's commits says. */
export function trailerValue({ namespace, name, uid }: JobMetadata): string {
  return `${namespace}/${name}/${uid}`;
}

/** Whether a commit is one of ours, of any UpdateJob: a squash merge keeps the line, though not at the end. */
export function isOurs(message: string): boolean {
  return new RegExp(`^${TRAILER}: \\S+/\\S+/\\S+\\s*$`, 'm').test(message);
}

type View = Record<string, unknown>;

function viewOf({ changes, files, branch }: MessageData, job: JobMetadata, show: Show): View {
  const images = unique(changes.map(({ to }) => to));
  return bare({
    image: show(images[0] ?? ''),
    images: images.map(show),
    imageCount: images.length,
    single: images.length === 1,
    multiple: images.length > 1,
    other: images.length === 0,
    changes: changes.map((change) => changeView(change, show)),
    changeCount: changes.length,
    workloads: unique(changes.map(workloadOf)).map(show),
    files: unique(files).map(show),
    fileCount: files.length,
    oneFile: files.length === 1,
    branch: show(branch),
    job: show(job.name),
    namespace: show(job.namespace),
  });
}

function changeView(change: Change, show: Show): View {
  const { file, object, field, container = '', image, from, to, policy = '' } = change;
  const workload = workloadOf(change);
  const texts = {
    file,
    object,
    workload,
    field,
    container,
    image,
    from,
    to,
    oldTag: tagOf(from),
    newTag: tagOf(to),
    policy,
  };
  return bare(Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, show(text)])));
}

function tagOf(reference: string): string {
  return parseReference(reference)?.tag ?? (reference.includes('/') ? '' : reference);
}

/** An object that has its own fields alone. */
function bare(fields: View): View {
  return Object.assign(Object.create(null) as View, fields);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts.map(oneLine))].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** A value from a repository may not end a line, and with it begin a trailer. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

/** The most characters that tokens can come to: a list counts for each of its entries. */
function bound(tokens: readonly Token[], view: View): number {
  let total = 0;
  for (const [type, value, , , inner] of tokens) {
    if (type === 'text') total += value.length;
    else if (type === '#') total += times(view[value]) * bound(inner ?? [], view);
    else if (type === '^') total += bound(inner ?? [], view);
    else if (type === 'name' || type === '&') total += longest(view, value);
  }
  return total;
}

function times(value: unknown): number {
  return Array.isArray(value) ? value.length : 1;
}

/** The longest text that a name can stand for, anywhere. */
function longest(view: View, name: string): number {
  const all = [view[name], ...(view['changes'] as View[]).map((change) => change[name])];
  if (name === '.') all.push(...TEXTS.flatMap((list) => view[list] as string[]));
  return all.reduce<number>((most, value) => Math.max(most, typeof value === 'string' ? value.length : 1024), 0);
}

/** What git makes of a message, done here so that a commit is the same everywhere: no blanks at line ends, no blank lines at the ends. */
function clean(text: string): string {
  return text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[^\P{Cc}\n\t]/gu, ' ')
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .replace(/^\n+/, '')
    .trimEnd();
}

function cut(text: string): string {
  if (Buffer.byteLength(text) <= MAX_MESSAGE_BYTES) return text;
  const more = '\n…';
  const kept = Buffer.from(text)
    .subarray(0, MAX_MESSAGE_BYTES - Buffer.byteLength(more))
    .toString('utf8');
  const end = kept.lastIndexOf('\n');
  return (end > 0 ? kept.slice(0, end) : kept.replace(/\uFFFD$/, '')) + more;
}
