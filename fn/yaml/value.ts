import { deref, type Node } from './tree.ts';

/** Values deeper than this, aliases followed, are refused: configuration is never that deep, alias bombs are. */
const MAX_DEPTH = 64;
/** More values than this behind aliases are refused for the same reason. What is written out is bounded by its text. */
const MAX_REPEATED = 100_000;

/**
 * The plain value of a tree, for configuration and metadata. Unquoted `true`, `false`, null and whole numbers that print
 * as they were written become what they look like; everything else stays text, so that a tag `1.10` is never 1.1.
 * @throws RangeError for what is deeper or larger than any configuration.
 */
export function toValue(node: Node | undefined): unknown {
  let repeated = 0;
  function convert(aliased: Node | undefined, depth: number, isRepeated: boolean): unknown {
    const node = deref(aliased);
    const again = isRepeated || aliased?.kind === 'alias';
    if (depth > MAX_DEPTH) throw new RangeError(`it is nested deeper than ${MAX_DEPTH} levels`);
    if (again && ++repeated > MAX_REPEATED) throw new RangeError(`its aliases repeat more than ${MAX_REPEATED} values`);
    if (!node) return null;
    if (node.kind === 'scalar') return scalarValue(node.value, node.style === 'plain' || node.style === 'empty');
    if (node.kind === 'seq') return node.items.map((item) => convert(item, depth + 1, again));
    // A null prototype: a key such as __proto__ is data here.
    const map = Object.create(null) as Record<string, unknown>;
    for (const { key, value } of node.entries) map[key.value] = convert(value, depth + 1, again);
    return map;
  }
  return convert(node, 0, false);
}

function scalarValue(text: string, plain: boolean): unknown {
  if (!plain) return text;
  switch (text) {
    case '':
    case '~':
    case 'null':
    case 'Null':
    case 'NULL':
      return null;
    case 'true':
    case 'True':
    case 'TRUE':
      return true;
    case 'false':
    case 'False':
    case 'FALSE':
      return false;
    default:
      return /^(?:0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
  }
}
