// The engine from text to text: what is edited, byte by byte, and what is said.
import t from 'tap';
import { updateText, type Result } from '../../fn/index.ts';
import { replaceAll } from '../../fn/replace.ts';
import { updateCases, type UpdateCase } from '../fixtures/update.ts';

function configOf({ spec, config }: UpdateCase): unknown {
  return spec ? { apiVersion: 'image-update.dev/v1alpha1', kind: 'ImageUpdate', spec } : config;
}

function edited({ name, text, edits = [] }: UpdateCase): string {
  const places = edits.map(([old, becomes]) => {
    const start = text.indexOf(old);
    if (start < 0 || start !== text.lastIndexOf(old))
      throw new Error(`${name}: "${old}" does not stand in the text once`);
    return { start, end: start + old.length, text: becomes };
  });
  return replaceAll(
    text,
    places.toSorted((a, b) => a.start - b.start),
  );
}

/** Results as cases write them: of the message the part that the case has, if it is there. */
function told(results: readonly Result[], wanted: readonly string[]): string[] {
  return results.map(({ severity, message, tags }, i) => {
    const head = `${severity} ${tags?.['reason']}: `;
    const part = wanted[i]?.slice(head.length);
    return head + (part !== undefined && message.includes(part) ? part : message);
  });
}

t.test('cases', async (t) => {
  for (const row of updateCases) {
    const { name, text, answers, path, says = [] } = row;
    const config = configOf(row);
    const updated = await updateText(text, {
      ...(config !== undefined && { config }),
      ...(answers && { answers }),
      ...(path !== undefined && { path }),
    });
    t.equal(updated.text, edited(row), name);
    t.strictSame(told(updated.results, says), says, `${name}: what is said`);
    t.equal(
      updated.failed,
      says.some((line) => line.startsWith('error ')),
      `${name}: failed`,
    );
  }
});
