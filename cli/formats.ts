/** The formats of `-o` where there is something for people to read, which is the default. */
export const FORMATS = ['table', 'json', 'yaml'] as const;
/** Where the answer is a document. */
export const DOCUMENT_FORMATS = ['json', 'yaml'] as const;

export type Format = (typeof FORMATS)[number];
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];

/** The format for programs, if one is asked for. */
export function documentFormat(format: Format | undefined): DocumentFormat | undefined {
  return format === 'table' ? undefined : format;
}
