// What the engine asks of a look-up, when, and what it makes of the answers.
import t from 'tap';
import { readConfig } from '../../fn/config/config.ts';
import { Answers } from '../../fn/lookup/answers.ts';
import type { Lookup, Need } from '../../fn/lookup/lookup.ts';
import type { ImageMetadata } from '../../fn/lookup/metadata.ts';
import type { Note } from '../../fn/note.ts';
import { replaceAll } from '../../fn/replace.ts';
import { update } from '../../fn/update.ts';
import { splitDocuments } from '../../fn/yaml/documents.ts';
import { D1, D2, deployment, metadata, policy } from '../fixtures/update.ts';

/** A registry of tags, written `repository: tag tag@digest`, that writes down what it was asked. */
class Scripted implements Lookup {
  readonly asked: string[] = [];
  readonly notes: Note[] = [];
  most = 0;
  #open = 0;
  readonly #tags: Record<string, string[]>;

  constructor(tags: Record<string, string[]>) {
    this.#tags = tags;
  }

  async metadata(image: string, needs: readonly Need[]): Promise<ImageMetadata | Note> {
    this.asked.push(`${image} ${needs.map(({ rule, current }) => `${rule.text} at ${current}`).join(', ')}`);
    return this.#answer(image, (tags) => ({ image, complete: true, tags: tags.map((name) => ({ name })) }));
  }

  async digest(image: string, tag: string): Promise<string | Note> {
    this.asked.push(`digest of ${image}:${tag}`);
    return this.#answer(image, () => D2);
  }

  async #answer<T>(image: string, make: (tags: string[]) => T): Promise<T | Note> {
    this.most = Math.max(this.most, ++this.#open);
    await new Promise((resolve) => setImmediate(resolve));
    this.#open--;
    const tags = this.#tags[image];
    return tags ? make(tags) : { reason: 'registry-denied', message: `${image} may not be read` };
  }
}

const AUTOMATED = 'fluxcd.io/automated: "true"';

interface Case {
  name: string;
  text: string;
  tags: Record<string, string[]>;
  given?: unknown[];
  spec?: object;
  asks: string[];
  /** How many questions were open at once. */
  most?: number;
  becomes: string[];
  says?: string[];
}

const two = deployment(
  [AUTOMATED, 'fluxcd.io/tag.a: semver:~1', 'fluxcd.io/tag.b: semver:~2'],
  'a: r.test/app:1.0.0',
  'b: r.test/app:2.0.0',
);
const other = deployment([AUTOMATED, 'fluxcd.io/tag.c: semver:*'], 'c: r.test/other:1');
const pinned = deployment([AUTOMATED, 'fluxcd.io/tag.a: semver:*'], `a: r.test/app:1@${D1}`);
const app = { 'r.test/app': ['1.0.0', '1.1.0', '2.0.0', '2.1.0'] };

const cases: Case[] = [
  {
    name: 'all rules of a repository are told at once, and repositories are asked together',
    text: `${two}---\n${other}---\n${two}`,
    tags: { ...app, 'r.test/other': ['1', '2'] },
    asks: ['r.test/app semver:~1 at 1.0.0, semver:~2 at 2.0.0', 'r.test/other semver:* at 1'],
    most: 2,
    becomes: ['r.test/app:1.1.0', 'r.test/app:2.1.0', 'r.test/other:2'],
  },
  {
    name: 'what was given is not asked for',
    text: two,
    tags: {},
    given: [metadata('r.test/app', '1.0.0', '1.2.0', '2.2.0')],
    asks: [],
    becomes: ['r.test/app:1.2.0', 'r.test/app:2.2.0'],
  },
  {
    name: 'the digest is asked for of the chosen tag alone',
    text: pinned,
    tags: app,
    asks: ['r.test/app semver:* at 1', 'digest of r.test/app:2.1.0'],
    becomes: [`r.test/app:2.1.0@${D2}`],
  },
  {
    name: 'a digest that was given is not asked for',
    text: pinned,
    tags: {},
    given: [metadata('r.test/app', { name: '2.1.0', digest: D1 })],
    asks: [],
    becomes: [`r.test/app:2.1.0@${D1}`],
  },
  {
    name: 'nor is one that nobody writes',
    text: pinned,
    tags: app,
    spec: { digests: 'tag' },
    asks: ['r.test/app semver:* at 1'],
    becomes: ['r.test/app:2.1.0\n'],
  },
  {
    name: 'an explicit tag costs its digest and no listing',
    text: deployment([], `a: r.test/app:1@${D1}`, 'b: r.test/app:1'),
    tags: app,
    spec: { updates: [{ image: 'r.test/app', to: { tag: '9' } }] },
    asks: ['digest of r.test/app:9'],
    becomes: [`r.test/app:9@${D2}`, 'r.test/app:9\n'],
  },
  {
    name: 'pinning asks all digests at once',
    text: two,
    tags: app,
    spec: { digests: 'pin' },
    asks: [
      'r.test/app semver:~1 at 1.0.0, semver:~2 at 2.0.0',
      'digest of r.test/app:1.1.0',
      'digest of r.test/app:2.1.0',
    ],
    most: 2,
    becomes: [`r.test/app:1.1.0@${D2}`, `r.test/app:2.1.0@${D2}`],
  },
  {
    name: 'a policy without a result is evaluated by the look-up, one with a result needs none',
    text: deployment(
      [],
      'a: r.test/app:1 # {"$imagepolicy": "ns:open"}',
      'b: r.test/b:1 # {"$imagepolicy": "ns:done"}',
    ),
    tags: app,
    given: [
      {
        apiVersion: 'image-update.dev/v1alpha1',
        kind: 'ImageRepository',
        metadata: { name: 'app', namespace: 'ns' },
        spec: { image: 'r.test/app' },
      },
      policy('open', {
        namespace: 'ns',
        spec: { imageRepositoryRef: { name: 'app' }, policy: { semver: { range: '1' } }, digest: 'Always' },
      }),
      policy('done', {
        namespace: 'ns',
        status: { latest: { name: 'r.test/b', tag: '2' }, conditions: [{ type: 'Ready', status: 'True' }] },
      }),
    ],
    asks: ['r.test/app semver 1 at 1', 'digest of r.test/app:1.1.0'],
    becomes: [`r.test/app:1.1.0@${D2} #`, 'r.test/b:2 #'],
  },
  {
    name: 'a registry that does not answer is told at each field, and others move',
    text: `${two}---\n${other}`,
    tags: { 'r.test/other': ['2'] },
    asks: ['r.test/app semver:~1 at 1.0.0, semver:~2 at 2.0.0', 'r.test/other semver:* at 1'],
    most: 2,
    becomes: ['r.test/app:1.0.0', 'r.test/app:2.0.0', 'r.test/other:2'],
    says: ['warning registry-denied a', 'warning registry-denied b', 'info highest-version c'],
  },
  {
    name: 'and is an error where warnings are: nothing moves',
    text: `${two}---\n${other}`,
    tags: { 'r.test/other': ['2'] },
    spec: { strict: true },
    asks: ['r.test/app semver:~1 at 1.0.0, semver:~2 at 2.0.0', 'r.test/other semver:* at 1'],
    most: 2,
    becomes: ['r.test/app:1.0.0', 'r.test/other:1'],
    says: ['error registry-denied a', 'error registry-denied b', 'info highest-version c'],
  },
];

t.test('what is asked, and what becomes of it', async (t) => {
  for (const { name, text, tags, given = [], spec = {}, asks, most = 1, becomes, says } of cases) {
    const lookup = new Scripted(tags);
    const answers = new Answers();
    for (const value of given) answers.add(value);
    const source = { text, documents: splitDocuments(text) };
    const config = readConfig({ apiVersion: 'image-update.dev/v1alpha1', kind: 'ImageUpdate', spec });
    const { edits, results } = await update([source], config, answers, lookup);
    t.strictSame(lookup.asked, asks, `${name}: questions`);
    if (asks.length > 0) t.equal(lookup.most, most, `${name}: at once`);
    const updated = replaceAll(text, edits.get(source) ?? []);
    for (const part of becomes) t.ok(updated.includes(part), `${name}: ${part}`, { updated });
    const told = results.map(({ severity, tags }) => `${severity} ${tags?.['reason']} ${tags?.['container']}`);
    if (says) t.strictSame(told, says, `${name}: what is said`);
  }
});

t.test('what the look-up has to say is told once', async (t) => {
  const lookup = new Scripted(app);
  lookup.notes.push({ reason: 'tags-dropped', message: '2 names are no tags', image: 'r.test/app' });
  const source = { text: two, documents: splitDocuments(two) };
  const { results } = await update(
    [source],
    readConfig({ apiVersion: 'v1', kind: 'ConfigMap' }),
    new Answers(),
    lookup,
  );
  t.match(
    results.filter(({ severity }) => severity === 'warning'),
    [{ message: '2 names are no tags', tags: { reason: 'tags-dropped', image: 'r.test/app' } }],
  );
});
