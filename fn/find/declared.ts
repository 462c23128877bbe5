import type { DeclaredField } from '../config/image-update.ts';
import { get, textOf, type MapNode } from '../yaml/tree.ts';
import { besides, digestIn, imageField, imageFieldIn, type ImageField } from './field.ts';
import { follow, keyPath, parentPath, parsePath, type Found, type Step } from './path.ts';
import { groupOf, type Resource } from './resources.ts';
import type { Slots } from './slots.ts';

/**
 * The images of a resource that the configuration's `fields` tell of: a text is a whole reference, or a name with its tag or
 * digest beside it; a map has `repository` or `name`, and `registry`, `tag`, `digest` as far as they are there.
 */
export function declaredImages(resource: Resource, declared: readonly DeclaredField[]): ImageField[] {
  const fields: ImageField[] = [];
  for (const { group, kind, path, container } of declared) {
    if (kind !== resource.ref.kind || (group !== undefined && group !== groupOf(resource.ref))) continue;
    const steps = parsePath(path);
    if (!steps) continue;
    const name = container ?? lastKey(steps);
    for (const found of follow(resource.node, '', steps)) {
      const image = imageAt(found);
      if (!image) continue;
      const { map, parts, ...place } = image;
      const unread = { ...place, resource: resource.ref, container: name, origin: 'declared' as const };
      fields.push(map ? imageFieldIn(map, parts, unread) : imageField(unread));
    }
  }
  return fields;
}

function lastKey(steps: readonly Step[]): string {
  const last = steps.findLast((step) => 'key' in step);
  return last?.key ?? 'image';
}

/** An image, and the map in which its parts stand under these keys. */
interface Located {
  slots: Slots;
  path: string;
  map?: MapNode | undefined;
  parts: readonly string[];
}

function imageAt({ node, path, parent }: Found): Located | undefined {
  if (node.kind === 'map') return imageIn(node, path);
  if (node.kind === 'seq') return undefined;
  const beside = besides(parent, { repository: node });
  const parted = beside.tag !== undefined || beside.digest !== undefined;
  return {
    slots: parted ? { ...beside, repository: node } : { whole: node },
    path: beside.tag ? keyPath(parentPath(path), 'tag') : path,
    map: parent,
    parts: ['digest'],
  };
}

function imageIn(map: MapNode, path: string): Located | undefined {
  const key = get(map, 'repository')?.kind === 'scalar' ? 'repository' : 'name';
  const repository = get(map, key);
  if (repository?.kind !== 'scalar') return undefined;
  const slots: Slots = { repository };
  const registry = get(map, 'registry');
  if (registry?.kind === 'scalar' && textOf(registry)) slots.registry = registry;
  const tag = get(map, 'tag');
  if (tag?.kind === 'scalar') slots.tag = tag;
  const digest = digestIn(map);
  if (digest) slots.digest = digest;
  return { slots, path: keyPath(path, slots.tag ? 'tag' : key), map, parts: ['registry', 'tag', 'digest'] };
}
