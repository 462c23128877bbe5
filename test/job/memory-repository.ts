// A repository in memory, of one commit that cannot be changed: for what needs no git.
import { objectId } from '../../git/object.ts';
import type { Repository, TreeEntry } from '../../git/repository.ts';
import type { Files } from '../git/servers.ts';

export function memoryRepository(files: Files): Repository {
  const contents = new Map<string, Buffer>();
  const entries: TreeEntry[] = [];
  for (const [path, file] of Object.entries(files)) {
    const { mode, content } =
      typeof file === 'string' || Buffer.isBuffer(file) ? { mode: '100644', content: file } : file!;
    const oid = objectId('blob', Buffer.from(content), 40);
    contents.set(oid, Buffer.from(content));
    entries.push({ path, mode, oid });
  }
  const refuse = async () => {
    throw new Error('this repository is read alone');
  };
  return {
    remoteHead: async () => 'head',
    remoteBranches: async () => new Map(),
    fetch: async () => 'head',
    list: async (_, paths = []) =>
      entries.filter(
        ({ path }) => paths.length === 0 || paths.some((root) => path === root || path.startsWith(`${root}/`)),
      ),
    async *blobs(oids) {
      for (const oid of oids) yield { oid, content: contents.get(oid)! };
    },
    commit: refuse,
    push: refuse,
    remove: refuse,
    async *log() {},
  };
}
