import t from 'tap';

const WHY = 'QUICK: it starts other programs';

/** For the `skip` of a test that starts other programs. */
export const notInQuickRun = process.env['QUICK'] ? WHY : false;

/** Ends a test file that a quick run leaves out, visibly: it starts servers and other programs. Called before its first test. */
export function leaveOutOfQuickRun(): void {
  if (!process.env['QUICK']) return;
  t.plan(0, WHY);
  process.exit();
}
