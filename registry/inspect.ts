import type { DigestFact } from './knowledge.ts';
import {
  byPreference,
  platformsOf,
  readConfig,
  readManifest,
  type ImageContent,
  type ManifestContent,
} from './manifest.ts';
import type { Manifest, Registry, Repository } from './registry.ts';

export interface Inspection {
  /** `os/arch[/variant]`: whose time counts, where an index has several. */
  platform: string;
  /** Whether annotations and labels may say when the image was built; they are inherited from base images too. */
  labels: boolean;
}

/** So many images of an index are asked for a time; that the first has none is rare enough. */
const MAX_CHILDREN_ASKED = 4;

/** How a digest is read, in a word: what was read otherwise is not the same fact. */
export function inspectedBy({ platform, labels }: Inspection): string {
  return labels ? `${platform} labels` : platform;
}

/**
 * What a manifest or index says, at one request for a single image (its config) and two or more for an index: of the
 * preferred platform, else of the first image that has a time.
 * @throws RegistryError as `Registry`, and `malformed` as `readManifest`.
 */
export async function inspect(
  registry: Registry,
  repository: Repository,
  manifest: Manifest,
  how: Inspection,
): Promise<DigestFact> {
  const content = readManifest(manifest);
  const by = inspectedBy(how);
  if (content.kind === 'image') {
    const { created, platform } = await inspectImage(registry, repository, content, how);
    return { by, ...(created !== undefined && { created }), ...(platform !== undefined && { platforms: [platform] }) };
  }
  const platforms = platformsOf(content.children);
  const created = annotated(content, how) ?? (await createdOfIndex(registry, repository, content.children, how));
  return { by, ...(created !== undefined && { created }), ...(platforms.length > 0 && { platforms }) };
}

async function createdOfIndex(
  registry: Registry,
  repository: Repository,
  children: Extract<ManifestContent, { kind: 'index' }>['children'],
  how: Inspection,
): Promise<string | undefined> {
  for (const { digest } of byPreference(children, how.platform).slice(0, MAX_CHILDREN_ASKED)) {
    const content = readManifest(await registry.manifest(repository, digest));
    if (content.kind === 'index') continue;
    const { created } = await inspectImage(registry, repository, content, how);
    if (created !== undefined) return created;
  }
  return undefined;
}

async function inspectImage(
  registry: Registry,
  repository: Repository,
  content: ImageContent,
  how: Inspection,
): Promise<{ created: string | undefined; platform: string | undefined }> {
  if (content.config === undefined) return { created: annotated(content, how), platform: undefined };
  const { created, labelled, platform } = readConfig(await registry.blob(repository, content.config));
  return { created: annotated(content, how) ?? (how.labels ? labelled : undefined) ?? created, platform };
}

function annotated(content: ManifestContent, { labels }: Inspection): string | undefined {
  return labels ? content.annotated : undefined;
}
