/** The spec of an UpdateJob stands with the other kinds; this is what of it the rest of `job/` uses. */
export { runsInProcess } from '../api/run.ts';
export type { JobSpec } from '../api/update-job.ts';
