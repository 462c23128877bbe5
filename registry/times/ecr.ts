import type { ECRClientConfig, ImageDetail } from '@aws-sdk/client-ecr';
import type { PushTimes, Pushes } from './times.ts';

const HOST =
  /^([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)$/;
const MAX_PAGES = 10;
const PAGE_SIZE = 1_000;

/**
 * `DescribeImages` of ECR, through Amazon's SDK and with its own login, so only where ambient login is allowed. It sorts
 * by nothing, so all pages are read. `config` is for tests: another endpoint.
 */
export function ecrTimes(config: ECRClientConfig = {}): PushTimes {
  return {
    name: 'Amazon ECR',
    serves: (host) => HOST.test(host),
    async read({ host, path }) {
      const [, registryId, region] = HOST.exec(host) ?? [];
      if (registryId === undefined || region === undefined) return undefined;
      try {
        // 300 kB that only those need who ask such a registry.
        const { DescribeImagesCommand, ECRClient } = await import('@aws-sdk/client-ecr');
        const client = new ECRClient({ region, maxAttempts: 2, ...config });
        try {
          const pushes: Pushes = { tags: new Map() };
          let nextToken: string | undefined;
          for (let pages = 0; pages < MAX_PAGES; pages++) {
            const answer = await client.send(
              new DescribeImagesCommand({
                registryId,
                repositoryName: path,
                maxResults: PAGE_SIZE,
                filter: { tagStatus: 'TAGGED' },
                ...(nextToken !== undefined && { nextToken }),
              }),
            );
            for (const detail of answer.imageDetails ?? []) take(pushes, detail);
            nextToken = answer.nextToken;
            if (nextToken === undefined) break;
          }
          return pushes;
        } finally {
          client.destroy();
        }
      } catch {
        return undefined;
      }
    },
  };
}

/** ECR tells when the image was pushed; a tag that is moved to an older image has that image's time. */
function take({ tags }: Pushes, { imageTags, imageDigest, imagePushedAt }: ImageDetail): void {
  if (!imagePushedAt || Number.isNaN(imagePushedAt.getTime())) return;
  const pushed = imagePushedAt.toISOString().replace('.000Z', 'Z');
  for (const tag of imageTags ?? [])
    tags.set(tag, { pushed, ...(imageDigest !== undefined && { digest: imageDigest }) });
}
