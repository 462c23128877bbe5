/**
 * Something to tell the user that is not a change: what was asked for and not done, and why. The engine turns notes into
 * `warning` results with the resource and file that it knows.
 */
export interface Note {
  /** Stable, machine-readable, kebab-case: `locked`, `filter-malformed`, `marker-unknown`. It becomes the tag `reason`. */
  reason: string;
  /** What is wrong, with which value, and what to do; no file or resource, which the result carries. */
  message: string;
  /** Offset in the text that the note is about, for its line. */
  offset?: number;
  /** Where in the document, such as `spec.template.spec.containers[0].image`. */
  path?: string;
  container?: string;
  image?: string;
}
