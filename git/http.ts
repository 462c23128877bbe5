import { request as requestHttp, type Agent, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { getCACertificates } from 'node:tls';

/** One request to an API of a git server. */
export interface HttpRequest {
  method: string;
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: string;
  /** PEM, beside the system's authorities. */
  ca?: string;
  agent?: Agent;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface HttpBounds {
  /** Milliseconds for the whole exchange. */
  timeout: number;
  /** Of the answer's body. */
  maxBytes: number;
}

/** One request and its answer: no redirect, no second try. @throws Error in words that follow "cannot be asked: ". */
export async function exchange(
  { method, url, headers, body, ca, agent }: HttpRequest,
  { timeout, maxBytes }: HttpBounds,
): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(timeout);
  const options: RequestOptions & { ca?: string[] } = {
    method,
    headers: {
      'user-agent': 'image-update',
      ...headers,
      // A DELETE or GET has none; all else says how long its body is, even if there is none.
      ...((body !== undefined || method === 'POST') && { 'content-length': Buffer.byteLength(body ?? '') }),
    },
    signal,
    ...(agent && { agent }),
    ...(ca !== undefined && url.protocol === 'https:' && { ca: [...getCACertificates('default'), ca] }),
  };
  const request = url.protocol === 'http:' ? requestHttp : requestHttps;
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(signal.aborted ? new Error(`there was no whole answer in ${timeout / 1000} s`) : error);
    const sent = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxBytes) response.destroy(new Error('its answer is too long'));
        else chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', fail);
    sent.end(body);
  });
}
