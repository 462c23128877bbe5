// Makes a fresh clone ready, then runs a script on the pinned Node. Plain JavaScript: the system's Node may be too old
// for type stripping, and nothing is installed yet when this starts.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const node = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
const stamp = join(modules, '.image-update-lock');
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');

function run(command, args) {
  const { status, error, signal } = spawnSync(command, args, { stdio: 'inherit', cwd: root });
  if (error) {
    console.error(`setup: cannot run ${command}: ${error.message}`);
    process.exit(1);
  }
  if (status !== 0) process.exit(signal ? 1 : (status ?? 1));
}

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.error('setup: installing what package-lock.json names (once per change of it)');
  // The exit of npm is checked; its output goes to stderr so that a script's own stdout stays clean.
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['inherit', 2, 'inherit'],
    cwd: root,
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error('setup: npm ci failed; see its message above. Is the npm registry reachable?');
    process.exit(1);
  }
  writeFileSync(stamp, lock);
}

const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '';
if (!/^v(2[4-9]|[3-9]\d)\./.test(version)) {
  console.error(
    `setup: node_modules/.bin/node is ${version || 'missing'}, but 24 or later is needed. ` +
      'Was npm told to skip install scripts? Run: npm ci --ignore-scripts=false',
  );
  process.exit(1);
}

const [script, ...args] = process.argv.slice(2);
if (script) run(node, [join(root, script), ...args]);
