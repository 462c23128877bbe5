import { isatty } from 'node:tty';
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Puts a style on a text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/**
 * Colour for stdout (1) or stderr (2): on a terminal, unless `NO_COLOR` is set or it is a dumb one; anywhere with `FORCE_COLOR`
 * (no-color.org, force-color.org).
 */
export function paintFor(descriptor: 1 | 2, environment: NodeJS.ProcessEnv): Paint {
  const { NO_COLOR = '', FORCE_COLOR = '', TERM = '' } = environment;
  const forced = FORCE_COLOR !== '' && FORCE_COLOR !== '0';
  const colours = NO_COLOR === '' && (forced || (TERM !== 'dumb' && isatty(descriptor)));
  return colours ? (style, text) => text && styleText(style, text, { validateStream: false }) : (_, text) => text;
}
