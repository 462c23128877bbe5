// Reads stdin, decodes it and writes it: the least that any function on a ResourceList must do.
const { readFileSync, writeFileSync } = require('node:fs');

writeFileSync(1, readFileSync(0).toString('utf8'));
