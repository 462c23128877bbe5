import type { DocumentFormat } from './formats.ts';

/** Documents as JSON: one as itself, any other number as an array; or as YAML. */
export async function print(format: DocumentFormat, value: unknown): Promise<string> {
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  const { printYaml } = await import('../fn/yaml/print.ts');
  return printYaml(value);
}
