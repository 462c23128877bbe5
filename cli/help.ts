import { nearest } from '../fn/nearest.ts';
import type { CommandSpec, Example, OptionSpec } from './spec.ts';
import { specs } from './specs/index.ts';

/** The help of the program: what it is for, and its commands. */
export function programHelp(program: string): string {
  const rows = specs.map(({ name, summary }): Row => [name, summary]);
  return `Keeps container images in git up to date, and says why.

${columns(rows)}

${program} COMMAND --help says more about a command. Answers go to stdout, everything for a person's eye to stderr.

Exit status:
${columns(exits.map(([status, meaning]): Row => [status, plain(meaning)]))}
`;
}

/** The exit statuses, and what they mean. */
export const exits: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'done; `choose` has a winner'],
  ['1', 'something failed: a file or a registry could not be read'],
  ['2', 'bad usage, or a rule that cannot be read'],
  ['3', '`choose` only: no tag to take'],
  ['20 to 48', '`run`, and `update` with git: the [class](update-job.md#status) of the failure'],
];

/** The help of a command, or of the commands whose names begin with the same word; undefined if there is none. */
export function commandHelp(name: string, program: string): string | undefined {
  const spec = specs.find((spec) => spec.name === name);
  if (spec) return helpOf(spec, program);
  const family = specs.filter((spec) => spec.name.startsWith(`${name} `));
  if (family.length === 0) return undefined;
  return `${columns(family.map(({ name, summary }): Row => [name, summary]))}\n\n${program} COMMAND --help says more.\n`;
}

function helpOf(spec: CommandSpec, program: string): string {
  const { name, usage, about, options, groups = [], examples, more } = spec;
  const parts = [
    usage.map((form, i) => `${i === 0 ? 'Usage:' : '      '} ${program} ${name} ${form}`).join('\n'),
    plain(about),
    ...examples.map((example) => exampleText(example, program)),
    ...(options.length > 0 ? [`Options:\n${columns(options.map(optionRow))}`] : []),
    ...(more === undefined ? [] : [plain(more)]),
    ...groups.map(({ title, options }) => `${title}:\n${columns(options.map(optionRow))}`),
  ];
  return `${parts.join('\n\n')}\n`;
}

function exampleText({ says, command }: Example, program: string): string {
  const lines = command.replaceAll(/^tk-image /gm, `${program} `).split('\n');
  return `${plain(says)}\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

type Row = [head: string, text: string];

function optionRow({ flags, meaning, choices, variable, required }: OptionSpec): Row {
  const notes = [
    ...(choices ? [`one of ${choices.join(', ')}`] : []),
    ...(variable === undefined ? [] : [`or the variable ${variable}`]),
    ...(required ? ['required'] : []),
  ];
  return [optionText(flags), [plain(meaning), ...notes].join('; ')];
}

/** `-f, --file FILE`: the placeholder as people write it. */
function optionText(flags: string): string {
  return flags.replace(/<(.+)>/, (_, value: string) => value.toUpperCase());
}

/** Columns of text are as wide as this at most, on any terminal: longer lines are hard to read. */
const WIDTH = 100;
const INDENT = 2;
const MAX_HEAD = 34;

function columns(rows: readonly Row[]): string {
  const width = Math.min(MAX_HEAD, Math.max(...rows.map(([head]) => head.length)));
  return rows.map(([head, text]) => row(head, text, width)).join('\n');
}

function row(head: string, text: string, width: number): string {
  const left = ' '.repeat(INDENT);
  const margin = ' '.repeat(INDENT + width + 2);
  const lines = wrap(text, WIDTH - margin.length);
  if (head.length > width) return [left + head, ...lines.map((line) => margin + line)].join('\n');
  return lines.map((line, i) => (i === 0 ? left + head.padEnd(width + 2) : margin) + line).join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

/** Markdown as a terminal shows it best: links by their words, code without its marks, tables as columns without their heads. */
function plain(markdown: string): string {
  return markdown
    .replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replaceAll('`', '')
    .replaceAll(/^\|.*\|\n\| ---.*((?:\n\|.*\|)+)/gm, (_, body: string) => columns(body.trim().split('\n').map(cells)));
}

function cells(line: string): Row {
  const [head = '', ...rest] = line.slice(2, -2).split(' | ');
  return [head, rest.join('  ')];
}

/** What is wrong with words that name no command. */
export function unknownCommand(words: readonly string[]): string {
  const names = specs.map(({ name }) => name);
  const firstWords = [...new Set(names.map((name) => name.split(' ')[0]!))];
  const [word] = words;
  if (word === undefined) return `name a command: ${firstWords.join(', ')}`;
  if (word.startsWith('-')) return `${word} stands where a command is expected: ${firstWords.join(', ')}`;
  const family = names.filter((name) => name.startsWith(`${word} `));
  const meant = family.length > 0 ? words.slice(0, 2).join(' ') : word;
  const known = family.length > 0 ? family : firstWords;
  if (family.length > 0 && words.length === 1) return `say which: ${family.join(', ')}`;
  const near = nearest(meant, known);
  return `there is no command "${meant}"; ${near === undefined ? `there are ${known.join(', ')}` : `did you mean "${near}"?`}`;
}

/** Markdown of a command, for the reference page. */
export function commandPage(spec: CommandSpec): string {
  const { name, usage, about, groups = [], examples, more } = spec;
  const parts = [
    `## ${name}`,
    `\`\`\`\n${usage.map((form) => `tk-image ${name} ${form}`).join('\n')}\n\`\`\``,
    about,
    ...examples.map(
      ({ says, command, needs }) => `${says}\n\n\`\`\`${needs === undefined ? 'sh' : ''}\n${command}\n\`\`\``,
    ),
    ...(spec.options.length > 0 ? [optionTable(spec.options)] : []),
    ...(groups.length > 0 ? [`Also: ${groups.map(({ title, anchor }) => `[${title}](#${anchor})`).join(', ')}.`] : []),
    ...(more === undefined ? [] : [more]),
  ];
  return parts.join('\n\n');
}

/** Options as a table of Markdown; the column of variables where one has a variable. */
export function optionTable(options: readonly OptionSpec[]): string {
  const variables = options.some(({ variable }) => variable !== undefined);
  const cells = options.map(({ flags, meaning, choices, variable }) => [
    `\`${optionText(flags)}\``,
    ...(variables ? [variable === undefined ? '' : `\`${variable}\``] : []),
    choices ? `${meaning}: ${choices.map((choice) => `\`${choice}\``).join(', ')}` : meaning,
  ]);
  const head = ['option', ...(variables ? ['variable'] : []), 'meaning'];
  const lines = [head, head.map(() => '---'), ...cells];
  return lines.map((line) => `| ${line.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}

/** The groups of options that any command has. */
export function optionGroups(): NonNullable<CommandSpec['groups']> {
  return [...new Set(specs.flatMap(({ groups = [] }) => groups))];
}
