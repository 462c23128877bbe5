import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

declare const __HELP__: string | undefined;

/** A program's page below docs/, which is its help: of the function what `kpt fn doc` prints. The build puts it into the bundle. */
export function helpText(page: string): string {
  if (typeof __HELP__ === 'string') return __HELP__;
  return readFileSync(join(dirname(process.argv[1]!), '../docs', page), 'utf8');
}
