import { readSync, writeSync } from 'node:fs';

/** The person in front of the terminal. */
export interface Terminal {
  /** As it stands, without a line end. */
  write(text: string): void;
  /** What they type, up to the line end; undefined if there is nothing more. Waits in the system call, so Ctrl-C ends the program. */
  line(): string | undefined;
}

/** Longer than any answer. */
const MAX_LINE_BYTES = 4096;

/** stdin, and stderr, as stdout has what was asked for. */
export const processTerminal: Terminal = {
  write: (text) => void writeSync(2, text),
  line() {
    const buffer = Buffer.alloc(MAX_LINE_BYTES);
    for (;;)
      try {
        // A terminal gives a line at a time.
        const length = readSync(0, buffer, 0, buffer.length, null);
        return length === 0 ? undefined : buffer.toString('utf8', 0, length).replace(/\r?\n$/, '');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }
  },
};
