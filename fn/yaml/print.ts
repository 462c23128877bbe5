import { stringify } from 'yaml';

/** A plain value as YAML, for programs to read and people to look at; what was written by hand is never printed anew. */
export function printYaml(value: unknown): string {
  // Readers of YAML 1.1 take more words for numbers and truth values: what they would misread is quoted.
  return stringify(value, { version: '1.1', lineWidth: 0 });
}
