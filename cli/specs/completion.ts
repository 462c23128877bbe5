import type { CommandSpec } from '../spec.ts';

/** The shells that completion is written for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const completion: CommandSpec = {
  name: 'completion',
  summary: 'a script that completes commands and options in your shell',
  usage: [SHELLS.join('|')],
  about: 'Prints a script that completes commands, options, and what options take, for `bash`, `zsh` or `fish`.',
  options: [],
  words: SHELLS,
  examples: [
    { says: 'bash, in `~/.bashrc`:', command: 'source <(tk-image completion bash)' },
    {
      says: 'zsh, in a directory of `$fpath`:',
      command: 'tk-image completion zsh > ~/.zfunc/_tk-image',
      needs: 'a directory of zsh',
    },
    {
      says: 'fish:',
      command: 'tk-image completion fish > ~/.config/fish/completions/tk-image.fish',
      needs: 'a directory of fish',
    },
  ],
};
