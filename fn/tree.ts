import { realpathSync } from 'node:fs';
import type { Spec } from './config/image-update.ts';
import { readFiles, reasonOf, type File, type Tick } from './directory.ts';
import { noteResult, type Result } from './result.ts';
import { InputError } from './run.ts';
import type { Source } from './source.ts';
import { ANSWER_WORDS, wordsOf } from './words.ts';
import { splitStream } from './yaml/documents.ts';

/** The files of directories in which there may be what is looked for. */
export interface Tree {
  files: Map<Source, File>;
  /** What was passed over, with the reason. */
  passedOver: Result[];
  /** How many files there are, with those in which nothing could be. */
  count: number;
}

/** Reads the YAML files below directories that a run with this configuration is about. @throws as `readFilesWith` does. */
export function readTree(operands: readonly string[], spec: Spec, tick?: Tick): Tree {
  const { keys, anywhere } = wordsOf(spec);
  return readFilesWith(operands, [...keys, ...anywhere, ...ANSWER_WORDS.anywhere], tick);
}

/**
 * Reads the YAML files below directories that hold any of the words, each once.
 * @throws InputError for an operand that cannot be read.
 */
export function readFilesWith(operands: readonly string[], words: readonly string[], tick?: Tick): Tree {
  const tree: Tree = { files: new Map(), passedOver: [], count: 0 };
  const seen = new Set<string>();
  for (const operand of operands) {
    const before = tree.count;
    const reading = read(operand, words, tick && ((count) => tick(before + count)));
    tree.count += reading.count;
    for (const { name, ...note } of reading.notes) tree.passedOver.push(noteResult(note, { file: name }));
    for (const file of reading.files) {
      // Operands may overlap; a file is updated once, by the first that has it.
      const place = operands.length > 1 ? realpathSync(file.name) : file.name;
      if (seen.has(place)) continue;
      seen.add(place);
      const documents = splitStream(file.text).map((document) => ({ ...document, path: file.path }));
      tree.files.set({ path: file.name, text: file.text, documents }, file);
    }
  }
  return tree;
}

function read(operand: string, words: readonly string[], tick?: Tick) {
  try {
    return readFiles(operand, words, tick);
  } catch (error) {
    throw new InputError(`${operand} cannot be read: ${reasonOf(error)}`);
  }
}
