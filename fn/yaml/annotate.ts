import { isMap, isScalar, parseDocument, Scalar } from 'yaml';

/** Every scalar stays the text that it is. */
const OPTIONS = { schema: 'failsafe', resolveKnownTags: false, uniqueKeys: false } as const;

/**
 * The text of a document with annotations set, or taken away where the value is null, for other programs to read: comments
 * stay, the layout may not. Where no annotation is left, none are mentioned. Undefined for what is no map, or has no place for
 * annotations, or cannot be read.
 */
export function annotate(text: string, annotations: Readonly<Record<string, string | null>>): string | undefined {
  const document = parseDocument(text, OPTIONS);
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  for (const path of PLACES) {
    const node = document.getIn(path, true);
    if (node === undefined || isMap(node)) continue;
    if (!isScalar(node) || !isEmpty(node)) return undefined;
    document.deleteIn(path);
  }
  for (const [key, value] of Object.entries(annotations)) {
    const path = ['metadata', 'annotations', key];
    if (value !== null) document.setIn(path, quoted(value));
    else if (document.hasIn(path)) document.deleteIn(path);
  }
  for (const path of PLACES.toReversed()) {
    const left = document.getIn(path);
    if (isMap(left) && left.items.length === 0) document.deleteIn(path);
  }
  // What others put around it may go on behind it.
  document.directives.docEnd = false;
  return document.toString({ directives: false, lineWidth: 0 });
}

const PLACES = [['metadata'], ['metadata', 'annotations']];

/** YAML's ways to say nothing. */
const NOTHING = new Set<unknown>([null, '', '~', 'null', 'Null', 'NULL']);

function isEmpty({ value, type }: Scalar): boolean {
  return type === 'PLAIN' && NOTHING.has(value);
}

/** An annotation is a text even where it looks like a number. */
function quoted(value: string): Scalar {
  const scalar = new Scalar(value);
  scalar.type = 'QUOTE_SINGLE';
  return scalar;
}
