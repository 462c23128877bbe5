import * as z from 'zod';
import { malformed, type Api } from './api.ts';

/** What is asked of a forge that speaks plain JSON. */
export interface Rest {
  ask<T>(what: string, method: string, path: string, schema: z.core.$ZodType<T>, body?: unknown): Promise<T>;
  /** The entries of all pages, as far as they are wanted: `enough` is asked after each page. */
  list<T>(
    what: string,
    path: string,
    schema: z.core.$ZodType<T[]>,
    enough?: (found: readonly T[]) => boolean,
  ): Promise<T[]>;
}

/** Gitea's servers give no more at once, unless they are told to. */
export const PAGE = 50;
/** More pages than this are not read: 1000 entries. */
const MAX_PAGES = 20;

export function restOn(api: Api, authorization: string): Rest {
  const { url, repository } = api.options;
  const { host } = new URL(url);
  const headers = { authorization, accept: 'application/json' };

  function read<T>(what: string, data: unknown, schema: z.core.$ZodType<T>): T {
    const outcome = z.safeParse(schema, data);
    if (outcome.success) return outcome.data;
    throw malformed({ what }, host, repository);
  }
  return {
    async ask(what, method, path, schema, body) {
      const sent =
        body === undefined
          ? { headers }
          : { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
      return read(what, (await api.json({ what, method, path, ...sent })).data, schema);
    },
    async list(what, path, schema, enough = () => false) {
      const all = [];
      for (let page = 1; page <= MAX_PAGES; page++) {
        const { data, answer } = await api.json({ what, method: 'GET', path: `${path}&page=${page}`, headers });
        const entries = read(what, data, schema);
        all.push(...entries);
        const link = answer.headers.link;
        const isLast = link === undefined ? entries.length < PAGE : !String(link).includes('rel="next"');
        if (isLast || entries.length === 0 || enough(all)) break;
      }
      return all;
    },
  };
}
