import { deref, type Node } from './tree.ts';

/** Values deeper than this, aliases followed, are refused: configuration is never that deep, alias bombs are. */
const MAX_DEPTH = 64;
/** More nodes than this, aliases followed, are refused for the same reason. */
const MAX_NODES = 5_000_000;

/**
 * The plain value of a tree, for configuration and metadata. Unquoted `true`, `false`, null and whole numbers that print
 * as they were written become what they look like; everything else stays text, so that a tag `1.10` is never 1.1.
 * @throws RangeError for what is deeper or larger than any configuration.
 */
export function toValue(node: Node | undefined): unknown {
  let nodes = 0;
  function convert(aliased: Node | undefined, depth: number): unknown {
    const node = deref(aliased);
    if (depth > MAX_DEPTH) throw new RangeError(`it is nested deeper than ${MAX_DEPTH} levels`);
    if (++nodes > MAX_NODES) throw new RangeError(`it has more than ${MAX_NODES} values`);
    if (!node) return null;
    if (node.kind === 'scalar') return scalarValue(node.value, node.style === 'plain' || node.style === 'empty');
    if (node.kind === 'seq') return node.items.map((item) => convert(item, depth + 1));
    // A null prototype: a key such as __proto__ is data here.
    const map = Object.create(null) as Record<string, unknown>;
    for (const { key, value } of node.entries) map[key.value] = convert(value, depth + 1);
    return map;
  }
  return convert(node, 0);
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
