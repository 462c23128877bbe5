/** What a person reads of an explanation. */
import { someTags, turnedAwayLines } from '../fn/policy/account.ts';
import { onOneLine } from '../fn/result.ts';
import type { Paint } from './colour.ts';
import { automate, type Advice, type Explanation, type FieldExplanation, type Summary } from './explanation.ts';
import { tableText } from './table.ts';

/** Fields that nothing updates, and that are shown unless all are asked for. */
const FEW = 20;

/** A block for each field that something governs, then the others in short, warnings of no field, and the summary. */
export function explanationText({ fields, others, summary }: Explanation, all: boolean, paint: Paint): string {
  const blocks: string[] = [];
  let resource: FieldExplanation['resource'] | undefined;
  for (const field of fields) {
    if (field.state === 'not-automated') continue;
    blocks.push(block(field, field.resource !== resource, paint));
    ({ resource } = field);
  }
  const idle = fields.filter(({ state }) => state === 'not-automated');
  if (idle.length > 0) blocks.push(idleText(idle, all, paint));
  if (others.length > 0)
    blocks.push(`${paint('bold', 'Also')}\n${others.map((other) => lines(adviceRows(other, paint))).join('')}`);
  return [...blocks, summaryText(summary)].join('\n');
}

type Row = [label: string, text: string];

/** As wide as the longest label. */
const LABEL = 'turned away'.length;

function lines(rows: readonly Row[]): string {
  return rows.map(([label, text]) => `  ${label.padEnd(LABEL)}  ${text}\n`).join('');
}

function block(field: FieldExplanation, isFirst: boolean, paint: Paint): string {
  const { candidates, accepted, turnedAway, warnings, workloadWarnings } = field;
  const rows: Row[] = [
    ['image', onOneLine(field.image ?? '(no image reference)')],
    ['governed by', onOneLine(governorText(field))],
    ...fateRows(field, paint),
    ...(accepted ? [['candidates', onOneLine(someTags(candidates!, accepted))] as Row] : []),
    ...turnedAwayLines(turnedAway).map((line, i): Row => [
      i === 0 ? 'turned away' : '',
      paint('dim', onOneLine(line.trimStart())),
    ]),
    ...[...warnings, ...(isFirst ? workloadWarnings : [])].flatMap((warning) => adviceRows(warning, paint)),
  ];
  return `${paint('bold', onOneLine(headOf(field)))}\n${lines(rows)}`;
}

/** `clusters/web.yaml:12: default:deployment/web app`. */
function headOf({ file, line, workload, container, path }: FieldExplanation): string {
  const where = file === null ? '' : `${file}${line === null ? '' : `:${line}`}: `;
  return `${where}${[workload, container || path].filter(Boolean).join(' ')}`;
}

function governorText({ governor, filter, policy }: FieldExplanation): string {
  switch (governor?.by) {
    case undefined:
      return 'nothing';
    case 'update':
      return `${policy}, in the configuration`;
    case 'marker':
      return `ImagePolicy ${governor.policy}, by a marker${lineText(governor.line)}`;
    case 'annotation': {
      const { automatedBy } = governor;
      const by = automatedBy ? `${automatedBy.key}${lineText(automatedBy.line)}` : 'annotations';
      return `${by}, ${filter ? `${filter.key} ${filter.value}${lineText(filter.line)}` : 'no filter, so any tag but latest'}`;
    }
  }
}

function lineText(line: number | undefined): string {
  return line === undefined ? '' : ` (line ${line})`;
}

function fateRows({ state, becomes, message, remedy }: FieldExplanation, paint: Paint): Row[] {
  const why = onOneLine(message);
  const help: Row[] = remedy === null ? [] : [['to do', onOneLine(remedy)]];
  if (state === 'moves')
    return [
      ['becomes', paint('green', onOneLine(becomes ?? ''))],
      ['because', why],
    ];
  if (state === 'up-to-date') return [['up to date', why]];
  return [['stays', paint('yellow', why)], ...help];
}

function adviceRows({ severity, message, file, line, workload, remedy }: Advice, paint: Paint): Row[] {
  const where = file === null ? '' : `${file}${line === null ? '' : `:${line}`}: `;
  const who = workload === null ? '' : `${workload}: `;
  const row: Row = [severity, paint('yellow', onOneLine(`${where}${who}${message}`))];
  return remedy === null ? [row] : [row, ['to do', onOneLine(remedy)]];
}

function idleText(fields: readonly FieldExplanation[], all: boolean, paint: Paint): string {
  const shown = all ? fields : fields.slice(0, FEW);
  const rows = shown.map((field) => [
    `  ${headOf(field)}`,
    field.image ?? `(${field.message})`,
    field.locked ? 'locked' : '',
  ]);
  const more = fields.length - shown.length;
  return [
    `${paint('bold', 'Not automated')}\n`,
    tableText(rows.map((row) => row.map(onOneLine))),
    ...(more > 0 ? [`  … and ${more} more; --all shows them\n`] : []),
    `  ${automate({})}\n`,
  ].join('');
}

function summaryText({ moves, upToDate, stays, notAutomated, files, unreadDocuments }: Summary): string {
  const parts = [
    `${moves} would change`,
    `${upToDate} up to date`,
    `${stays} automated and can't move`,
    `${notAutomated} not automated`,
  ];
  const [nouns, ask] = unreadDocuments === 1 ? ['document is', 'asks'] : ['documents are', 'ask'];
  const unread = unreadDocuments > 0 ? `; ${unreadDocuments} ${nouns} no readable YAML, and ${ask} for no update` : '';
  return `${parts.join(', ')}, in ${files} YAML ${files === 1 ? 'file' : 'files'}${unread}\n`;
}
