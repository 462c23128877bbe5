import type { CredentialSource } from '../credentials.ts';
import type { Http } from '../http.ts';
import { acrTimes } from './acr.ts';
import { ecrTimes } from './ecr.ts';
import { gitlabTimes } from './gitlab.ts';
import { harborTimes } from './harbor.ts';
import { hubTimes } from './hub.ts';
import { quayTimes } from './quay.ts';
import type { PushTimes } from './times.ts';

export interface ReaderOptions {
  http: Http;
  /** For APIs on the registry's own host; no other host is sent any. */
  credentials?: CredentialSource;
  /** Whether the login of the machine may be used, which Amazon's API needs. */
  ambient?: boolean;
  /** Where a host's API is: `https://HOST`, unless plain http was asked for it. */
  origin?: (host: string) => string;
}

/**
 * Every push-time API that is known. Google's registries need none, as their listing has the times; the GitHub one of
 * packages takes tokens of another host than the registry's, which are never sent there.
 */
export function pushTimeReaders({
  http,
  credentials,
  ambient = false,
  origin = (host) => `https://${host}`,
}: ReaderOptions): PushTimes[] {
  return [
    hubTimes(http, origin('hub.docker.com')),
    quayTimes(http, origin),
    harborTimes(http, origin, credentials),
    gitlabTimes(http, origin),
    acrTimes(http, origin, credentials),
    ...(ambient ? [ecrTimes()] : []),
  ];
}
