import { helpText } from '../fn/help.ts';
import { nearest } from '../fn/nearest.ts';
import { usage } from '../fn/usage.ts';

/** The page of the program, or of a command its section. */
export function help(command?: string): string {
  const page = helpText('tk-image.md');
  const start = page.indexOf(`\n## ${command}\n`);
  if (command === undefined || start < 0) return page;
  const end = page.indexOf('\n## ', start + 1);
  return page.slice(start + 1, end < 0 ? undefined : end + 1);
}

/** What to say to a word that is no command. */
export function unknownCommand(name: string | undefined, known: readonly string[]): string {
  const all = known.join(', ');
  if (name === undefined) return usage(`name a command: ${all}`, 'tk-image');
  if (name.startsWith('-')) return usage(`${name} stands where a command is expected: ${all}`, 'tk-image');
  const near = nearest(name, known);
  return usage(`there is no command "${name}"; ${near ? `did you mean "${near}"?` : `there are ${all}`}`, 'tk-image');
}
