import type * as Sdk from '@aws-sdk/client-ecr';
import type { EcrRegion } from './clouds.ts';

/**
 * Does something with Amazon's API for the registries of a region, which is the registry's, whatever the environment says.
 * The SDK is loaded here and nowhere else.
 */
export async function withEcr<T>(
  { region, fips, dualStack }: EcrRegion,
  work: (client: Sdk.ECRClient, sdk: typeof Sdk) => Promise<T>,
  config: Sdk.ECRClientConfig = {},
): Promise<T> {
  const sdk = await import('@aws-sdk/client-ecr');
  const client = new sdk.ECRClient({
    region,
    // Where the host does not ask for these, the user's own settings stand.
    ...(fips && { useFipsEndpoint: true }),
    ...(dualStack && { useDualstackEndpoint: true }),
    ...config,
  });
  try {
    return await work(client, sdk);
  } finally {
    client.destroy();
  }
}
