import type { DeclaredField } from '../config/image-update.ts';
import { get, textOf, type MapNode } from '../yaml/tree.ts';
import { digestIn, imageField, imageFieldIn, type ImageField } from './field.ts';
import { follow, keyPath, parsePath, type Found, type Step } from './path.ts';
import { groupOf, type Resource } from './resources.ts';
import type { Slots } from './slots.ts';

/**
 * The images of a resource that the configuration's `fields` tell of: a text is a whole reference; a map has
 * `repository` or `name`, and `registry`, `tag`, `digest` as far as they are there.
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
      const { node } = found;
      if (image && node.kind === 'map')
        fields.push(imageFieldIn(node, PARTS, resource.ref, name, image.path, image.slots, 'declared'));
      else if (image) fields.push(imageField(resource.ref, name, image.path, image.slots, 'declared'));
    }
  }
  return fields;
}

const PARTS = ['registry', 'tag', 'digest'];

function lastKey(steps: readonly Step[]): string {
  const last = steps.findLast((step) => 'key' in step);
  return last?.key ?? 'image';
}

function imageAt({ node, path }: Found): { slots: Slots; path: string } | undefined {
  if (node.kind === 'scalar') return { slots: { whole: node }, path };
  return node.kind === 'map' ? imageIn(node, path) : undefined;
}

function imageIn(map: MapNode, path: string): { slots: Slots; path: string } | undefined {
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
  return { slots, path: keyPath(path, slots.tag ? 'tag' : key) };
}
