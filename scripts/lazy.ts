// One file an entry point, of which a run compiles only what it needs: modules that the sources load by `import()` are
// bundled apart and put into the file as text. Node compiles the whole of a file at its start; a text costs it nothing.
import { relative } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';

/** A module id of the form that the bundled `require` below takes. */
const PREFIX = 'lazy:';

/** Turns every `import()` of a file of ours into a lazy module, and remembers which there are. */
function lazyImports(root: string, found: Set<string>): Plugin {
  return {
    name: 'lazy-imports',
    setup({ onResolve }) {
      onResolve({ filter: /^\.\.?\// }, async ({ kind, path, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined;
        const file = relative(root, new URL(path, `file://${resolveDir}/`).pathname);
        found.add(file);
        return { path: PREFIX + file, external: true };
      });
    },
  };
}

/** Bundles an entry point with its lazy modules into the text of one CommonJS program. */
export async function bundleLazily(root: string, entry: string, options: BuildOptions): Promise<string> {
  const found = new Set<string>();
  const bundled = new Map<string, string>();
  async function bundle(file: string): Promise<string> {
    const { outputFiles } = await build({
      ...options,
      absWorkingDir: root,
      entryPoints: [file],
      bundle: true,
      format: 'cjs',
      write: false,
      // `import()` becomes a `require`, which the program's own loader answers.
      supported: { 'dynamic-import': false },
      plugins: [...(options.plugins ?? []), lazyImports(root, found)],
    });
    return outputFiles[0]!.text;
  }
  const main = await bundle(entry);
  for (;;) {
    const next = [...found].toSorted().find((file) => !bundled.has(file));
    if (next === undefined) break;
    bundled.set(next, await bundle(next));
  }
  const table = [...bundled]
    .map(([file, code]) => `${JSON.stringify(PREFIX + file)}:${JSON.stringify(code)}`)
    .join(',\n');
  return `#!/usr/bin/env node
"use strict";
const lazy = {
${table}
};
const loaded = {};
function load(id) {
  if (!(id in lazy)) return require(id);
  if (!(id in loaded)) {
    const module = (loaded[id] = { exports: {} });
    const options = { filename: __filename + "#" + id };
    require("node:vm").compileFunction(lazy[id], ["exports", "require", "module"], options)(module.exports, load, module);
  }
  return loaded[id].exports;
}
(function (require) {
${main}
})(load);
`;
}
