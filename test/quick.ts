import t from 'tap';

/** Ends a test file that a quick run leaves out, visibly: it starts servers and other programs. Called before its first test. */
export function leaveOutOfQuickRun(): void {
  if (!process.env['QUICK']) return;
  t.plan(0, 'QUICK: it starts other programs');
  process.exit();
}
