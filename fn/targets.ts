import { matchesGlob } from 'node:path';
import type { ExplicitUpdate, Target } from './config/image-update.ts';
import { nameOf, type ImageField } from './find/field.ts';
import { canonicalName } from './reference.ts';

/** Whether an explicit update is about a field: its repository is the update's, and some target selects it. */
export function concerns(
  update: ExplicitUpdate,
  field: ImageField,
  path: string | undefined,
  asWritten: boolean,
): boolean {
  const name = nameOf(field);
  if (asWritten ? name !== update.image : canonicalName(name) !== canonicalName(update.image)) return false;
  return update.targets === undefined || update.targets.some((target) => selects(target, field, path));
}

function selects(target: Target, field: ImageField, path: string | undefined): boolean {
  const { kind, name, namespace } = field.resource;
  return (
    (target.kind === undefined || target.kind === kind) &&
    (target.name === undefined || target.name === name) &&
    (target.namespace === undefined || target.namespace === namespace) &&
    (target.container === undefined || target.container === field.container) &&
    (target.field === undefined || target.field === field.path) &&
    (target.path === undefined || (path !== undefined && matchesGlob(path, target.path)))
  );
}
