import type { ImageField } from '../fn/find/find.ts';
import type { Resource } from '../fn/find/resources.ts';
import type { PolicySpec } from '../fn/policy/policy.ts';
import type { Rule } from '../fn/policy/rule.ts';
import type { Span } from '../fn/yaml/tree.ts';
import type { Leaf } from './forest.ts';

/** Whose rules are read: of four other tools, and ours, on the way back. */
export const SOURCES = ['argocd-image-updater', 'keel', 'renovate', 'flux-v2', 'annotations', 'policies'] as const;
export type From = (typeof SOURCES)[number];

/** What rules are written as: annotations on workloads, or ImagePolicy objects, ours or Flux's, with markers. */
export const TARGETS = ['annotations', 'policies', 'flux-v2'] as const;
export type To = (typeof TARGETS)[number];

/** Where an image stands. */
export interface Site {
  leaf: Leaf;
  /** What it stands in; undefined in a file that holds no object, such as Helm values. */
  resource: Resource | undefined;
  field: ImageField;
}

/** A rule in our terms. */
export interface Terms {
  /** What an ImagePolicy says, less its repository; it can say any rule. */
  policy: PolicySpec;
  /** The filter of an annotation that says the same, or why none does. */
  filter: { text: string } | { cannot: string };
  /** What differs from the other tool's rule, in sentences: under either, and under the one or the other. */
  notes: readonly string[];
  policyNotes?: readonly string[];
  filterNotes?: readonly string[];
}

/** What the other tool's rule is in ours: a rule; that the image stays as it is; or why it cannot be said, and what to do. */
export type Meaning = Terms | { hold: string } | { cannot: string };

/** How the other tool decides, in the shape of our rules; or why nobody can tell from files. `selected` is a tag that it chose. */
export type Before = { rule: Rule; selected?: string } | { unknown: string; selected?: string };

/** What `--remove` takes away of the other tool's. */
export type Remnant =
  | { leaf: Leaf; resource: Resource; keys: readonly string[] }
  /** A comment; `line` if it has a line of its own. */
  | { leaf: Leaf; comment: Span };

/** That a rule of another tool governs an image. */
export interface Intent {
  from: From;
  /** Where the rule is written. */
  leaf: Leaf;
  offset: number;
  /** The rule as its author wrote it. */
  written: string;
  /** The repository that it speaks of. */
  image: string;
  /** Where the image stands, or why it was not found, and what to do. */
  site: Site | { missing: string };
  meaning: Meaning;
  before: Before;
  /** What else its author should know: options that have no like here, and what takes their place. */
  notes: readonly string[];
  remnants: readonly Remnant[];
  /** The ImagePolicy that governs it already, of `flux-v2` and `policies`. */
  policy?: { namespace: string; name: string };
}

export function isSite(site: Intent['site']): site is Site {
  return 'field' in site;
}

export function isTerms(meaning: Meaning): meaning is Terms {
  return 'policy' in meaning;
}
