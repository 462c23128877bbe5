// Loaded before a program (`node -r`): at its exit, writes its peak resident memory in bytes to BENCH_MEMORY_FILE.
// Linux counts what the parent had before `exec` into `maxRSS`; VmHWM is the program's own.
const { readFileSync, writeFileSync } = require('node:fs');

process.on('exit', () => {
  let kilobytes = process.resourceUsage().maxRSS;
  try {
    kilobytes = Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? kilobytes);
  } catch {
    // No /proc: not Linux.
  }
  writeFileSync(process.env.BENCH_MEMORY_FILE, String(kilobytes * 1024));
});
