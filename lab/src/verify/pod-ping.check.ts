import type { Lab } from '../lab.ts';
import type { PodPlace } from '../topology/plan.ts';
import { type Check, expectThat } from './check.ts';
import { ping } from './ping.ts';

/** Which pairs of pods a check is about. */
type PairRule = (from: PodPlace, to: PodPlace) => boolean;

/** Every pod reaches every pod of its own node. */
export const podPingSameNodeCheck = podPingCheck('pod-ping-same-node', (from, to) => from.cluster === to.cluster && from.node === to.node);

/** Every pod reaches every pod of the other nodes of its cluster. */
export const podPingAcrossNodesCheck = podPingCheck(
  'pod-ping-across-nodes',
  (from, to) => from.cluster === to.cluster && from.node !== to.node,
);

function podPingCheck(name: string, rule: PairRule): Check {
  return {
    name,
    disruptive: false,
    async run(lab: Lab): Promise<string> {
      const pods = lab.plan.clusters.flatMap((cluster) => cluster.nodes.flatMap((node) => node.pods));
      const pairs = pods.flatMap((from) => pods.filter((to) => to.id !== from.id && rule(from, to)).map((to) => ({ from, to })));
      const silent = (await Promise.all(pairs.map(({ from, to }) => silentFamilies(lab, from, to)))).flat();
      expectThat(silent.length === 0, `no answer: ${silent.join(', ')}`);
      return `${pairs.length} pairs, IPv4 and IPv6`;
    },
  };
}

async function silentFamilies(lab: Lab, from: PodPlace, to: PodPlace): Promise<string[]> {
  const addresses = lab.podAddresses(to);
  const answers = await Promise.all([ping(lab, from, addresses.ipv4), ping(lab, from, addresses.ipv6)]);
  return answers.flatMap((answer, index) => (answer ? [] : [`${from.id} to ${to.id} over ${index === 0 ? 'IPv4' : 'IPv6'}`]));
}
