/** What an image says of its source, by its labels (OCI image specification, "Pre-Defined Annotation Keys"). */
export type Labels = Readonly<Record<string, string>>;

const SOURCE = 'org.opencontainers.image.source';
const REVISION = 'org.opencontainers.image.revision';

/** A commit, or the name of a tag: what a compare page takes. */
const REVISION_FORM = /^(?!.*\.\.)[\w][\w.-]{0,127}$/;
const MAX_SOURCE = 1024;

/**
 * The page that compares the sources of two images; undefined where their labels do not tell of two revisions of one repository,
 * at an https address. What the labels say is a stranger's, so nothing but the plain path of a repository is taken.
 */
export function compareLink(from: Labels | undefined, to: Labels | undefined): string | undefined {
  const [before, after] = [from?.[SOURCE], to?.[SOURCE]].map(repositoryOf);
  const [old, now] = [from?.[REVISION], to?.[REVISION]];
  if (!after || before?.toLowerCase() !== after.toLowerCase() || old === undefined || now === undefined || old === now)
    return undefined;
  if (!REVISION_FORM.test(old) || !REVISION_FORM.test(now)) return undefined;
  const { hostname } = new URL(after);
  if (hostname === 'bitbucket.org') return `${after}/branches/compare/${now}..${old}`;
  return /(?:^|\.)gitlab\./.test(hostname) ? `${after}/-/compare/${old}...${now}` : `${after}/compare/${old}...${now}`;
}

/** The address of a repository's page, without what points into it; undefined if it is none. */
function repositoryOf(text: string | undefined): string | undefined {
  const url = text === undefined || text.length > MAX_SOURCE ? null : URL.parse(text.trim().replace(/^git\+/, ''));
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined;
  const path = url.pathname
    .replace(/\/-\/.*/, '')
    .replace(/\/(?:tree|blob|src|commit)\/.*/, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
  // Letters, digits and what no markup begins with: an underscore at an edge, a bracket or a quote would be one.
  return /^(?:\/[A-Za-z0-9](?:[\w.~-]*[A-Za-z0-9])?){2,20}$/.test(path) ? url.origin + path : undefined;
}
