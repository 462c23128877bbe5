import type { CommandSpec } from '../spec.ts';
import { choose } from './choose.ts';
import { completion } from './completion.ts';
import { run } from './run.ts';
import { scan } from './scan.ts';
import { update } from './update.ts';

/** Every command, in the order of the help. */
export const specs: readonly CommandSpec[] = [update, choose, scan, run, completion];
