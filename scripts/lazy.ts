// One file an entry point, of which a run compiles only what it needs: modules that the sources load by `import()` are
// bundled apart and put into the file as text. Node compiles the whole of a file at its start; a text costs little. What is
// large and rarely wanted, the SDKs of the clouds, has files of its own, as even to skip megabytes of text takes time.
import { relative, sep } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';

/** A module id of the form that the bundled `require` below takes. */
const PREFIX = 'lazy:';

/** A program's text, and the files that must stand beside it, by their paths. */
export interface LazyBundle {
  program: string;
  beside: Map<string, string>;
}

/**
 * Turns every `import()` that a file of ours has into a lazy module, and remembers which there are: a file by its path, a
 * package by its name.
 */
function lazyImports(root: string, found: Set<string>): Plugin {
  return {
    name: 'lazy-imports',
    setup({ onResolve }) {
      onResolve({ filter: /./ }, async ({ kind, path, importer, resolveDir }) => {
        // A package loads the parts of its own as it likes.
        if (kind !== 'dynamic-import' || importer.split(sep).includes('node_modules')) return undefined;
        const isFile = /^\.\.?\//.test(path);
        const id = isFile ? relative(root, new URL(path, `file://${resolveDir}/`).pathname) : path;
        found.add(id);
        return { path: PREFIX + id, external: true };
      });
    },
  };
}

/**
 * Bundles an entry point with its lazy modules into one CommonJS program. `apart` says of a lazy module whether it becomes a
 * file beside the program, of what path.
 */
export async function bundleLazily(
  root: string,
  entry: string,
  options: BuildOptions,
  apart: (id: string) => string | undefined = () => undefined,
): Promise<LazyBundle> {
  const found = new Set<string>();
  async function bundle(id: string, plugins: Plugin[]): Promise<string> {
    const { outputFiles } = await build({
      ...options,
      absWorkingDir: root,
      entryPoints: [id],
      bundle: true,
      format: 'cjs',
      write: false,
      // `import()` becomes a `require`, which the program's own loader answers.
      supported: { 'dynamic-import': false },
      plugins,
    });
    return outputFiles[0]!.text;
  }
  const lazily = [lazyImports(root, found)];
  const main = await bundle(entry, lazily);
  const inside = new Map<string, string>();
  const beside = new Map<string, string>();
  const files: Record<string, string> = {};
  for (;;) {
    const next = [...found].toSorted().find((id) => !inside.has(id) && !(PREFIX + id in files));
    if (next === undefined) break;
    const file = apart(next);
    if (file === undefined) inside.set(next, await bundle(next, lazily));
    else {
      files[PREFIX + next] = `./${file}`;
      beside.set(file, await bundle(next, []));
    }
  }
  const table = [...inside].map(([id, code]) => `${JSON.stringify(PREFIX + id)}:${JSON.stringify(code)}`).join(',\n');
  const program = `#!/usr/bin/env node
"use strict";
const lazy = {
${table}
};
const beside = ${JSON.stringify(files)};
const loaded = {};
function load(id) {
  if (id in beside) return require(beside[id]);
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
  return { program, beside };
}
