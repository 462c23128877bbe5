// Bundles one CommonJS file per entry point into dist/ and writes the library's types. `npm run build`.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Bundle name to source file: what users run or import. */
export const entries = {
  'image-update': 'fn/main.ts',
  index: 'fn/index.ts',
  kpt: 'fn/kpt.ts',
} as const;

/** Writes every bundle and the types into `outdir`. The same sources give the same bytes. */
export async function buildAll(outdir: string): Promise<void> {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node22.19',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    minifyIdentifiers: true,
    keepNames: true,
    legalComments: 'eof',
    // Its error class is told apart by identity: it must be the caller's own copy.
    external: ['kpt-functions'],
    define: { __HELP__: JSON.stringify(readFileSync(join(root, 'docs/function.md'), 'utf8')) },
    logLevel: 'warning',
  });
  // The package is ESM; the bundles are not.
  writeFileSync(join(outdir, 'package.json'), '{"type":"commonjs"}\n');
  chmodSync(join(outdir, 'image-update.js'), 0o755);
  execFileSync(
    join(root, 'node_modules/.bin/tsc'),
    ['-p', root, '--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', join(outdir, 'types')],
    { stdio: 'inherit' },
  );
  for (const room of ['scripts', 'test', 'bench', 'examples'])
    rmSync(join(outdir, 'types', room), { recursive: true, force: true });
}

if (import.meta.main) await buildAll(join(root, 'dist'));
