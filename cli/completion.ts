import type { Io } from '../fn/io.ts';
import { DONE } from '../fn/status.ts';
import { UsageError } from '../fn/usage.ts';
import { carryOut, type Parsed } from './command.ts';
import { PROGRAM } from './name.ts';
import { optionsOf, type CommandSpec, type OptionSpec } from './spec.ts';
import { completion as spec, SHELLS } from './specs/completion.ts';
import { specs } from './specs/index.ts';

/** `tk-image completion`: a script for a shell. */
export async function completion(argv: string[], io: Io): Promise<number> {
  return carryOut(spec, argv, io, async ({ operands }: Parsed<object>) => {
    const shell = SHELLS.find((name) => name === operands[0]);
    if (!shell || operands.length > 1)
      throw new UsageError(
        `say for which shell, one of ${SHELLS.join(', ')}; ${JSON.stringify(operands.join(' '))} is none`,
      );
    io.output(scripts[shell]());
    return DONE;
  });
}

const scripts: Record<(typeof SHELLS)[number], () => string> = { bash, zsh, fish };

/** What a word may be, where an option or a command stands before it. */
interface Choice {
  words: readonly string[];
  completes: OptionSpec['completes'];
}

function choiceOf({ choices = [], completes }: OptionSpec): Choice {
  return { words: choices, completes };
}

/** `-f` and `--file` of `-f, --file <file>`, and whether a value follows. */
function namesOf({ flags }: OptionSpec): { names: string[]; takesValue: boolean } {
  return { names: flags.match(/(?<![\w-])--?[\w-]+/g) ?? [], takesValue: flags.includes('<') };
}

/** The words that may stand first, and behind the first of a name of two. */
function wordsOf(): Map<string, string[]> {
  const words = new Map<string, string[]>([['', []]]);
  for (const { name } of specs) {
    const [one = '', two] = name.split(' ');
    if (!words.get('')!.includes(one)) words.get('')!.push(one);
    if (two !== undefined) words.set(one, [...(words.get(one) ?? []), two]);
  }
  return words;
}

// --- bash ------------------------------------------------------------------------------------------------------------

/** The word before decides: an option that takes a value, else the command, whose options or operands come. */
function bash(): string {
  const families = [...wordsOf()].filter(([one]) => one !== '');
  return `# Completion of ${PROGRAM} for bash. Written by: ${PROGRAM} completion bash
_tk_image() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W ${quote(['help', ...wordsOf().get('')!].join(' '))} -- "$word"))
    return
  fi
  case $command in
${families.map(([one, words]) => `    ${one}) if (( COMP_CWORD == 2 )); then COMPREPLY=($(compgen -W ${quote(words.join(' '))} -- "$word")); return; fi; command="$command \${COMP_WORDS[2]}" ;;`).join('\n')}
  esac
  case "$command $before" in
${specs.flatMap((spec) => optionsOf(spec).flatMap((option) => bashValues(spec, option))).join('\n')}
  esac
  case $command in
${specs.map(bashCommand).join('\n')}
  esac
}
complete -o filenames -F _tk_image ${PROGRAM}
`;
}

function bashValues({ name }: CommandSpec, option: OptionSpec): string[] {
  const { names, takesValue } = namesOf(option);
  if (!takesValue) return [];
  const patterns = names.map((flag) => quote(`${name} ${flag}`)).join('|');
  return [`    ${patterns}) ${bashReply(choiceOf(option))} return ;;`];
}

function bashCommand(spec: CommandSpec): string {
  const flags = optionsOf(spec).flatMap((option) => namesOf(option).names);
  const options = `COMPREPLY=($(compgen -W ${quote([...flags, '--help'].join(' '))} -- "$word"))`;
  const operands = bashReply({ words: spec.words ?? [], completes: spec.operands });
  return `    ${quote(spec.name)}) if [[ $word == -* ]]; then ${options}; else ${operands} fi ;;`;
}

function bashReply({ words, completes }: Choice): string {
  const flag =
    completes === 'file'
      ? '-f'
      : completes === 'directory'
        ? '-d'
        : words.length > 0
          ? `-W ${quote(words.join(' '))}`
          : '';
  return flag === '' ? ':;' : `COMPREPLY=($(compgen ${flag} -- "$word"));`;
}

// --- zsh -------------------------------------------------------------------------------------------------------------

function zsh(): string {
  const families = [...wordsOf()].filter(([one]) => one !== '');
  return `#compdef ${PROGRAM}
# Completion of ${PROGRAM} for zsh. Written by: ${PROGRAM} completion zsh
_tk_image() {
  local command=$words[2]
  if (( CURRENT == 2 )); then
    local -a commands=(${firstWords()
      .map(([word, says]) => quote(`${word}:${says}`))
      .join(' ')})
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $command in
${families.map(([one, words]) => `    ${one}) if (( CURRENT == 2 )); then compadd -- ${words.join(' ')}; return; fi; command="$command $words[2]"; shift words; (( CURRENT-- )) ;;`).join('\n')}
  esac
  case $command in
${specs.map(zshCommand).join('\n')}
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _tk_image "$@"; else compdef _tk_image ${PROGRAM}; fi
`;
}

/** The first words with what they are for; of several commands that share one, all that it begins. */
function firstWords(): [word: string, says: string][] {
  return wordsOf()
    .get('')!
    .map((word) => {
      const spec = specs.find(({ name }) => name === word);
      const family = specs.filter(({ name }) => name.startsWith(`${word} `)).map(({ name }) => name.split(' ')[1]);
      return [word, spec?.summary ?? family.join(', ')];
    });
}

function zshCommand(spec: CommandSpec): string {
  const rules = optionsOf(spec).flatMap((option) => {
    const { names, takesValue } = namesOf(option);
    const says = plainWords(option.meaning);
    return names.map((name) => quote(`*${name}[${says}]${takesValue ? `:value:${zshAction(choiceOf(option))}` : ''}`));
  });
  const operands = quote(`*:operand:${zshAction({ words: spec.words ?? [], completes: spec.operands })}`);
  return `    ${quote(spec.name)}) _arguments ${[...rules, quote('--help[help]'), operands].join(' ')} ;;`;
}

function zshAction({ words, completes }: Choice): string {
  if (completes === 'file') return '_files';
  if (completes === 'directory') return '_files -/';
  return words.length > 0 ? `(${words.join(' ')})` : ' ';
}

/** A phrase without what zsh's rules or a terminal would take for more than words. */
function plainWords(markdown: string): string {
  return markdown.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1').replaceAll(/[`\\[\]:]/g, '');
}

// --- fish ------------------------------------------------------------------------------------------------------------

function fish(): string {
  const first = firstWords().map(([word, says]) =>
    fishLine('__fish_use_subcommand', `-a ${quote(word)} -d ${quote(says)}`),
  );
  const second = [...wordsOf()]
    .filter(([one]) => one !== '')
    .flatMap(([one, words]) => {
      const none = words.map((word) => `; and not __fish_seen_subcommand_from ${word}`).join('');
      return [fishLine(`__fish_seen_subcommand_from ${one}${none}`, `-a ${quote(words.join(' '))}`)];
    });
  return `# Completion of ${PROGRAM} for fish. Written by: ${PROGRAM} completion fish
complete -c ${PROGRAM} -f
${[...first, ...second, ...specs.flatMap(fishCommand)].join('\n')}
`;
}

function fishCommand(spec: CommandSpec): string[] {
  const seen = spec.name
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ');
  const operands = fishAction({ words: spec.words ?? [], completes: spec.operands });
  return [
    ...optionsOf(spec).map((option) => {
      const { names, takesValue } = namesOf(option);
      const flags = names
        .map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
        .join(' ');
      const action = fishAction(choiceOf(option));
      const value = takesValue ? ` ${action === '-F' ? '-r -F' : `-x ${action}`}` : '';
      return fishLine(seen, `${flags}${value} -d ${quote(plainWords(option.meaning))}`);
    }),
    ...(operands === '' ? [] : [fishLine(seen, operands)]),
  ];
}

function fishLine(condition: string, rest: string): string {
  return `complete -c ${PROGRAM} -n ${quote(condition)} ${rest}`;
}

function fishAction({ words, completes }: Choice): string {
  if (completes === 'file') return '-F';
  if (completes === 'directory') return `-a '(__fish_complete_directories)'`;
  return words.length > 0 ? `-a ${quote(words.join(' '))}` : '';
}

/** For a shell, as one word. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
