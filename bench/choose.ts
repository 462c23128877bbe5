/** How long choosing from 100,000 tags takes, each case in a fresh process, so that nothing is warm. */
import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { ImageMetadata, TagMetadata } from '../fn/lookup/metadata.ts';
import { choose } from '../fn/policy/choose.ts';
import { compilePattern } from '../fn/policy/pattern.ts';
import { compilePolicy } from '../fn/policy/policy.ts';

export interface ChooseCase {
  name: string;
  /** The least of several processes: whatever else the machine does only adds. */
  ms: number;
  limit: number;
}

const TAGS = 100_000;
const LIMIT_MS = 150;
const RUNS = 7;

interface Workload {
  rule: () => ReturnType<typeof compilePattern>;
  tag: (random: (below: number) => number, i: number) => string;
}

/** Nearly all tags match, so that nearly all must be ordered. */
const WORKLOADS: Record<string, Workload> = {
  'semver range': {
    rule: () => compilePattern('semver:>=2.0.0, <19'),
    tag: (random) => `${random(2) ? 'v' : ''}${random(20)}.${random(100)}.${random(500)}${random(10) ? '' : '-rc.1'}`,
  },
  'regexp with extract': {
    rule: () =>
      compilePolicy({
        filter: { regexp: '^main-[a-f0-9]+-(?P<ts>[0-9]+)$', extract: '$ts' },
        policy: { numerical: { order: 'asc' } },
      }),
    tag: (random, i) =>
      `${i % 10 ? 'main' : 'dev'}-${random(2 ** 30)
        .toString(16)
        .padStart(8, '0')}-${1_700_000_000 + random(2 ** 26)}`,
  },
  numerical: {
    rule: () => compilePolicy({ policy: { numerical: { order: 'asc' } } }),
    tag: (random, i) => (i % 20 ? '' : 'build-') + String(random(2 ** 30)),
  },
};

/** Runs every case in fresh processes and gives the least time of each. */
export function chooseCases(): ChooseCase[] {
  return Object.keys(WORKLOADS).map((name) => {
    const times = Array.from({ length: RUNS }, () =>
      Number(
        execFileSync(process.execPath, ['--expose-gc', fileURLToPath(import.meta.url), name], { encoding: 'utf8' }),
      ),
    );
    return { name: `choose: ${name}`, ms: Math.min(...times), limit: LIMIT_MS };
  });
}

/** Milliseconds from a rule's text to the choice, the metadata being in memory as a parser leaves it. */
function measure({ rule, tag }: Workload): number {
  const names = new Set<string>();
  const random = generator();
  while (names.size < TAGS) names.add(tag(random, names.size));
  const metadata: ImageMetadata = {
    image: 'ghcr.io/org/app',
    complete: true,
    tags: [...names].map((name) => ({ name })),
  };
  metadata.tags = JSON.parse(JSON.stringify(metadata.tags)) as TagMetadata[];
  // The garbage of making the tags is not the choice's.
  globalThis.gc?.();
  const start = performance.now();
  const compiled = rule();
  if ('error' in compiled) throw new Error(compiled.error.message);
  const { chosen } = choose(compiled, metadata);
  if (!chosen) throw new Error('nothing was chosen');
  return Math.round((performance.now() - start) * 10) / 10;
}

/** The same numbers in every run: a linear congruential generator. */
function generator(): (below: number) => number {
  let state = 42;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const workload = WORKLOADS[process.argv[2] ?? ''];
  if (workload) console.log(measure(workload));
  else for (const result of chooseCases()) console.log(JSON.stringify(result));
}
