import { realpathSync, rmSync, statSync } from 'node:fs';
import { unifiedDiff } from '../fn/diff.ts';
import { writeFiles, type File } from '../fn/directory.ts';
import type { Io } from '../fn/io.ts';
import { isNote, readValue } from '../fn/lookup/read.ts';
import { asMap, type Values } from '../fn/lookup/values.ts';
import { replaceAll } from '../fn/replace.ts';
import { describe, noteResult, onOneLine } from '../fn/result.ts';
import { answersOf, configOf, InputError, readText, tell, writeNamed } from '../fn/run.ts';
import type { Source } from '../fn/source.ts';
import { DONE } from '../fn/status.ts';
import { readFilesWith } from '../fn/tree.ts';
import { workloadId } from '../fn/workloads.ts';
import { splitDocuments } from '../fn/yaml/documents.ts';
import type { From, To } from '../migrate/intent.ts';
import { migrate as migrateSources, type Migration, type Row } from '../migrate/migrate.ts';
import { carryOut, type Parsed } from './command.ts';
import { documentFormat, type Format } from './formats.ts';
import { TO_ASK } from './given.ts';
import { print } from './output.ts';
import { migrate as spec } from './specs/migrate.ts';
import type { AnswerOptions } from './surveyed.ts';
import { tableText } from './table.ts';
import { plural } from '../fn/plural.ts';

interface Options extends AnswerOptions {
  from: From[];
  to?: To;
  remove?: boolean;
  output?: string;
  namespace?: string;
  dryRun?: boolean;
  diff?: boolean;
  format?: Format;
}

/** What a file must contain to hold an image, or a rule of another tool. */
const WORDS = ['image', 'Image', 'tag', 'Tag', 'argoproj.io', 'keel', 'renovate:'];

/** `tk-image migrate`: rules of other tools become ours, and what each decides stands side by side. */
export async function migrate(argv: string[], io: Io): Promise<number> {
  return carryOut(spec, argv, io, async ({ options, operands }: Parsed<Options>) => {
    const { to = 'annotations', from, metadata } = options;
    const { files, passedOver } = readFilesWith(operands.length > 0 ? operands : ['.'], WORDS);
    const answers = await answersOf(options, io);
    const target = options.output === undefined ? undefined : targetOf(io, options.output, files);
    const texts = metadata.map((name): [string, string] => [name, readText(io, name)]);
    const given = await objectsIn([...texts, ...(target ? [[target.name, target.text] as [string, string]] : [])]);
    const request = {
      from,
      to,
      namespace: options.namespace ?? (to === 'flux-v2' ? 'flux-system' : 'default'),
      remove: options.remove ?? false,
      given,
      config: { ...(await configOf({ ...options, strict: false }, io)), toAsk: TO_ASK },
    };
    const lookup = options.offline ? undefined : await (await import('../registry/connect.ts')).connect(options, io);
    const migration = await migrateSources([...files.keys()], request, answers, lookup);
    const added = await stream(migration.objects);
    const edits = editsOf(migration, target, added);
    if (!options.dryRun) write(files, edits, target, added);
    tell(io, [...passedOver, ...[...answers.notes, ...(lookup?.notes ?? [])].map((note) => noteResult(note, {}))]);
    await show(options, io, migration, { edits, target, added });
    return DONE;
  });
}

/** The file that new objects are put in, and what it holds. */
interface Target {
  name: string;
  text: string;
  exists: boolean;
  /** If it is one of the files that are migrated. */
  source?: Source;
}

function targetOf(io: Io, name: string, files: Map<Source, File>): Target {
  const exists = statSync(name, { throwIfNoEntry: false })?.isFile() ?? false;
  const text = exists ? readText(io, name) : '';
  const place = exists ? realpathSync(name) : undefined;
  const source = [...files].find(([, file]) => place !== undefined && realpathSync(file.name) === place)?.[0];
  return { name, text, exists, ...(source && { source }) };
}

/** Objects of policies in files of metadata; what else these hold is for the answers. */
async function objectsIn(texts: readonly (readonly [name: string, text: string])[]): Promise<unknown[]> {
  const values: unknown[] = [];
  for (const [name, text] of texts) {
    if (!/\bImage(?:Policy|Repository)/.test(text)) continue;
    for (const document of splitDocuments(text)) {
      const value = await readValue(text, document);
      if (isNote(value)) throw new InputError(`${name} is not readable YAML: ${value.message}`);
      const items: unknown = asMap(value)?.['items'];
      values.push(...(Array.isArray(items) ? (items as unknown[]) : [value]));
    }
  }
  return values;
}

/** Objects as documents of one file. */
async function stream(objects: readonly Values[]): Promise<string> {
  const documents = await Promise.all(objects.map((object) => print('yaml', object)));
  return documents.map((document) => `---\n${document}`).join('');
}

/** The edits of all files, new objects behind what the target holds among them if it is one. */
function editsOf({ edits }: Migration, target: Target | undefined, added: string): Migration['edits'] {
  if (!target?.source || added === '') return edits;
  const { source } = target;
  const end = source.text.length;
  const append = { start: end, end, text: behind(source.text) + added };
  return new Map(edits).set(source, [...(edits.get(source) ?? []), append]);
}

function behind(text: string): string {
  return text === '' || text.endsWith('\n') ? '' : '\n';
}

/** Writes all or nothing: the target first, as it can be put back. */
function write(files: Map<Source, File>, edits: Migration['edits'], target: Target | undefined, added: string): void {
  const apart = target && !target.source && added !== '' ? target : undefined;
  if (apart) writeNamed(apart.name, apart.text + behind(apart.text) + added);
  try {
    writeFiles(
      [...edits].map(([source, replacements]) => ({
        file: files.get(source)!,
        text: replaceAll(source.text, replacements),
      })),
    );
  } catch (error) {
    if (apart?.exists) writeNamed(apart.name, apart.text);
    else if (apart) rmSync(apart.name, { force: true });
    throw error;
  }
}

interface Written {
  edits: Migration['edits'];
  target: Target | undefined;
  added: string;
}

/** What programs take goes to stdout, and the table where nothing else does; all that a person should read to stderr. */
async function show(options: Options, io: Io, migration: Migration, written: Written): Promise<void> {
  const { rows, objects, notes } = migration;
  const format = documentFormat(options.format);
  for (const row of rows) for (const note of row.notes) io.error(`tk-image: ${describe(resultOf(row, note))}`);
  for (const note of notes) io.error(`tk-image: ${onOneLine(note)}`);
  if (format) {
    io.output(await print(format, { rows: rows.map(documentOf), objects, notes }));
    return;
  }
  const table = tableOf(rows);
  if (options.diff) io.output(diffOf(written));
  else if (written.added !== '' && !written.target) io.output(written.added);
  else {
    io.output(table);
    io.error(`tk-image: ${summary(options, rows, written)}`);
    return;
  }
  io.error(table + `tk-image: ${summary(options, rows, written)}`);
}

function diffOf({ edits, target, added }: Written): string {
  const parts = [...edits].map(([source, replacements]) => unifiedDiff(source.path!, source.text, replacements));
  if (target && !target.source && added !== '') {
    const end = target.text.length;
    parts.push(unifiedDiff(target.name, target.text, [{ start: end, end, text: behind(target.text) + added }]));
  }
  return parts.join('');
}

const HEAD = ['WORKLOAD', 'CONTAINER', 'FROM', 'RULE', 'OURS', 'CURRENT', 'BEFORE', 'AFTER', ''];

function tableOf(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  return tableText([
    HEAD,
    ...rows.map((row) =>
      [
        workloadOf(row),
        row.container || row.field,
        row.from,
        row.written,
        row.ours ?? (row.status === 'held' ? 'not automated' : '-'),
        row.current ?? '-',
        'tag' in row.before ? row.before.tag : '?',
        row.after && 'tag' in row.after ? row.after.tag : row.status === 'held' ? (row.current ?? '-') : '?',
        row.status === 'cannot' ? 'cannot be migrated' : row.verdict,
      ].map(onOneLine),
    ),
  ]);
}

function workloadOf({ resource, file, line }: Row): string {
  return resource ? workloadId(resource) : `${file}:${line}`;
}

function documentOf({ resource, ...row }: Row): Values {
  return { ...(resource && { workload: workloadId(resource) }), ...row };
}

function resultOf({ file, line, resource, container, field, status }: Row, message: string) {
  const note = { reason: 'migration', message, ...(container === '' ? { path: field } : { container }) };
  const place = { file, line, ...(resource && { resource }) };
  return noteResult(note, place, status === 'cannot' ? 'warning' : 'info');
}

function summary({ dryRun, remove }: Options, rows: readonly Row[], { edits, added }: Written): string {
  if (rows.length === 0) return 'no rule of another tool was found, so there is nothing to migrate';
  const count = (status: Row['status']) => rows.filter((row) => row.status === status).length;
  const different = rows.filter(({ verdict }) => verdict === 'different').length;
  const parts = [
    `${dryRun ? 'would migrate' : 'migrated'} ${plural(count('written'), 'image')} in ${plural(edits.size, 'file')}`,
    ...(count('there') > 0 ? [`${count('there')} there already`] : []),
    ...(count('held') > 0 ? [`${count('held')} held as before`] : []),
    ...(count('cannot') > 0 ? [`${count('cannot')} cannot be`] : []),
    ...(different > 0 ? [`${plural(different, 'image')} decided differently`] : []),
  ];
  const both =
    remove || dryRun || (edits.size === 0 && added === '')
      ? ''
      : '; what the other tool reads stays, so stop that tool before this one runs';
  return parts.join(', ') + both;
}
