/** What a warning is about, as far as it is known: what a remedy may name. */
export interface Subject {
  workload?: string | undefined;
  container?: string | undefined;
  image?: string | undefined;
  file?: string | undefined;
}

const WRITE_FILTER =
  'see which tags there are with `tk-image list`, and write a filter that accepts some: `tk-image policy {file} -w {workload} --tag {container}=FILTER`';
const TIMES = 'order by version or by a part of the tag instead, or build images that say when they were built';
const MARK = 'correct the marker: `# {"$imagepolicy": "NAMESPACE:NAME"}`, with `:tag`, `:name` or `:digest` for a part';
const POLICY = 'give the ImagePolicy that the marker names with --metadata, or correct the name';
const LOGIN = 'log in with `docker login`, or name a login by an option for registries';
const LATER = 'run again later, or record what you need with `tk-image scan` and give it with --metadata';
const YAML = 'correct the file, which is not YAML that can be edited safely';
const FILE = 'see to {file}, or leave it out';
const ANNOTATION = 'correct the annotation, or remove it';
const CACHE = 'see to the directory of the cache, or name another with --cache';

/**
 * What helps, by the reason of a result, for whoever looks after the manifests. Every reason of docs/function.md, "Results", is
 * here. In braces stands what the result is about.
 */
export const remedies: Readonly<Record<string, string>> = {
  // Of fields that stay.
  locked: 'unlock it when the lock has done its service: `tk-image unlock {file} -w {workload}`',
  ignored: 'remove the annotation fluxcd.io/ignore from {workload}',
  denied: 'take {image} out of `deny` in the configuration, or deautomate {workload}',
  'not-allowed': 'add {image} to `allow` in the configuration, or deautomate {workload}',
  'metadata-missing':
    'let the registry be asked (no --offline), or record its tags with `tk-image scan` and give them with --metadata',
  'registry-unauthorized': LOGIN,
  'registry-denied': LOGIN,
  'registry-not-found': 'check the spelling of {image}; if it is private, log in',
  'registry-unreachable': 'check network, proxy and the name of the registry; without a network give --metadata',
  'registry-timeout': LATER,
  'registry-tls': 'trust its certificate with --ca, or have the registry put it right',
  'registry-refused-address': 'name the registry with --insecure if you trust the way to it',
  'registry-rate-limited': LATER,
  'registry-unavailable': LATER,
  'registry-budget': LATER,
  'registry-malformed': 'see whether {image} is served by a registry at all, or by something in between',
  'registry-too-large': 'give what is needed of {image} with --metadata',
  'no-tags': 'push a tag to {image}, or correct its name',
  'no-match': WRITE_FILTER,
  'no-times': TIMES,
  'would-go-back':
    'leave it; to go back write a filter that does not accept the current tag, or set `downgrade: Follow` in the ImagePolicy',
  'incomplete-listing': LATER,
  'current-without-time': TIMES,
  'current-unknown':
    'set the tag by hand to one that the registry has, or let it move with `unknownCurrent: move` or `downgrade: Follow`',
  'too-young': 'wait, or lower `minimumAge` of the ImagePolicy',
  'age-unknown': 'scan with a registry that tells push times, or go without `minimumAge`',
  'digest-unknown':
    'let the registry be asked for the digest, give metadata with digests, or set `digests: tag` to drop them',
  'digest-unwanted': 'set `digests` to keep or pin in the configuration, or take the digest away by hand',
  'markers-disagree': 'mark all parts of {image} for one ImagePolicy',
  'markers-ambiguous': 'give each image a map of its own, or mark it as a whole',
  'half-marked': 'mark the other parts of {image} for the same ImagePolicy',
  'anchor-shared': 'give {container} a text of its own in place of the alias, or automate all that share it alike',
  'cannot-be-written': 'add the field that is missing, or write the whole reference in one',
  'reference-malformed': 'write an image reference there: `name:tag`',
  'policy-unknown': POLICY,
  'policy-ambiguous': POLICY,
  'policy-not-ready': 'wait for the controller of the ImagePolicy, or see why it is not ready',
  'policy-stale': 'wait until its controller has seen the change of the ImagePolicy',
  'policy-empty': 'see why the ImagePolicy selects no image',
  'policy-malformed': 'correct the spec of the ImagePolicy; `tk-image choose --policy FILE` tries it',
  'filter-malformed':
    'correct the filter: `tk-image policy {file} -w {workload} --tag {container}=FILTER`; `tk-image choose` tries one',
  'repository-unknown': 'give the ImageRepository of the policy with --metadata',
  // Of other warnings.
  'annotation-unknown': ANNOTATION,
  'annotation-misplaced': 'move the annotation to metadata.annotations of the workload',
  'annotation-not-true': 'write "true" or "false"',
  'annotation-not-text': 'put the value in quotes',
  'annotation-conflict': 'remove one of the two annotations',
  'filter-unused': 'name a container that there is, or remove the filter',
  'filter-matches-nothing': WRITE_FILTER,
  'filter-no-prereleases':
    'write a range that asks for prereleases, such as `semver:>=1.0.0-0`, or remove them from the filter',
  'alias-incomplete':
    'add the annotation that is missing of repository.fluxcd.io, registry.fluxcd.io and tag.fluxcd.io',
  'alias-path-missing': 'correct the path in the annotation to where the image stands',
  'image-hidden': 'say where the image is by an annotation repository.fluxcd.io/NAME, or set `deepHelmValues: true`',
  'no-images':
    'annotate the object whose manifest holds the image, or name the place under `fields` of the configuration',
  'marker-malformed': MARK,
  'marker-misplaced': MARK,
  'tags-without-time': TIMES,
  'times-no-order': TIMES,
  'bare-number-version': 'write `strict-semver:` to take full versions only',
  'extract-ambiguous': 'narrow the filter of the ImagePolicy, or extract more of the tag',
  'extract-unknown-group': 'correct `extract` to a group that the filter has',
  'extract-unused': 'remove `extract`, or give the filter the group that it means',
  'tags-dropped': 'leave it: they are no tags of an image; or have the registry put it right',
  'tags-unreadable': 'push those images again, or delete their tags',
  'listing-incomplete': LATER,
  'tags-vanished': 'see whether the tags were meant to go; if so it is believed an hour from now',
  'times-not-read': 'run again, which goes on where it stopped, or narrow the filter',
  'cache-damaged': CACHE,
  'cache-unreadable': CACHE,
  'cache-unwritable': CACHE,
  'update-unmatched': 'correct the image or the targets of the update in the configuration',
  setter: "change the setter's value too, or remove the comment",
  'metadata-malformed': 'record it anew with `tk-image scan`, or correct the document',
  'yaml-invalid': YAML,
  'tab-indentation': 'indent with blanks',
  template: 'update what the template is filled with instead: its values',
  'duplicate-key': 'remove one of the two keys',
  'several-documents': YAML,
  'bare-cr': 'end lines with LF or CRLF',
  'alias-undefined': 'define the anchor before it is used',
  'alias-recursive': YAML,
  'too-deep': YAML,
  'too-large': YAML,
  'edit-unsafe': 'report it as a bug, with the document',
  'file-unreadable': FILE,
  'file-not-text': FILE,
  'file-too-large': FILE,
  'directory-unreadable': FILE,
  'link-out-of-tree': 'name the target of the link as the directory to have it updated',
};

/** What helps against the cause of a result; undefined for a reason that needs no help. */
export function remedyFor(reason: string, subject: Subject): string | undefined {
  return Object.hasOwn(remedies, reason) ? filledIn(remedies[reason]!, subject) : undefined;
}

/** A text with the names of a subject in its braces, as a shell takes them. */
export function filledIn(text: string, subject: Subject): string {
  return text.replaceAll(/\{(workload|container|image|file)\}/g, (_, name: keyof Subject) => {
    const value = subject[name] || name.toUpperCase();
    return /^[\w.:/@+-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
  });
}
