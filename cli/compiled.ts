import { lstatSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { cacheDirectory } from '../registry/place.ts';

/**
 * Lets Node keep what it has compiled of the commands' files in our cache, so that the next run need not compile them again.
 * What is kept there is run: it must be in a directory of ours that nobody else can write to, or it is left alone.
 */
export function keepCompiled(argv: readonly string[], environment: NodeJS.ProcessEnv): void {
  if (argv.includes('--no-cache')) return;
  const directory = join(givenCache(argv) ?? cacheDirectory(environment), 'compiled');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const status = lstatSync(directory);
    if (!status.isDirectory() || status.uid !== process.getuid?.() || (status.mode & 0o077) !== 0) return;
    module.enableCompileCache(directory);
  } catch {
    // Then it compiles.
  }
}

/** What `--cache` says, before there is anything that reads options. */
function givenCache(argv: readonly string[]): string | undefined {
  const at = argv.findLastIndex((word) => word === '--cache' || word.startsWith('--cache='));
  const word = argv[at];
  return word === '--cache' ? argv[at + 1] : word?.slice('--cache='.length);
}
