import { asMap, asText } from '../fn/lookup/values.ts';
import { byPreference, readManifest } from './manifest.ts';
import type { Registry, Repository } from './registry.ts';

/** More labels than this, or longer ones, are left out: an image may say what it likes. */
const MAX_LABELS = 256;
const MAX_LENGTH = 4096;

/**
 * The labels of an image, and the annotations of its manifest, which count more, by tag or digest: at two requests, of an index
 * three; of an index those of the preferred platform, which the index's own annotations complete.
 * @throws RegistryError as `Registry`.
 */
export async function readLabels(
  registry: Registry,
  repository: Repository,
  reference: string,
  platform: string,
): Promise<Record<string, string>> {
  const manifest = await registry.manifest(repository, reference);
  const content = readManifest(manifest);
  const annotations = asMap(manifest.body)?.['annotations'];
  if (content.kind === 'index') {
    const [child] = byPreference(content.children, platform);
    // An index in an index is nobody's image.
    const own = child && (await registry.manifest(repository, child.digest));
    const image = own && readManifest(own);
    if (!own || image?.kind !== 'image') return texts(annotations);
    return { ...texts(annotations), ...(await labelsOf(registry, repository, own.body, image.config)) };
  }
  return labelsOf(registry, repository, manifest.body, content.config);
}

async function labelsOf(
  registry: Registry,
  repository: Repository,
  body: unknown,
  config: string | undefined,
): Promise<Record<string, string>> {
  const blob = config === undefined ? undefined : await registry.blob(repository, config);
  return { ...texts(asMap(asMap(blob)?.['config'])?.['Labels']), ...texts(asMap(body)?.['annotations']) };
}

function texts(value: unknown): Record<string, string> {
  const entries = Object.entries(asMap(value) ?? {}).slice(0, MAX_LABELS);
  return Object.fromEntries(
    entries.flatMap(([key, value]): [string, string][] => {
      const text = asText(value);
      return text === undefined || text.length > MAX_LENGTH ? [] : [[key, text]];
    }),
  );
}
