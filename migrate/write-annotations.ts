import { readAutomation } from '../fn/find/annotations.ts';
import type { Resource } from '../fn/find/resources.ts';
import { emptyPlan, sayable, type Plan, type Sayable } from './outcome.ts';
import type { Forest, Leaf } from './forest.ts';
import type { Intent } from './intent.ts';

const AUTOMATED = 'fluxcd.io/automated';
const FILTER = 'filter.fluxcd.io/';

/** Plans annotations on the workloads whose images are governed: a filter for each, and a hold on their other containers. */
export function planAnnotations(forest: Forest, intents: readonly Intent[]): Plan {
  const plan = emptyPlan();
  const byResource = new Map<Resource, { leaf: Leaf; wanted: Sayable[] }>();
  for (const each of sayable(intents, plan)) {
    const { resource, leaf } = each.site;
    if (!resource || each.site.field.origin === 'marker') {
      cannot(plan, each, 'it stands where annotations reach nothing, as in Helm values; --to policies marks it');
      continue;
    }
    const known = byResource.get(resource);
    if (known) known.wanted.push(each);
    else byResource.set(resource, { leaf, wanted: [each] });
  }
  for (const [resource, { leaf, wanted }] of byResource) planResource(forest, leaf, resource, wanted, plan);
  return plan;
}

function cannot({ outcomes }: Plan, { intent }: Sayable, why: string): void {
  outcomes.set(intent, { status: 'cannot', notes: [why, ...intent.notes] });
}

function planResource(forest: Forest, leaf: Leaf, resource: Resource, wanted: readonly Sayable[], plan: Plan): void {
  const fields = forest.sites(leaf).flatMap((site) => (site.resource === resource ? [site.field] : []));
  const { automated, filters } = readAutomation(
    resource,
    fields.map(({ container }) => container),
  );
  const set = new Map<string, string>();
  const governed = new Set<string>();
  for (const each of wanted) {
    const { terms, site, intent } = each;
    const { container } = site.field;
    if ('cannot' in terms.filter) {
      cannot(plan, each, terms.filter.cannot);
      continue;
    }
    const { text } = terms.filter;
    const present = filters.get(container)?.pattern;
    const other = present ?? (automated ? 'any tag (no filter)' : set.get(FILTER + container));
    if (other !== undefined && other !== text) {
      cannot(
        plan,
        each,
        `its annotations say ${other} already, and ${text} would be the same as before; decide which counts`,
      );
      continue;
    }
    governed.add(container);
    if (present === undefined) set.set(FILTER + container, text);
    const status = present !== undefined && automated ? 'there' : 'written';
    const notes = [...terms.notes, ...(terms.filterNotes ?? []), ...intent.notes];
    plan.outcomes.set(intent, { status, ours: text, notes });
  }
  if (governed.size === 0 || automated) return;
  const first = wanted.find(({ site }) => governed.has(site.field.container));
  for (const { container, reference } of fields) {
    if (governed.has(container) || filters.has(container)) continue;
    // Automation is a workload's: a container without a filter would go to any tag.
    set.set(FILTER + container, reference?.tag === undefined ? 'regexp:^$' : `glob:${reference.tag}`);
    const held = `the container ${container} is held by a filter that only its present tag fits, as nothing moved it before`;
    const outcome = plan.outcomes.get(first!.intent)!;
    plan.outcomes.set(first!.intent, { ...outcome, notes: [...outcome.notes, held] });
  }
  set.set(AUTOMATED, 'true');
  const ofLeaf = plan.annotations.get(leaf) ?? new Map<Resource, { set: Map<string, string>; remove: Set<string> }>();
  plan.annotations.set(
    leaf,
    ofLeaf.set(resource, { set: new Map([...set].toSorted(automatedFirst)), remove: new Set() }),
  );
}

function automatedFirst([a]: [string, string], [b]: [string, string]): number {
  return Number(b === AUTOMATED) - Number(a === AUTOMATED);
}
