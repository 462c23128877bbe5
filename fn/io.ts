import { fstatSync, readFileSync, readSync, writeSync } from 'node:fs';

/** The process's ends, in one thin object. */
export interface Io {
  /** Reads a file whole, `-` being stdin. */
  read(name: string): Buffer;
  /** Whether stdin is a terminal, where nobody pipes anything in. */
  isTerminal: boolean;
  output(text: string): void;
  error(line: string): void;
  environment: NodeJS.ProcessEnv;
}

/** stdout cannot be written, its disk being full for one: the user must see to it. */
export class OutputError extends Error {
  override name = 'OutputError';
}

/** stdin, stdout, stderr and the environment of this process (reference/krm-function.md A8). */
export const processIo: Io = {
  read: (name) => (name === '-' ? readStdin() : readFileSync(name)),
  get isTerminal() {
    // Asked only where it can be one: process.stdin and node:tty load the network stack, a third of the start-up.
    try {
      return fstatSync(0).isCharacterDevice() && process.stdin.isTTY;
    } catch {
      // A closed stdin; reading it will say so.
      return false;
    }
  },
  output: (text) => write(1, text),
  error: (line) => write(2, `${line}\n`),
  environment: process.env,
};

const CHUNK_BYTES = 1 << 20;

/** Descriptor 0 to its end; a non-blocking one is waited for. */
function readStdin(): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    try {
      const length = readSync(0, chunk, 0, CHUNK_BYTES, null);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, length));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Windows tells the end of a pipe so.
      if (code === 'EOF') return Buffer.concat(chunks);
      if (code !== 'EAGAIN') throw error;
      pause();
    }
  }
}

/** Writes all of it: a pipe that is full is waited for, one that nobody reads any more is a normal end. */
function write(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Where stderr cannot be written there is nobody to tell, and the work goes on.
      if (code === 'EPIPE' || (code !== 'EAGAIN' && descriptor === 2)) return;
      if (code !== 'EAGAIN') throw new OutputError(`stdout cannot be written: ${(error as Error).message}`);
      pause();
    }
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}
