import type { Result } from '../fn/result.ts';
import { workloadOf } from '../job/change.ts';
import { code, fit, type Section } from '../job/pull-request/markdown.ts';
import { headlineOf, heldOf, type Moved, type Outcome, type Pulled } from './outcome.ts';

/** What the runner takes of a step's summary; of a longer one it takes nothing. */
const MAX_BYTES = 1 << 20;
/** Whatever they are, so many characters are no more bytes than that, with the lines around what is cut. */
const MAX_CHARACTERS = MAX_BYTES / 3 - 4096;

/**
 * The job summary: a table of what moved first, and folded below it what was held back and the diff, each cut at a row where there is
 * too much. Whatever others wrote is text in it: no Markdown, no HTML. `left`: annotations that there was no room for.
 */
export function summaryOf(outcome: Outcome, left: number): string {
  const { moved, told, pulled, warnings = [], failure, diff } = outcome;
  const head = [
    `### ${headlineOf(outcome)}`,
    ...(failure === undefined ? [] : failure.split('\n').map((line) => `- ${code(line)}`)),
    ...pulled.map(pullLine),
    ...warnings.map((line) => `- ${code(line)}`),
    ...(left === 0 ? [] : [`${left} more annotations than a step may have are left out; what they say stands here.`]),
  ].join('\n\n');
  const sections = [
    table(['workload', 'container', 'from', 'to', 'policy', 'where'], moved.map(changeCells)),
    folded(`Held back, or to be looked at: ${told.length}`, table(HELD, told.map(heldCells))),
    folded('The diff', fenced(diff)),
  ];
  let page = `${head.slice(0, MAX_CHARACTERS)}\n`;
  for (const section of sections) {
    const text = section.rows.length === 0 ? '' : fit(section, MAX_CHARACTERS - page.length);
    if (text !== '') page += `\n${text}\n`;
  }
  return page;
}

const HELD = ['where', 'workload', 'container', 'what', 'reason'];

function changeCells(moved: Moved): string[] {
  const { container = '', from, to, policy = '', file, line } = moved;
  return [workloadOf(moved), container, from, to, policy, placeOf(file, line)];
}

function heldCells(result: Result): string[] {
  const { file = '', line, workload = '', container = '', message, reason } = heldOf(result);
  return [placeOf(file, line), workload, container, message, reason];
}

function placeOf(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`;
}

/** The URL is the forge's word: a link if it is plainly one. */
function pullLine({ number, url, branch, operation }: Pulled): string {
  const shown = `Pull request ${number} of ${code(branch)}: ${operation}`;
  return /^https?:\/\/[\w.:/-]+$/.test(url) ? `${shown}, <${url}>` : shown;
}

function table(head: readonly string[], rows: readonly string[][]): Section {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return {
    head: [row(head), row(head.map(() => '---'))],
    rows: rows.map((cells) => row(cells.map(code))),
    foot: [],
    rest: (count) => ['', restText(count, 'rows')],
  };
}

function folded(title: string, { head, foot, ...section }: Section): Section {
  return {
    ...section,
    head: ['<details>', `<summary>${title}</summary>`, '', ...head],
    foot: [...foot, '', '</details>'],
  };
}

/** A fence that nothing in the text can end. */
function fenced(text: string): Section {
  let fence = '```';
  for (const [ticks] of text.matchAll(/`+/g)) if (ticks.length >= fence.length) fence = `${ticks}\``;
  return {
    head: [`${fence}diff`],
    rows: text === '' ? [] : text.trimEnd().split('\n'),
    foot: [fence],
    rest: (count) => [restText(count, 'lines')],
  };
}

function restText(count: number, what: string): string {
  return `… ${count} ${what} more did not fit in here; the file that the output \`results\` names has all.`;
}
