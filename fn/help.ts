import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

declare const __HELP__: string | undefined;

/** The function's README (docs/function.md), which `kpt fn doc` prints. The build puts it into the bundle. */
export function helpText(): string {
  if (typeof __HELP__ === 'string') return __HELP__;
  return readFileSync(join(dirname(process.argv[1]!), '../docs/function.md'), 'utf8');
}
