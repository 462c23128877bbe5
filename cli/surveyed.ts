import type { Config } from '../fn/config/config.ts';
import { boundYoungGeneration } from '../fn/heap.ts';
import type { Io } from '../fn/io.ts';
import { addDocuments } from '../fn/lookup/read.ts';
import { onOneLine, type Result } from '../fn/result.ts';
import { answersOf, configOf } from '../fn/run.ts';
import { scopeOf } from '../fn/scope.ts';
import { FIELD_WORDS, survey, type Survey } from '../fn/survey.ts';
import { readFilesWith } from '../fn/tree.ts';
import { selectedIds, type Selection } from '../fn/workloads.ts';
import { wordsOf } from '../fn/words.ts';
import type { GivenOptions } from '../registry/options.ts';
import { TO_ASK } from './given.ts';
import type { RegistryLookup } from '../registry/lookup.ts';

/** Where answers come from. */
export interface AnswerOptions extends GivenOptions {
  metadata: string[];
  fnConfig?: string;
  offline?: boolean;
}

/** A directory that was surveyed. */
export interface Surveyed extends Survey {
  config: Config;
  /** How many YAML files there are. */
  files: number;
  /** Files, and documents that ask for updates, that cannot be read. */
  unusable: Result[];
  /** Whether something could not be read, a registry that was asked meanwhile among it. */
  failed(): boolean;
}

/**
 * Surveys the YAML files below a directory, of the workloads that are selected. Registries are asked for what has no metadata,
 * unless `offline`.
 * @throws InputError for what cannot be read at all, or a workload that is not there; UsageError.
 */
export async function surveyDirectory(
  directory: string,
  selection: Selection,
  options: AnswerOptions,
  io: Io,
): Promise<Surveyed> {
  const given: Config = { ...(await configOf({ ...options, strict: false }, io)), toAsk: TO_ASK };
  const answers = await answersOf(options, io);
  boundYoungGeneration();
  const { keys, anywhere } = wordsOf(given.spec);
  const { files, passedOver, count } = readFilesWith([directory], [...FIELD_WORDS, ...keys, ...anywhere]);
  const sources = [...files.keys()];
  for (const { text, documents } of sources) await addDocuments(answers, text, documents);
  const selected = await selectedIds(sources, selection, given.spec);
  const config: Config = selected ? { ...given, scope: scopeOf({ workloads: [...selected] }) } : given;
  const lookup = options.offline ? undefined : await connected(options, io);
  const { fields, ...surveyed } = await survey(sources, config, answers, lookup, passedOver);
  const unusable = [...passedOver, ...surveyed.unread.filter((result) => surveyed.others.includes(result))];
  return {
    ...surveyed,
    fields: selected ? fields.filter(({ workload }) => selected.has(workload)) : fields,
    config,
    files: count,
    unusable,
    failed: () => unusable.length > 0 || (lookup !== undefined && lookup.failures.size > 0),
  };
}

async function connected(options: AnswerOptions, io: Io): Promise<RegistryLookup> {
  const { connect } = await import('../registry/connect.ts');
  return connect(options, io);
}

/** What is said where there is nothing to show. */
export function nothingIn(files: number, directory: string): string {
  return onOneLine(`nothing here: no image field in ${files} YAML ${files === 1 ? 'file' : 'files'} of ${directory}`);
}
