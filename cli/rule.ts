import { asMap, asText } from '../fn/lookup/values.ts';
import { isNote, readValue } from '../fn/lookup/read.ts';
import type { Io } from '../fn/io.ts';
import { compilePattern } from '../fn/policy/pattern.ts';
import { compilePolicy } from '../fn/policy/policy.ts';
import type { Malformed, Rule } from '../fn/policy/rule.ts';
import { InputError, readText } from '../fn/run.ts';
import { UsageError } from '../fn/usage.ts';
import { splitDocuments } from '../fn/yaml/documents.ts';

/** The rule of a Flux-v1 filter such as `semver:~1.2`. @throws UsageError where it cannot be read. */
export function ruleOfFilter(filter: string): Rule {
  return compiled(compilePattern(filter));
}

/** The rule of the one ImagePolicy in a file, ours or Flux's. @throws UsageError, or InputError for the file. */
export async function ruleOfFile(io: Io, name: string): Promise<Rule> {
  const text = readText(io, name);
  const specs: unknown[] = [];
  for (const document of splitDocuments(text)) {
    const value = await readValue(text, document);
    if (isNote(value)) throw new InputError(`${name} is not readable YAML: ${value.message}`);
    const resource = asMap(value);
    if (asText(resource?.['kind']) === 'ImagePolicy') specs.push(resource?.['spec']);
  }
  if (specs.length !== 1) throw new UsageError(`${name} holds ${specs.length} ImagePolicies; --policy takes one`);
  return compiled(compilePolicy(specs[0]));
}

function compiled(rule: Rule | Malformed): Rule {
  if ('error' in rule) throw new UsageError(rule.error.message);
  return rule;
}
