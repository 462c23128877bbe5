import { offsetOf } from '../fn/find/field.ts';
import type { Values } from '../fn/lookup/values.ts';
import type { Span } from '../fn/yaml/tree.ts';
import type { Resource } from '../fn/find/resources.ts';
import { isSame } from './convert.ts';
import type { Leaf } from './forest.ts';
import { isSite, isTerms, type Intent, type Site, type Terms } from './intent.ts';

/** `written`: by this run. `there`: before it. `held`: the other tool leaves it alone, and so do we. `cannot`: see the notes. */
export type Status = 'written' | 'there' | 'held' | 'cannot';

/** What becomes of an intent. */
export interface Outcome {
  status: Status;
  /** Our rule, as it is written: a filter, or the policy with its rule. */
  ours?: string;
  /** What differs and what to do; of what cannot be migrated first why. */
  notes: readonly string[];
}

/** Everything that a migration writes. */
export interface Plan {
  outcomes: Map<Intent, Outcome>;
  annotations: Map<Leaf, Map<Resource, { set: Map<string, string>; remove: Set<string> }>>;
  comments: Map<Leaf, CommentEdit[]>;
  /** New objects. */
  objects: Values[];
  /** What is to be done of which no single image tells. */
  notes: string[];
}

/** A comment that is taken away, or put behind a value, or put in the place of another. */
export interface CommentEdit {
  /** The comment that is there. */
  comment?: Span;
  /** Where one without a comment ends. */
  at: number;
  /** With its `#`; undefined to take the comment away. */
  text?: string;
}

export function emptyPlan(): Plan {
  return { outcomes: new Map(), annotations: new Map(), comments: new Map(), objects: [], notes: [] };
}

/** An intent whose rule can be said, about an image that was found and can be read. */
export interface Sayable {
  intent: Intent;
  site: Site;
  terms: Terms;
}

/** The intents that are to be written, of each image those of one rule; of the others it is said why they are not. */
export function sayable(intents: readonly Intent[], { outcomes }: Plan): Sayable[] {
  const found = new Map<string, Sayable[]>();
  for (const intent of intents) {
    const { site, meaning, notes } = intent;
    if (!isSite(site)) outcomes.set(intent, { status: 'cannot', notes: [site.missing, ...notes] });
    else if ('hold' in meaning) outcomes.set(intent, { status: 'held', notes: [meaning.hold] });
    else if (!isTerms(meaning)) outcomes.set(intent, { status: 'cannot', notes: [meaning.cannot, ...notes] });
    else if (!site.field.reference && site.field.origin !== 'marker')
      outcomes.set(intent, { status: 'cannot', notes: [site.field.problem ?? 'it holds no image reference'] });
    else {
      const key = `${site.leaf.source.path} ${offsetOf(site.field)}`;
      const others = found.get(key) ?? [];
      const [other] = others;
      // Two Applications may deploy one directory, by one rule.
      if (!other || saysSame(other.terms, meaning)) found.set(key, [...others, { intent, site, terms: meaning }]);
      else
        outcomes.set(intent, {
          status: 'cannot',
          notes: [
            `${other.intent.from} (${other.intent.written}) governs this image, too; decide which counts, and take the other away`,
          ],
        });
    }
  }
  return [...found.values()].flat();
}

function saysSame(a: Terms, b: Terms): boolean {
  return isSame([a.policy, a.filter], [b.policy, b.filter]);
}
