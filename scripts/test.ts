// Runs the tests and closes with a plain count. `npm test`; `npm run test:quick` runs fewer random cases and no other programs.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildAll, root } from './build.ts';
import { installDockerRegistry } from './tools.ts';

const quick = process.argv.includes('--quick');
const files = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

await buildAll(join(root, 'dist'));
if (!quick) installDockerRegistry();
const env = { ...process.env, ...(quick && { QUICK: '1' }) };
const tap = spawn(
  process.execPath,
  [join(root, 'node_modules/tap/dist/esm/run.mjs'), 'run', '--disable-coverage', '--reporter=tap', ...files],
  { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] },
);

// The one reader of tap's output: a test file's own lines are shown, so is whatever is not ok or was skipped.
let rest = '';
let failedDepth = -1;
const counts = { passed: 0, failed: 0, skipped: 0 };
tap.stdout.setEncoding('utf8').on('data', (chunk: string) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) show(line);
});

function show(line: string): void {
  const depth = line.length - line.trimStart().length;
  const point = /^\s*(not )?ok \d+(?: - (.*))?$/.exec(line);
  if (point) {
    const [, not, name = ''] = point;
    const skipped = / # (?:SKIP|TODO)/i.test(name);
    // A subtest's own closing point counts its parent only.
    if (!name.endsWith('{')) counts[skipped ? 'skipped' : not ? 'failed' : 'passed']++;
    if (not || skipped || depth === 0) console.log(line.trimEnd());
    failedDepth = not ? depth : -1;
  } else if (failedDepth >= 0 && depth > failedDepth) console.log(line);
  else if (/^\s*# /.test(line) && !/^\s*# (?:Subtest|time=|\{)/.test(line)) console.log(line);
}

const code = await new Promise<number>((resolve) => tap.on('close', (status) => resolve(status ?? 1)));
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = code === 0 && counts.passed === 0 ? 1 : code;
