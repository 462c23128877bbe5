import { isBelow } from '../git/path.ts';
import { isYamlName } from '../fn/directory.ts';
import { noteResult, type Result } from '../fn/result.ts';
import type { TreeEntry } from '../git/repository.ts';

/**
 * The files of a tree that the engine reads, as it does in a directory: YAML by their names, none of `node_modules`, no
 * templates of a Helm chart; links and submodules are none.
 */
export function yamlFiles(entries: readonly TreeEntry[]): TreeEntry[] {
  const charts = new Set(
    entries.flatMap(({ path }) => (path === CHART || path.endsWith(`/${CHART}`) ? path.slice(0, -CHART.length) : [])),
  );
  return entries.filter(({ path, mode }) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!mode.startsWith('100') || !isYamlName(name) || /(?:^|\/)node_modules\//.test(path)) return false;
    return charts.size === 0 || !isTemplate(path, charts);
  });
}

const CHART = 'Chart.yaml';
const TEMPLATES = 'templates/';

function isTemplate(path: string, charts: ReadonlySet<string>): boolean {
  for (let at = path.indexOf(TEMPLATES); at >= 0; at = path.indexOf(TEMPLATES, at + 1))
    if ((at === 0 || path[at - 1] === '/') && charts.has(path.slice(0, at))) return true;
  return false;
}

/** A warning for each path of a job at which there is nothing: most likely it is mistyped. */
export function unmatchedPaths(entries: readonly TreeEntry[], paths: readonly string[]): Result[] {
  return paths
    .filter((path) => !entries.some((entry) => isBelow(entry.path, [path])))
    .map((path) =>
      noteResult(
        { reason: 'path-unmatched', message: `git.paths: there is nothing at ${path}; check its spelling` },
        {},
      ),
    );
}
