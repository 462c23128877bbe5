import pLimit, { type LimitFunction } from 'p-limit';
import { literalKind } from './address.ts';
import type { Clock } from './clock.ts';
import { RegistryError, type RegistryErrorKind } from './error.ts';
import type { HttpResponse } from './http.ts';

/** How a host is asked. */
export interface HostLimit {
  /** Requests at once. */
  concurrency: number;
  /** Requests a second, in the long run; as many may go at once after a rest. */
  perSecond: number;
}

/**
 * Four at once is what a reflector takes (reference/controllers.md C4), and keeps a rate of 20 a second busy at 200 ms an
 * answer; 20 and, for the Docker Hub, 10 a second are what peers ask at most (reference/peers.md 3.1).
 */
export const DEFAULT_LIMIT: HostLimit = { concurrency: 4, perSecond: 20 };
const HUB_HOST = /(?:^|\.)docker\.(?:io|com)$/;
const HUB_LIMIT: HostLimit = { concurrency: 4, perSecond: 10 };
/** This machine's own registry is not shared with anybody: no rate. */
const LOOPBACK_LIMIT: HostLimit = { concurrency: 16, perSecond: Infinity };

/** Longer than this no host is waited for; milliseconds. */
export const MAX_WAIT = 60_000;
/** Time-outs in a row after which a host is given up: a run over many repositories must end. */
const MAX_TIMEOUTS = 3;
/** A rate is halved at each 429 or 503, and comes back by 10 % a minute (reference/controllers.md C4). */
const MAX_SLOWDOWN = 64;
const RECOVERY = 0.9;
const MINUTE = 60_000;

/** The limits of one host, with what it said of them. Each host has its own, so a slow one takes nothing from others. */
export class Host {
  #name: string;
  #clock: Clock;
  #limit: HostLimit;
  #slots: LimitFunction;
  /** When the next request would be due if each kept to the rate. */
  #due = 0;
  #pausedUntil = 0;
  #slowdown = 1;
  #slowedAt = 0;
  #timeouts = 0;
  #givenUp: { kind: RegistryErrorKind; why: string } | undefined;
  #pullsUsedUp = false;

  constructor(hostname: string, clock: Clock, limit = limitOf(hostname)) {
    this.#name = hostname;
    this.#clock = clock;
    this.#limit = limit;
    this.#slots = pLimit(limit.concurrency);
  }

  /**
   * Runs a request as soon as the host may be asked. `what` names it for messages; `isPull`: the Docker Hub counts it.
   * @throws RegistryError `rate-limited` or `timeout`, at once, where the host was given up.
   */
  run(what: string, isPull: boolean, request: () => Promise<HttpResponse>): Promise<HttpResponse> {
    return this.#slots(async () => {
      this.#check(what, isPull);
      await this.#turn();
      this.#check(what, isPull);
      try {
        const response = await request();
        this.#timeouts = 0;
        this.#obey(response);
        return response;
      } catch (error) {
        if (error instanceof RegistryError && error.kind === 'timeout' && ++this.#timeouts >= MAX_TIMEOUTS)
          this.giveUp('timeout', `it did not answer ${this.#timeouts} times in a row`);
        throw error;
      }
    });
  }

  /** The host wants to be left alone for `wait` milliseconds; too long a time is for the rest of the run. */
  pause(wait: number): void {
    if (wait > MAX_WAIT) this.giveUp('rate-limited', `it asks to wait ${inWords(wait)}, longer than a run waits`);
    // Whoever waits with us would come back at the same moment.
    else this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now() + wait * (1 + this.#clock.random() / 10));
  }

  giveUp(kind: RegistryErrorKind, why: string): void {
    this.#givenUp ??= { kind, why };
  }

  /** Whether it makes sense to ask again. */
  get isGivenUp(): boolean {
    return this.#givenUp !== undefined;
  }

  /** @throws RegistryError if the host was given up. */
  #check(what: string, isPull: boolean): void {
    if (this.#givenUp)
      throw new RegistryError(
        this.#givenUp.kind,
        `${what}: not looked up; ${this.#name} is left alone for the rest of this run, since ${this.#givenUp.why}. ${adviceFor(this.#givenUp.kind)}`,
      );
    if (isPull && this.#pullsUsedUp)
      throw new RegistryError(
        'rate-limited',
        `${what}: not looked up; the quota of pulls from ${this.#name} is used up. ${adviceFor('rate-limited')}`,
      );
  }

  /** Waits for a turn by the rate, and for the end of a pause. */
  async #turn(): Promise<void> {
    const { perSecond } = this.#limit;
    const slowdown = this.#currentSlowdown();
    const interval = (1000 / perSecond) * slowdown;
    const now = this.#clock.now();
    // As many as a second has may go at once after a rest.
    const burst = slowdown > 1 ? 0 : 1000;
    this.#due = Math.max(this.#due, now - burst) + interval;
    if (this.#due > now) await this.#clock.sleep(this.#due - now);
    for (;;) {
      const wait = this.#pausedUntil - this.#clock.now();
      if (wait <= 0 || this.#givenUp) return;
      await this.#clock.sleep(wait);
    }
  }

  #currentSlowdown(): number {
    return Math.max(1, this.#slowdown * RECOVERY ** ((this.#clock.now() - this.#slowedAt) / MINUTE));
  }

  #obey({ status, headers }: HttpResponse): void {
    const now = this.#clock.now();
    if (status === 429 || status === 503) {
      this.#slowdown = Math.min(MAX_SLOWDOWN, this.#currentSlowdown() * 2);
      this.#slowedAt = now;
      const wait = retryAfter(headers, now);
      if (wait !== undefined) this.pause(wait);
    }
    const quota = readQuota(headers, now);
    if (quota?.remaining !== 0) return;
    if (quota.wait !== undefined) this.pause(quota.wait);
    // The Docker Hub tells of a window, not of its end, and counts GETs of manifests alone.
    else if (quota.isWindow) this.#pullsUsedUp = true;
  }
}

function limitOf(hostname: string): HostLimit {
  if (literalKind(hostname) === 'loopback') return LOOPBACK_LIMIT;
  return HUB_HOST.test(hostname) ? HUB_LIMIT : DEFAULT_LIMIT;
}

function adviceFor(kind: RegistryErrorKind): string {
  return kind === 'rate-limited'
    ? 'Run again later, or log in where that raises the limit'
    : 'Is the host up, and reachable from here?';
}

function inWords(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

type Headers = HttpResponse['headers'];

/** `Retry-After` in milliseconds from now, of seconds or a date; a date counts from the server's own clock where it says it. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const text = headers['retry-after']?.[0]?.trim();
  if (!text) return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  const until = Date.parse(text);
  if (Number.isNaN(until)) return undefined;
  const theirs = Date.parse(headers['date']?.[0] ?? '');
  return Math.max(0, until - (Number.isNaN(theirs) ? now : theirs));
}

export interface Quota {
  /** Requests that are left. */
  remaining: number;
  /** Milliseconds until there are more, if the host says it. */
  wait?: number;
  /** The host told how long its window is, not when it ends. */
  isWindow?: boolean;
}

/**
 * What is left of a quota: `RateLimit-Remaining` and `-Reset`, with `X-` or without (seconds, or since 1970), the one-header
 * `RateLimit` of the later drafts, and the Docker Hub's `ratelimit-remaining: 76;w=21600`.
 */
export function readQuota(headers: Headers, now: number): Quota | undefined {
  const whole = headers['ratelimit']?.[0] ?? '';
  const remaining =
    firstNumber(headers['ratelimit-remaining'] ?? headers['x-ratelimit-remaining']) ??
    numberIn(/(?:^|[\s;,])(?:r|remaining)=(\d+)/.exec(whole));
  if (remaining === undefined) return undefined;
  const reset =
    firstNumber(headers['ratelimit-reset'] ?? headers['x-ratelimit-reset']) ??
    numberIn(/(?:^|[\s;,])(?:t|reset)=(\d+)/.exec(whole));
  const isWindow = /;\s*w=\d+/.test(headers['ratelimit-remaining']?.[0] ?? '');
  return { remaining, ...(reset !== undefined && { wait: untilReset(reset, now) }), ...(isWindow && { isWindow }) };
}

/** Seconds from now, or seconds or milliseconds since 1970: no quota lasts thirty years. */
function untilReset(reset: number, now: number): number {
  if (reset < 1e9) return reset * 1000;
  return Math.max(0, (reset < 1e12 ? reset * 1000 : reset) - now);
}

function firstNumber(values: readonly string[] | undefined): number | undefined {
  return numberIn(/^\s*(\d+)/.exec(values?.[0] ?? ''));
}

function numberIn(match: RegExpExecArray | null): number | undefined {
  return match ? Number(match[1]) : undefined;
}
