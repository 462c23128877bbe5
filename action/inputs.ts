import { nearest } from '../fn/nearest.ts';
import { parseReference } from '../fn/reference.ts';
import { UsageError } from '../fn/usage.ts';
import { pathProblem } from '../git/path.ts';
import { GROUPINGS, type GroupBy } from '../job/grouping.ts';
import { refProblem } from '../api/ref.ts';

/** Makes a value of an input's text, blanks at its ends gone. @throws UsageError that says what it takes. */
type Reader<T> = (text: string) => T;

/** Each input of action.yml, by what it takes. What it means stands there; a test compares the names. */
const readers = {
  mode: oneOf(['pull-request', 'commit', 'files', 'check']),
  path: each(path),
  'config-file': file,
  images: each(image),
  metadata,
  offline: flag,
  'registry-config': asItStands,
  'max-changes': count,
  'dry-run': flag,
  base: branch,
  branch,
  'group-by': oneOf(Object.keys(GROUPINGS) as GroupBy[]),
  'commit-message': asItStands,
  author,
  title: asItStands,
  body: asItStands,
  labels: each(asItStands),
  reviewers: each(asItStands),
  draft: flag,
  'auto-merge': flag,
  token: secret,
  'branch-token': secret,
  summary: oneOf(['always', 'on-change', 'never']),
  annotations: flag,
  'results-file': asItStands,
  'fail-on': oneOf(['error', 'available-update', 'never']),
} as const satisfies Record<string, Reader<unknown>>;

type Readers = typeof readers;
type Name = keyof Readers;

/** The names of the inputs. */
export const inputNames = Object.keys(readers) as Name[];

/** What the workflow says, checked; what it does not say is not there. */
export type Inputs = { [N in Name]?: ReturnType<Readers[N]> };

/** What goes with a mode alone: given with another, it would do nothing, and its author should know. */
const MODES_OF: Partial<Record<Name, readonly NonNullable<Inputs['mode']>[]>> = {
  base: ['commit', 'pull-request'],
  branch: ['pull-request'],
  'group-by': ['commit', 'pull-request'],
  'commit-message': ['commit', 'pull-request'],
  author: ['commit', 'pull-request'],
  'branch-token': ['commit', 'pull-request'],
  title: ['pull-request'],
  body: ['pull-request'],
  labels: ['pull-request'],
  reviewers: ['pull-request'],
  draft: ['pull-request'],
  'auto-merge': ['pull-request'],
};

/**
 * Reads all inputs, by what gives the text of one. An empty text is one that was not given, as the runner has it.
 * @throws UsageError with everything that is wrong with them, a line each.
 */
export function readInputs(textOf: (name: Name) => string): Inputs {
  const inputs: Inputs = {};
  const problems: string[] = [];
  for (const name of inputNames) {
    const text = textOf(name).trim();
    if (text === '') continue;
    try {
      Object.assign(inputs, { [name]: readers[name](text) });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problems.push(`${name}: ${error.message}`);
    }
  }
  problems.push(...together(inputs));
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return inputs;
}

/** What is wrong with inputs beside each other. */
function together(inputs: Inputs): string[] {
  const { mode = 'pull-request', base, branch } = inputs;
  const problems: string[] = [];
  for (const [name, modes] of Object.entries(MODES_OF))
    if (name in inputs && !modes.includes(mode))
      problems.push(`${name}: it is for the mode ${modes.join(' or ')}, and the mode is ${mode}; leave it out`);
  if (base !== undefined && base === branch)
    problems.push(`branch: it is the base, ${show(base)}; write another, or use the mode commit`);
  return problems;
}

/** Warnings for `INPUT_…` variables that are no inputs: a workflow's author has mistyped one. */
export function unknownInputs(environment: NodeJS.ProcessEnv): string[] {
  const known = new Set(inputNames.map(variableOf));
  return Object.keys(environment)
    .filter((name) => name.startsWith('INPUT_') && !known.has(name) && environment[name] !== '')
    .map((variable) => {
      const name = variable.slice('INPUT_'.length).toLowerCase();
      const near = nearest(name.replaceAll('_', '-'), inputNames);
      return `there is no input ${show(name)}; ${near === undefined ? 'leave it out' : `did you mean ${near}?`}`;
    });
}

/** The variable that the runner gives an input in: upper case, blanks as `_`, and nothing else is changed. */
function variableOf(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

// --- what inputs take ------------------------------------------------------------------------------------------------

function asItStands(text: string): string {
  return text;
}

function oneOf<const T extends string>(words: readonly T[]): Reader<T> {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    const near = nearest(text, words);
    throw new UsageError(
      `${show(text)} is none of ${words.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`,
    );
  };
}

/** As YAML's core schema has it, and `core.getBooleanInput`. */
function flag(text: string): boolean {
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  throw new UsageError(`${show(text)} is neither true nor false`);
}

function count(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`${show(text)} is no whole number`);
}

/** More entries than this are not a list that anybody wrote. */
const MAX_ENTRIES = 1000;

function each<T>(reader: Reader<T>): Reader<T[]> {
  return (text) => {
    const entries = text.split(/[\n,]/).flatMap((entry) => entry.trim() || []);
    if (entries.length > MAX_ENTRIES)
      throw new UsageError(`it has ${entries.length} entries, more than ${MAX_ENTRIES}`);
    return entries.map(reader);
  };
}

/** What answers are recorded in: files, or one document or several that stand in the workflow. */
function metadata(text: string): { files: string[]; inline?: string } {
  const isInline = /^(?:---|[{[]|(?:apiVersion|kind|image):)/m.test(text);
  return isInline ? { files: [], inline: text } : { files: each(asItStands)(text) };
}

/** A directory below the root, without `./` and slashes at its ends; the root itself is empty. */
function path(text: string): string {
  const plain = text.replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '');
  if (plain === '.' || (plain === '' && !text.startsWith('/'))) return '';
  const problem = pathProblem(plain);
  if (problem === undefined) return plain;
  throw new UsageError(`${show(text)} ${problem}; it takes a path below the repository's root`);
}

function file(text: string): string {
  const plain = path(text);
  if (plain === '') throw new UsageError(`${show(text)} is no file`);
  return plain;
}

/** A repository, or a glob of some. An event names an image with its tag: the repository counts. */
function image(text: string): string {
  if (/\s/.test(text)) throw new UsageError(`${show(text)} is no image: it holds white space`);
  return parseReference(text)?.name ?? text;
}

function branch(text: string): string {
  const problem = refProblem(text);
  if (problem === undefined) return text;
  throw new UsageError(`${show(text)}: ${problem}`);
}

function author(text: string): { name: string; email: string } {
  const [, name = '', email = ''] = /^([^<>\p{Cc}]+?) *<([^<>\s\p{Cc}]+)>$/u.exec(text) ?? [];
  if (name !== '') return { name, email };
  throw new UsageError(`${show(text)} is no author; it takes Name <address>`);
}

/** Never shown, whatever is wrong with it. */
function secret(text: string): string {
  if (/^[\u0021-\u007E]+$/.test(text)) return text;
  throw new UsageError('it is no token: it holds white space, or what no header may hold');
}

/** As much of a value as a message can carry, on one line. */
function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
