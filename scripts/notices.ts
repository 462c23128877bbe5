// The licences of the packages that bundles hold: most ask that their text goes with every copy.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

/** The file beside the bundles. */
export const NOTICES = 'THIRD-PARTY-NOTICES.txt';

/** Gathers the directories of the packages, below the root, of which anything is in a bundle. Builds need `metafile`. */
export function packagesIn(found: Set<string>): Plugin {
  return {
    name: 'packages',
    setup({ onEnd }) {
      onEnd(({ metafile }) => {
        for (const { inputs } of Object.values(metafile?.outputs ?? {}))
          for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
            const directory = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0];
            if (directory !== undefined && bytesInOutput > 0) found.add(directory);
          }
      });
    },
  };
}

const LICENCE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** The text of the notices, by package name. */
export function noticesText(root: string, packages: ReadonlySet<string>): string {
  const apache = readFileSync(join(root, 'LICENSE'), 'utf8');
  const notices = [...packages].map((directory) => noticeOf(join(root, directory), apache));
  return `The programs and libraries of image-update hold code of these packages.\n\n${notices.toSorted().join('\n')}`;
}

/** `apache`: the text of Apache-2.0, which some packages name and do not ship. */
function noticeOf(directory: string, apache: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Package;
  const files = readdirSync(directory).filter((file) => LICENCE.test(file));
  const texts = files.toSorted().map((file) => readFileSync(join(directory, file), 'utf8').replaceAll('\r\n', '\n'));
  if (texts.length === 0) {
    const text = license === 'Apache-2.0' ? apache : licenceInReadme(directory);
    if (text === undefined)
      throw new Error(`${name} ${version} has no licence text, which must go with its code; leave the package out`);
    texts.push(text);
  }
  return `${name} ${version} (${license})\n${'='.repeat(72)}\n\n${texts.map((text) => `${text.trim()}\n`).join('\n')}\n`;
}

/** Some have the text in a section of their page instead of a file. */
function licenceInReadme(directory: string): string | undefined {
  const page = readdirSync(directory).find((file) => /^readme\.md$/i.test(file));
  const text = page && readFileSync(join(directory, page), 'utf8');
  const section = text && /^(?:#+ *)?licen[cs]e\s*\n(?:-+\n)?([\s\S]*?)(?=^#|^\[|$(?![\s\S]))/im.exec(text)?.[1];
  return section && /copyright/i.test(section) ? section : undefined;
}

interface Package {
  name: string;
  version: string;
  license: string;
}
