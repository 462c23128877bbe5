import { setTimeout as sleep } from 'node:timers/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import * as z from 'zod';
import { GitError } from '../error.ts';
import { exchange, type HttpAnswer } from '../http.ts';
import { formsOf, redact } from '../redact.ts';
import { refusalOf, type Asked } from './refusal.ts';
import type { ForgeType } from './forge.ts';

export interface ApiOptions {
  type: ForgeType;
  /** Without a slash at its end: `https://api.github.com`. */
  url: string;
  /** `owner/name`, for messages. */
  repository: string;
  token: string;
  /** PEM, beside the system's authorities. */
  ca?: string;
  /** For the proxies. */
  environment?: NodeJS.ProcessEnv;
  /** Waits a time in milliseconds: for tests. */
  wait?: (milliseconds: number) => Promise<unknown>;
  now?: () => number;
  /** Milliseconds for one request and its answer. */
  timeout?: number;
}

export interface Call {
  /** For messages: `opening a pull request`. */
  what: string;
  method: string;
  /** Below the API's URL, or whole. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
}

const TIMEOUT_MS = 30_000;
/** A page of fifty pull requests, each with a body as long as GitHub lets it be, is shorter. */
const MAX_ANSWER_BYTES = 16 << 20;
const MAX_TRIES = 4;
/** Who is told to come back later than this is not waited for. */
const MAX_WAIT_MS = 60_000;
/** Nor is more waited for in a whole run, of many requests. */
const PATIENCE_MS = 5 * 60_000;
const MAX_REDIRECTS = 3;

/** A forge's HTTP interface: waits and asks again where the forge says so, follows it to no other host. */
export interface Api {
  readonly options: ApiOptions;
  /** @throws GitError where there is no answer; any answer, good or bad, is returned. */
  send(call: Call): Promise<HttpAnswer>;
  /** What an answer that is not as wanted means. */
  refusal(call: Call, answer: Pick<HttpAnswer, 'status' | 'body'>): GitError;
  /** The JSON of an answer that must be good. @throws GitError */
  json(call: Call): Promise<{ data: unknown; answer: HttpAnswer }>;
}

/** Makes the interface of one run: it shares connections. */
export function openApi(options: ApiOptions): Api {
  const { type, url: base, repository, token, ca, timeout = TIMEOUT_MS, wait = sleep, now = Date.now } = options;
  // A Node that does not know the option goes without proxies.
  const proxied = { keepAlive: true, proxyEnv: options.environment ?? process.env };
  const agent = base.startsWith('http:') ? new HttpAgent(proxied) : new HttpsAgent(proxied);
  const secrets = formsOf(token);
  const { origin, host } = new URL(base);
  let patience = PATIENCE_MS;

  async function rest(milliseconds: number): Promise<void> {
    patience -= milliseconds;
    await wait(milliseconds);
  }

  async function send(call: Call): Promise<HttpAnswer> {
    let url = URL.parse(call.path) ?? new URL(base + call.path);
    for (let tries = 1, redirects = 0; ;) {
      if (url.origin !== origin)
        throw new GitError(
          'RefNotFound',
          `${call.what} in ${repository} failed: ${host} redirects to another host, which the token is not shown to; give the URL that the repository has now`,
        );
      const { method, headers, body } = call;
      const asked = now();
      let answer: HttpAnswer;
      try {
        const request = {
          method,
          url,
          headers,
          agent,
          ...(body !== undefined && { body }),
          ...(ca !== undefined && { ca }),
        };
        answer = await exchange(request, { timeout, maxBytes: MAX_ANSWER_BYTES });
      } catch (error) {
        const { message } = error as Error;
        patience -= now() - asked;
        // What may have been done is not done again: the next run finds it.
        if (method === 'GET' && tries++ < MAX_TRIES && patience > 0 && !/too long/.test(message)) {
          await rest(pause(tries));
          continue;
        }
        throw new GitError(
          'GitUnavailable',
          `${call.what} in ${repository} failed: ${host} cannot be asked: ${redact(message, secrets)}`,
        );
      }
      const { status, headers: got } = answer;
      if (isRedirect(status, method) && got.location !== undefined && URL.canParse(got.location, url.href)) {
        if (redirects++ === MAX_REDIRECTS) return answer;
        url = new URL(got.location, url);
        continue;
      }
      const later = laterBy(method, answer, now(), tries);
      if (later === undefined) return answer;
      if (tries++ === MAX_TRIES || later > Math.min(MAX_WAIT_MS, patience)) throw limited(call, answer, later);
      await rest(later);
    }
  }

  function refusal({ what, method, path }: Call, { status, body }: Pick<HttpAnswer, 'status' | 'body'>): GitError {
    const asked: Asked = { type, host, repository, what, place: `${method} ${path.split('?')[0]}`, token };
    const said = saidBy(body);
    return refusalOf(asked, status, said === undefined ? undefined : redact(said, secrets));
  }

  function limited(call: Call, answer: HttpAnswer, later: number): GitError {
    const isBusy = answer.status >= 500;
    const why = isBusy
      ? `${host} has a fault (${answer.status})`
      : `${host} takes no more requests of this token for now`;
    const again = new Date(now() + later);
    const isTold = later > MAX_WAIT_MS && !Number.isNaN(again.getTime());
    const when = isTold ? `; it will again at ${again.toISOString().slice(0, 19)}Z` : '';
    return new GitError('GitUnavailable', `${call.what} in ${repository} failed: ${why}${when}; run it again later`);
  }

  return {
    options,
    send,
    refusal,
    async json(call) {
      const answer = await send(call);
      if (answer.status < 200 || answer.status > 299) throw refusal(call, answer);
      if (answer.body === '') return { data: undefined, answer };
      const data = parse(answer.body);
      if (data === undefined) throw malformed(call, host, repository);
      return { data, answer };
    },
  };
}

/** The address of a page, as a forge tells it: nothing in it is more than an address. */
export const pageUrl = z.url({ protocol: /^https?$/, normalize: true });

/** An answer that says nothing this program knows. */
export function malformed({ what }: Pick<Call, 'what'>, host: string, repository: string): GitError {
  return new GitError(
    'GitUnavailable',
    `${what} in ${repository} failed: ${host} answered something that is not its API's; is that the URL of the API, and is a proxy or a login page between?`,
  );
}

/** Milliseconds before the next try of something that failed once, twice, thrice. */
function pause(tries: number): number {
  return 500 * 2 ** (tries - 1);
}

function isRedirect(status: number, method: string): boolean {
  if (status === 307 || status === 308) return true;
  return (status === 301 || status === 302) && method === 'GET';
}

/**
 * How long to wait before the same request may do better; undefined if its answer counts. GitHub says so by 403 and 429, with
 * `retry-after`, or with the limit's own headers (docs.github.com, "Rate limits for the REST API"); GitLab and Gitea by 429.
 */
function laterBy(
  method: string,
  { status, headers, body }: HttpAnswer,
  now: number,
  tries: number,
): number | undefined {
  const told = retryAfter(headers['retry-after'], now);
  const isLimit =
    status === 429 ||
    (status === 403 && (told !== undefined || isSpent(headers) || /secondary rate limit/i.test(body)));
  if (isLimit) {
    const reset = Number(headers['x-ratelimit-reset'] ?? headers['ratelimit-reset']) * 1000 - now;
    if (told !== undefined) return told;
    if (isSpent(headers) && Number.isFinite(reset)) return Math.max(1000, reset + 1000);
    // GitHub asks for a minute where it says nothing.
    return status === 403 ? MAX_WAIT_MS : 1000 * 2 ** tries;
  }
  if (status < 500 || (method !== 'GET' && status !== 503)) return undefined;
  return told ?? pause(tries);
}

function isSpent(headers: HttpAnswer['headers']): boolean {
  return (headers['x-ratelimit-remaining'] ?? headers['ratelimit-remaining']) === '0';
}

/** Seconds, or a date. */
function retryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const milliseconds = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Messages of a forge beyond this tell nothing more. */
const MAX_SAID = 500;
/** Of lists and objects in each other. */
const MAX_DEPTH = 5;

/** What a bad answer says for itself, of the shapes that the three forges have; undefined for a page or nothing. */
function saidBy(body: string): string | undefined {
  const data = parse(body);
  if (typeof data !== 'object' || data === null) return undefined;
  const { message, error, error_description: description, errors } = data as Record<string, unknown>;
  const texts = [message, errors, error, description].flatMap((value) => textsIn(value));
  return [...new Set(texts)].join('; ').slice(0, MAX_SAID) || undefined;
}

/** The texts of a value: GitLab's `message` is a text, a list, or lists by field; GitHub's `errors` are objects. */
function textsIn(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null || depth === MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((inner) => textsIn(inner, depth + 1));
  const { message, field, code } = value as Record<string, unknown>;
  if (typeof message === 'string') return [message];
  if (typeof field === 'string') return [`${field} is ${typeof code === 'string' ? code : 'wrong'}`];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, depth + 1).map((text) => `${key} ${text}`));
}
