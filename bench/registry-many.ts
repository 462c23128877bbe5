/**
 * Scans many repositories of `registry-server.ts` once tokens are there, against a plain loop that has the tokens too and
 * asks as many at once. In one process, as tokens live in one. Prints JSON.
 *
 *     node bench/registry-many.ts ORIGIN REPOSITORIES ROUNDS
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { compilePattern } from '../fn/policy/pattern.ts';
import { diskCache } from '../registry/cache.ts';
import { createRegistry } from '../registry/client.ts';
import { RegistryLookup } from '../registry/lookup.ts';
import { createHttp } from '../registry/network.ts';
import { Progress } from '../registry/progress.ts';
import { createScanner } from '../registry/scan.ts';

/** As many at once as the product asks a registry on this machine. */
const AT_ONCE = 16;
const [origin = '', repositories = '0', rounds = '1'] = process.argv.slice(2);
const { host } = new URL(origin);
const paths = Array.from({ length: Number(repositories) }, (_, i) => `locked/${i}/100`);
const rule = compilePattern('semver:*');
if ('error' in rule) throw new Error(rule.error.message);

const insecure = [host];
const http = createHttp({ insecure });
const registry = createRegistry({ http, insecure, credentials: { name: 'none', find: async () => undefined } });
const directory = mkdtempSync(join(tmpdir(), 'image-update-bench-'));
const silent = { isTerminal: false, write: () => undefined, now: () => 0, every: () => () => undefined };

/** All repositories by a scanner of its own, as a new run would: only tokens and connections are left of the last. */
async function scanAll(): Promise<void> {
  const scanner = createScanner({ registry, cache: diskCache(directory) });
  const lookup = new RegistryLookup(scanner, new Progress(silent, () => http.requests));
  const all = await Promise.all(
    paths.map((path) => lookup.metadata(`${host}/${path}`, [{ rule: rule as never, current: '1.0.0' }])),
  );
  const wrong = all.find((found) => 'reason' in found || found.tags.length !== 100);
  if (wrong) throw new Error(`a scan gave ${JSON.stringify(wrong).slice(0, 200)}`);
}

async function loop(): Promise<void> {
  const limit = pLimit(AT_ONCE);
  await Promise.all(
    paths.map((path) =>
      limit(async () => {
        const authorization = `Bearer repository:${path}:pull`;
        const response = await fetch(`${origin}/v2/${path}/tags/list`, { headers: { authorization } });
        const { tags } = JSON.parse(await response.text()) as { tags: string[] };
        if (tags.length !== 100) throw new Error(`the loop got ${tags.length} tags`);
      }),
    ),
  );
}

async function time(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

try {
  await scanAll();
  await loop();
  await (await fetch(`${origin}/counts`)).text();
  await scanAll();
  const counts = (await (await fetch(`${origin}/counts`)).json()) as Record<string, number>;
  const requests = Object.values(counts).reduce((a, b) => a + b, 0);
  const times = { product: [] as number[], loop: [] as number[] };
  for (let round = 0; round < Number(rounds); round++) {
    times.product.push(await time(scanAll));
    times.loop.push(await time(loop));
  }
  console.log(JSON.stringify({ requests, ...times }));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);
