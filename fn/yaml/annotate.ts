import { isMap, parseDocument, Scalar } from 'yaml';

/** Every scalar stays the text that it is. */
const OPTIONS = { schema: 'failsafe', resolveKnownTags: false, uniqueKeys: false } as const;

/**
 * The text of a document with annotations set, or taken away where the value is null, for other programs to read: comments
 * stay, the layout may not. Where no annotation is left, none are mentioned. Undefined for what is no map or cannot be read.
 */
export function annotate(text: string, annotations: Readonly<Record<string, string | null>>): string | undefined {
  const document = parseDocument(text, OPTIONS);
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  for (const [key, value] of Object.entries(annotations)) {
    const path = ['metadata', 'annotations', key];
    if (value !== null) document.setIn(path, quoted(value));
    else if (document.hasIn(path)) document.deleteIn(path);
  }
  const left = document.getIn(['metadata', 'annotations']);
  if (isMap(left) && left.items.length === 0) document.deleteIn(['metadata', 'annotations']);
  return document.toString({ directives: false, lineWidth: 0 });
}

/** An annotation is a text even where it looks like a number. */
function quoted(value: string): Scalar {
  const scalar = new Scalar(value);
  scalar.type = 'QUOTE_SINGLE';
  return scalar;
}
