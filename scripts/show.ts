// What the demos print.
import { styleText } from 'node:util';

export function heading(text: string): void {
  console.log(`\n${styleText(['bold', 'cyan'], text)}\n`);
}

/** A line of a diff. */
export function coloured(line: string): string {
  if (/^(?:---|\+\+\+) /.test(line)) return styleText('bold', line);
  if (line.startsWith('-')) return styleText('red', line);
  if (line.startsWith('+')) return styleText('green', line);
  return line.startsWith('@@') ? styleText('dim', line) : line;
}

/** What a program said beside its answer. */
export function quiet(stderr: string): void {
  for (const line of stderr.trimEnd().split('\n')) console.log(styleText('dim', line));
}
