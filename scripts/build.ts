// Bundles one CommonJS file per entry point into dist/, and writes the library's types and the licences of what is bundled.
// `npm run build`.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { bundleLazily } from './lazy.ts';
import { NOTICES, noticesText, packagesIn } from './notices.ts';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Libraries: bundle name to source file. */
const libraries = { index: 'fn/index.ts', kpt: 'fn/kpt.ts' } as const;
/** Programs: their source file, the page that is their help if one is, and where what they load late goes. */
const programs = {
  // In the file itself, so that it can be carried about alone.
  'image-update': { entry: 'fn/main.ts', help: 'docs/function.md', apart: cloudFile },
  'tk-image': { entry: 'cli/tk-image.ts', help: undefined, apart: commandFile },
  // One file, as the runner wants it. The SDKs stay beside: Node reads all of a file at each start, and few log in by a cloud.
  action: { entry: 'action/main.ts', help: undefined, apart: cloudFile },
} as const;

/** Every bundle, by name. */
export const bundles = [...Object.keys(programs), ...Object.keys(libraries)] as Bundle[];

export type Bundle = keyof typeof programs | keyof typeof libraries;

const options = {
  platform: 'node',
  target: 'node22.19',
  // Names stay as they are: a stack trace in a bug report must be readable.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
} satisfies BuildOptions;

/** Where the SDKs of the clouds go. */
const CLOUDS = 'clouds';

/** The file of a module that is loaded late, if it has an SDK in it or is one: a package that is loaded late is. */
export function cloudFile(id: string): string | undefined {
  if (/^registry\/credentials\/(?:azure|google)\.ts$/.test(id)) return `${CLOUDS}/${basename(id, '.ts')}.js`;
  return /^[@a-z]/.test(id) && !id.endsWith('.ts')
    ? `${CLOUDS}/${id.replace(/^@/, '').replaceAll('/', '-')}.js`
    : undefined;
}

function commandFile(id: string): string {
  return cloudFile(id) ?? `tk-image/${id.replace(/\.ts$/, '').replaceAll('/', '-')}.js`;
}

/**
 * `@actions/core` brings an HTTP client along, half a megabyte, for the one function that asks GitHub for an identity. Its modules do
 * nothing when they are loaded, but its packages do not say so; told that, esbuild leaves out what is not used.
 */
const leanToolkit: Plugin = {
  name: 'lean-toolkit',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /./ }, async ({ path, importer, pluginData, ...rest }) => {
      const isToolkit = path.startsWith('@actions/') || /node_modules[\\/]@actions[\\/]/.test(importer);
      if (!isToolkit || pluginData === leanToolkit) return undefined;
      const resolved = await resolve(path, { ...rest, importer, pluginData: leanToolkit });
      return { ...resolved, sideEffects: false };
    });
  },
};

/** Writes every bundle and the types into `outdir`. The same sources give the same bytes. */
export async function buildAll(outdir: string): Promise<void> {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  // The SDK's error class is told apart by identity: it must be the caller's own copy.
  const external = ['kpt-functions'];
  const packages = new Set<string>();
  const noting = { ...options, metafile: true, plugins: [packagesIn(packages), leanToolkit] };
  await build({
    ...noting,
    absWorkingDir: root,
    entryPoints: libraries,
    outdir,
    bundle: true,
    format: 'cjs',
    external,
  });
  for (const [name, { entry, help, apart }] of Object.entries(programs)) {
    const define: Record<string, string> = help
      ? { __HELP__: JSON.stringify(readFileSync(join(root, help), 'utf8')) }
      : {};
    const file = join(outdir, `${name}.js`);
    const { program, beside } = await bundleLazily(root, entry, { ...noting, define }, apart);
    writeFileSync(file, program);
    chmodSync(file, 0o755);
    // Programs that load the same SDK share its file.
    for (const [path, text] of beside) {
      mkdirSync(join(outdir, dirname(path)), { recursive: true });
      writeFileSync(join(outdir, path), text);
    }
  }
  writeFileSync(join(outdir, NOTICES), noticesText(root, packages));
  // The package is ESM; the bundles are not.
  writeFileSync(join(outdir, 'package.json'), '{"type":"commonjs"}\n');
  // Types are emitted, not checked: `npm run check` does that, for the tests too.
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.types.json', '--outDir', join(outdir, 'types')], {
    cwd: root,
    stdio: 'inherit',
  });
}

if (import.meta.main) await buildAll(join(root, 'dist'));
