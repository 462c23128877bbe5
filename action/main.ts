// The GitHub Action: inputs, the run, what it tells. `dist/action.js` is this; action.yml describes it.
import * as core from '@actions/core';
import { run } from './run.ts';

run(process.env).catch((error: unknown) => {
  core.setFailed(error instanceof Error ? (error.stack ?? error.message) : String(error));
  core.info('This is a bug; please report it with the workflow that caused it.');
});
