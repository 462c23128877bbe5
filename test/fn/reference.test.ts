import fc from 'fast-check';
import t from 'tap';
import {
  canonicalName,
  explainReference,
  formatReference,
  isDigest,
  isName,
  isTag,
  parseReference,
  splitDomain,
} from '../../fn/reference.ts';
import { noReferences, references } from '../fixtures/find/references.ts';

t.test('texts that are references', async (t) => {
  for (const [text, name, tag, digest, canonical] of references) {
    const reference = parseReference(text);
    t.same(reference, { name, ...(tag && { tag }), ...(digest && { digest }) }, text);
    t.equal(formatReference(reference!), text, `${text} comes back`);
    t.equal(canonicalName(name), canonical, `${name} canonical`);
    t.equal(canonicalName(canonical), canonical, `${canonical} stays`);
    t.ok(isName(name), `${name} is a name`);
    t.equal(isName(text), name === text);
  }
});

t.test('texts that are none', async (t) => {
  for (const [text, why] of noReferences) {
    t.equal(parseReference(text), undefined, text);
    t.match(explainReference(text), why, text);
  }
  t.equal(explainReference('nginx'), undefined);
});

t.test('parts', async (t) => {
  t.same(splitDomain('ghcr.io/org/app'), { domain: 'ghcr.io', path: 'org/app' });
  t.same(splitDomain('org/app'), { path: 'org/app' });
  t.ok(isTag('_x'));
  t.notOk(isTag(''));
  t.ok(isDigest(`other+b64:${'0'.repeat(32)}`), 'an algorithm of unknown length');
  t.notOk(isDigest('sha256:x'));
});

t.test('any reference and any text come back as they were', async () => {
  const runs = process.env['QUICK'] ? 200 : 2000;
  const names = fc.constantFrom(...references.map(([, name]) => name));
  const tags = fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined });
  const digests = fc.option(fc.stringMatching(/^sha256:[0-9a-f]{64}$/), { nil: undefined });
  fc.assert(
    fc.property(names, tags, digests, (name, tag, digest) => {
      const reference = { name, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
      const parsed = parseReference(formatReference(reference));
      return parsed?.name === name && parsed.tag === tag && parsed.digest === digest;
    }),
    { numRuns: runs },
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      const reference = parseReference(text);
      return reference ? formatReference(reference) === text : explainReference(text) !== undefined;
    }),
    { numRuns: runs },
  );
});
