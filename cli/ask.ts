import type { Config } from '../fn/config/config.ts';
import type { ExplicitUpdate } from '../fn/config/image-update.ts';
import type { Hold } from '../fn/plan.ts';
import { showReference } from '../fn/reference.ts';
import { onOneLine } from '../fn/result.ts';
import type { Fate, Survey, SurveyedField } from '../fn/survey.ts';
import type { Outcome } from '../fn/update.ts';
import { fieldKey, keyOfPlan } from '../job/change.ts';
import { withoutStrict } from '../job/parts.ts';
import { stepOf } from './change-table.ts';
import type { Paint } from './colour.ts';
import type { Terminal } from './terminal.ts';

/** The engine, on the same sources and answers again and again. */
export interface Engine {
  config: Config;
  survey(config: Config): Promise<Survey>;
  update(config: Config, hold: Hold): Promise<Outcome>;
}

/** Who is asked. */
interface Person {
  terminal: Terminal;
  paint: Paint;
  /** Milliseconds since 1970. */
  now: number;
}

/** A field that would move. */
type Moving = SurveyedField & { fate: Extract<Fate, { state: 'moves' }> };

/** What becomes of a field: what was proposed, another tag, or nothing. */
type Answer = 'yes' | 'no' | { tag: string };

/** Runs the engine with what a person chooses of what it would do. */
export async function askEach({ config, survey, update }: Engine, person: Person): Promise<Outcome> {
  // How many may change is judged by what was chosen.
  const surveyed = await survey({ ...config, spec: { ...config.spec, maxChanges: 0 } });
  if (surveyed.outcome.failed) return surveyed.outcome;
  const moving = surveyed.fields.filter(isMoving);
  const chosen = new Map<string, Answer>();
  const explicit: ExplicitUpdate[] = [];
  for (const [field, answer] of askAll(moving, surveyed, person)) {
    chosen.set(keyOfField(field), answer);
    if (typeof answer === 'object') explicit.push(updateTo(field, answer.tag));
  }
  // Whatever `strict` has against the rest was judged above.
  const lax = withoutStrict(config);
  const spec = { ...lax.spec, updates: [...explicit, ...lax.spec.updates] };
  const outcome = await update({ ...lax, spec }, (planned, file) =>
    (chosen.get(keyOfPlan(planned, file)) ?? 'no') === 'no' ? DECLINED : undefined,
  );
  return { ...outcome, results: outcome.results.filter(({ tags }) => tags?.['reason'] !== DECLINED.reason) };
}

const DECLINED = { reason: 'declined', message: 'it was left as it is' };

function isMoving(field: SurveyedField): field is Moving {
  return field.fate.state === 'moves';
}

function keyOfField({ file = '', resource, path }: SurveyedField): string {
  return fieldKey(file, resource, path);
}

/** The explicit update of one field, which wins over whatever governs it. */
function updateTo({ fate, resource, container, path, slice }: Moving, tag: string): ExplicitUpdate {
  const { kind, name, namespace } = resource;
  return {
    image: fate.change.from.name || fate.change.image!,
    to: { tag },
    targets: [
      {
        kind,
        ...(name !== '' && { name }),
        ...(namespace !== undefined && { namespace }),
        ...(container !== '' && { container }),
        field: path,
        ...(slice.path !== undefined && { path: slice.path.replaceAll(/[\\*?[\]{}()!+@]/g, '\\$&') }),
      },
    ],
  };
}

const HELP = `  y  yes, take it
  n  no, leave it
  a  take it, and all that follow
  t  take another tag
  q  leave it, and all that follow; what was taken before is written
  ?  this help
Ctrl-C ends it all, and nothing is written.
`;

/** Asks for one field after the other. */
function* askAll(moving: readonly Moving[], survey: Survey, person: Person): Generator<[Moving, Answer]> {
  const { write } = person.terminal;
  let all = false;
  for (const [i, field] of moving.entries()) {
    if (!all) write(`\n${described(field, `${i + 1} of ${moving.length}`, person)}`);
    for (let answer: Answer | undefined = all ? 'yes' : undefined; ;) {
      if (answer !== undefined) {
        yield [field, answer];
        break;
      }
      const word = asked('Take it? [y,n,a,t,q,?] ', person);
      if (word === undefined || word === 'q') return;
      all = word === 'a';
      if (word === 'y' || all) answer = 'yes';
      else if (word === 'n') answer = 'no';
      else if (word === 't') answer = askTag(field, survey, person);
      else write(HELP);
    }
  }
}

function asked(question: string, { terminal }: Person): string | undefined {
  terminal.write(question);
  const line = terminal.line();
  if (line === undefined) terminal.write('\n');
  return line?.trim().toLowerCase();
}

/** More candidates than this are not shown: nobody reads on. */
const MAX_SHOWN = 20;

/** Another of the tags that the policy accepts. */
function askTag(field: Moving, survey: Survey, person: Person): Answer | undefined {
  const { write } = person.terminal;
  const present = field.from?.tag;
  const others = (survey.account(field)?.candidates ?? []).filter((tag) => tag !== present).slice(0, MAX_SHOWN);
  if (others.length === 0) {
    write(`  ${onOneLine(field.policy ?? 'its policy')} accepts no other that is known\n`);
    return undefined;
  }
  for (const [i, tag] of others.entries())
    write(`  ${String(i + 1).padStart(2)}  ${onOneLine(tag)}${ageOf(field, tag, person)}\n`);
  const word = asked(`Which? [1-${others.length}, or nothing] `, person);
  const tag = /^\d+$/.test(word ?? '') ? others[Number(word) - 1] : undefined;
  return tag === undefined ? undefined : { tag };
}

function described(field: Moving, position: string, person: Person): string {
  const { workload, container, file = '', line, fate, image } = field;
  const step = stepOf({ image, from: showReference(fate.change.from), to: showReference(fate.to) });
  const age = fate.to.tag === undefined ? '' : ageOf(field, fate.to.tag, person);
  return [
    `(${position}) ${onOneLine([workload, container].filter(Boolean).join(' '))}  ${onOneLine(file)}${line === undefined ? '' : `:${line}`}\n`,
    `  ${person.paint('bold', onOneLine(step))}${age}\n`,
    `  ${onOneLine(fate.message)}\n`,
  ].join('');
}

const DAY_MS = 86_400_000;

/** When an image was built, if that is known. */
function ageOf({ choice }: Moving, tag: string, { now }: Person): string {
  const created = choice?.metadata.tags.find(({ name }) => name === tag)?.created;
  const time = Date.parse(created ?? '');
  if (Number.isNaN(time)) return '';
  const days = Math.floor((now - time) / DAY_MS);
  const ago = days < 1 ? 'today' : `${days} day${days === 1 ? '' : 's'} ago`;
  return `  built ${created!.slice(0, 10)}, ${ago}`;
}
