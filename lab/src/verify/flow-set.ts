import { l4Key } from '@isthmus/model';
import type { Lab } from '../lab.ts';
import type { PodPlace } from '../topology/plan.ts';
import { type FlowReport, type FlowSpec, Flows } from '../traffic/flow.ts';
import { ECHO_PORT } from '../traffic/traffic-program.ts';
import { expectThat } from './check.ts';
import { type Pair, podPairs, podsOfApp, RELATIONS } from './pairs.ts';
import { hasServices, serviceTarget } from './service-view.ts';

/** A flow, and the clusters that its ends may be in. */
export interface MeshFlow extends FlowSpec {
  readonly clusters: readonly string[];
}

/**
 * Flows that between them use every way through the datapath: two of each relation, one of them over each family; across clusters one from
 * each cluster to each other one; and one through a service per cluster.
 */
export async function flowSet(lab: Lab): Promise<MeshFlow[]> {
  const inside = RELATIONS.filter((relation) => relation !== 'across-clusters').flatMap((relation) => {
    const pairs = podPairs(lab, relation);
    return [pairs.at(0), pairs.at(-1)].flatMap((pair, index) => (pair ? [directFlow(lab, relation, pair, index)] : []));
  });
  const directions = new Map(podPairs(lab, 'across-clusters').map((pair) => [`${pair.from.cluster} to ${pair.to.cluster}`, pair]));
  const across = [...directions].map(([direction, pair], index) => directFlow(lab, direction, pair, index));
  return [...inside, ...across, ...(await serviceFlows(lab))];
}

/** Flows take turns with the families. */
function directFlow(lab: Lab, what: string, { from, to }: Pair<PodPlace, PodPlace>, index: number): MeshFlow {
  const { ipv4, ipv6 } = lab.podAddresses(to);
  const [family, address] = index % 2 === 0 ? ['IPv4', ipv4] : ['IPv6', ipv6];
  const clusters = [...new Set([from.cluster, to.cluster])];
  return { clusters, name: `${what} ${family}`, from, target: l4Key('UDP', address, ECHO_PORT) };
}

async function serviceFlows(lab: Lab): Promise<MeshFlow[]> {
  if (!hasServices(lab, false)) return [];
  const clusters = lab.plan.clusters.map(({ name }) => name);
  const flows = lab.plan.clusters.map(async (cluster) => {
    const target = await serviceTarget(cluster, 'web', { protocol: 'UDP', family: 'ipv4' });
    return podsOfApp(lab, 'client', cluster.name)
      .slice(0, 1)
      .map((from) => ({ clusters, name: `service in ${cluster.name}`, from, target }));
  });
  return (await Promise.all(flows)).flat();
}

/**
 * Runs flows while `disturb` does its work, and answers how much was sent.
 * @throws CheckFailed when a single packet was lost
 */
export async function expectNoLoss(lab: Lab, specs: readonly FlowSpec[], disturb: () => Promise<void>): Promise<string> {
  const flows = await Flows.start(lab, specs);
  try {
    await disturb();
    const reports = await flows.end();
    const bad = reports.filter(({ lost, duplicates, errors }) => lost > 0 || duplicates > 0 || errors > 0);
    expectThat(bad.length === 0, bad.map(reportText).join('; '));
    const sent = reports.reduce((sum, report) => sum + report.sent, 0);
    const gap = Math.max(0, ...reports.map(({ longestGapMs }) => longestGapMs));
    return `0 of ${sent} packets of ${reports.length} flows lost, longest gap ${gap.toFixed(0)} ms`;
  } finally {
    flows.kill();
  }
}

function reportText({
  name,
  target,
  sent,
  lost,
  lostRanges,
  duplicates,
  errors,
  lastError,
  longestGapMs,
}: FlowReport & { name: string }): string {
  const ranges = lostRanges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(' ');
  const failures = errors > 0 ? `, ${errors} errors (${lastError})` : '';
  return `${name} (${target}): ${lost} of ${sent} lost${lost > 0 ? ` (${ranges})` : ''}, ${duplicates} twice${failures}, longest gap ${longestGapMs} ms`;
}
