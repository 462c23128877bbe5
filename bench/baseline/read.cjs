// Reads every YAML file below a directory and searches its bytes once: the least that any program must do.
const { closeSync, openSync, readdirSync, readFileSync, readSync } = require('node:fs');

const needle = Buffer.from('fluxcd.io/');
const buffer = Buffer.allocUnsafeSlow(1 << 20);
let hits = 0;

function visit(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) visit(path);
    else if (/\.ya?ml$|^Kustomization$/.test(entry.name) && read(path).includes(needle)) hits++;
  }
}

function read(path) {
  const file = openSync(path);
  try {
    const length = readSync(file, buffer, 0, buffer.length, 0);
    return length < buffer.length ? buffer.subarray(0, length) : readFileSync(path);
  } finally {
    closeSync(file);
  }
}

visit(process.argv[2]);
console.log(hits);
