import { l4Key } from '@isthmus/model';
import type { Lab } from '../lab.ts';
import type { PodPlace } from '../topology/plan.ts';
import { type FlowOptions, type FlowSpec, Flows, type TrafficReport } from '../traffic/flow.ts';
import { ECHO_PORT } from '../traffic/traffic-program.ts';
import { judgeTraffic } from '../traffic/verdict.ts';
import { expectThat } from './check.ts';
import { type Pair, podPairs, podsOfApp, RELATIONS, type Relation } from './pairs.ts';
import { hasServices, serviceTarget } from './service-view.ts';
import { RigOverloaded } from './void-phase.ts';

/** A flow, and the clusters that its ends may be in. */
export interface ScopedFlow extends FlowSpec {
  readonly clusters: readonly string[];
}

/**
 * Flows that between them use every way through the datapath: two of each relation, one of them over each family; across clusters one from
 * each cluster to each other one; and one through a service per cluster.
 */
export async function flowSet(lab: Lab): Promise<ScopedFlow[]> {
  const direct = RELATIONS.flatMap((relation) =>
    endPairs(lab, relation).map((pair, index) => directFlow(lab, relation, pair, index % 2 === 0 ? 4 : 6)),
  );
  return [...direct, ...(await serviceFlows(lab))];
}

/** The first and the last pair, which have different senders; across clusters one of each direction. */
function endPairs(lab: Lab, relation: Relation): Pair<PodPlace, PodPlace>[] {
  const pairs = podPairs(lab, relation);
  if (relation !== 'across-clusters') return [pairs.at(0), pairs.at(-1)].filter((pair) => pair !== undefined);
  return [...new Map(pairs.map((pair) => [`${pair.from.cluster} to ${pair.to.cluster}`, pair])).values()];
}

async function serviceFlows(lab: Lab): Promise<ScopedFlow[]> {
  if (!hasServices(lab, false)) return [];
  const clusters = lab.plan.clusters.map(({ name }) => name);
  const flows = lab.plan.clusters.map(async (cluster) => {
    const target = await serviceTarget(cluster, 'web', { protocol: 'UDP', family: 'ipv4' });
    const clients = podsOfApp(lab, 'client', cluster.name).slice(0, 1);
    return clients.map((from) => ({ clusters, name: `service in ${cluster.name}`, from, to: podsOfApp(lab, 'server'), target }));
  });
  return (await Promise.all(flows)).flat();
}

/** The rate of each of {@link allPairFlows}: 112 of them between 8 pods make 2,800 packets a second, and as many answers. */
export const ALL_PAIRS_PPS = 25;

/** A flow between every two pods, in both directions and over both families; slower than those of {@link flowSet}, because they are many. */
export function allPairFlows(lab: Lab, pps: number = ALL_PAIRS_PPS): ScopedFlow[] {
  return RELATIONS.flatMap((relation) =>
    podPairs(lab, relation).flatMap((pair) => [4, 6].map((family) => ({ ...directFlow(lab, relation, pair, family), pps }))),
  );
}

function directFlow(lab: Lab, relation: Relation, { from, to }: Pair<PodPlace, PodPlace>, family: number): ScopedFlow {
  const { ipv4, ipv6 } = lab.podAddresses(to);
  return {
    clusters: [...new Set([from.cluster, to.cluster])],
    name: `${relation} IPv${family} ${from.id} to ${to.id}`,
    from,
    to: [to],
    target: l4Key('UDP', family === 4 ? ipv4 : ipv6, ECHO_PORT),
  };
}

/**
 * Runs flows while `disturb` does its work, and answers how much was sent.
 * @throws CheckFailed when a single packet was lost, came twice, or came to another place; RigOverloaded when this machine may have lost them
 */
export async function expectNoLoss(lab: Lab, specs: readonly FlowSpec[], disturb: () => Promise<void>): Promise<string> {
  const { verdict, text } = judgeTraffic(await trafficWhile(lab, specs, disturb));
  if (verdict === 'void') throw new RigOverloaded(text);
  expectThat(verdict === 'clean', text);
  return text;
}

/** Runs flows while `disturb` does its work, and answers what came of them, whatever it is. */
export async function trafficWhile(
  lab: Lab,
  specs: readonly FlowSpec[],
  disturb: () => Promise<void>,
  options: FlowOptions = {},
): Promise<TrafficReport> {
  const flows = await Flows.start(lab, specs, options);
  try {
    await disturb();
    return await flows.end();
  } finally {
    flows.kill();
  }
}
