// Reads every YAML file below a directory and rewrites those that a list names, with the bytes that they had.
//     node rewrite.cjs DIR LIST safely|over
// `safely`: under a temporary name, with the file's mode, then renamed. `over`: in place, which a crash leaves half done.
const {
  closeSync,
  fchmodSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
} = require('node:fs');

const [, , root, list, manner] = process.argv;
const needle = Buffer.from('fluxcd.io/');
const buffer = Buffer.allocUnsafeSlow(1 << 20);
const changing = new Set(readFileSync(list, 'utf8').split('\n'));
const umask = process.umask();
let hits = 0;

function visit(folder, below) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) visit(path, `${below}${entry.name}/`);
    else if (/\.ya?ml$|^Kustomization$/.test(entry.name)) look(path, below + entry.name);
  }
}

function look(path, name) {
  const file = openSync(path);
  const changes = changing.has(name);
  const mode = changes ? fstatSync(file).mode & 0o7777 : 0;
  const length = readSync(file, buffer, 0, buffer.length, 0);
  closeSync(file);
  const bytes = length < buffer.length ? buffer.subarray(0, length) : readFileSync(path);
  if (bytes.includes(needle)) hits++;
  if (!changes) return;
  if (manner === 'over') writeFileSync(path, bytes);
  else replace(path, bytes, mode);
}

function replace(path, bytes, mode) {
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, 'wx', mode);
  writeFileSync(file, bytes);
  if (mode & umask) fchmodSync(file, mode);
  closeSync(file);
  renameSync(temporary, path);
}

visit(root, '');
console.log(hits);
