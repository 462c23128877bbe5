import type { CommandSpec } from '../spec.ts';
import { automate, deautomate, lock, policy, unlock } from './annotate.ts';
import { choose } from './choose.ts';
import { completion } from './completion.ts';
import { create } from './create.ts';
import { explain } from './explain.ts';
import { list } from './list.ts';
import { migrate } from './migrate.ts';
import { run } from './run.ts';
import { scan } from './scan.ts';
import { update } from './update.ts';

/** Every command, in the order of the help. */
export const specs: readonly CommandSpec[] = [
  list,
  explain,
  update,
  automate,
  deautomate,
  lock,
  unlock,
  policy,
  choose,
  scan,
  run,
  ...create,
  migrate,
  completion,
];
