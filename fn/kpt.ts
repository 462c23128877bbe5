import type { Configs, KptFunc, KubernetesObject, Result as SdkResult } from 'kpt-functions';
// A deep import: the package's front door replaces the global console.
import { FunctionConfigError } from 'kpt-functions/dist/src/errors.js';
import { ConfigError, updateResourceList } from './index.ts';
import type { Result } from './result.ts';

/**
 * The engine as a `KptFunc`, for people who compose TypeScript functions. The SDK's reader and writer lose comments,
 * order and duplicates (reference/krm-function.md B2); where bytes matter, run the `image-update` executable.
 * @throws FunctionConfigError for a configuration that its author must correct.
 */
export const imageUpdate: KptFunc = async (configs: Configs): Promise<void> => {
  const objects = configs.getAll();
  const text = JSON.stringify({ kind: 'ResourceList', items: objects, functionConfig: configs.getFunctionConfig() });
  const { text: updated, results } = await updateResourceList(text).catch((error: unknown) => {
    throw error instanceof ConfigError ? new FunctionConfigError(error.message) : error;
  });
  const { items } = JSON.parse(updated) as { items: KubernetesObject[] };
  // In place: objects are passed by reference, and their keys (kind, namespace, name) have not changed.
  for (const [i, object] of objects.entries()) Object.assign(object, items[i]);
  configs.addResults(...results.map(toSdk));
};

imageUpdate.usage = `Sets container images by Flux-v1 annotations, ImagePolicy results or explicit updates.

functionConfig: an ImageUpdate (image-update.dev/v1alpha1), a ConfigMap of its scalar fields, or a SetImage.`;

/** The wire format's words are kept (`warning`, `proposedValue`), as orchestrators read them; the SDK's are added. */
function toSdk({ severity, field, resourceRef, ...rest }: Result): SdkResult {
  return {
    ...rest,
    severity: severity as SdkResult['severity'],
    ...(resourceRef && { resourceRef: resourceRef as Required<typeof resourceRef> }),
    ...(field && { field: { ...field, suggestedValue: field.proposedValue } as SdkResult['field'] & object }),
  };
}
