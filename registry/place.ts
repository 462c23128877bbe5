import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where the cache is: `IMAGE_UPDATE_CACHE`, else `image-update` in `XDG_CACHE_HOME`, else in `~/.cache`. */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env['IMAGE_UPDATE_CACHE']) return env['IMAGE_UPDATE_CACHE'];
  // The XDG specification: a relative path is to be ignored.
  const base = env['XDG_CACHE_HOME'];
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.cache'), 'image-update');
}
