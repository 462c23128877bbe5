import type { Config } from '../fn/config/config.ts';
import type { Hold } from '../fn/plan.ts';
import { replaceAll } from '../fn/replace.ts';
import type { Source } from '../fn/source.ts';
import type { Outcome } from '../fn/update.ts';
import { changesOf, keyOf, keyOfPlan, type Change } from './change.ts';
import { groupChanges } from './group.ts';
import type { Part } from './made.ts';
import type { JobSpec } from './schema.ts';

/** Runs the engine on some of the sources of an outcome, where a hold puts off what belongs to a later commit. */
type Again = (sources: Source[], later: Hold) => Promise<Outcome>;

/** The commits of an outcome, each on top of the one before, and the files that each has anew. */
export async function partsOf(
  outcome: Outcome,
  grouping: JobSpec['commit']['grouping'],
  again: Again,
): Promise<Part[]> {
  const touched = [...outcome.edits.keys()];
  const parts: Part[] = [];
  const groups = groupChanges(changesOf(outcome.results), grouping);
  const upTo = new Set<string>();
  const made = new Map<string, Buffer>();
  let putOff: Change[] = [];
  for (const [i, group] of groups.entries()) {
    for (const change of group) upTo.add(keyOf(change));
    const own = new Set(group.map(({ file }) => file));
    const inGroup = touched.filter(({ path }) => own.has(path!));
    // The last has everything: fields that share an anchor with one of a later group move with that.
    const { edits } = i === groups.length - 1 ? outcome : await again(inGroup, among(upTo));
    const files = filesOf(edits).filter(({ path, content }) => !made.get(path)?.equals(content));
    for (const { path, content } of files) made.set(path, content);
    const all = [...putOff, ...group];
    // All of it shares anchors with what comes later.
    putOff = files.length === 0 ? all : [];
    if (files.length > 0) parts.push({ changes: all, files });
  }
  return parts;
}

const LATER = { reason: 'later', message: 'it belongs to another commit' };

/** Lets move what is among some fields, by `keyOf`, and is not held by what else there is. */
export function among(fields: ReadonlySet<string>, held?: Hold): Hold {
  return (planned, file) => held?.(planned, file) ?? (fields.has(keyOfPlan(planned, file)) ? undefined : LATER);
}

/** A configuration by which what is put off, a warning, is no error. */
export function withoutStrict(config: Config): Config {
  return { ...config, spec: { ...config.spec, strict: false } };
}

/** The new contents of the files that edits touch. */
export function filesOf(edits: Outcome['edits']): { path: string; content: Buffer }[] {
  return [...edits].map(([{ path, text }, replacements]) => ({
    path: path!,
    content: Buffer.from(replaceAll(text, replacements)),
  }));
}
