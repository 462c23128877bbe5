import type { Hold } from '../fn/plan.ts';
import type { Outcome } from '../fn/update.ts';
export async function askEach(run: (hold?: Hold) => Promise<Outcome>, ..._rest: unknown[]): Promise<Outcome> {
  return run();
}
