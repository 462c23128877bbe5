import { isatty } from 'node:tty';

/** Where progress is shown. */
export interface Screen {
  /** False: nothing is ever shown, as in pipes and in CI. */
  isTerminal: boolean;
  /** Writes as it stands, without a line end. */
  write(text: string): void;
  /** Milliseconds from any point in time. */
  now(): number;
  /** Calls again and again, until the function that it returns is called. */
  every(milliseconds: number, call: () => void): () => void;
}

/** A scan that is done sooner is not worth a flicker. */
export const QUIET_MS = 1_000;
export const REFRESH_MS = 200;
/** Goes to the start of the line and clears it (ECMA-48, EL). */
export const CLEAR = '\r\u001B[K';

/** Shows a line on a terminal while repositories are asked, and takes it away when none is. */
export class Progress {
  readonly #screen: Screen;
  /** How many were sent so far. */
  readonly requests: () => number;
  /** Questions that were begun, and those that are answered. */
  #asked = 0;
  #done = 0;
  #start: number | undefined;
  #stop: (() => void) | undefined;
  #shown = false;

  constructor(screen: Screen, requests: () => number) {
    this.#screen = screen;
    this.requests = requests;
  }

  /** Counts a question about a repository as open until it is answered. */
  async during<T>(question: () => Promise<T>): Promise<T> {
    this.#begin();
    try {
      return await question();
    } finally {
      this.#end();
    }
  }

  #begin(): void {
    this.#asked++;
    if (!this.#screen.isTerminal || this.#stop) return;
    this.#start ??= this.#screen.now();
    this.#stop = this.#screen.every(REFRESH_MS, () => this.#show());
  }

  #end(): void {
    if (++this.#done < this.#asked) return;
    this.#stop?.();
    this.#stop = undefined;
    if (this.#shown) this.#screen.write(CLEAR);
    this.#shown = false;
  }

  #show(): void {
    const elapsed = this.#screen.now() - (this.#start ?? 0);
    if (elapsed < QUIET_MS) return;
    this.#screen.write(CLEAR + progressLine(this.#done, this.#asked, this.requests(), elapsed));
    this.#shown = true;
  }
}

/** `12 of 40 look-ups, 230 requests, 96 a second`. */
function progressLine(done: number, asked: number, requests: number, milliseconds: number): string {
  const rate = Math.round((requests / milliseconds) * 1000);
  return `${done} of ${asked} look-ups, ${requests} requests, ${rate} a second`;
}

/** stderr of this process, if a person looks at it. */
export function stderrScreen(environment: NodeJS.ProcessEnv): Screen {
  const isCi = !['', '0', 'false'].includes(environment['CI'] ?? '');
  return {
    // Asked without process.stderr, which takes longer to make than all of this.
    isTerminal: !isCi && environment['TERM'] !== 'dumb' && isatty(2),
    write: (text) => void process.stderr.write(text),
    now: () => performance.now(),
    every(milliseconds, call) {
      const timer = setInterval(call, milliseconds);
      return () => clearInterval(timer);
    },
  };
}
