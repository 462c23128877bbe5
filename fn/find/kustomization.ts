import { at, deref, get, textOf, type MapNode } from '../yaml/tree.ts';
import { imageFieldIn, type ImageField } from './field.ts';
import { itemPath, keyPath, keysPath } from './path.ts';
import { groupOf, type Resource } from './resources.ts';
import type { Slots } from './slots.ts';

/** Files that kustomize takes for a Kustomization though they name no kind. */
const FILE_NAMES = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization']);

const KUSTOMIZE_GROUP = 'kustomize.config.k8s.io';
const FLUX_GROUP = 'kustomize.toolkit.fluxcd.io';

/**
 * Where a resource has the `images` of a Kustomization or Component; undefined if it is neither. `file` is its path.
 */
export function kustomizationImagesAt({ ref }: Resource, file: string | undefined): readonly string[] | undefined {
  const group = groupOf(ref);
  if (ref.kind === 'Kustomization' && group === FLUX_GROUP) return ['spec', 'images'];
  if (ref.kind === 'Kustomization' || ref.kind === 'Component')
    return group === KUSTOMIZE_GROUP || ref.apiVersion === '' ? ['images'] : undefined;
  const named = file !== undefined && FILE_NAMES.has(file.slice(file.lastIndexOf('/') + 1));
  return ref.kind === '' && named ? ['images'] : undefined;
}

/**
 * The entries of `images` at `keys`: called by their `name`, they make `newName:newTag@digest`. An entry without
 * `newTag` and `digest` has no place for either, which `change` says.
 */
export function kustomizationImages(resource: Resource, keys: readonly string[]): ImageField[] {
  const fields: ImageField[] = [];
  const images = at(resource.node, ...keys);
  if (images?.kind !== 'seq') return fields;
  const path = keysPath('', keys);
  for (let i = 0; i < images.items.length; i++) {
    const entry = deref(images.items[i]);
    if (entry?.kind !== 'map') continue;
    const name = textOf(get(entry, 'name'));
    const slots = slotsOf(entry);
    if (!name || !slots) continue;
    const key = slots.tag ? 'newTag' : slots.digest ? 'digest' : slots.repositoryIs === 'key' ? 'name' : 'newName';
    fields.push(
      imageFieldIn(entry, PARTS, {
        resource: resource.ref,
        container: name,
        path: keyPath(itemPath(path, i), key),
        slots,
        origin: 'kustomization',
      }),
    );
  }
  return fields;
}

const PARTS = ['newName', 'newTag', 'digest'];

function slotsOf(entry: MapNode): Slots | undefined {
  const newName = get(entry, 'newName');
  const renamed = newName?.kind === 'scalar' && textOf(newName);
  const repository = renamed ? newName : get(entry, 'name');
  if (repository?.kind !== 'scalar') return undefined;
  const slots: Slots = { repository, repositoryIs: renamed ? 'name' : 'key' };
  const tag = get(entry, 'newTag');
  if (tag?.kind === 'scalar') slots.tag = tag;
  const digest = get(entry, 'digest');
  if (digest?.kind === 'scalar') slots.digest = digest;
  return slots;
}
