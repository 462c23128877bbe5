import { readFile, stat } from 'node:fs/promises';
import { RegistryError } from '../error.ts';

/** Kubernetes keeps a Secret below 1 MiB; a file may hold a few. */
const MAX_BYTES = 8 << 20;

/**
 * The text of a file with credentials; undefined if there is none.
 * @throws RegistryError for a file that is too large or cannot be read.
 */
export async function readCredentialFile(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).size <= MAX_BYTES) return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new RegistryError('unauthorized', `${path} cannot be read (${code}); correct its path or its mode`);
  }
  throw new RegistryError('unauthorized', `${path} is larger than ${MAX_BYTES} bytes, so it holds no credentials`);
}
