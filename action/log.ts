import * as core from '@actions/core';

/**
 * A line of the log that the runner takes for no command. It reads `::name …::` at the start of a line, blanks before it, and the
 * older `##[name …]` anywhere in it (actions/runner, ActionCommand.cs). What is blank to it depends on its platform, so that whatever is
 * not seen counts. A backslash shows where one was made harmless.
 */
export function harmless(text: string): string {
  return text
    .split(/\r\n|[\n\r]/)
    .map((line) => line.replaceAll('##[', '##\\[').replace(/^([^\p{L}\p{N}\p{P}\p{S}]*):(?=:)/u, '$1\\:'))
    .join('\n');
}

/** Writes to the log what may hold the words of others. */
export function log(text: string): void {
  core.info(harmless(text));
}

/** A part of the log that is folded. Nothing is shown where there is nothing to say. */
export function logGroup(title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  core.startGroup(harmless(title));
  for (const line of lines) log(line);
  core.endGroup();
}
