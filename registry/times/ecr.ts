import type { ECRClientConfig, ImageDetail } from '@aws-sdk/client-ecr';
import { cloudRegistry } from '../credentials/clouds.ts';
import { withEcr } from '../credentials/ecr.ts';
import type { PushTimes, Pushes } from './times.ts';

const MAX_PAGES = 10;
const PAGE_SIZE = 1_000;
/** For a page. The SDK waits for ever. */
const TIMEOUT_MS = 30_000;

/**
 * `DescribeImages` of ECR, through Amazon's SDK and with its own login, so only where ambient login is allowed. It sorts
 * by nothing, so all pages are read. `config` is for tests: another endpoint.
 */
export function ecrTimes(config: ECRClientConfig = {}): PushTimes {
  return {
    name: 'Amazon ECR',
    serves: (host) => cloudRegistry(host)?.aws !== undefined,
    async read({ host, path: repositoryName }) {
      const { aws } = cloudRegistry(host) ?? {};
      if (!aws) return undefined;
      const [registryId] = host.split('.');
      const asked = { registryId, repositoryName, maxResults: PAGE_SIZE, filter: { tagStatus: 'TAGGED' as const } };
      const read = withEcr(
        aws,
        async (client, { DescribeImagesCommand }) => {
          const pushes: Pushes = { tags: new Map() };
          let nextToken: string | undefined;
          for (let pages = 0; pages < MAX_PAGES; pages++) {
            const more = nextToken === undefined ? {} : { nextToken };
            const command = new DescribeImagesCommand({ ...asked, ...more });
            const answer = await client.send(command, { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
            for (const detail of answer.imageDetails ?? []) take(pushes, detail);
            nextToken = answer.nextToken;
            if (nextToken === undefined) break;
          }
          return pushes;
        },
        { maxAttempts: 2, ...config },
      );
      return read.catch(() => undefined);
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
