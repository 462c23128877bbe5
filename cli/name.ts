import { basename } from 'node:path';

/** The name of this program where nothing else is said. */
export const PROGRAM = 'tk-image';

/**
 * What a person types to run this program: as a plug-in of kubectl (`kubectl-tk_image`) or flux (`flux-tk-image`) it is called by
 * their rules, by which a file is found for a word, and `_` stands for `-`.
 */
export function programName(path: string | undefined): string {
  const name = basename(path ?? '').replace(/\.(?:[cm]?js|ts|exe)$/, '');
  const plugin = /^(kubectl|flux|tk|gotk)-(.+)$/.exec(name);
  if (!plugin || name === PROGRAM) return PROGRAM;
  const [, host = '', word = ''] = plugin;
  return `${host} ${word.replaceAll('_', '-')}`;
}
