import { Answers } from '../fn/lookup/answers.ts';
import { addFile } from '../fn/lookup/read.ts';

export interface NamedText {
  name: string;
  text: string;
  hash: string;
}

/** The answers of files: an evaluation adds those of its tree to them, so each reads them anew. */
export class GivenAnswers {
  readonly files: readonly NamedText[];
  #ahead: Promise<Answers> | undefined;

  constructor(files: readonly NamedText[]) {
    this.files = files;
  }

  /** Reads them for the next evaluation, while something else is waited for. */
  readAhead(): void {
    this.#ahead = this.#read();
    // Whoever takes them hears of it.
    this.#ahead.catch(() => undefined);
  }

  async take(): Promise<Answers> {
    const answers = this.#ahead ?? this.#read();
    this.#ahead = undefined;
    return answers;
  }

  async #read(): Promise<Answers> {
    const answers = new Answers();
    for (const { name, text } of this.files) await addFile(answers, text, name);
    return answers;
  }
}
