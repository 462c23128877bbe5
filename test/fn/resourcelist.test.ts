// The ResourceList in every form that programs write it: what comes out is what went in, with images set and results added.
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { ResourceListError, updateResourceList, type Result } from '../../fn/index.ts';
import { CONFIG, lists, sharedLists } from '../fixtures/lists.ts';

interface List {
  items?: unknown[];
  results?: Result[] | null;
}

function parse(text: string): List {
  const documents = parseAllDocuments(text);
  if (documents.length !== 1) throw new Error(`${documents.length} documents`);
  for (const document of documents) for (const error of document.errors) throw error;
  return (documents as { toJS(): List }[])[0]!.toJS();
}

/** Whether a text is another with characters put in at one place. */
function isInsertion(before: string, after: string): boolean {
  let head = 0;
  while (head < before.length && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < before.length - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  return head + tail === before.length;
}

t.test('every form: images set, results added, nothing else', async (t) => {
  for (const { name, text, own, empty, replaces = '' } of lists) {
    await t.test(name, async (t) => {
      const { text: output, results, failed } = await updateResourceList(text, own ? {} : { config: CONFIG });
      t.notOk(failed);
      if (empty) t.equal((await updateResourceList(text)).text, text, 'nothing to say');
      const expected = text.replaceAll('nginx:1', 'nginx:2');
      const { results: before, ...rest } = parse(expected);
      const { results: after, ...restAfter } = parse(output);
      t.strictSame(restAfter, rest, 'images');
      t.ok(
        results.length > 0 && results.every(({ severity }) => severity === (empty ? 'warning' : 'info')),
        'something is told',
      );
      t.strictSame(after, [...(before ?? []), ...results], 'earlier results, then ours');
      t.ok(isInsertion(expected.replace(replaces, ''), output), 'every other byte');
      t.equal(output.includes('\r\n'), text.includes('\r\n'));
      t.notMatch(output.replaceAll('\r\n', ''), text.includes('\r\n') ? '\n' : '\r', 'line ends are all alike');
      if (empty) return;
      const again = await updateResourceList(output, own ? {} : { config: CONFIG });
      t.equal(again.text, output, 'a second run changes nothing');
    });
  }
});

t.test('items that share anchors', async (t) => {
  for (const { name, text, says, stays, only } of sharedLists) {
    const [update] = CONFIG.spec.updates;
    const targets = only?.map((pod) => ({ kind: 'Pod', name: pod }));
    const config = { ...CONFIG, spec: { updates: [{ ...update, ...(targets && { targets }) }] } };
    const { text: output, results } = await updateResourceList(text, { config });
    t.strictSame(
      results.map(({ file, severity, tags }) => `${file?.path ?? ''} ${severity} ${tags?.['reason']}`),
      says,
      name,
    );
    t.ok(isInsertion(stays ? text : text.replaceAll('nginx:1', 'nginx:2'), output), `${name}: every other byte`);
  }
});

/** A list of items that nobody asks about, in the last of which something else may follow. */
const CUT =
  'kind: ResourceList\nitems:\n- kind: Pod\n  metadata:\n    name: a\n- kind: Pod\n  metadata:\n    name: b\n  a: b\n- apiVersion: v1\n';

function indented(text: string): string {
  return text.replaceAll(/^(?=[-\s])/gm, '  ');
}

/** What the end of a list may be, though we could not edit it. */
const passed: [name: string, end: string][] = [
  ['a key twice', '  kind: Pod\n  kind: Pod\n'],
  ['a template', '  kind: {{ .Kind }}\n'],
  ['no item', '- \n'],
  ['comments', '# behind\n'],
  ['a document end', '...\n'],
  ['an alias of an anchor elsewhere', '  metadata: *no\n'],
];

t.test('a list passes whatever its last item is, as long as it is YAML', async (t) => {
  for (const [name, end] of passed) t.equal((await updateResourceList(CUT + end)).text, CUT + end, name);
});

const refused: [name: string, text: string, says: RegExp][] = [
  ['nothing', '', /empty/],
  ['blanks', ' \n\n', /empty/],
  ['a comment', '# none\n', /no ResourceList/],
  ['a Pod', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n', /holds a Pod/],
  ['a Pod in JSON', '{"kind":"Pod"}', /holds a Pod/],
  ['no kind', 'items: []\n', /no kind/],
  ['a list', '- kind: Pod\n', /not a map/],
  ['a word', 'hello', /not a map/],
  ['two lists', 'kind: ResourceList\nitems: []\n---\nkind: ResourceList\nitems: []\n', /document/],
  ['items are text', 'kind: ResourceList\nitems: some\n', /items/],
  ['items are a map', 'kind: ResourceList\nitems: {a: b}\n', /items/],
  ['items are a block map', 'kind: ResourceList\nitems:\n  a: b\n', /items/],
  ['truncated JSON', '{"kind":"ResourceList","items":[{"kind":', /not readable/],
  ['cut off in a key', `${CUT}  ki`, /line 11: not valid YAML/],
  ['cut off in quotes', `${CUT}  kind: "Po`, /not readable YAML at line 11/],
  ['cut off in flow style', `${CUT}  metadata: {name: b, la`, /not readable/],
  ['cut off in an item that is indented', indented(`${CUT}  kind: Pod\n  me`), /not readable/],
  ['cut off with CRLF', `${CUT}  kind: 'Po`.replaceAll('\n', '\r\n'), /not readable/],
  ['key twice', 'kind: ResourceList\nitems: []\nitems: []\n', /items|twice|duplicate/i],
  ['a tab for a blank', 'kind: ResourceList\nitems:\n\t- a\n', /not readable/],
];

t.test('what is no ResourceList is refused', async (t) => {
  for (const [name, text, says] of refused)
    await t.rejects(updateResourceList(text), { name: ResourceListError.name, message: says }, name);
});
