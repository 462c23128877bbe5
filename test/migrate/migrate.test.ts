// Whole migrations: what becomes of files, what is said of each image, and that a second run finds nothing to do.
import t from 'tap';
import { printYaml } from '../../fn/yaml/print.ts';
import type { Verdict } from '../../migrate/decisions.ts';
import type { Row } from '../../migrate/migrate.ts';
import { cases, type MigrationCase } from '../fixtures/migrate/cases.ts';
import { labelOf, migrated } from './forest.ts';

function tagOf(verdict: Verdict | undefined): string {
  return verdict && 'tag' in verdict ? verdict.tag : '?';
}

function shown({ status, before, after, verdict }: Row): string {
  return `${status} ${tagOf(before)} ${tagOf(after)} ${verdict}`;
}

function edited({ files, edits = {} }: MigrationCase): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [
      path,
      (edits[path] ?? []).reduce((now, [old, becomes]) => {
        if (now.split(old).length !== 2) throw new Error(`${path}: ${JSON.stringify(old)} does not stand there once`);
        return now.replace(old, () => becomes);
      }, text),
    ]),
  );
}

for (const each of cases)
  t.test(each.name, async (t) => {
    const { files, answers = [], objects = [], rows, says = [], to = 'annotations', from = [], remove = false } = each;
    const request = { to, from, remove };
    const first = await migrated(files, request, answers);
    t.same(first.files, edited(each), 'the files');
    t.same(first.objects.map(labelOf), objects, 'the objects');
    t.same(first.rows.map(shown), rows, 'the rows');
    const notes = [...first.rows.flatMap((row) => row.notes), ...first.notes];
    for (const pattern of says)
      t.ok(
        notes.some((note) => pattern.test(note)),
        `${pattern} is said`,
        { notes },
      );
    for (const row of first.rows) if (row.status === 'cannot') t.match(row.notes[0], /./, 'why it cannot be');

    const written = Object.fromEntries(first.objects.map((object, i) => [`new-${i}.yaml`, printYaml(object)]));
    const second = await migrated({ ...first.files, ...written }, request, answers);
    t.same(second.files, { ...first.files, ...written }, 'a second run changes nothing');
    t.same(second.objects, [], 'and makes nothing');
  });
