import { readConfig, type Config } from '../fn/config/config.ts';
import { defaultSpec } from '../fn/config/defaults.ts';
import { asMap } from '../fn/lookup/values.ts';
import { scopeOf } from '../fn/scope.ts';
import type { Inputs } from './inputs.ts';

/**
 * The configuration: inputs before the config file, that before what is built in. Here registries are asked unless somebody says
 * otherwise: a workflow has a network, and is for news.
 * @throws ConfigError
 */
export function configFor({ offline, images, 'max-changes': maxChanges }: Inputs, file: unknown): Config {
  const config = file === undefined ? { spec: defaultSpec(), setImage: false } : readConfig(file);
  const { spec } = config;
  const lookup = offline ? 'none' : offline === false || !saysLookup(file) ? 'registry' : spec.lookup;
  return {
    ...config,
    spec: { ...spec, lookup, ...(maxChanges !== undefined && { maxChanges }) },
    ...(images && { scope: scopeOf({ images }) }),
  };
}

/** An ImageUpdate has it in `spec`, a ConfigMap in `data`; a SetImage has no say in it and needs no registry. */
function saysLookup(file: unknown): boolean {
  const resource = asMap(file);
  const fields = asMap(resource?.['spec']) ?? asMap(resource?.['data']);
  return resource?.['kind'] === 'SetImage' || fields?.['lookup'] !== undefined;
}
