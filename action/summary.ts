import type { Result } from '../fn/result.ts';
import { workloadOf } from '../job/change.ts';
import { heldOf, type Moved, type Outcome, type Pulled } from './outcome.ts';

/** What the runner takes of a step's summary; of a longer one it takes nothing. */
export const MAX_SUMMARY_BYTES = 1 << 20;
/** For the lines that say what was left out, and the ends of tables. */
const RESERVED_BYTES = 4096;

/**
 * The job summary: a table of what moved, and folded below it what was held back and the diff. Cut at a row where it would be too
 * long, and then it says so. Whatever others wrote is text in it: no Markdown, no HTML.
 */
export function summaryOf(outcome: Outcome, headline: string, annotationsLeft: number): string {
  const { moved, told, pulled, failure, diff } = outcome;
  const page = new Page(MAX_SUMMARY_BYTES - RESERVED_BYTES);
  page.add(`### ${escaped(headline)}\n\n`);
  if (failure !== undefined) page.add(`<pre>${escaped(failure)}</pre>\n\n`);
  for (const line of pulled.map(pullLine)) page.add(line);
  page.table(['workload', 'container', 'from', 'to', 'policy', 'where'], moved.map(changeCells));
  page.folded(`${told.length} held back or to be looked at`, told.length > 0, () =>
    page.table(['where', 'workload', 'container', 'why', 'reason'], told.map(heldCells)),
  );
  page.folded('The diff', diff !== '', () => page.preformatted(diff));
  if (annotationsLeft > 0)
    page.end(`${annotationsLeft} annotations more than the runner shows were left out; all of them stand above.`);
  return page.text;
}

function changeCells({ container = '', from, to, policy = '', file, line, ...change }: Moved): string[] {
  return [workloadOf({ ...change, file, from, to }), container, from, to, policy, placeOf(file, line)];
}

function heldCells(result: Result): string[] {
  const { file = '', line, workload = '', container = '', message, reason } = heldOf(result);
  return [placeOf(file, line), workload, container, message, reason];
}

function placeOf(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`;
}

/** The URL is the forge's own word; whatever it is, it is text until its form is known. */
function pullLine({ number, url, operation }: Pulled): string {
  const shown = `Pull request ${number}: ${operation}`;
  return /^https?:\/\/[\w.:/-]+$/.test(url) ? `<a href="${url}">${shown}</a>\n\n` : `${shown}\n\n`;
}

/** A text that grows up to a length. */
class Page {
  text = '';
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Whether it went in. */
  add(text: string): boolean {
    const bytes = Buffer.byteLength(text);
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    this.text += text;
    return true;
  }

  /** Of the reserve: what must stand there. */
  end(text: string): void {
    this.text += `${text}\n\n`;
  }

  table(head: readonly string[], rows: readonly string[][]): void {
    if (rows.length === 0) return;
    const row = (cells: readonly string[], tag: string) =>
      `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>\n`;
    if (!this.add(`<table>\n${row(head, 'th')}`)) return this.#cut(rows.length, 'rows');
    const cut = rows.findIndex((cells) => !this.add(row(cells.map(code), 'td')));
    this.end('</table>');
    if (cut >= 0) this.#cut(rows.length - cut, 'rows');
  }

  folded(title: string, isThere: boolean, content: () => void): void {
    if (!isThere || !this.add(`<details><summary>${escaped(title)}</summary>\n\n`)) return;
    content();
    this.end('</details>');
  }

  preformatted(text: string): void {
    const lines = text.trimEnd().split('\n');
    this.end('<pre>');
    this.text = this.text.trimEnd();
    const cut = lines.findIndex((line) => !this.add(`${escaped(line)}\n`));
    this.end('</pre>');
    if (cut >= 0) this.#cut(lines.length - cut, 'lines');
  }

  #cut(count: number, what: string): void {
    this.end(`${count} ${what} more did not fit in here; the file that the output results names has all.`);
  }
}

/** In an element in which GitHub looks for no mentions, references and emoji. */
function code(text: string): string {
  return text === '' ? '' : `<code>${escaped(text)}</code>`;
}

/** Text for HTML, and for Markdown around it: what means something to either becomes a character reference, a line end a blank. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[^\p{L}\p{N} .,:;/()-]/gu, (char) => `&#${char.codePointAt(0)};`);
}
