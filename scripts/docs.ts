// Writes the generated tables of the pages, between `<!-- generated: NAME -->` and `<!-- end -->`. `npm run docs`;
// `npm run check` fails where a page is not what this would write.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Kind } from '../api/kind.ts';
import { kinds } from '../api/kinds.ts';
import { toStructural } from '../api/structural.ts';
import { commandPage, exits, optionGroups, optionTable } from '../cli/help.ts';
import { specs } from '../cli/specs/index.ts';
import { specSchema } from '../fn/config/image-update.ts';
import { classes } from '../job/failure.ts';
import { names } from '../job/message.ts';
import type { From } from '../migrate/intent.ts';
import { mappings, type Mapping } from '../test/fixtures/migrate/mappings.ts';
import { root } from './build.ts';

/** The part of a JSON schema that a table shows. */
interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  required?: string[];
}

// Zod's own JSON schema type is a union over every draft; this is the part that our schemas use.
const spec = z.toJSONSchema(specSchema) as Schema;

/** Section name to its text. */
const sections: Record<string, () => string> = {
  // `options-for-registries` and the like.
  ...Object.fromEntries(optionGroups().map(({ anchor, options }) => [anchor, () => optionTable(options)])),
  config: () => table(['field of `spec`', 'type', 'default', 'meaning'], configRows(spec, '')),
  'config-map': () => table(['key of `data`', 'value'], configMapRows(spec)),
  ...Object.fromEntries(Object.values(kinds).flatMap(kindSections)),
  'message-names': () =>
    table(
      ['name', 'what it is'],
      Object.entries(names).map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
  'failure-classes': () => table(['`class`', 'exit status', 'retriable', 'what it means'], classRows()),
  'command-list': () =>
    table(
      ['command', 'what it does'],
      specs.map(({ name, summary }) => [`[\`tk-image ${name}\`](#${name.replaceAll(' ', '-')})`, summary]),
    ),
  commands: () => specs.map(commandPage).join('\n\n'),
  'from-argocd-image-updater': () => mappingTable('argocd-image-updater'),
  'from-keel': () => mappingTable('keel'),
  'from-renovate': () => mappingTable('renovate'),
  'from-flux-v2': () => mappingTable('flux-v2'),
  'exit-statuses': () =>
    table(
      ['exit status', 'meaning'],
      exits.map((row) => [...row]),
    ),
};

/** The tables of a kind: the fields of its spec and of its status. */
function kindSections({ kind, spec, status }: Kind): [name: string, write: () => string][] {
  const name = `api-${kind.replaceAll(/(?!^)[A-Z]/g, '-$&').toLowerCase()}`;
  return [
    [name, () => table(['field of `spec`', 'type', 'default', 'meaning'], configRows(toStructural(spec), ''))],
    [
      `${name}-status`,
      () =>
        table(
          ['field of `status`', 'type', 'meaning'],
          configRows(toStructural(status), '').map(([field = '', type = '', , meaning = '']) => [field, type, meaning]),
        ),
    ],
  ];
}

/** A row a field, the fields of a map below it. What has a default, or no need of one, is optional. */
function configRows({ properties = {}, required = [] }: Schema, prefix: string): string[][] {
  return Object.entries(properties).flatMap(([key, field]) => {
    const name = prefix + key;
    const fallback = required.includes(key) && field.default === undefined ? 'required' : defaultOf(field);
    const row = [`\`${name}\``, typeOf(field), fallback, field.description ?? ''];
    const below = field.items?.properties ? field.items : field;
    const path = below === field ? `${name}.` : `${name}[].`;
    return [row, ...configRows(below, path)];
  });
}

/** A ConfigMap holds texts, so it can say what a text can: the fields that are no maps and no lists of maps. */
function configMapRows({ properties = {} }: Schema): string[][] {
  return Object.entries(properties)
    .filter(([, { items }]) => !items?.properties)
    .map(([key, field]) => [`\`${key}\``, field.type === 'array' ? 'strings, with commas between' : typeOf(field)]);
}

function classRows(): string[][] {
  return Object.entries(classes).map(([name, { exit, retriable, meaning }]) => [
    `\`${name}\``,
    String(exit),
    retriable ? 'yes' : 'no',
    meaning,
  ]);
}

/** What rules of a tool become: the very rows that its reader is tested by. */
function mappingTable(tool: From): string {
  return table(
    ['rule', 'what it does', 'annotation', 'ImagePolicy'],
    mappings
      .filter(({ from }) => from === tool)
      .map((row) => [
        code(writtenOf(row)),
        row.about,
        annotationOf(row),
        row.policy ? code(JSON.stringify(row.policy)) : '',
      ]),
  );
}

function writtenOf({ settings, tag }: Mapping): string {
  const said = Object.entries(settings).map(([key, value]) => (value === '' ? key : `${key}: ${value}`));
  return `${said.join(', ') || 'nothing'}${tag === undefined ? '' : ` (on ${tag})`}`;
}

function annotationOf({ filter, hold, cannot }: Mapping): string {
  if (filter !== undefined) return code(filter);
  if (hold) return 'none: it is left alone';
  return cannot ? 'none: it is told why' : 'cannot say it';
}

function code(text: string): string {
  return `\`${text}\``;
}

function typeOf({ type = 'string', enum: values, items }: Schema): string {
  if (values) return values.map((value) => `\`${value}\``).join(', ');
  return type === 'array' ? `[]${typeOf(items ?? {})}` : type;
}

function defaultOf({ default: value }: Schema): string {
  return value === undefined || value === '' ? '' : `\`${JSON.stringify(value).replaceAll('"', '')}\``;
}

function table(head: string[], rows: string[][]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}

const SECTION = /(<!-- generated: (\S+) -->\n)[\s\S]*?(<!-- end -->)/g;

/** The text of a page with its generated sections as they should be. Throws for a section that nobody writes. */
export function generated(page: string): string {
  return page.replaceAll(SECTION, (_, start: string, name: string, end: string) => {
    const write = sections[name];
    if (!write)
      throw new Error(`no generated section is named "${name}"; there are ${Object.keys(sections).join(', ')}`);
    return `${start}\n${write()}\n\n${end}`;
  });
}

/** The pages for people, by their paths below the root. */
export function pages(): string[] {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', ...docs.toSorted().map((name) => `docs/${name}`)];
}

/** The pages that `npm run docs` would change, with what it would write. */
export function outdated(): Map<string, string> {
  const changed = new Map<string, string>();
  for (const page of pages()) {
    const text = readFileSync(join(root, page), 'utf8');
    const wanted = generated(text);
    if (wanted !== text) changed.set(page, wanted);
  }
  return changed;
}

if (import.meta.main) {
  for (const [page, text] of outdated()) {
    writeFileSync(join(root, page), text);
    console.log(`docs: ${page} rewritten`);
  }
}
